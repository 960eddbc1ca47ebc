internal import LibPQ

/// Identifies one event.
public enum EventReference: Sendable, Hashable {
  /// By its id.
  case id(EventID)
  /// By its place in the whole store.
  case position(Int64)
}

/// An event, its neighbours, and its effect.
public struct EventContext: Sendable, Hashable {
  /// The event.
  public let event: Event
  /// The event before it in its stream; nil for the first one.
  public let previous: Event?
  /// The event after it in its stream; nil for the last one.
  public let next: Event?
  /// The event that caused it, by its metadata; nil if the store does not have it.
  public let cause: Event?
  /// Events that it caused, by their metadata, up to 100; nil if the store is large and no index finds them.
  public let effects: [Event]?
  /// The state of the aggregate before it, as JSON; nil for the first event of the stream.
  public let stateBefore: String?
  /// The state after it.
  public let stateAfter: String
  /// The differences between the two states; for the first event, the whole state.
  public let changes: [StateChange]
}

extension StoreConnection {
  func context(of reference: EventReference, _ reducer: Reducer) throws -> EventContext {
    let event = try event(reference)
    let stream: SQL = try eventsTable().isOf(event.aggregateID)
    let version = Int64(event.version)
    let previous = try events("\(stream) AND e.version < \(version) ORDER BY e.version DESC LIMIT 1").first
    let before = try previous.map { try state(of: event.aggregateID, at: $0, reducer) }
    let after = try state(of: event.aggregateID, at: event, reducer)
    return EventContext(
      event: event,
      previous: previous,
      next: try events("\(stream) AND e.version > \(version) ORDER BY e.version LIMIT 1").first,
      cause: try cause(of: event),
      effects: try effects(of: event),
      stateBefore: before,
      stateAfter: after,
      changes: try changes(from: before ?? "{}", to: after)
    )
  }

  func event(_ reference: EventReference) throws -> Event {
    let (condition, name): (SQL, String)
    switch reference {
    case .id(let id):
      (condition, name) = ("e.id = \(id.description)::uuid", "event '\(id)'")
    case .position(let position):
      try eventsTable().requirePosition(for: "a position")
      (condition, name) = ("e.position = \(position)", "event at position \(position)")
    }
    guard let event = try events("\(condition) LIMIT 1").first else {
      throw EventStoreError(.notFound, "\(table) has no \(name)")
    }
    return event
  }

  /// Events as readers see them.
  ///
  /// - Parameter rest: the SQL after WHERE.
  private func events(_ rest: SQL) throws -> [Event] {
    try events(from: "\(raw: try eventsTable().source)", rest)
  }

  private func events(from source: SQL, _ rest: SQL) throws -> [Event] {
    let rows = try connection.query(
      "SELECT \(raw: try eventsTable().columns) FROM \(source) AS e WHERE \(rest)"
    )
    try EventPages.requireComplete(rows)
    return (0..<rows.rowCount).map { rows.event($0) }
  }

  private func state(of aggregateID: String, at event: Event, _ reducer: Reducer) throws -> String {
    try state(
      of: aggregateID,
      at: .version(event.version),
      reducer: reducer,
      usingSnapshots: true,
      indented: false
    )
    .state
  }

  private func cause(of event: Event) throws -> Event? {
    guard try eventsTable().hasMetadata else { return nil }
    let members = TraceSearch.causations.map { "e.metadata ->> \(quoteLiteral($0))" }.joined(separator: ", ")
    let stated = try connection.query(
      """
      SELECT coalesce(\(raw: members)) AS cause FROM \(raw: relation) e
      WHERE \(try eventsTable().isOf(event.aggregateID)) AND e.version = \(Int64(event.version)) LIMIT 1
      """
    )
    let cause = stated.first { $0.optionalString("cause") }.flatMap(\.self)
    guard let cause, let id = EventID(cause) else { return nil }
    return try events("e.id = \(id.description)::uuid LIMIT 1").first
  }

  private static let effectLimit: Int64 = 100

  private func effects(of event: Event) throws -> [Event]? {
    guard try eventsTable().hasMetadata else { return [] }
    let search = try traceSearch()
    // In a large store a pass takes long, and the caller wants one event.
    guard try search.scanned.isEmpty || isSmall else { return nil }
    let conditions = search.conditions(correlationID: nil, causes: [event.id.description], ids: nil)
    if conditions.isEmpty { return [] }
    let table = try eventsTable()
    let order = table.hasPosition ? "e.position" : "e.\"timestamp\""
    let condition = conditions.map { "(\($0))" as SQL }.joined(separator: " OR ")
    // OFFSET 0: the planner does not know how few effects an event has. Otherwise it would go through the store in this
    // order until it has found a hundred (10 million events: 3.3 s).
    return try connection.transaction(.repeatableReadOnly) {
      // Compiling a plan that looks expensive takes longer than running it.
      try connection.execute("SET LOCAL jit = off")
      return try events(
        from: "(SELECT * FROM \(raw: table.source) AS e WHERE \(condition) OFFSET 0)",
        "true ORDER BY \(raw: order) LIMIT \(Self.effectLimit)"
      )
    }
  }

  /// In bytes; a relation that is not a table, such as a layout's query, may have any size.
  private var isSmall: Bool {
    get throws {
      guard try eventsTable().relation.hasSameBytes(as: table.sql) else { return false }
      let size = try connection.query("SELECT pg_table_size(\(table.sql)::regclass)").int64(0, 0)
      return size < 64 << 20
    }
  }
}
