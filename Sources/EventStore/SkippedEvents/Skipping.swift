internal import LibPQ

extension StoreConnection {
  func skip(_ reference: EventReference) throws -> SkipResult {
    try requireSchema()
    guard let reason else {
      throw EventStoreError(.invalidInput, "skipping an event needs a reason, which stays with it")
    }
    try eventsTable().requirePosition(for: "the list of skipped events")
    let event = try event(reference)
    guard let position = event.position else {
      throw EventStoreError.incomplete("the event", without: "position")
    }
    return try connection.transaction {
      let added = try connection.query(
        """
        INSERT INTO annals.skipped_events (store, position, event_id, aggregate_id, version, event_type, reason)
        VALUES (\(table.description), \(position), \(event.id.description)::uuid, \(event.aggregateID),
                \(Int32(event.version)), \(event.type), \(reason))
        ON CONFLICT (store, position) DO NOTHING
        """
      ).affectedRows
      let letters = try discardDeadLetters(at: position)
      if added > 0 || letters > 0 {
        try audit(
          .skip,
          .store,
          "'position', \(position), 'event_id', \(event.id.description), 'dead_letters', \(Int64(letters))"
        )
      }
      return SkipResult(
        event: try skippedEvents("position = \(position)")[0],
        wasSkipped: added == 0,
        deadLetters: letters
      )
    }
  }

  /// Discards the dead letters of all consumers of this store for an event, in the caller's transaction.
  private func discardDeadLetters(at position: Int64) throws -> Int {
    let store = table.description
    let consumers = try connection.strings(
      """
      SELECT d.projection FROM annals.dead_letters d JOIN annals.projections p ON p.name = d.projection
      WHERE p.store = \(store) AND d.position = \(position) AND d.state = 'parked'
      UNION SELECT e.checkpoint FROM annals.parked_events e JOIN annals.checkpoints c ON c.name = e.checkpoint
      WHERE c.store = \(store) AND e.position = \(position) AND e.state = 'parked' ORDER BY 1
      """
    )
    for consumer in consumers {
      try AdvisoryLock.acquireForTransaction(Self.lockOfDeadLetters(consumer), connection)
    }
    let names = Parameter.textArray(consumers)
    let ofProjections = try connection.query(
      """
      UPDATE annals.dead_letters SET state = 'discarded'
      WHERE projection = ANY (\(names)) AND position = \(position) AND state = 'parked'
      """
    ).affectedRows
    let ofCheckpoints = try connection.query(
      """
      UPDATE annals.parked_events SET state = 'discarded'
      WHERE checkpoint = ANY (\(names)) AND position = \(position) AND state = 'parked'
      """
    ).affectedRows
    return ofProjections + ofCheckpoints
  }

  func unskip(_ reference: EventReference) throws -> SkippedEvent {
    try requireSchema()
    let (condition, name): (SQL, String) =
      switch reference {
      case .id(let id): ("event_id = \(id.description)::uuid", "event '\(id)'")
      case .position(let position): ("position = \(position)", "the event at position \(position)")
      }
    return try connection.transaction {
      // The store may not have the event any more.
      guard let event = try skippedEvents(condition).first else {
        throw EventStoreError(
          .notFound,
          "\(name) is not skipped in \(table)",
          hint: "List the events that are: \(.skippedEvents)."
        )
      }
      _ = try connection.query(
        "DELETE FROM annals.skipped_events WHERE store = \(table.description) AND position = \(event.position)"
      )
      try audit(
        .unskip,
        .store,
        "'position', \(event.position), 'event_id', \(event.id.description), 'was', \(event.reason)"
      )
      return event
    }
  }

  func skippedEvents() throws -> [SkippedEvent] {
    try requireSchema()
    return try skippedEvents("true")
  }

  func knownSkippedEvents() throws -> [SkippedEvent] {
    try connection.canReadOwnTables(["skipped_events"]) ? skippedEvents("true") : []
  }

  private func skippedEvents(_ condition: SQL) throws -> [SkippedEvent] {
    try connection.query(
      """
      SELECT \(raw: SkippedEvent.fields) FROM annals.skipped_events e
      WHERE store = \(table.description) AND \(condition) ORDER BY position
      """
    ).map { SkippedEvent($0) }
  }
}

// MARK: - Leaving out

extension StoreConnection {
  /// Whether there is a list that a reader can obey; says so if it cannot read one that is not empty.
  func hasSkippedEvents() throws -> Bool {
    if try connection.canReadOwnTables(["skipped_events"]) { return true }
    // Everybody may read the size of a table.
    let filled = try connection.query(
      """
      SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'annals' AND c.relname = 'skipped_events' AND pg_relation_size(c.oid) > 0
      """
    )
    if !filled.isEmpty {
      notify("the role may not read annals.skipped_events, so no event is left out")
    }
    return false
  }

  /// Whether readers leave out any event.
  func skipsEvents() throws -> Bool {
    guard try hasSkippedEvents() else { return false }
    let sql: SQL = "SELECT FROM annals.skipped_events WHERE store = \(table.description) LIMIT 1"
    return try !connection.query(sql).isEmpty
  }

  /// The positions of skipped events in a range.
  func skippedPositions(from first: Int64, upTo last: Int64) throws -> [Int64] {
    try connection.query(
      """
      SELECT position FROM annals.skipped_events
      WHERE store = \(table.description) AND position BETWEEN \(first) AND \(last) ORDER BY position
      """,
      prepared: true
    ).map { $0.int64("position") }
  }
}

extension Connection {
  /// The same for a projection that annals manages.
  func skippedPositions(of projection: String, after start: Int64, upTo end: Int64) throws -> [Int64] {
    try query(
      """
      SELECT s.position FROM annals.skipped_events s JOIN annals.projections p ON p.store = s.store
      WHERE p.name = \(projection) AND s.position > \(start) AND s.position <= \(end) ORDER BY s.position
      """,
      prepared: true
    ).map { $0.int64("position") }
  }
}
