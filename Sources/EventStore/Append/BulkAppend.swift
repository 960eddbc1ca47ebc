internal import LibPQ

extension EventStore {
  func appendLines(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) async throws -> BulkAppendResult {
    try Layout.requireOwn(foreign, "appending")
    var options = options
    options.runID = options.runID ?? EventID().description
    if options.isDryRun {
      // In one transaction, so that what one batch stores is there for the next.
      options.batchSize = nil
      return try await appendInOrder(read, options)
    }
    let statements = try await perform(seeing: .permitted) { try $0.appendStatements() }
    if options.batchSize == 1, !statements.needsTransaction {
      return try await appendOneByOne(read, options)
    }
    // If writers have to wait for each other, several would not be faster.
    let isShared = options.workers > 1 && statements.uniqueKeys.keepEventsApart
    return try await isShared ? appendShared(read, options) : appendInOrder(read, options)
  }

  private func appendInOrder(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) async throws -> BulkAppendResult {
    try await perform(seeing: .permitted) { try $0.appendInOrder(read, options) }
  }

  private func appendOneByOne(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) async throws -> BulkAppendResult {
    try await perform(seeing: .permitted) { try $0.appendOneByOne(read, options) }
  }

  /// Appends batches with several connections.
  private func appendShared(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) async throws -> BulkAppendResult {
    guard let batchSize = options.batchSize,
      batchSize <= BulkAppendOptions.maximumSharedBatchSize
    else {
      throw EventStoreError(
        .failed,
        "several workers need a batch size, of at most \(BulkAppendOptions.maximumSharedBatchSize)"
      )
    }
    let statements = try await perform(seeing: .permitted) { try $0.appendStatements() }
    let lines = SharedLines(read, options, statements.table, writers: options.workers)
    var stores: [EventStore] = []
    for _ in 0..<options.workers { stores.append(try await sibling()) }
    var result = BulkAppendResult()
    do {
      try await withThrowingTaskGroup(of: BulkAppendResult.self) { group in
        for (writer, store) in stores.enumerated() {
          group.addTask { try await store.appendShare(writer, of: lines, options, statements) }
        }
        for try await share in group {
          result.appendedCount += share.appendedCount
          result.existingCount += share.existingCount
        }
      }
    } catch {
      lines.report(&result)
      throw try result.failure(of: error, options, hasMadeIDs: lines.hasMadeIDs)
    }
    lines.report(&result)
    return result
  }

  private func appendShare(
    _ writer: Int,
    of lines: SharedLines,
    _ options: BulkAppendOptions,
    _ statements: AppendStatements
  ) async throws -> BulkAppendResult {
    try await perform(seeing: .permitted) { try $0.appendShare(writer, of: lines, options, statements) }
  }
}

extension StoreConnection {
  func appendInOrder(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) throws -> BulkAppendResult {
    let statements = try appendStatements()
    let source = LineSource(
      ChunkReader(read, options, statements.table),
      skippedLines: options.skippedLines
    )
    var result = BulkAppendResult(lastCommittedLine: options.skippedLines)
    do {
      try append(source, options, statements, &result)
    } catch {
      result.isUncertain = source.isUncertain
      throw try result.failure(of: error, options, hasMadeIDs: source.hasMadeIDs)
    }
    result.rejectedCount = source.rejectedCount
    return result
  }

  func appendOneByOne(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) throws -> BulkAppendResult {
    let statements = try appendStatements()
    let lines = OneByOneLines(ChunkReader(read, options, statements.table))
    var append = try OneByOneAppend(lines, statements, options, self)
    do {
      try append.run(self)
    } catch {
      throw try append.result.failure(of: error, options, hasMadeIDs: append.hasMadeIDs)
    }
    return append.result
  }

  func appendShare(
    _ writer: Int,
    of lines: SharedLines,
    _ options: BulkAppendOptions,
    _ statements: AppendStatements
  ) throws -> BulkAppendResult {
    var result = BulkAppendResult()
    try append(lines.share(writer), options, statements, &result)
    return result
  }

  /// Appends all of a source, each batch in a transaction.
  private func append(
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ statements: AppendStatements,
    _ result: inout BulkAppendResult
  ) throws {
    let batchSize = options.batchSize ?? .max
    var writer = ChunkWriter(
      statements,
      connection,
      // Those of a dry run are given to nothing.
      wantsPositions: options.onReceipts != nil && !options.isDryRun,
      reject: { try source.reject($0) }
    )
    while let chunk = try source.next(batchSize) {
      try appendBatch(chunk, source, options, &writer, &result)
      if options.isDryRun { continue }
      result.lastCommittedLine = source.commit()
      options.onCommit?(result.lastCommittedLine)
    }
  }

  /// Appends a batch that begins with a chunk, in one transaction.
  ///
  /// After a lost connection, the server tells the outcome of the transaction. If it was rolled back, and its only
  /// chunk is still in memory, the batch is sent again; events that are stored by then are found by their ids. A batch
  /// of several chunks is no longer in memory, and fails.
  private func appendBatch(
    _ first: EventChunk,
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ writer: inout ChunkWriter,
    _ result: inout BulkAppendResult
  ) throws {
    var batch = Batch(last: first)
    func unresolved(_ error: PostgresError) -> EventStoreError {
      guard batch.transaction.isCommitSent else { return .lostBeforeCommit(error) }
      source.isUncertain = true
      return .unknownOutcome(error, lines: batch.lines, transaction: batch.transaction.id)
    }
    try retryingLostConnection(within: options.retryTimeout, unresolved: unresolved) { connection, retry in
      writer.connection = connection
      if let retry {
        let fate = try batch.transaction.fate(in: writer.statements.table, connection, until: retry.deadline)
        switch (fate, batch.chunkCount) {
        case (.committed, _): return
        case (.open, _), (.ended, 2...): throw unresolved(retry.error)
        case (.rolledBack, 2...): throw EventStoreError.lostBeforeCommit(retry.error)
        case (.rolledBack, _), (.ended, _): break
        }
        writer.forgetHeads()
        writer.looksFirst = true
      }
      try takingTurnsAfterDeadlock(&batch, &writer) { batch, writer in
        batch.transaction = BatchTransaction()
        try connection.transaction(rolledBack: options.isDryRun) {
          if writer.takesTurns {
            _ = try connection.query("SELECT pg_advisory_xact_lock(\(AdvisoryLock.bulkAppend))")
          }
          try store(&batch, source, options, &writer)
          // The next statement is COMMIT.
          batch.transaction.isCommitSent = !options.isDryRun
        }
      }
    }
    batch.report(options)
    result.appendedCount += batch.appendedCount
    result.existingCount += batch.existingCount
  }

  /// Runs a batch's transaction, and again if it was the victim of a deadlock.
  ///
  /// Two batches that touch the same streams in different orders deadlock. From then on, the one that was rolled back
  /// waits for other batches of its kind; batches that met no deadlock continue side by side.
  private func takingTurnsAfterDeadlock(
    _ batch: inout Batch,
    _ writer: inout ChunkWriter,
    _ transaction: (inout Batch, inout ChunkWriter) throws -> Void
  ) throws {
    for _ in 0..<20 {
      do {
        return try transaction(&batch, &writer)
      } catch let error as PostgresError where error.isDeadlock && batch.chunkCount == 1 {
        writer.forgetHeads()
        writer.takesTurns = true
      } catch let error as PostgresError where error.isDeadlock {
        break
      }
    }
    throw EventStoreError(
      .failed,
      "deadlock: another writer appends to the same streams in another order",
      hint:
        "Run the command again. With \(.appendBatches(ofLines: EventChunk.maximumLines)) or less, deadlocks are resolved.",
      sqlState: SQLState.deadlockDetected
    )
  }

  private func store(
    _ batch: inout Batch,
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ writer: inout ChunkWriter
  ) throws {
    // The transaction's id costs no more than the time, since the first row would need it anyway.
    let start = try writer.connection.query(
      "SELECT current_timestamp AS time, pg_current_xact_id()::text AS id"
    )
    writer.currentTime = start[0].timestamp("time")
    (batch.transaction.id, batch.transaction.start) = (start[0].string("id"), writer.currentTime)
    if !writer.statements.uniqueKeys.keepEventsApart {
      try AdvisoryLock.awaitWriters(of: writer.statements.table.name, writer.connection)
      // The transactions that were waited for have stored events since this one began.
      writer.forgetHeads()
    }
    while true {
      let room = (options.batchSize ?? .max) - batch.lineCount
      batch.places = try writer.store(batch.last) { if room > 0 { source.prefetch(room) } }
      batch.transaction.note(batch.last, batch.places)
      guard room > 0, let next = try source.next(room) else { return }
      batch.report(options)
      batch.take(next)
    }
  }
}

/// The chunks of a transaction; only the last one is kept.
private struct Batch {
  private(set) var last: EventChunk
  /// The transaction of the last attempt.
  var transaction = BatchTransaction()
  /// Where the events of the last chunk are.
  var places: [Place] = []
  private(set) var chunkCount = 1
  private(set) var lineCount: Int
  /// From the first event's to the last one's.
  private(set) var lines: ClosedRange<Int>
  private(set) var appendedCount = 0
  private(set) var existingCount = 0

  init(last: EventChunk) {
    self.last = last
    lineCount = last.entries.count
    lines = last.lines
  }

  mutating func take(_ next: EventChunk) {
    last = next
    places = []
    chunkCount += 1
    lineCount += next.entries.count
    lines = lines.lowerBound...next.lines.upperBound
  }

  /// Counts the last chunk, and reports its receipts.
  mutating func report(_ options: BulkAppendOptions) {
    for place in places {
      switch place.status {
      case .appended: appendedCount += 1
      case .existing: existingCount += 1
      case .rejected: break
      }
    }
    guard let onReceipts = options.onReceipts else { return }
    onReceipts(AppendReceipt.receipts(last, places))
  }
}

extension AppendReceipt {
  /// The receipts of a chunk's events, without those that were set aside.
  static func receipts(_ chunk: EventChunk, _ places: [Place]) -> [AppendReceipt] {
    places.indices.filter { places[$0].status != .rejected }.map { index in
      AppendReceipt(
        aggregateID: chunk.aggregateID(of: index),
        version: Int(places[index].version),
        position: places[index].position,
        id: chunk.entries[index].id,
        status: places[index].status == .existing ? .existing : .appended
      )
    }
  }
}

extension BulkAppendResult {
  /// A failure, with what is committed of the input. An interruption stays one, unless some outcome is not known.
  fileprivate func failure(
    of error: any Error,
    _ options: BulkAppendOptions,
    hasMadeIDs: Bool
  ) throws -> EventStoreError {
    let failure: EventStoreError
    switch error {
    case let error as EventStoreError: failure = error
    case let error as PostgresError where !Task.isCancelled: failure = EventStoreError(error)
    case _ where isUncertain: failure = EventStoreError(.failed, "interrupted")
    default: throw error
    }
    return failure.addingProgress(self, options, hasMadeIDs: hasMadeIDs)
  }
}
