internal import LibPQ

extension EventStore {
  /// Appends the events of an NDJSON input, one a line, with COPY; by default all of them or none.
  ///
  /// A line has aggregate_id, event_type and event_data, and may have id, version or expected_version, timestamp and
  /// metadata. Its event gets the next version of its stream; a version of its own must be that one. An event that is
  /// stored already, with the same id and content, is passed over, so an input whose events have ids can be appended
  /// again after an interruption. Memory stays bounded whatever the input's size.
  ///
  /// ```swift
  /// let result = try await store.append(lines: { try input.nextBytes() })
  /// ```
  ///
  /// - Parameters:
  ///   - read: returns the next bytes of the input, as many as there are; nil at its end. It is called on the store's
  ///     thread and may block; in a cancelled task it should throw `CancellationError`.
  ///   - options: batches, rejects, and who is told of what.
  /// - Returns: counts, and how far the input is committed.
  /// - Throws: ``EventStoreError``, naming the line; with a batch size, its detail says which lines are committed.
  public func append(
    lines read: @escaping @Sendable () throws -> [UInt8]?,
    options: BulkAppendOptions = BulkAppendOptions()
  ) async throws -> BulkAppendResult {
    try requireOwn("appending")
    if options.batchSize == 1, !options.isDryRun { return try await appendOneByOne(read, options) }
    if options.workers > 1, !options.isDryRun { return try await appendShared(read, options) }
    return try await perform { connection in
      let table = try layout(connection)
      let source = LineSource(ChunkReader(read, options, table), skippedLines: options.skippedLines)
      var result = BulkAppendResult(lastCommittedLine: options.skippedLines)
      do {
        try append(source, options, AppendStatements(table), connection, &result)
      } catch let error as EventStoreError {
        throw error.addingProgress(result, options)
      }
      result.rejectedCount = source.rejectedCount
      return result
    }
  }

  private func appendOneByOne(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions
  ) async throws -> BulkAppendResult {
    try await perform { connection in
      let table = try layout(connection)
      let lines = OneByOneLines(ChunkReader(read, options, table))
      var append = try OneByOneAppend(lines, AppendStatements(table), options, self)
      do {
        try append.run(self)
      } catch let error as EventStoreError {
        throw error.addingProgress(append.result, options)
      }
      return append.result
    }
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
    let table = try await perform { try layout($0) }
    let lines = SharedLines(ChunkReader(read, options, table), writers: options.workers)
    var stores: [EventStore] = []
    for _ in 0..<options.workers { stores.append(try await sibling()) }
    var result = BulkAppendResult()
    do {
      try await withThrowingTaskGroup(of: BulkAppendResult.self) { group in
        for (writer, store) in stores.enumerated() {
          group.addTask { try await store.appendShare(writer, of: lines, options, table) }
        }
        for try await share in group {
          result.appendedCount += share.appendedCount
          result.existingCount += share.existingCount
        }
      }
    } catch let error as EventStoreError {
      result.lastCommittedLine = lines.lastCommittedLine
      throw error.addingProgress(result, options)
    }
    result.rejectedCount = lines.rejectedCount
    result.lastCommittedLine = lines.lastCommittedLine
    return result
  }

  private func appendShare(
    _ writer: Int,
    of lines: SharedLines,
    _ options: BulkAppendOptions,
    _ table: EventsTable
  ) async throws -> BulkAppendResult {
    try await perform { connection in
      var result = BulkAppendResult()
      try append(lines.share(writer), options, AppendStatements(table), connection, &result)
      return result
    }
  }

  /// Appends all of a source, a transaction a batch.
  private func append(
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ statements: AppendStatements,
    _ connection: Connection,
    _ result: inout BulkAppendResult
  ) throws {
    let batchSize = options.batchSize ?? .max
    var writer = ChunkWriter(
      statements,
      connection,
      isDryRun: options.isDryRun,
      wantsPositions: options.onReceipts != nil,
      reject: { try source.reject($0) }
    )
    writer.looksFirst = options.isDryRun
    while let chunk = try source.next(batchSize) {
      try appendBatch(chunk, source, options, &writer, &result)
      if options.isDryRun { continue }
      result.lastCommittedLine = source.commit()
      options.onCommit?(result.lastCommittedLine)
    }
  }

  /// Appends a batch that begins with a chunk, in one transaction.
  ///
  /// When the connection is lost, the batch is sent again if its only chunk is still at hand; the ids tell what the
  /// lost connection had stored. A batch of several chunks is gone: then the ids of the last tell whether it was
  /// committed.
  private func appendBatch(
    _ first: EventChunk,
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ writer: inout ChunkWriter,
    _ result: inout BulkAppendResult
  ) throws {
    var batch = Batch(last: first)
    var lostProcess: Int32?
    try retryingLostConnection(within: options.retryTimeout, of: []) { connection in
      writer.connection = connection
      if let process = lostProcess {
        writer.forgetHeads()
        writer.looksFirst = true
        try awaitEnd(ofProcess: process, connection)
        if batch.chunkCount > 1 {
          try checkStored(batch.last, writer.statements, connection)
          return
        }
      }
      lostProcess = connection.backendProcessID
      try takingTurnsAfterDeadlock(&batch, &writer) { batch, writer in
        try connection.transaction(options.isDryRun ? .repeatableReadOnly : .readWrite) {
          if writer.takesTurns { try connection.execute(lockBulkAppend) }
          try store(&batch, source, options, &writer)
        }
      }
    }
    batch.report(options)
    result.appendedCount += batch.appendedCount
    result.existingCount += batch.existingCount
  }

  /// Runs a batch's transaction, and again when it was the victim of a deadlock.
  ///
  /// Two batches that touch the same streams in different orders end each other so. The one that was rolled back lets
  /// batches of its kind pass before it from then on; those that met no deadlock go on side by side.
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
      "another writer appends to the same streams in another order, and the two waited for each other",
      hint:
        "Run the command again; with --batch-size \(EventChunk.maximumLines) or less this is resolved by itself.",
      sqlState: SQLState.deadlockDetected
    )
  }

  private var lockBulkAppend: String { "SELECT pg_advisory_xact_lock(\(AdvisoryLock.bulkAppend))" }

  private func store(
    _ batch: inout Batch,
    _ source: some ChunkSource,
    _ options: BulkAppendOptions,
    _ writer: inout ChunkWriter
  ) throws {
    writer.transactionTime = Timestamp(
      microseconds: try writer.connection.query("SELECT current_timestamp").int64(0, 0)
    )
    while true {
      let room = (options.batchSize ?? .max) - batch.lineCount
      batch.places = try writer.store(batch.last) { if room > 0 { source.prefetch(room) } }
      guard room > 0, let next = try source.next(room) else { return }
      batch.report(options)
      batch.take(next)
    }
  }

  /// Waits until the server process of a lost connection has ended: until then it could still commit.
  private func awaitEnd(ofProcess process: Int32, _ connection: Connection) throws {
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
    for _ in 0..<100 {
      guard try connection.query(sql, [.int4(process)]).bool(0, 0) else { return }
      try canceller.sleep(for: .milliseconds(50))
    }
  }

  private func checkStored(
    _ chunk: EventChunk,
    _ statements: AppendStatements,
    _ connection: Connection
  ) throws {
    let stored = try statements.storedEvents(chunk, chunk.entries.indices, connection)
    guard stored.isEmpty else { return }
    throw EventStoreError(
      .connectionLost,
      "the connection was lost before the commit",
      hint: "Run the command again."
    )
  }
}

/// A transaction's chunks, of which only the last is kept.
private struct Batch {
  private(set) var last: EventChunk
  /// Where the events of the last chunk stand.
  var places: [Place] = []
  private(set) var chunkCount = 1
  private(set) var lineCount: Int
  private(set) var appendedCount = 0
  private(set) var existingCount = 0

  init(last: EventChunk) {
    self.last = last
    lineCount = last.entries.count
  }

  mutating func take(_ next: EventChunk) {
    last = next
    places = []
    chunkCount += 1
    lineCount += next.entries.count
  }

  /// Counts the last chunk, and hands out its receipts.
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
