internal import LibPQ

extension EventStore {
  /// Appends events to one stream, all of them or none, in one statement that also decides their versions.
  ///
  /// An event that is stored already, with the same id and the same content, is not stored again: the append then
  /// succeeds with the stored version. So an append may be repeated when its outcome is not known. That is also what
  /// happens inside when the connection is lost: it connects again and finds out by the ids.
  ///
  /// Without an expectation (``ExpectedVersion/any``, ``ExpectedVersion/exists``) a race against other writers of the
  /// stream is run again until it is won.
  ///
  /// ```swift
  /// let paid = NewEvent(type: "PaymentProcessed", data: #"{"amount": 12.5}"#)
  /// let receipts = try await store.append([paid], to: "order-42", expecting: .version(1))
  /// ```
  ///
  /// - Parameters:
  ///   - events: in the order in which they shall stand.
  ///   - aggregateID: the stream, 1 to 255 characters.
  ///   - expected: what the stream must look like.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  /// - Returns: where each event stands, in order.
  /// - Throws: ``EventStoreError``: `versionConflict` when the stream is otherwise than expected, when another event
  ///   has one of the ids, or when some of the events are stored and others are not; `invalidInput` for what is not
  ///   an event. Nothing is appended then. After `connectionLost` it is not known whether the events were appended.
  @discardableResult
  public func append(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion = .any,
    retryTimeout: Duration = .seconds(30)
  ) async throws -> [AppendReceipt] {
    guard !events.isEmpty else { return [] }
    return try await perform { connection in
      try requireOwn("appending")
      let table = try layout(connection)
      let chunk = try EventChunk(events, aggregateID: aggregateID, table: table)
      try checkIDsDiffer(events)
      let statements = AppendStatements(table)
      return try retryingLostConnection(within: retryTimeout, of: events.map(\.id)) { connection in
        try statements.append(chunk, chunk.entries.indices, expecting: expected, connection)
      }
    }
  }

  /// Tells what ``append(_:to:expecting:retryTimeout:)`` would do, and writes nothing.
  ///
  /// - Returns: the receipts that it would return, without positions of new events.
  /// - Throws: what it would throw, as far as that can be known without writing.
  public func previewAppend(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion = .any
  ) async throws -> [AppendReceipt] {
    try await perform { connection in
      try requireOwn("appending")
      let table = try layout(connection)
      let chunk = try EventChunk(events, aggregateID: aggregateID, table: table, expecting: expected)
      try checkIDsDiffer(events)
      var writer = ChunkWriter(
        AppendStatements(table),
        connection,
        isDryRun: true,
        wantsPositions: false,
        reject: { _ in }
      )
      writer.looksFirst = true
      return AppendReceipt.receipts(chunk, try writer.store(chunk) {})
    }
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

  /// Runs `body`, and again on a new connection when the old one was lost; `body` must find out what the lost one did.
  func retryingLostConnection<T>(
    within timeout: Duration,
    of ids: [EventID],
    _ body: (Connection) throws -> T
  ) throws -> T {
    do {
      return try body(try connection())
    } catch let error as PostgresError where error.kind == .connectionLost {
      return try reconnecting(session, after: error, within: timeout, of: ids, body)
    }
  }

  /// Says that a session's connection was lost, and runs `body` on new ones; see ``Session/reconnecting(after:within:of:_:)``.
  func reconnecting<T>(
    _ session: Session,
    after error: PostgresError,
    within timeout: Duration,
    of ids: [EventID],
    _ body: (Connection) throws -> T
  ) throws -> T {
    if Task.isCancelled { throw error }
    notify("the connection was lost (\(error.message)); connecting again")
    return try session.reconnecting(after: error, within: timeout, of: ids, body)
  }
}

extension AppendStatements {
  /// As many writers as PostgreSQL has connections may race for one stream, and each lost race has a winner.
  private static let maximumAttempts = 200

  /// Appends some of a chunk's events, which are all of one stream.
  func append(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> [AppendReceipt] {
    try sendAppend(chunk, indexes, expecting: expected, connection)
    return try finishAppend(chunk, indexes, expecting: expected, connection)
  }

  /// Starts an append without waiting for its outcome; ``finishAppend(_:_:expecting:_:)`` must follow.
  func sendAppend(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws(PostgresError) {
    let heads = expected.allowedHeads
    // Where the versions end, nothing is appended either.
    let highest = min(heads.upperBound, Int(Int32.max) - indexes.count)
    try connection.send(
      appendEvents,
      [
        .text(utf8: chunk.entries[indexes.lowerBound].aggregateID),
        .int4(Int32(clamping: heads.lowerBound)), .int4(Int32(clamping: highest)),
        chunk.ids(indexes), chunk.eventTypes(indexes), chunk.payloads(indexes), chunk.timestamps(indexes),
        chunk.metadata(indexes),
      ],
      prepared: true
    )
  }

  /// Waits for the outcome of an append that was sent, and sends it again as long as it only lost a race.
  func finishAppend(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> [AppendReceipt] {
    var attempt = 0
    while true {
      do {
        if attempt > 0 { try sendAppend(chunk, indexes, expecting: expected, connection) }
        let result = try connection.receive()
        if !result.isNull(0, 1) {
          return indexes.map { index in
            AppendReceipt(
              aggregateID: chunk.aggregateID(of: index),
              version: Int(result.int32(index - indexes.lowerBound, 1)),
              position: result.optionalInt64(index - indexes.lowerBound, 2),
              id: chunk.entries[index].id,
              status: .appended
            )
          }
        }
        // The look by id comes first: a repeated append expects the version that it found the first time.
        if let receipts = try existing(chunk, indexes, connection) { return receipts }
        let aggregateID = chunk.aggregateID(of: indexes.lowerBound)
        let head = Int(result.int32(0, 0))
        if expected.allowedHeads.contains(head) { throw EventStoreError.fullStream(aggregateID) }
        throw try versionConflict(aggregateID, expected: expected, actual: head, connection)
      } catch let error as PostgresError where error.isLostRace && attempt < Self.maximumAttempts {
        attempt += 1
        if error.sqlState == SQLState.uniqueViolation {
          if case .other = try UniqueViolation(error, connection) {
            throw EventStoreError.refusedEvent(error)
          }
          if let receipts = try existing(chunk, indexes, connection) { return receipts }
        }
        try connection.canceller.sleep(for: .milliseconds(Int.random(in: 0...min(attempt, 20))))
      } catch let error as PostgresError where error.isRefusedData {
        throw EventStoreError.refusedEvent(error)
      }
    }
  }

  /// The receipts of events that are stored already; nil when none of them is.
  private func existing(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    _ connection: Connection
  ) throws -> [AppendReceipt]? {
    let stored = try storedEvents(chunk, indexes, connection)
    guard !stored.isEmpty else { return nil }
    if let other = stored.first(where: { !$0.differences.isEmpty }) { throw idConflict(other, chunk) }
    guard stored.count == indexes.count else {
      throw partialConflict(stored, of: indexes.count, chunk)
    }
    return stored.map { event in
      AppendReceipt(
        aggregateID: event.aggregateID,
        version: event.version,
        position: event.position,
        id: chunk.entries[event.index].id,
        status: .existing
      )
    }
  }
}

extension PostgresError {
  /// Another writer was first: a new attempt may succeed.
  var isLostRace: Bool { sqlState == SQLState.uniqueViolation || isDeadlock }

  /// A deadlock or a serialization failure was resolved at this transaction's cost.
  var isDeadlock: Bool {
    sqlState == SQLState.deadlockDetected || sqlState == SQLState.serializationFailure
  }
}
