internal import LibPQ

/// How many events of a type there are, and where in history.
struct TypeCount: Sendable {
  let type: ByteString
  let events: Int64
  /// Nil in a table without positions.
  let positions: ClosedRange<Int64>?
  /// Whether the number of events is an estimate.
  var isEstimate = false

  /// The types of a store, the most frequent first.
  static func all(in table: EventsTable, types: [ByteString]? = nil, _ connection: Connection) throws
    -> [TypeCount]
  {
    try TypeHistory.all(in: table, types: types, connection).map(\.count)
  }
}

/// The events of a type, and when they happened.
struct TypeHistory: Sendable {
  private(set) var count: TypeCount
  /// The time of the first event, in the order of the store.
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
    // Positions find the first and last events, and the samples.
    try table.requirePositions(connection)
    var conditions: [SQL] = []
    if let category { conditions.append(table.isOf(category: category)) }
    if let types { conditions.append("e.event_type = ANY (\(Parameter.textArray(types)))") }
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    let times: SQL = """
      min(e."timestamp")\(raw: zone) AS first_time, max(e."timestamp")\(raw: zone) AS last_time
      """
    let sql = SQLTemplate.typeCounts.statement([
      "events": "\(raw: table.relation)",
      "conditions": conditions.conjunction,
      "bounds": table.hasPosition
        ? "min(e.position) AS first, max(e.position) AS last"
        : "NULL::bigint AS first, NULL::bigint AS last, \(times)",
    ])
    let counts = try connection.query(sql)
    guard table.hasPosition else { return try counts.map { try TypeHistory($0) } }
    let ends = counts.map { [$0.int64("first"), $0.int64("last")] }.flatMap(\.self)
    let seen = try self.times(at: ends, in: table, connection)
    return try counts.map { try TypeHistory($0, times: seen) }
  }

  /// The times of the events at some positions, in a separate statement: Citus refuses a subquery for each row.
  private static func times(
    at positions: [Int64],
    in table: EventsTable,
    _ connection: Connection
  ) throws(PostgresError) -> [Int64: Timestamp?] {
    let sql: SQL = """
      SELECT e.position, \(raw: table.time) AS "timestamp" FROM \(raw: table.relation) e
      WHERE e.position = ANY (\(Parameter.int8Array(positions)))
      """
    var times: [Int64: Timestamp?] = [:]
    try connection.query(sql).forEachRow { row in
      times[row.int64("position")] = .some(row.isNull("timestamp") ? nil : row.timestamp("timestamp"))
    }
    return times
  }

  private static func time(at position: SQL, in table: EventsTable) -> SQL {
    "(SELECT \(raw: table.time) FROM \(raw: table.relation) e WHERE e.position = \(position) LIMIT 1)"
  }

  /// Fewer events are counted in negligible time.
  private static let fewEvents = 100_000.0

  /// The same for a large table, with estimates for the frequent types; nil if the table is small or has no statistics.
  static func estimated(in table: EventsTable, _ connection: Connection) throws -> [TypeHistory]? {
    guard table.hasPosition, table.relation.hasSameBytes(as: table.name.sql) else { return nil }
    let sql = SQLTemplate.estimatedEvents.sql
    let events = try connection.query(sql, [.text(table.name.sql)]).first { $0.float64("events") }
    guard let events, events > fewEvents else { return nil }
    try table.requirePositions(connection)
    let types = SQLTemplate.estimatedTypes.filled([
      "events": table.relation, "first_time": time(at: "c.first", in: table).text,
      "last_time": time(at: "c.last", in: table).text,
    ])
    let parameters: [Parameter] = [
      .text(table.name.schema), .text(table.name.name), .float8(events), .float8(fewEvents / 10),
    ]
    return try connection.query(types, parameters).map { row in
      var history = try TypeHistory(row)
      history.count.isEstimate = row.bool("is_estimate")
      return history
    }
  }

  private init(_ row: borrowing Row) throws(EventStoreError) {
    count = TypeCount(row)
    firstSeen = try row.time("first_time", ofType: count.type.string)
    lastSeen = try row.time("last_time", ofType: count.type.string)
  }

  private init(_ row: borrowing Row, times: [Int64: Timestamp?]) throws(EventStoreError) {
    count = TypeCount(row)
    guard let first = times[row.int64("first")] ?? nil, let last = times[row.int64("last")] ?? nil else {
      throw .incomplete("an event of type \(count.type)", without: "timestamp")
    }
    (firstSeen, lastSeen) = (first, last)
  }
}

extension TypeCount {
  fileprivate init(_ row: borrowing Row) {
    let (first, last) = (row.optionalInt64("first"), row.optionalInt64("last"))
    self.init(
      type: ByteString(row.string("event_type")),
      events: row.int64("events"),
      positions: first.flatMap { first in last.map { first...$0 } }
    )
  }
}

extension Row {
  /// The time of an event of a type.
  func time(_ column: StaticString, ofType type: String) throws(EventStoreError) -> Timestamp {
    if isNull(column) { throw .incomplete("an event of type \(type)", without: "timestamp") }
    return timestamp(column)
  }
}

/// The events of a type to examine: all, or some from every part of history.
///
/// A sample takes all events of the type in windows of positions, one at random in each of many even steps between its
/// first and its last event (stratified cluster sampling). So every event is equally likely, and the index finds them.
/// The first and the last event are always included.
struct EventSample {
  /// A FROM item with the alias `e` and the requested columns.
  let sql: SQL
  let isWhole: Bool

  static let maximumWindows = 200
  /// In positions: narrow windows would always hit the same one of several types that alternate.
  private static let minimumWidth = 20.0

  /// - Parameters:
  ///   - limit: about the most events; nil for all.
  ///   - typeColumn: the column of the source with the type that was counted.
  ///   - columns: of `e`, a row of the source.
  init(
    of count: TypeCount,
    limit: Int?,
    where condition: SQL? = nil,
    typeColumn: String = "event_type",
    columns: String,
    source: String
  ) {
    var conditions: [SQL] = ["e.\(raw: typeColumn) = \(count.type.string)"]
    if let condition { conditions.append(condition) }
    // OFFSET 0: otherwise the planner would merge this with the expressions on the events, and compute them for all.
    let select = { (condition: SQL) -> SQL in
      """
      SELECT \(raw: columns) FROM \(raw: source) e WHERE \((conditions + [condition]).conjunction) OFFSET 0
      """
    }
    if let limit, let positions = count.positions, count.events > limit {
      let sample = PositionWindows(
        in: positions,
        covering: Double(limit) / Double(count.events),
        most: Self.maximumWindows,
        minimumWidth: Self.minimumWidth
      )
      let events = select("e.position BETWEEN w.first AND w.last")
      sql = """
        (SELECT e.* FROM unnest(\(sample.starts), \(sample.ends)) AS w (first, last)
         CROSS JOIN LATERAL (\(events)) AS e) AS e
        """
      isWhole = false
    } else {
      sql = "(\(select("true"))) AS e"
      isWhole = true
    }
  }

  /// The events as readers see them.
  init(of count: TypeCount, limit: Int?, category: String? = nil, in table: EventsTable) {
    self.init(
      of: count,
      limit: limit,
      where: category.map(table.isOf(category:)),
      columns: table.columns,
      source: table.source
    )
  }
}
