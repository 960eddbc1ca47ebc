internal import LibPQ

extension StoreConnection {
  /// - Returns: whether there are more than the limit of the query.
  func groupEvents(
    _ query: GroupQuery,
    _ body: @Sendable (EventGroup) throws -> Void
  ) throws -> Bool {
    guard !query.units.isEmpty else {
      throw EventStoreError(.invalidInput, "no unit to group events by is given")
    }
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      if query.events.hasTimes { try table.requireTimes(connection) }
      try beginLooking(at: query.events, table)
      let groups = EventGroups(query: query, table: table, sample: try sample(for: query, table))
      let count = try rows(of: groups.statement, limit: query.limit) { row in
        let names = (0..<query.units.count).map { index in
          index == 0 ? row.optionalString("name_0") : row.optionalString("name_1")
        }
        try body(EventGroup(names: names, row))
      }
      return query.limit.map { count > $0 } ?? false
    }
  }

  /// The sample of events to read; nil for all events.
  private func sample(for query: GroupQuery, _ table: EventsTable) throws -> GroupSample? {
    let wanted: Int64
    switch query.extent {
    case .exact: return nil
    case .automatic where query.units.contains(.stream): return nil
    case .automatic:
      let conditions = query.events.allConditions(in: table).conjunction
      let matching = try connection.plan(of: "SELECT FROM \(raw: relation) e WHERE \(conditions)").rows
      guard matching > GroupSample.countedEvents else { return nil }
      wanted = GroupSample.usualSize
    case .sample(let size): wanted = Int64(size)
    }
    return try GroupSample(of: wanted, in: table, self)
  }
}

/// Some of the events: windows of positions, one at random in each of many even steps of history.
struct GroupSample {
  /// A store of more events is only read whole on request.
  static let countedEvents: Int64 = 1_000_000
  static let usualSize: Int64 = 100_000

  /// A FROM item with the alias `e`.
  let source: SQL
  /// How many events each of them represents.
  let factor: Double

  /// - Returns: nil if the sample would be all events, or if no index finds an event by its position.
  init?(of wanted: Int64, in table: EventsTable, _ hand: StoreConnection) throws {
    guard table.hasPosition else { return nil }
    let all: SQL = "SELECT FROM \(raw: table.relation) e"
    let total = Double(try hand.estimatedEvents() ?? 0)
    guard total > Double(wanted),
      try hand.connection.plan(of: "\(all) ORDER BY e.position LIMIT 1").goesByIndex
    else { return nil }
    try table.requirePositions(hand.connection)
    let ends = try hand.connection.query(
      "SELECT min(e.position) AS first, max(e.position) AS last FROM \(raw: table.relation) e"
    )
    guard let first = ends[0].optionalInt64("first"), let last = ends[0].optionalInt64("last") else {
      return nil
    }
    let windows = PositionWindows(
      in: first...last,
      covering: Double(wanted) / total,
      most: 10_000,
      minimumWidth: 10
    )
    source = """
      unnest(\(windows.starts), \(windows.ends)) AS w (first, last)
      CROSS JOIN LATERAL (
        SELECT * FROM \(raw: table.relation) e WHERE e.position BETWEEN w.first AND w.last OFFSET 0
      ) AS e
      """
    let counted = try hand.connection.query("SELECT count(*) AS events FROM \(source)")
    let examined = counted[0].int64("events")
    guard examined > 0 else { return nil }
    factor = total / Double(examined)
  }
}

/// The statement that groups events.
private struct EventGroups {
  let query: GroupQuery
  let table: EventsTable
  let sample: GroupSample?

  /// Whether events are grouped by stream first. With these units, that counts the different streams of a group without
  /// sorting all events.
  private var isByStream: Bool {
    sample == nil && query.units == [.category] && !table.hasCategory && query.countsStreams
  }

  var statement: SQL {
    let units = Array(query.units.enumerated())
    let keys = units.map { index, unit in
      "\(isByStream ? "split_part(e.aggregate_id, '-', 1)" : value(unit)) AS key_\(index), "
    }
    let names = units.map { index, unit in "\(shown(unit, "g.key_\(index)")) AS name_\(index), " }
    let numbers = (1...units.count).map(String.init).joined(separator: ", ")
    return SQLTemplate.countedGroups.statement([
      "source": source, "keys": SQL(raw: keys.joined()), "key_numbers": SQL(raw: numbers),
      "shown": SQL(raw: names.joined()),
      "events": isByStream ? "sum(e.events)" : "count(*)",
      "bytes": isByStream ? "sum(e.bytes)" : "sum(\(raw: table.storedBytes))",
      "times": isByStream
        ? "min(e.first_time) AS first_time, max(e.last_time) AS last_time" : "\(raw: table.times)",
      "streams": streams,
      "factor": "\(sample?.factor ?? 1)::numeric", "is_estimate": sample == nil ? "false" : "true",
      "order": ordering,
    ])
  }

  /// The selected events, or their streams, as a FROM item `e` and its condition.
  private var source: SQL {
    let events: SQL = """
      \(sample?.source ?? "\(raw: table.relation) e") WHERE \(query.events.allConditions(in: table).conjunction)
      """
    guard isByStream else { return events }
    return """
      (SELECT e.aggregate_id, count(*) AS events, sum(\(raw: table.storedBytes)) AS bytes, \(raw: table.times)
       FROM \(events) GROUP BY e.aggregate_id) AS e
      """
  }

  private var streams: SQL {
    if sample != nil || !query.countsStreams { return "NULL::bigint" }
    if query.units.contains(.stream) { return "least(count(e.aggregate_id), 1)" }
    return isByStream ? "count(e.aggregate_id)" : "count(DISTINCT e.aggregate_id)"
  }

  /// The value of an event `e` by which it is grouped.
  private func value(_ unit: GroupQuery.Unit) -> String {
    switch unit {
    case .category: table.categoryOfEvent
    case .type: "e.event_type::text"
    case .stream: "e.aggregate_id::text"
    case .hour, .day, .week, .month:
      "date_trunc('\(unit.rawValue)', e.\"timestamp\"\(table.hasTimeZone ? " AT TIME ZONE 'UTC'" : ""))"
    }
  }

  /// Such a value as text. A format makes nothing of the infinities.
  private func shown(_ unit: GroupQuery.Unit, _ value: String) -> String {
    let format: String? =
      switch unit {
      case .hour: #"YYYY-MM-DD"T"HH24:MI:SS"Z""#
      case .day: "YYYY-MM-DD"
      case .week: #"IYYY-"W"IW"#
      case .month: "YYYY-MM"
      case .category, .type, .stream: nil
      }
    guard let format else { return value }
    return "CASE WHEN isfinite(\(value)) THEN to_char(\(value), '\(format)') ELSE \(value)::text END"
  }

  private var ordering: SQL {
    let names = query.units.enumerated().map { index, unit in
      "g.key_\(index)" + (unit.isTime ? "" : " COLLATE \"C\"")
    }.joined(separator: ", ")
    let first =
      switch query.order {
      case .name: ""
      case .events: "g.events DESC, "
      case .bytes: "g.bytes DESC, "
      case .streams: "g.streams DESC NULLS LAST, "
      case .last: "g.last_time DESC NULLS LAST, "
      }
    let limit = query.limit.map { String(Int64($0).saturatingAdd(1)) } ?? "ALL"
    return SQL(raw: "\(first)\(names) LIMIT \(limit)")
  }
}

extension EventGroup {
  fileprivate init(names: [String?], _ row: borrowing Row) {
    self.names = names
    events = row.int64("events")
    isEstimate = row.bool("is_estimate")
    streams = row.optionalInt64("streams")
    bytes = row.int64("bytes")
    firstTime = row.optionalTimestamp("first_time")
    lastTime = row.optionalTimestamp("last_time")
  }
}
