internal import LibPQ

extension AppendStatements {
  /// At most as many writers as PostgreSQL has connections race for one stream, and each race has a winner.
  private static let maximumAttempts = 200

  /// What the server answered to an append.
  private enum Answer {
    case appended([AppendReceipt])
    /// The stream's last version is not the expected one; nothing was stored.
    case head(Int)
  }

  /// Appends some of a chunk's events, which are all of one stream.
  func append(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> [AppendReceipt] {
    guard needsTransaction else {
      try sendAppend(chunk, indexes, expecting: expected, connection)
      return try finishAppend(chunk, indexes, expecting: expected, connection)
    }
    // The events are compared with what triggers made of them before the commit.
    return try untilItIsDecided(chunk, indexes, expected, connection) {
      try connection.transaction { try sendAndCheck(chunk, indexes, expected, connection) }
    }
  }

  /// Runs the same statement and rolls it back; constraints and triggers apply as usual.
  func preview(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> [AppendReceipt] {
    let receipts = try untilItIsDecided(chunk, indexes, expected, connection) {
      try connection.rolledBack { try sendAndCheck(chunk, indexes, expected, connection) }
    }
    return receipts.map { receipt in
      var receipt = receipt
      // The next append gets another position.
      if receipt.status == .appended { receipt.position = nil }
      return receipt
    }
  }

  private func sendAndCheck(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    _ expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> Answer {
    if !uniqueKeys.keepEventsApart {
      let stream = chunk.aggregateID(of: indexes.lowerBound)
      try AdvisoryLock.awaitWriters(of: table.name, stream: stream, connection)
      if let receipts = try existing(chunk, indexes, connection) { return .appended(receipts) }
    }
    try sendAppend(chunk, indexes, expecting: expected, connection)
    let answer = try receiveAnswer(chunk, indexes, connection)
    if case .appended(let receipts) = answer, !changers.isEmpty {
      try checkKept(chunk, indexes, connection) { Int32(receipts[$0 - indexes.lowerBound].version) }
    }
    return answer
  }

  /// Starts an append that is its own transaction, without waiting for its outcome. Call
  /// ``finishAppend(_:_:expecting:_:)`` next.
  func sendAppend(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws(PostgresError) {
    let heads = expected.allowedHeads
    try connection.send(
      appendEvents,
      [
        .text(utf8: chunk.entries[indexes.lowerBound].aggregateID),
        .int4(Int32(clamping: heads.lowerBound)),
        .int4(Int32(clamping: min(heads.upperBound, Self.highestHead(for: indexes)))),
        chunk.ids(indexes), chunk.eventTypes(indexes), chunk.payloads(indexes), chunk.timestamps(indexes),
        chunk.metadata(indexes),
      ],
      prepared: true
    )
  }

  /// Nothing is appended beyond the highest version either.
  private static func highestHead(for indexes: Range<Int>) -> Int { Int(Int32.max) - indexes.count }

  /// Waits for the outcome of an append that was sent. If it only lost a race, it is sent again.
  func finishAppend(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    expecting expected: ExpectedVersion,
    _ connection: Connection
  ) throws -> [AppendReceipt] {
    var isSent = true
    return try untilItIsDecided(chunk, indexes, expected, connection) {
      if !isSent { try sendAppend(chunk, indexes, expecting: expected, connection) }
      isSent = false
      return try receiveAnswer(chunk, indexes, connection)
    }
  }

  private func receiveAnswer(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    _ connection: Connection
  ) throws -> Answer {
    let result = try connection.receive()
    // Read by number, for each event that is appended: the head that was found, the event's version and its position.
    guard !result.isNull(0, 1) else { return .head(Int(result.int32(0, 0))) }
    guard result.rowCount == indexes.count else {
      throw try notKept("\(result.rowCount) of \(indexes.count) events were stored", connection)
    }
    let head = result.int32(0, 0)
    for row in 0..<result.rowCount where result.int32(row, 1) != head + Int32(row) + 1 {
      throw try notKept("the stored event differs in version", connection)
    }
    return .appended(
      indexes.map { index in
        AppendReceipt(
          aggregateID: chunk.aggregateID(of: index),
          version: Int(result.int32(index - indexes.lowerBound, 1)),
          position: result.optionalInt64(index - indexes.lowerBound, 2),
          id: chunk.entries[index].id,
          status: .appended
        )
      }
    )
  }

  /// Tries to append until an attempt does not lose a race.
  private func untilItIsDecided(
    _ chunk: EventChunk,
    _ indexes: Range<Int>,
    _ expected: ExpectedVersion,
    _ connection: Connection,
    _ attempt: () throws -> Answer
  ) throws -> [AppendReceipt] {
    var failures = 0
    while true {
      do {
        switch try attempt() {
        case .appended(let receipts): return receipts
        case .head(let head):
          // The ids are looked up first: a repeated append expects the version that it found the first time.
          if let receipts = try existing(chunk, indexes, connection) { return receipts }
          let aggregateID = chunk.aggregateID(of: indexes.lowerBound)
          guard expected.allowedHeads.contains(head) else {
            throw try versionConflict(aggregateID, expected: expected, actual: head, connection)
          }
          guard head <= Self.highestHead(for: indexes) else { throw EventStoreError.fullStream(aggregateID) }
          throw try notKept("nothing was stored", connection)
        }
      } catch let error as PostgresError where error.isLostRace && failures < Self.maximumAttempts {
        failures += 1
        if error.sqlState == SQLState.uniqueViolation {
          if case .other = try UniqueViolation(error, connection) {
            throw EventStoreError.refusedEvent(error)
          }
          if let receipts = try existing(chunk, indexes, connection) { return receipts }
        }
        try connection.canceller.sleep(for: .milliseconds(Int.random(in: 0...min(failures, 20))))
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
