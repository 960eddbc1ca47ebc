internal import LibPQ

/// An event among those that belong together.
public struct TracedEvent: Sendable, Hashable {
  /// The event.
  public let event: Event
  /// The event that caused it, as its metadata says.
  public let causationID: String?
  /// What all events of one piece of work share, as its metadata says.
  public let correlationID: String?
  /// How many causes are above it among the events of the trace; 0 for a root.
  public internal(set) var depth = 0
}

extension StoreConnection {
  /// Most events of a trace; more than that do not belong to one piece of work.
  private static let maximumTraced = 10_000

  func trace(_ id: String) throws -> [TracedEvent] {
    let events = try eventsTable()
    guard events.hasMetadata else {
      throw EventStoreError(
        .invalidDefinition,
        "a trace needs correlation and causation ids, and \(table) has no column metadata",
        hint: events.adding("metadata")
      )
    }
    var correlationID: String? = id
    var found: [EventID: TracedEvent] = [:]
    if let eventID = EventID(id), let event = try traced(ids: [eventID]).first {
      correlationID = event.correlationID
      found[eventID] = event
    }
    var isNew = true
    for event in try traced(correlationID: correlationID) { found[event.event.id] = event }
    while isNew {
      let causes = Set(found.values.compactMap { $0.causationID.flatMap { EventID($0) } })
      let more = try traced(
        causes: found.keys.map(\.description),
        ids: causes.filter { found[$0] == nil }
      )
      isNew = more.contains { found[$0.event.id] == nil }
      for event in more { found[event.event.id] = event }
    }
    guard !found.isEmpty else {
      throw EventStoreError(.notFound, "\(table) has no event '\(id)' and none of that correlation id")
    }
    return tree(of: found)
  }

  private func traced(
    correlationID: String? = nil,
    causes: [String] = [],
    ids: some Collection<EventID> = []
  ) throws -> [TracedEvent] {
    let field = { (name: String) in
      "coalesce(e.metadata ->> '\(name)_id', e.metadata ->> '\(name)Id', e.metadata ->> '$\(name)Id')"
    }
    let sql = SQLTemplate.trace.filled([
      "events": relation, "columns": try eventsTable().columns,
      "causation": field("causation"), "correlation": field("correlation"),
    ])
    let rows = try connection.query(
      sql,
      [.text(correlationID), .textArray(causes), .uuidArray(ids.map { ($0.high, $0.low) })]
    )
    guard rows.rowCount <= Self.maximumTraced else {
      throw EventStoreError(
        .failed,
        "more than \(Self.maximumTraced) events belong together by their ids",
        hint: "See them with \(.replay()), and jq."
      )
    }
    try EventPages.requireComplete(rows)
    let next = EventsTable.Column.metadata + 1
    return (0..<rows.rowCount).map { row in
      TracedEvent(
        event: rows.event(row),
        causationID: rows.optionalString(row, next),
        correlationID: rows.optionalString(row, next + 1)
      )
    }
  }

  /// Each event before its effects, which come in the order of the store.
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
    // A stack of its own: chains of causes can be long. Last in, first out, hence the reversals.
    var pending = (effects[nil] ?? []).reversed().map { ($0, 0) }
    // Events that cause each other in a ring have no root: the earliest of them stands for one.
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
  /// The place in the whole store, or the time where a table has none.
  fileprivate var sortKey: Int64 { position ?? timestamp.microseconds }
}
