internal import LibPQ

extension EventStore {
  /// Reads a time as people write it; the server does the reading, in UTC and by its own clock.
  ///
  /// - Parameter text: ISO 8601, whatever else PostgreSQL takes for a timestamptz (`yesterday`, `2026-11-23`), or an
  ///   interval and `ago` (`2 hours ago`).
  /// - Throws: ``EventStoreError`` with code `invalidInput`.
  public func time(_ text: String) async throws -> Timestamp {
    try await perform { connection in
      let sql =
        text.utf8.suffix(4).elementsEqual(" ago".utf8)
        ? "SELECT now() + $1::text::interval" : "SELECT $1::text::timestamptz"
      do {
        return Timestamp(microseconds: try connection.query(sql, [.text(text)]).int64(0, 0))
      } catch let error as PostgresError where error.sqlState?.utf8.starts(with: "22".utf8) == true {
        throw EventStoreError(
          .invalidInput,
          "'\(text)' is not a time",
          hint: "Write ISO 8601 (2026-11-23T10:00:00Z), 'today', 'yesterday' or '2 hours ago'.",
          sqlState: error.sqlState
        )
      }
    }
  }
}
