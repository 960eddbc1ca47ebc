internal import LibPQ

/// Steps between positions that exist: a position can be any bigint, and most of those may have no event.
extension EventsTable {
  /// The end of a chunk of events that begins after a position.
  ///
  /// Events are counted, not positions: a chunk goes from one existing position to another, whatever gap is between
  /// them. The query has no upper bound, since without statistics the planner expects few rows for two bounds, and
  /// would sort the rest of the store for each chunk.
  ///
  /// - Parameter position: nil for the first chunk.
  /// - Returns: the position of the last event of the chunk; `final` if the chunk is not full there.
  func endOfChunk(
    of events: Int64,
    after position: Int64?,
    upTo final: Int64,
    _ connection: Connection
  ) throws(PostgresError) -> Int64 {
    // If there are not even more positions than that, no look is needed.
    if let position, position.span(to: final) <= events { return final }
    let condition: SQL = position.map { "position > \($0)" } ?? "position IS NOT NULL"
    let sql: SQL = """
      SELECT position FROM \(raw: relation) e WHERE \(condition)
      ORDER BY position OFFSET \(max(events, 1) - 1) LIMIT 1
      """
    let last = try connection.query(sql)
    return last.isEmpty ? final : min(last[0].int64("position"), final)
  }

  /// The position before the first event, for a reader that stores its position: 0, or a position below all others if
  /// the store has, or may get, positions that are not above 0.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` if an event has the lowest number of all.
  func beginning(_ connection: Connection) throws -> Int64 {
    let sql: SQL = """
      SELECT greatest(before, \(Int64.min))::bigint AS beginning, before < \(Int64.min) AS is_out_of_range FROM (
        SELECT least(0, (SELECT min(position)::numeric - 1 FROM \(raw: relation) e),
          (SELECT s.seqmin::numeric - 1 FROM pg_sequence AS s WHERE s.seqrelid = \(positionSequence))) AS before
      ) AS positions
      """
    let found = try connection.query(sql)
    guard !found[0].bool("is_out_of_range") else { return try requireNoLowest(connection) }
    return found[0].int64("beginning")
  }

  /// The sequence of the position column; NULL without one.
  private var positionSequence: SQL {
    if relation.hasSameBytes(as: name.sql) {
      return "pg_get_serial_sequence(\(name.sql), 'position')::regclass"
    }
    guard let positionOrigin else { return "NULL::oid" }
    return """
      (SELECT pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass FROM pg_attribute AS a
       WHERE a.attrelid = \(Int64(positionOrigin.table))::oid AND a.attnum = \(Int64(positionOrigin.number)))
      """
  }

  /// A sequence may begin at the lowest number; nobody can continue from before an event there.
  private func requireNoLowest(_ connection: Connection) throws -> Int64 {
    let sql: SQL =
      "SELECT aggregate_id, version FROM \(raw: relation) e WHERE position = \(Int64.min) LIMIT 1"
    let lowest = try connection.query(sql)
    if lowest.isEmpty { return .min }
    let version = lowest[0].optionalInt32("version").map { " version \($0)" } ?? ""
    throw EventStoreError(
      .invalidDefinition,
      "\(lowest[0].optionalString("aggregate_id") ?? "an event")\(version) is at position \(Int64.min), the lowest number that there is",
      detail: "A checkpoint before that event cannot be expressed as a position.",
      hint: "Read without a checkpoint, or give the event another position."
    )
  }
}

extension Int {
  /// The integer part of a number; the highest or lowest integer if it is beyond that, and 0 for NaN.
  package init(clamping number: Double) {
    self = number.isNaN ? 0 : Int(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max)
  }
}

/// Arithmetic on positions that cannot overflow.
extension Int64 {
  /// The distance to a position that is not lower; the highest number if it is larger than that.
  package func span(to end: Int64) -> Int64 {
    let (span, overflow) = end.subtractingReportingOverflow(self)
    return overflow ? .max : span
  }

  /// The position in the middle, rounded down, between this and one that is not lower.
  func middle(to end: Int64) -> Int64 {
    self + Int64((UInt64(bitPattern: end) &- UInt64(bitPattern: self)) / 2)
  }

  /// The sum, or the highest or lowest number if it is beyond that.
  package func saturatingAdd(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }
}

/// Windows in even steps of a range of positions, each at a random place of its step: at fixed places they would always
/// miss events that come at the same pace. The first one is at the beginning of the range and the last one at its end,
/// so that the first and the last events are seen.
struct PositionWindows: Sendable {
  let windows: [ClosedRange<Int64>]

  /// - Parameters:
  ///   - share: how much of the range they cover, from 0 to 1.
  ///   - minimumWidth: of a window, in positions.
  init(in range: ClosedRange<Int64>, covering share: Double, most: Int, minimumWidth: Double = 1) {
    let span = UInt64(bitPattern: range.upperBound) &- UInt64(bitPattern: range.lowerBound)
    let wanted = (Double(span) + 1) * share
    let count = UInt64(Swift.min(Double(most), Swift.max(1, (wanted / minimumWidth).rounded(.down))))
    let step = Swift.max(1, span / count)
    let width = Swift.min(
      step,
      UInt64(Swift.min(Swift.max(1, (wanted / Double(count)).rounded(.up)), 0x1p63))
    )
    windows = (0..<count).map { index in
      let (begin, isLast) = (index * step, index == count - 1)
      let end = isLast ? span : begin + step - 1
      let room = width == step ? 0 : end - begin - (width - 1)
      let isAtEnd = count > 1 && (index == 0 || isLast)
      let start = begin + (isAtEnd ? (isLast ? room : 0) : UInt64.random(in: 0...room))
      let last = width == step ? end : start + (width - 1)
      return range.lowerBound.raised(by: start)...range.lowerBound.raised(by: last)
    }
  }

  var starts: Parameter { .int8Array(windows.map(\.lowerBound)) }
  var ends: Parameter { .int8Array(windows.map(\.upperBound)) }
}

extension Int64 {
  /// The number above this one by an offset; the caller knows that it exists.
  fileprivate func raised(by offset: UInt64) -> Int64 {
    Int64(bitPattern: UInt64(bitPattern: self) &+ offset)
  }
}
