internal import LibPQ

extension StoreConnection {
  func times(_ text: String) throws -> ClosedRange<Timestamp> {
    let form = TimeForm(text)
    do throws(PostgresError) {
      let result = try connection.query(form.sql, [.text(text)])
      if !result.isNull(0, 0) {
        let first = Timestamp(microseconds: result.int64(0, 0))
        // The next range begins with the day, month, week or year after this one.
        let last = result.optionalInt64(0, 1).map { Timestamp(microseconds: $0 - 1) }
        return first...(last ?? first)
      }
    } catch {
      guard error.isWrongValue else { throw error }
      throw Self.noTime(text, sqlState: error.sqlState)
    }
    throw Self.noTime(text)
  }

  private static func noTime(_ text: String, sqlState: String? = nil) -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "'\(text)' is not a time",
      hint: """
        Write ISO 8601 (2026-11-23T10:00:00Z, or 2026-11-23, 2026-11, 2026-W48 or 2026 for all of it), 'today', \
        'yesterday' or '2 hours ago'.
        """,
      sqlState: sqlState
    )
  }
}

/// The forms in which people write a time.
private enum TimeForm {
  case instant, ago, day, week, month, year

  init(_ text: String) {
    let text = text.lowercased()
    self =
      if text.utf8.suffix(4).elementsEqual(" ago".utf8) {
        .ago
      } else if text.wholeMatch(of: /\d{4}/.matchingSemantics(.unicodeScalar)) != nil {
        .year
      } else if text.wholeMatch(of: /\d{4}-\d{2}/.matchingSemantics(.unicodeScalar)) != nil {
        .month
      } else if text.wholeMatch(of: /\d{4}-?w\d{2}/.matchingSemantics(.unicodeScalar)) != nil {
        .week
      } else if Self.hasTimeOfDay(text) {
        .instant
      } else {
        .day
      }
  }

  /// Whether it is more than a date, in PostgreSQL's forms of a timestamptz.
  private static func hasTimeOfDay(_ text: String) -> Bool {
    if text.utf8.contains(UInt8(ascii: ":")) { return true }
    let instants =
      /\s*((now|epoch|[-+]?infinity)\s*|(yesterday|today|tomorrow)\s+\S.*|\d{4}-?\d{2}-?\d{2}\s*[t ]\s*\d.*)/
    return text.wholeMatch(of: instants.matchingSemantics(.unicodeScalar)) != nil
  }

  /// A query for the beginning of this range and of the next; NULL for a moment, and for a week that does not exist.
  var sql: String {
    switch self {
    case .instant: "SELECT $1::text::timestamptz, NULL::timestamptz"
    case .ago: "SELECT now() + $1::text::interval, NULL::timestamptz"
    case .day: Self.range("$1::text::timestamptz", "1 day")
    case .month: Self.range("($1::text || '-01')::timestamptz", "1 month")
    case .year: Self.range("($1::text || '-01-01')::timestamptz", "1 year")
    case .week:
      """
      SELECT t, t + interval '7 days' FROM (
        SELECT CASE WHEN to_char(d, 'IYYYIW') = w THEN d::timestamptz END AS t
        FROM (SELECT w, to_date(w, 'IYYYIW') AS d FROM (SELECT regexp_replace($1::text, '[-wW]+', '', 'g') AS w) AS a) AS b
      ) AS c
      """
    }
  }

  private static func range(_ beginning: String, _ length: String) -> String {
    "SELECT t, t + interval '\(length)' FROM (SELECT \(beginning) AS t) AS beginning"
  }
}
