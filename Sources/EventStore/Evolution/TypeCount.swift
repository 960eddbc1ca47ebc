internal import LibPQ

/// How many events of a type there are, and where in history.
struct TypeCount: Sendable {
  let type: ByteString
  let events: Int64
  /// Nil in a table without positions.
  let positions: ClosedRange<Int64>?

  /// The types of a store, the most frequent first.
  static func all(in table: EventsTable, types: [ByteString]? = nil, _ connection: Connection) throws
    -> [TypeCount]
  {
    try TypeHistory.all(in: table, types: types, connection).map(\.count)
  }
}

/// The events of a type, and when they happened.
struct TypeHistory: Sendable {
  let count: TypeCount
  /// The times of the first and the last event, in the order of the store.
  let firstSeen: Timestamp
  let lastSeen: Timestamp
}

extension TypeHistory {
  /// The types of a store, the most frequent first.
  static func all(
    in table: EventsTable,
    category: String? = nil,
    types: [ByteString]? = nil,
    _ connection: Connection
  ) throws -> [TypeHistory] {
    var conditions = Conditions()
    if let category { conditions.add(category: category) }
    if let types { conditions.add("e.event_type = ANY (\(conditions.bind(.textArray(types))))") }
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    let time = { (position: String) in
      "(SELECT e.\"timestamp\"\(zone) FROM \(table.relation) e WHERE e.position = \(position) LIMIT 1)"
    }
    let times = "min(e.\"timestamp\")\(zone) AS first_time, max(e.\"timestamp\")\(zone) AS last_time"
    let sql = SQLTemplate.typeCounts.filled([
      "events": table.relation,
      "conditions": conditions.clause(and: "true"),
      "bounds": table.hasPosition
        ? "min(e.position) AS first, max(e.position) AS last"
        : "NULL::bigint AS first, NULL::bigint AS last, \(times)",
      "first_time": table.hasPosition ? time("c.first") : "c.first_time",
      "last_time": table.hasPosition ? time("c.last") : "c.last_time",
    ])
    let result = try connection.query(sql, conditions.parameters)
    return try (0..<result.rowCount).map { try TypeHistory(result, row: $0) }
  }

  private init(_ result: borrowing QueryResult, row: Int) throws(EventStoreError) {
    count = TypeCount(
      type: ByteString(result.string(row, 0)),
      events: result.int64(row, 1),
      positions: result.optionalInt64(row, 2).map { $0...result.int64(row, 3) }
    )
    firstSeen = try result.time(row, 4, ofType: count.type.string)
    lastSeen = try result.time(row, 5, ofType: count.type.string)
  }
}

extension QueryResult {
  /// The time of an event of a type.
  borrowing func time(_ row: Int, _ column: Int, ofType type: String) throws(EventStoreError) -> Timestamp {
    guard let microseconds = optionalInt64(row, column) else {
      throw .incomplete("an event of type \(type)", without: "timestamp")
    }
    return Timestamp(microseconds: microseconds)
  }
}

/// The events of a type that are looked at: all, or some from every part of history.
///
/// A sample takes all events of the type in windows of positions that lie evenly between its first and its last event
/// (systematic cluster sampling), so that every event is as likely as another and the index finds them.
struct EventSample {
  /// A FROM item, which calls itself `e`, with the columns that were asked for.
  let sql: String
  let parameters: [Parameter]
  let isWhole: Bool

  static let maximumWindows = 200
  /// In positions: narrow windows would beat with types that take turns.
  private static let minimumWidth = 20.0

  /// - Parameters:
  ///   - limit: about as many events at most; nil for all.
  ///   - typeColumn: where the source has the type that was counted.
  ///   - columns: of `e`, a row of the source.
  init(
    of count: TypeCount,
    limit: Int?,
    category: String? = nil,
    typeColumn: String = "event_type",
    columns: String,
    source: String
  ) {
    var conditions = Conditions()
    conditions.add("e.\(typeColumn) = \(conditions.bind(.text(count.type.string)))")
    if let category { conditions.add(category: category) }
    // OFFSET 0: a planner who merges this with what is done to the events does that first, and to all of them.
    let select = { (condition: String) in
      "SELECT \(columns) FROM \(source) e \(conditions.clause(and: condition)) OFFSET 0"
    }
    if let limit, let positions = count.positions, count.events > limit {
      let sample = PositionWindows(
        in: positions,
        covering: Double(limit) / Double(count.events),
        most: Self.maximumWindows,
        minimumWidth: Self.minimumWidth
      )
      let events = select("e.position BETWEEN w.first AND w.last")
      let windows = "unnest(\(conditions.bind(sample.starts)), \(conditions.bind(sample.ends)))"
      sql = "(SELECT e.* FROM \(windows) AS w (first, last) CROSS JOIN LATERAL (\(events)) AS e) AS e"
      isWhole = false
    } else {
      sql = "(\(select("true"))) AS e"
      isWhole = true
    }
    parameters = conditions.parameters
  }

  /// The events as they are read.
  init(of count: TypeCount, limit: Int?, category: String? = nil, in table: EventsTable) {
    self.init(of: count, limit: limit, category: category, columns: table.columns, source: table.source)
  }
}
