internal import LibPQ

extension StoreConnection {
  func append(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion,
    retryTimeout: Duration
  ) throws -> [AppendReceipt] {
    try requireOwn("appending")
    let statements = try appendStatements()
    let chunk = try EventChunk(events, aggregateID: aggregateID, table: statements.table)
    try checkIDsDiffer(events)
    var process = connection.process
    func unresolved(_ error: PostgresError) -> EventStoreError {
      .unknownOutcome(error, ids: events.map(\.id))
    }
    return try retryingLostConnection(within: retryTimeout, unresolved: unresolved) { connection, retry in
      // Behind a pooler the process is not known. In any case the ids prevent that an event is stored twice.
      if let retry, let process, try !connection.waitForStatement(ofProcess: process, until: retry.deadline) {
        throw EventStoreError.unknownOutcome(retry.error, ids: events.map(\.id))
      }
      process = connection.process
      return try statements.append(chunk, chunk.entries.indices, expecting: expected, connection)
    }
  }

  func previewAppend(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion
  ) throws -> [AppendReceipt] {
    try requireOwn("appending")
    let statements = try appendStatements()
    let chunk = try EventChunk(events, aggregateID: aggregateID, table: statements.table)
    try checkIDsDiffer(events)
    return try statements.preview(chunk, chunk.entries.indices, expecting: expected, connection)
  }

  private func checkIDsDiffer(_ events: [NewEvent]) throws {
    var places: [EventID: Int] = [:]
    for (index, event) in events.enumerated() {
      guard let first = places.updateValue(index, forKey: event.id) else { continue }
      throw EventStoreError(
        .invalidInput,
        "events \(first + 1) and \(index + 1) have the same id, \(event.id)"
      )
    }
  }

  /// The statements for this store's table; its triggers are looked up once.
  func appendStatements() throws -> AppendStatements {
    let table = try eventsTable()
    if let knownStatements, knownStatements.table == table { return knownStatements }
    let statements = try AppendStatements(table, archive: findArchive(), connection)
    try statements.refuseRules()
    if !statements.uniqueKeys.keepEventsApart {
      notify(
        "no unique index of \(self.table) keeps ids and versions apart; writers of annals wait for each other, other programs "
          + "must do so too"
      )
    }
    knownStatements = statements
    return statements
  }

  /// Runs `body`, and again on a new connection if the old one was lost; `body` must find out what the lost one did.
  ///
  /// However often the connection is lost, that is one failure: in the end it throws `unresolved`.
  ///
  /// - Parameters:
  ///   - session: the store's own when nil.
  ///   - failure: the loss of the connection before this, if there was one.
  ///   - unresolved: the error when the time is up, or the task is interrupted, and the outcome is not known.
  ///   - body: is called with what to look up, from the second time on.
  func retryingLostConnection<T>(
    _ session: Session? = nil,
    after failure: PostgresError? = nil,
    within timeout: Duration,
    unresolved: (PostgresError) -> EventStoreError,
    _ body: (Connection, Retry?) throws -> T
  ) throws -> T {
    let session = session ?? self.session
    let loss: PostgresError
    do {
      if let failure { throw failure }
      return try body(try session.connection(), nil)
    } catch let error as PostgresError where error.isLoss {
      loss = error
    }
    let retry = Retry(error: loss, deadline: .now + timeout)
    do {
      if Task.isCancelled { throw loss }
      notify("the connection was lost (\(loss.message)); connecting again")
      return try session.reconnecting(after: loss, until: retry.deadline) { try body($0, retry) }
    } catch let error as PostgresError where error.isLoss || error.kind == .cannotConnect || Task.isCancelled
    {
      throw unresolved(error)
    }
  }
}

/// What is known when a connection was lost and its outcome must be found.
struct Retry {
  /// How it was lost.
  let error: PostgresError
  /// When to give up.
  let deadline: ContinuousClock.Instant
}
