internal import LibPQ

/// The totals of a store.
public struct StoreStatistics: Sendable, Hashable {
  /// How many events there are.
  public let events: Int64
  /// How many streams there are.
  public let streams: Int64
  /// How many event types there are.
  public let types: Int64
  /// Whether these numbers, and those of recent events, are estimates from PostgreSQL's statistics. The earliest and
  /// the latest time are then those of the first and the last event in the order of the store.
  public let isEstimate: Bool
  /// The earliest time of an event; nil without events.
  public let oldest: Timestamp?
  /// The latest time of an event.
  public let newest: Timestamp?
  /// Events of the last 60 minutes, by the server's clock.
  public let eventsLastHour: Int64
  /// Events of the last 24 hours.
  public let eventsLastDay: Int64
  /// Events of the last 7 times 24 hours.
  public let eventsLastWeek: Int64
  /// The size of the table and its partitions on disk; nil if a layout does not name its tables.
  public let size: StoreSize?
}

/// The bytes that the table of a store takes on disk, with its partitions.
public struct StoreSize: Sendable, Hashable {
  /// The rows, without values that are stored separately.
  public let table: Int64
  /// The indexes.
  public let indexes: Int64
  /// Large values, which PostgreSQL stores separately (TOAST), with their index.
  public let toast: Int64

  /// All of it.
  public var total: Int64 { table + indexes + toast }
}

extension StoreStatistics {
  /// How many events there were in an hour, from the first event to the last; nil if these have the same time.
  public var eventsPerHour: Double? {
    guard let oldest, let newest, oldest < newest else { return nil }
    // With the infinities the difference of the integers overflows.
    let microseconds = Double(newest.microseconds) - Double(oldest.microseconds)
    return Double(events) / (microseconds / 3_600_000_000)
  }

  /// How many events there were in a day, from the first event to the last; nil if these have the same time.
  public var eventsPerDay: Double? { eventsPerHour.map { $0 * 24 } }

  /// The size of an event on disk, with its part of the indexes; nil without events.
  public var bytesPerEvent: Double? {
    guard let size, events > 0 else { return nil }
    return Double(size.total) / Double(events)
  }

  /// How many bytes a day the store grew in the last 7 days, if its new events were as large as all others.
  public var growthPerDay: Double? { bytesPerEvent.map { $0 * Double(eventsLastWeek) / 7 } }
}

extension StoreConnection {
  func statistics(exact: Bool) throws -> StoreStatistics {
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      let (size, isAnalyzed) = try size()
      if !exact, isAnalyzed, let estimated = try estimate(table, size) { return estimated }
      let counted = SQLTemplate.countedStore.filled([
        "events": table.relation, "time": table.time, "times": table.times,
      ])
      let result = try connection.query(counted, [])
      let row = result[0]
      return StoreStatistics(
        events: row.int64("events"),
        streams: row.int64("streams"),
        types: row.int64("types"),
        isEstimate: false,
        oldest: row.optionalTimestamp("first_time"),
        newest: row.optionalTimestamp("last_time"),
        eventsLastHour: row.int64("last_hour"),
        eventsLastDay: row.int64("last_day"),
        eventsLastWeek: row.int64("last_week"),
        size: size
      )
    }
  }

  /// About how many events there are; nil for a small store, or without statistics.
  func estimatedEvents() throws -> Int64? {
    let events = try connection.plan(of: "SELECT FROM \(raw: relation) e").rows
    guard events > Self.fewEvents, try size().isAnalyzed else { return nil }
    return events
  }

  /// Fewer events are counted in negligible time.
  private static let fewEvents: Int64 = 100_000

  /// From the statistics, and a few steps in the index of positions; nil for a small store, or without that index.
  private func estimate(_ table: EventsTable, _ size: StoreSize?) throws -> StoreStatistics? {
    let all: SQL = "SELECT FROM \(raw: table.relation) e"
    let events = try connection.plan(of: all).rows
    guard events > Self.fewEvents, table.hasPosition,
      try connection.plan(of: "\(all) ORDER BY e.position LIMIT 1").goesByIndex
    else { return nil }
    let byPosition: SQL = "(SELECT \(raw: table.time) FROM \(raw: table.relation) e ORDER BY e.position"
    let ends: SQL = "SELECT \(byPosition) LIMIT 1) AS first_time, \(byPosition) DESC LIMIT 1) AS last_time"
    let times = try connection.query(ends)
    let streams = try connection.plan(of: "\(all) GROUP BY e.aggregate_id").rows
    let recent = try recentEvents(hours: [1, 24, 168], of: events, table)
    return StoreStatistics(
      events: events,
      streams: streams,
      types: try typeCount(all, table),
      isEstimate: true,
      oldest: times[0].optionalTimestamp("first_time"),
      newest: times[0].optionalTimestamp("last_time"),
      eventsLastHour: recent[1] ?? 0,
      eventsLastDay: recent[24] ?? 0,
      eventsLastWeek: recent[168] ?? 0,
      size: size
    )
  }

  private func recentEvents(
    hours: [Int32],
    of events: Int64,
    _ table: EventsTable
  ) throws -> [Int32: Int64] {
    let sql = SQLTemplate.recentEvents.statement([
      "events": "\(raw: table.relation)", "time": "\(raw: table.time)",
      "hours": "\(raw: "ARRAY[\(hours.map(String.init).joined(separator: ", "))]")",
      "total": "\(events)", "most": "\(raw: "10000")",
    ])
    var counts: [Int32: Int64] = [:]
    try connection.query(sql).forEachRow { counts[$0.int32("hours")] = $0.int64("events") }
    return counts
  }

  /// How many types there are: counted if an index has their names.
  private func typeCount(_ all: SQL, _ table: EventsTable) throws -> Int64 {
    let most: Int64 = 10_000
    guard try connection.plan(of: "\(all) ORDER BY e.event_type LIMIT 1").goesByIndex else {
      return try connection.plan(of: "\(all) GROUP BY e.event_type").rows
    }
    let names = SQLTemplate.nextNames.statement([
      "column": "event_type", "events": "\(raw: table.relation)", "range": "true", "order": "",
      "limit": "\(most)",
    ])
    let counted = try connection.query("SELECT count(*) AS types FROM (\(names)) AS n")
    return counted[0].int64("types")
  }

  private func size() throws -> (size: StoreSize?, isAnalyzed: Bool) {
    let tables = (foreign?.tables ?? [table]).map(\.sql)
    let result = try connection.query(SQLTemplate.relationSizes.sql, [.textArray(tables)])
    let row = result[0]
    guard !row.isNull("table_bytes") else { return (nil, false) }
    let size = StoreSize(
      table: row.int64("table_bytes"),
      indexes: row.int64("index_bytes"),
      toast: row.int64("toast_bytes")
    )
    return (size, row.bool("is_analyzed"))
  }
}
