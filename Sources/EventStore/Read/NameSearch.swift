internal import LibPQ

/// What a name is the name of.
package enum NameKind: Sendable, Hashable {
  case aggregate, eventType, projection
}

extension EventStore {
  /// Names that begin with a text, for somebody who types one: the first ones in their order.
  ///
  /// - Throws: ``EventStoreError``, also when the server would search for longer than the timeout.
  package func names(
    of kind: NameKind,
    beginningWith prefix: String,
    limit: Int,
    timeoutMilliseconds: Int
  ) async throws -> [String] {
    try await perform { connection in
      try connection.execute("SET statement_timeout = \(timeoutMilliseconds)")
      let sql =
        switch kind {
        case .aggregate: try searchSQL("aggregate_id", connection)
        case .eventType: try searchSQL("event_type", connection)
        case .projection:
          "SELECT name FROM annals.projections WHERE starts_with(name, $1) ORDER BY name LIMIT $2"
        }
      let rows = try connection.query(sql, [.text(prefix), .int8(Int64(limit))])
      return (0..<rows.rowCount).map { rows.string($0, 0) }
    }
  }

  private func searchSQL(_ column: String, _ connection: Connection) throws -> String {
    let collation = """
      SELECT pg_collation_for((SELECT e.\(column) FROM \(relation) e LIMIT 1)) = '"C"'
        OR (SELECT datcollate IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database())
      """
    let order = try connection.query(collation).bool(0, 0)
    return embeddedSQL(
      PackageResources.NamesByPrefix_sql,
      filling: [
        "column": column,
        "events": try layout(connection).source,
        "order": order ? "COLLATE \"C\"" : "",
        "end": order ? "AND e.\(column) COLLATE \"C\" < $1 || chr(1114111)" : "",
      ]
    )
  }
}
