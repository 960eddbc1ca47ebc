internal import LibPQ

extension StoreConnection {
  func time(_ text: String) throws -> Timestamp {
    let time =
      text.utf8.suffix(4).elementsEqual(" ago".utf8) ? "now() + $1::text::interval" : "$1::text::timestamptz"
    do throws(PostgresError) {
      return Timestamp(microseconds: try connection.query("SELECT " + time, [.text(text)]).int64(0, 0))
    } catch {
      guard error.isWrongValue else { throw error }
      throw EventStoreError(
        .invalidInput,
        "'\(text)' is not a time",
        hint: "Write ISO 8601 (2026-11-23T10:00:00Z), 'today', 'yesterday' or '2 hours ago'.",
        sqlState: error.sqlState
      )
    }
  }
}
