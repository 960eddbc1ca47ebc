internal import LibPQ

/// What a name is the name of.
package enum NameKind: Sendable, Hashable {
  case aggregate, category, eventType, projection
  /// Of a replay.
  case checkpoint
  /// A projection, or the checkpoint of a replay.
  case consumer
  /// The position of an event that is parked, of one of these consumers.
  case deadLetter(of: [String])
}

extension StoreConnection {
  func names(
    of kind: NameKind,
    beginningWith prefix: String,
    limit: Int,
    timeoutMilliseconds: Int
  ) throws -> [String] {
    try connection.set([SessionSetting("statement_timeout", "\(timeoutMilliseconds)")])
    var parameters: [Parameter] = [.text(prefix), .int8(Int64(limit))]
    let sql: String
    switch kind {
    case .aggregate: sql = try searchSQL("aggregate_id")
    case .category:
      let source = try eventsTable().source
      sql = SQLTemplate.categoriesByPrefix.filled(["events": source])
    case .eventType: sql = try searchSQL("event_type")
    case .projection, .checkpoint:
      let records = kind == .projection ? "projections" : "checkpoints"
      sql =
        "SELECT name FROM annals.\(records) WHERE starts_with(name, $1) AND store = $3 ORDER BY 1 LIMIT $2"
      parameters.append(.text(table.description))
    case .consumer:
      sql = """
        SELECT name FROM (SELECT name, store FROM annals.projections UNION SELECT name, store FROM annals.checkpoints) AS c
        WHERE starts_with(name, $1) AND store = $3 ORDER BY 1 LIMIT $2
        """
      parameters.append(.text(table.description))
    case .deadLetter(let consumers):
      sql = """
        SELECT DISTINCT position::text FROM (
          SELECT projection AS name, position, state FROM annals.dead_letters
          UNION ALL SELECT checkpoint, position, state FROM annals.parked_events) AS d
        WHERE starts_with(position::text, $1) AND name = ANY ($3) AND state = 'parked' ORDER BY 1 LIMIT $2
        """
      parameters.append(.textArray(consumers))
    }
    let rows = try connection.query(sql, parameters)
    return (0..<rows.rowCount).map { rows.string($0, 0) }
  }

  private func searchSQL(_ column: String) throws -> String {
    let collation: SQL = """
      SELECT pg_collation_for((SELECT e.\(raw: column) FROM \(raw: relation) e LIMIT 1)) = '"C"'
        OR (SELECT datcollate IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database())
      """
    let order = try connection.query(collation).bool(0, 0)
    return SQLTemplate.namesByPrefix.filled([
      "column": column,
      "events": try eventsTable().source,
      "order": order ? "COLLATE \"C\"" : "",
      "end": order ? "AND e.\(column) COLLATE \"C\" < $1 || chr(1114111)" : "",
    ])
  }
}
