internal import LibPQ

extension StoreConnection {
  /// How Citus distributes the events table. Its size and rows are those of the shards: on this server it is empty.
  func distributionItems() throws -> [DiagnosisItem] {
    let facts = try connection.query(SQLTemplate.distributionFacts.sql, [.text(table.sql)])
    guard !facts.isEmpty else { return [] }
    let (column, shards) = (facts[0].optionalString("column"), facts[0].int64("shards"))
    let isByAggregate = column?.hasSameBytes(as: "aggregate_id") == true
    let rows = try connection.query(SQLTemplate.distributedRows.sql, [.text(table.sql)])
    let estimate = rows[0].optionalInt64("rows").map { "about \($0)" } ?? "not known"
    let by = column.map { "by \($0), " } ?? "by no column, "
    return [
      DiagnosisItem(
        .table,
        "distribution",
        by + counted(shards, "shard"),
        isByAggregate ? .ok : .problem,
        advice: isByAggregate
          ? nil
          : "A stream must be on one node: SELECT alter_distributed_table(\(quoteLiteral(table.sql)), distribution_column => 'aggregate_id');"
      ),
      DiagnosisItem(.table, "rows", "\(estimate), \(facts[0].int64("bytes") >> 20) MiB"),
    ]
  }
}
