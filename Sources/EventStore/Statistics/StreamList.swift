internal import LibPQ

extension StoreConnection {
  /// - Returns: whether there are more than the limit of the query.
  func listStreams(
    _ query: StreamQuery,
    _ body: @Sendable (ListedStream) throws -> Void
  ) throws -> Bool {
    let list = StreamList(query, try eventsTable(), self)
    return try connection.transaction(.repeatableReadOnly) {
      try list.requireTimes()
      try beginLooking(at: query.events, try eventsTable())
      let count = try rows(of: try list.statement(), limit: query.limit) { try body(ListedStream($0)) }
      if count == 0 { try requireKnown(query) }
      return query.limit.map { count > $0 } ?? false
    }
  }

  /// Passes on at most `limit` rows of a statement, which may return one more.
  ///
  /// - Returns: how many rows the statement returned.
  func rows(
    of sql: SQL,
    limit: Int?,
    _ body: (borrowing Row) throws -> Void
  ) throws -> Int {
    try connection.execute("SET LOCAL jit = off")
    var count = 0
    func hand(_ page: borrowing QueryResult) throws {
      try page.forEachRow { row in
        count += 1
        if limit.map({ count <= $0 }) ?? true { try body(row) }
      }
    }
    // A result of bounded size needs no cursor, which keeps PostgreSQL from using parallel workers.
    if let limit, limit <= StreamList.indexedLimit {
      let result = try connection.query(sql)
      try hand(result)
    } else {
      try connection.forEachPage(of: sql) { try hand($0) }
    }
    return count
  }

  /// A name without events is a mistyped name.
  private func requireKnown(_ query: StreamQuery) throws {
    var names: [(EventQuery, NamedEvents)] = []
    if let category = query.category {
      var events = EventQuery()
      events.category = category
      names.append((events, .category(category)))
    }
    for type in query.events.types {
      var events = EventQuery()
      events.types = [type]
      names.append((events, .type(type)))
    }
    let table = try eventsTable()
    for (events, name) in names {
      try require(events.conditions(in: table), or: name)
    }
    guard !query.prefix.isEmpty else { return }
    let order = try isInByteOrder("aggregate_id") ? "" : Self.byteOrder
    let range = NameRange(prefix: query.prefix, category: nil, order: order, in: table)
    try require(range.conditions, or: .prefix(query.prefix))
  }

  func require(_ conditions: [SQL], or name: NamedEvents) throws {
    let sql: SQL = """
      SELECT EXISTS (SELECT FROM \(raw: relation) e WHERE \(conditions.conjunction)) AS is_known
      """
    let isKnown = try connection.query(sql).bool(0, 0)
    if !isKnown { throw name.missing(in: table) }
  }

  static let byteOrder = #"COLLATE "C""#
}

/// How a list of streams is made.
///
/// If an index has the ids, the streams are chosen first, and then each is looked up. By name this is equally fast
/// among many events and few, since the names are found one by one. Without such an index, and for a list of all
/// streams, one pass over the events makes the list.
struct StreamList {
  /// More streams than this are not looked up one by one.
  static let indexedLimit = 10_000
  /// Up to this number of events, a stream's events are counted and read; of a longer stream, only its ends.
  static let countedEvents: Int64 = 1000

  private let query: StreamQuery
  private let table: EventsTable
  private let hand: StoreConnection

  init(_ query: StreamQuery, _ table: EventsTable, _ hand: StoreConnection) {
    (self.query, self.table, self.hand) = (query, table, hand)
  }

  /// Refuses a list by times if an event has no time, since the event would be left out.
  func requireTimes() throws {
    guard query.since != nil || query.until != nil || query.order == .last || query.events.hasTimes else {
      return
    }
    try table.requireTimes(hand.connection)
  }

  private var events: SQL { "\(raw: table.relation)" }

  func statement() throws -> SQL {
    let isInByteOrder = try hand.isInByteOrder("aggregate_id")
    let order = isInByteOrder ? "" : StoreConnection.byteOrder
    let range = NameRange(
      prefix: query.prefix,
      after: query.after,
      category: query.category,
      order: order,
      in: table
    )
    guard let limit = query.limit, limit <= Self.indexedLimit, try areLookedUp() else {
      return counted(range, order)
    }
    if let walk = try walk(range, isInByteOrder: isInByteOrder) { return listed(walk) }
    return listed(chosen(range, order))
  }

  /// Whether an index finds the events of a stream.
  private func areLookedUp() throws -> Bool {
    try hand.connection.plan(of: "SELECT FROM \(events) e WHERE e.aggregate_id = \("")").goesByIndex
  }

  // MARK: One by one

  /// The names from an index; nil if the list needs more than names, or there is no such index.
  private func walk(_ range: NameRange, isInByteOrder: Bool) throws -> SQL? {
    guard query.order == .name, !hasConditions, !table.hasCategory || query.category == nil else {
      return nil
    }
    // A range of names is a range only in the order of bytes.
    let hasRange = !query.prefix.isEmpty || query.category != nil || query.after != nil
    for order in isInByteOrder || !hasRange ? ["", StoreConnection.byteOrder] : [StoreConnection.byteOrder] {
      let first: SQL = """
        SELECT e.aggregate_id FROM \(events) e WHERE \(range.conditions.conjunction)
        ORDER BY e.aggregate_id \(raw: order) LIMIT 1
        """
      guard try hand.connection.plan(of: first).goesByIndex else { continue }
      let names = SQLTemplate.nextNames.statement([
        "column": "aggregate_id", "events": events, "range": range.conditions.conjunction,
        "order": SQL(raw: order), "limit": limitOfRows,
      ])
      return """
        SELECT n.name AS aggregate_id, NULL::bigint AS events, NULL::timestamptz AS last_time, NULL::bigint AS bytes
        FROM (\(names)) AS n
        """
    }
    return nil
  }

  /// Whether conditions on events decide which streams are listed.
  private var hasConditions: Bool {
    query.since != nil || query.until != nil || query.longerThan != nil || !ofEvents.isEmpty
  }

  /// The conditions on one event of a stream. Any further condition on an event belongs here.
  private var ofEvents: [SQL] { query.events.allConditions(in: table) }

  private var limitOfRows: SQL { query.limit.map { "\(Int64($0).saturatingAdd(1))" } ?? "ALL" }

  // MARK: By groups

  /// The chosen streams, with what the choice has found about them.
  private func chosen(_ range: NameRange, _ order: String) -> SQL {
    let count: SQL = needsAllEvents ? "count(*)" : "NULL::bigint"
    let last: SQL = query.order == .last ? "max(\(raw: table.time))" : "NULL::timestamptz"
    let bytes: SQL = query.order == .bytes ? "sum(\(raw: table.storedBytes))" : "NULL::bigint"
    return """
      SELECT e.aggregate_id::text AS aggregate_id, \(count) AS events, \(last) AS last_time, \(bytes) AS bytes
      FROM \(events) e WHERE \(conditions(range).conjunction) GROUP BY e.aggregate_id \(having)
      ORDER BY \(ordering(order)) LIMIT \(limitOfRows)
      """
  }

  /// Whether all events of a stream count, not only those of a range of time.
  private var needsAllEvents: Bool {
    query.longerThan != nil || query.order == .events || query.order == .bytes
  }

  /// The conditions on the events that are grouped.
  private func conditions(_ range: NameRange, isComplete: Bool = false) -> [SQL] {
    var conditions: [SQL] = ["e.aggregate_id IS NOT NULL"] + range.conditions
    func ofStream(_ conditions: [SQL]) -> SQL {
      "e.aggregate_id IN (SELECT e.aggregate_id FROM \(events) e WHERE \(conditions.conjunction))"
    }
    let needsAllEvents = self.needsAllEvents || isComplete
    if !ofEvents.isEmpty {
      // If only the name counts, the events themselves give it, and an index may have them in order.
      let isByNameAlone = !needsAllEvents && query.order == .name && query.since == nil && query.until == nil
      conditions += isByNameAlone ? ofEvents : [ofStream(ofEvents + range.conditions)]
    }
    if let since = query.since {
      // If any event is as late, the latest one is.
      let isLater: SQL = "e.\"timestamp\" >= \(table.stored(since))"
      conditions.append(needsAllEvents ? ofStream([isLater] + range.conditions) : isLater)
    }
    return conditions
  }

  private var having: SQL {
    var conditions: [SQL] = []
    if let until = query.until { conditions.append("max(e.\"timestamp\") <= \(table.stored(until))") }
    if let longerThan = query.longerThan { conditions.append("count(*) > \(longerThan)") }
    return conditions.isEmpty ? "" : "HAVING \(conditions.conjunction)"
  }

  private func ordering(_ order: String) -> SQL {
    let name: SQL = "e.aggregate_id \(raw: order)"
    return switch query.order {
    case .name: name
    case .events: "count(*) DESC, \(name)"
    case .last: "max(e.\"timestamp\") DESC, \(name)"
    case .bytes: "sum(\(raw: table.storedBytes)) DESC, \(name)"
    }
  }

  private func counted(_ range: NameRange, _ order: String) -> SQL {
    SQLTemplate.countedStreams.statement([
      "events": events, "summary": SQL(raw: table.summary),
      "conditions": conditions(range, isComplete: true).conjunction, "having": having,
      "order": "\(ordering(order)) LIMIT \(limitOfRows)",
    ])
  }

  private func listed(_ chosen: SQL) -> SQL {
    let most = query.isExact ? Int64.max - 1 : Self.countedEvents
    let few: SQL = """
      (SELECT count(*) FROM (SELECT FROM \(events) e WHERE e.aggregate_id = p.aggregate_id
                             LIMIT \(raw: "\(most + 1)")) AS e)
      """
    return SQLTemplate.listedStreams.statement([
      "chosen": chosen, "events": events, "summary": SQL(raw: table.summary), "time": SQL(raw: table.time),
      "most": SQL(raw: "\(most)"), "counted": query.isExact ? "0::bigint" : needsAllEvents ? "p.events" : few,
    ])
  }
}

extension EventsTable {
  /// The bytes that the payload and the metadata of event `e` take in the table.
  var storedBytes: String {
    "coalesce(pg_column_size(e.event_data), 0)"
      + (hasMetadata ? " + coalesce(pg_column_size(e.metadata), 0)" : "")
  }

  /// The totals of several events `e`.
  var summary: String {
    """
    min(e.version) AS first_version, max(e.version) AS last_version, \(times), sum(\(storedBytes)) AS bytes
    """
  }

  /// The earliest and the latest time of several events `e`.
  var times: String {
    let zone = hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    return "min(e.\"timestamp\")\(zone) AS first_time, max(e.\"timestamp\")\(zone) AS last_time"
  }
}

extension ListedStream {
  fileprivate init(_ row: borrowing Row) {
    aggregateID = row.string("aggregate_id")
    events = row.int64("events")
    isEstimate = row.bool("is_estimate")
    firstVersion = row.optionalInt32("first_version").map { Int($0) }
    lastVersion = row.optionalInt32("last_version").map { Int($0) }
    firstTime = row.optionalTimestamp("first_time")
    lastTime = row.optionalTimestamp("last_time")
    hasEstimatedTimes = row.bool("has_estimated_times")
    bytes = row.optionalInt64("bytes")
  }
}

extension Row {
  func optionalTimestamp(_ column: StaticString) -> Timestamp? { isNull(column) ? nil : timestamp(column) }
}
