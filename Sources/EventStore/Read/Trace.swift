internal import LibPQ

/// An event of a trace.
public struct TracedEvent: Sendable, Hashable {
  /// The event.
  public let event: Event
  /// The event that caused it, by its metadata.
  public let causationID: String?
  /// The id that all events of one piece of work share, by its metadata.
  public let correlationID: String?
  /// How many causes it has among the events of the trace; 0 for a root.
  public internal(set) var depth = 0
}

extension StoreConnection {
  /// The most events of a trace; more do not belong to one piece of work.
  private static let maximumTraced = 10_000

  /// Steps from causes to effects, each a pass through the table without an index. A long chain needs more.
  private static let maximumSteps = 3

  /// The same if indexes find all causes: then a step takes a millisecond.
  private static let maximumIndexedSteps = 300

  /// - Parameter report: gets the members of the metadata that were not searched, if any.
  func trace(_ id: String, reportingUnsearched report: ([String]) -> Void) throws -> [TracedEvent] {
    let events = try eventsTable()
    guard events.hasMetadata else {
      throw EventStoreError(
        .invalidDefinition,
        "a trace needs correlation and causation ids, and \(table) has no column metadata",
        hint: events.adding("metadata")
      )
    }
    let search = try traceSearch()
    var found = try related(to: id, search)
    // Before it says that there is nothing, search everything.
    if found.isEmpty, !search.skipped.isEmpty { found = try related(to: id, search.complete) }
    guard !found.isEmpty else {
      throw EventStoreError(.notFound, "\(table) has no event '\(id)' and none of that correlation id")
    }
    if !search.skipped.isEmpty { report(search.skipped) }
    return tree(of: found)
  }

  /// The events related to those of an id.
  private func related(to id: String, _ search: TraceSearch) throws -> [EventID: TracedEvent] {
    var correlationID: String? = id
    var found: [EventID: TracedEvent] = [:]
    if let eventID = EventID(id), let event = try traced(search, ids: [eventID]).first {
      correlationID = event.correlationID
      found[eventID] = event
    }
    for event in try traced(search, correlationID: correlationID) { found[event.event.id] = event }
    var new = Array(found.values)
    for _ in 0..<(search.scanned.isEmpty ? Self.maximumIndexedSteps : Self.maximumSteps) where !new.isEmpty {
      let causes = Set(new.compactMap { $0.causationID.flatMap { EventID($0) } })
      let more = try traced(
        search,
        causes: new.map(\.event.id.description),
        ids: causes.filter { found[$0] == nil }
      )
      new = more.filter { found[$0.event.id] == nil }
      for event in new { found[event.event.id] = event }
    }
    if !new.isEmpty { try addChains(to: &found, search) }
    return found
  }

  /// Finds the rest of long chains: from the events up, cause by cause, and from there down, in one pass over all
  /// events with a cause. Usually each effect comes after its cause in that pass.
  private func addChains(to found: inout [EventID: TracedEvent], _ search: TraceSearch) throws {
    let events: [String: String] = ["events": relation, "causation": Self.field("causation")]  // ASCII
    let position = try eventsTable().hasPosition ? "e.position" : "e.\"timestamp\""
    let effects: SQL = """
      SELECT e.id, \(raw: Self.field("causation")) AS cause FROM \(raw: relation) e
      WHERE e.metadata ?| ARRAY['causation_id', 'causationId', '$causationId'] AND e.id IS NOT NULL
      ORDER BY \(raw: position)
      """
    // If effects come before their causes, a pass in the other direction continues.
    var passes = [effects, "\(effects) DESC"]
    var ids = Set(found.keys)
    try connection.transaction(.repeatableReadOnly) {
      let seeds = Parameter.uuidArray(ids.map { ($0.high, $0.low) })
      try connection.query(SQLTemplate.traceCauses.filled([:], from: events), [seeds]).forEachRow {
        ids.insert($0.eventID("id"))
      }
      var count = 0
      while count < ids.count {
        count = ids.count
        passes.swapAt(0, 1)
        try connection.forEachPage(of: passes[1], pageRows: 10_000) { page in
          page.forEachRow { row in
            guard let cause = row.optionalString("cause").flatMap({ EventID($0) }), ids.contains(cause) else {
              return
            }
            ids.insert(row.eventID("id"))
          }
          try checkNumber(ids.count)
        }
      }
    }
    for event in try traced(search, ids: ids.filter { found[$0] == nil }) { found[event.event.id] = event }
  }

  private static func field(_ name: String) -> String {
    "coalesce(e.metadata ->> '\(name)_id', e.metadata ->> '\(name)Id', e.metadata ->> '$\(name)Id')"
  }

  private func checkNumber(_ count: Int) throws {
    guard count > Self.maximumTraced else { return }
    throw EventStoreError(
      .failed,
      "more than \(Self.maximumTraced) events are connected by their ids",
      hint: "See them with \(.replay()), and jq."
    )
  }

  private func traced(
    _ search: TraceSearch,
    correlationID: String? = nil,
    causes: [String] = [],
    ids: some Collection<EventID> = []
  ) throws -> [TracedEvent] {
    let ids: Parameter? = ids.isEmpty ? nil : .uuidArray(ids.map { ($0.high, $0.low) })
    let events: SQL = """
      SELECT \(raw: try eventsTable().columns), \(raw: Self.field("causation")), \(raw: Self.field("correlation"))
      FROM \(raw: relation) e
      """
    let selects = search.conditions(correlationID: correlationID, causes: causes, ids: ids).map {
      "(\(events) WHERE \($0) LIMIT \(Int64(Self.maximumTraced) + 1))" as SQL
    }
    if selects.isEmpty { return [] }
    let rows = try connection.query(selects.joined(separator: " UNION ALL "))
    try EventPages.requireComplete(rows)
    let next = EventsTable.Column.metadata + 1
    var found: [EventID: TracedEvent] = [:]
    for row in 0..<rows.rowCount {
      let event = rows.event(row)
      found[event.id] = TracedEvent(
        event: event,
        causationID: rows.optionalString(row, next),
        correlationID: rows.optionalString(row, next + 1)
      )
    }
    try checkNumber(found.count)
    return Array(found.values)
  }

  /// Each event before its effects, which are in the order of the store.
  private func tree(of events: [EventID: TracedEvent]) -> [TracedEvent] {
    let ordered = events.values.sorted {
      ($0.event.sortKey, $0.event.version) < ($1.event.sortKey, $1.event.version)
    }
    func parent(of event: TracedEvent) -> EventID? {
      event.causationID.flatMap { EventID($0) }.flatMap {
        $0 != event.event.id && events[$0] != nil ? $0 : nil
      }
    }
    let effects = Dictionary(grouping: ordered, by: parent)
    var result: [TracedEvent] = []
    var seen: Set<EventID> = []
    // A stack instead of recursion, since chains of causes can be long. Last in, first out, so the order is reversed.
    var pending = (effects[nil] ?? []).reversed().map { ($0, 0) }
    // Events that cause each other in a ring have no root: the earliest of them becomes one.
    var rest = ordered[...]
    while true {
      while let (event, depth) = pending.popLast() {
        guard seen.insert(event.event.id).inserted else { continue }
        var placed = event
        placed.depth = depth
        result.append(placed)
        pending += (effects[event.event.id] ?? []).reversed().map { ($0, depth + 1) }
      }
      guard let next = rest.popFirst() else { return result }
      if !seen.contains(next.event.id) { pending = [(next, 0)] }
    }
  }
}

extension Event {
  /// The place in the whole store, or the time if a table has no places.
  fileprivate var sortKey: Int64 { position ?? timestamp.microseconds }
}
