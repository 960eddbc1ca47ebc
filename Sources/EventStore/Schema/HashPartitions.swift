internal import LibPQ

/// A table of events in partitions by the hash of the aggregate's id, so that a stream is in one of them.
///
/// Each of its unique keys contains the aggregate's id (PostgreSQL's manual, "Partitioning, Limitations"): a version is
/// unique in its stream, as usual, but an id is unique only in its stream. Only the identity keeps positions apart.
extension StoreConnection {
  /// The SQL that creates the table and its partitions.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidInput` when the number is not allowed, or a name is too long.
  func createPartitioned(_ count: Int) throws -> String {
    let allowed = EventStore.partitionCounts
    guard allowed.contains(count) else {
      throw EventStoreError(
        .invalidInput,
        "a table of events has \(allowed.lowerBound) to \(allowed.upperBound) partitions, not \(count)"
      )
    }
    let create = SQLTemplate.createEvents.filled([
      "events": table.sql,
      "id_key": """
      -- Each key contains that of the partitions: an id is there once in its stream.
        PRIMARY KEY (id, aggregate_id)
      """,
      "partitioning": " PARTITION BY HASH (aggregate_id)",
      "position_key": "CREATE INDEX ON \(table.sql) (position)",
    ])
    let partitions = try (0..<count).map { remainder in
      """
      CREATE TABLE \(try Partitions.name("_p\(remainder)", of: table).sql) PARTITION OF \(table.sql)
        FOR VALUES WITH (MODULUS \(count), REMAINDER \(remainder));

      """
    }
    return create + partitions.joined()
  }

  /// Refuses an existing table with other partitions.
  func requirePartitions(_ count: Int) throws {
    let sql: SQL = """
      SELECT pg_get_partkeydef(c.oid) AS key, (SELECT count(*) FROM pg_inherits AS i WHERE i.inhparent = c.oid) AS partitions
      FROM pg_class AS c WHERE c.oid = to_regclass(\(table.sql))
      """
    let found = try connection.query(sql)
    let key = found[0].optionalString("key")
    let actual = found[0].int64("partitions")
    guard key != "HASH (aggregate_id)" || actual != Int64(count) else { return }
    let kind = key.map { "it is partitioned by \($0), into \(actual)" } ?? "it is not partitioned"
    throw EventStoreError(
      .invalidDefinition,
      "\(table) exists already, and \(kind)",
      detail: "annals does not change the partitions of a table with events.",
      hint:
        "Create another table with \(.table()), and copy the events into it: \(.manual(.initialization)) shows how."
    )
  }
}
