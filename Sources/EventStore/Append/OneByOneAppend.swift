internal import LibPQ

/// Appends events one by one, each in a statement that is its own transaction, over several connections at a time.
///
/// One thread sends on all connections and takes the answers as they come. With a thread for each of 8 connections, to
/// be woken for each event, an event took 29 µs of the client's processor time instead of 21 µs.
struct OneByOneAppend {
  /// A connection, and the event that it is sending.
  private struct Lane {
    let session: Session
    var connection: Connection
    var chunk: EventChunk?
  }

  private var lines: OneByOneLines
  private let statements: AppendStatements
  private let options: BulkAppendOptions
  private var lanes: [Lane] = []
  /// After an error, no connection is opened again for an event that was sent: only an answer tells its outcome.
  private var isEnding = false
  private(set) var result = BulkAppendResult()
  var hasMadeIDs: Bool { lines.hasMadeIDs }

  init(
    _ lines: OneByOneLines,
    _ statements: AppendStatements,
    _ options: BulkAppendOptions,
    _ store: StoreConnection
  ) throws {
    self.lines = lines
    self.statements = statements
    self.options = options
    for number in 0..<options.workers {
      let session = number == 0 ? store.session : store.session.another()
      lanes.append(Lane(session: session, connection: try session.connection()))
    }
  }

  /// Appends all lines. After an error, it still reads the answers to what was sent, and counts them.
  mutating func run(_ store: StoreConnection) throws {
    defer {
      result.lastCommittedLine = lines.lastSettledLine
      result.hasCommittedBeyond = lines.highestStoredLine > lines.lastSettledLine
      result.rejectedCount = lines.rejectedCount
    }
    do {
      while try sendNext(store) {
        let busy = lanes.indices.filter { lanes[$0].chunk != nil }
        for ready in try Connection.waitForAny(of: busy.map { lanes[$0].connection }, store.canceller) {
          try takeAnswer(busy[ready], store)
        }
      }
    } catch {
      isEnding = true
      for index in lanes.indices { try? settle(index, store) }
      throw error
    }
  }

  /// Gives idle connections their next events; returns whether any event is without an answer then.
  private mutating func sendNext(_ store: StoreConnection) throws -> Bool {
    while let index = lanes.firstIndex(where: { $0.chunk == nil }) {
      // Do not wait for input while an answer is due: the writer of the input may be waiting for that answer.
      let isAnyBusy = lanes.contains { $0.chunk != nil }
      guard let chunk = try lines.next(mayWait: !isAnyBusy) else { return isAnyBusy }
      lanes[index].chunk = chunk
      do throws(PostgresError) {
        try statements.sendAppend(chunk, 0..<1, expecting: chunk.entries[0].expected, lanes[index].connection)
      } catch {
        try settle(index, after: error, store)
      }
    }
    return true
  }

  /// Reads what has arrived on a connection, and the outcome of its event when the answer is complete.
  private mutating func takeAnswer(_ index: Int, _ store: StoreConnection) throws {
    do throws(PostgresError) {
      guard try lanes[index].connection.hasAnswer() else { return }
    } catch {
      return try settle(index, after: error, store)
    }
    try settle(index, store)
  }

  /// Finds the outcome of a connection's event, on a new connection if necessary, and notes it.
  private mutating func settle(
    _ index: Int,
    after failure: PostgresError? = nil,
    _ store: StoreConnection
  ) throws {
    guard let chunk = lanes[index].chunk else { return }
    lanes[index].chunk = nil
    do {
      note(try outcome(of: chunk, index, failure, store))
      lines.settle(chunk, isStored: true)
    } catch let error as EventStoreError where error.code == .invalidInput {
      try lines.reject(chunk.refusedLine(0, "refused by the server: \(error.message)"))
      lines.settle(chunk, isStored: false)
    } catch let error as EventStoreError {
      throw error.at(line: chunk.entries[0].line)
    }
    options.onCommit?(lines.lastSettledLine)
  }

  private mutating func outcome(
    of chunk: EventChunk,
    _ index: Int,
    _ failure: PostgresError?,
    _ store: StoreConnection
  ) throws -> [AppendReceipt] {
    let entry = chunk.entries[0]
    let session = lanes[index].session
    var process = lanes[index].connection.process
    var isUncertain = false
    defer { if isUncertain { result.isUncertain = true } }
    func unresolved(_ error: PostgresError) -> EventStoreError {
      isUncertain = true
      return .unknownOutcome(error, lines: entry.line...entry.line, transaction: nil)
    }
    do {
      if let failure { throw failure }
      return try statements.finishAppend(chunk, 0..<1, expecting: entry.expected, lanes[index].connection)
    } catch let error as PostgresError where error.isLoss {
      if isEnding { throw unresolved(error) }
      return try store.retryingLostConnection(
        session,
        after: error,
        within: options.retryTimeout,
        unresolved: unresolved
      ) { connection, retry in
        lanes[index].connection = connection
        if let retry, let process,
          try !connection.waitForStatement(ofProcess: process, until: retry.deadline)
        {
          throw unresolved(retry.error)
        }
        process = connection.process
        return try statements.append(chunk, 0..<1, expecting: entry.expected, connection)
      }
    }
  }

  private mutating func note(_ receipts: [AppendReceipt]) {
    for receipt in receipts {
      if receipt.status == .existing { result.existingCount += 1 } else { result.appendedCount += 1 }
    }
    options.onReceipts?(receipts)
  }
}
