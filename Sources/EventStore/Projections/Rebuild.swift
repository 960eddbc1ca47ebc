internal import LibPQ

extension EventStore {
  /// Builds a projection's read model anew from history and puts it in the place of the live one.
  ///
  /// The new generation grows beside the live one, in chunks that commit with their checkpoint: a build that was
  /// interrupted goes on where it was, as long as the file is the same. Then come the file's checks, and one
  /// short transaction that swaps the tables. The old generation is kept. Meanwhile the live one may be caught up.
  ///
  /// - Parameters:
  ///   - definition: the bytes of a projection file.
  ///   - path: the file's name, for messages.
  ///   - progress: called after every chunk, on a thread of the store's.
  /// - Throws: ``EventStoreError``: `invalidDefinition` for a wrong file, `locked` when another session works on the
  ///   projection or holds its tables too long, `failed` for an event whose handler fails. The live read model is
  ///   untouched then.
  public func rebuildProjection(
    _ definition: [UInt8],
    path: String,
    options: RebuildOptions = RebuildOptions(),
    progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
  ) async throws -> RebuildOutcome {
    let deadline = options.timeLimit.map { ContinuousClock.now + $0 }
    let build = try await perform { connection in
      let file = try ProjectionFile(path: path, bytes: identity(definition))
      let source = try eventSource(connection)
      try requireSchema(connection)
      try AdvisoryLock.noticeLostClients(connection)
      try AdvisoryLock.acquire(file.lockOfRebuild, connection)
      do {
        let (generation, isResumed) = try beginOrResume(file, source, options, connection)
        return Build(
          file: file,
          source: source,
          options: options,
          deadline: deadline,
          generation: generation,
          isResumed: isResumed,
          shards: try prepareShards(of: generation, file, workers: options.workers, connection)
        )
      } catch {
        AdvisoryLock.release(file.lockOfRebuild, connection)
        throw error
      }
    }
    do {
      let outcome = try await finish(build, progress)
      await releaseLock(of: build)
      return outcome
    } catch {
      await releaseLock(of: build)
      throw error
    }
  }

  private func finish(
    _ build: Build,
    _ progress: @escaping @Sendable (RebuildProgress) -> Void
  ) async throws -> RebuildOutcome {
    let isSharded = build.shards > 0
    let isComplete = isSharded ? try await runShards(of: build, progress) : true
    return try await perform { connection in
      // Once more, in case the session that took it has ended since.
      try AdvisoryLock.hold(build.file.lockOfRebuild, connection) {
        var build = build
        if isSharded, isComplete { try mergeShards(of: &build.generation, connection) }
        guard isComplete else { return build.outcome(.outOfTime) }
        do {
          return try finish(&build, progress, connection)
        } catch {
          throw record(error, of: build, connection)
        }
      }
    }
  }

  /// Notes why the build stopped, and returns the error for the caller.
  func record(_ error: any Error, of build: Build, _ connection: Connection) -> any Error {
    let error = (error as? PoisonEvent).map { EventStoreError($0, file: build.file.path) } ?? error
    if let error = error as? EventStoreError { build.generation.record(error, connection) }
    return error
  }

  /// A task of its own, because the caller's may be cancelled.
  private func releaseLock(of build: Build) async {
    await Task { try? await perform { AdvisoryLock.release(build.file.lockOfRebuild, $0) } }.value
  }

  private func finish(
    _ build: inout Build,
    _ progress: (RebuildProgress) -> Void,
    _ connection: Connection
  ) throws -> RebuildOutcome {
    let apply = build.compiler().applyFunction()
    try createFunction(apply, connection)
    guard try applyAll(of: &build, apply, progress, connection) else { return build.outcome(.outOfTime) }
    try build.generation.analyze(connection)
    let failed = try failedChecks(of: build.file, build.generation, connection)
    guard failed.isEmpty else { return build.outcome(.checksFailed, failedChecks: failed) }
    try build.generation.mark(.ready, connection)
    var differences: [TableDifference] = []
    if build.options.compares || build.options.differenceLimit != nil {
      differences = try self.differences(of: build.generation, connection)
      if let limit = build.options.differenceLimit, limit.isExceeded(by: differences) {
        return build.outcome(.tooDifferent, differences: differences)
      }
    }
    guard build.options.swaps else { return build.outcome(.ready, differences: differences) }
    build.generation = try goLive(
      build.generation,
      of: build.file,
      upTo: build.lastPosition,
      apply,
      connection
    )
    try dropRetired(build.file.name, besides: build.options.keptGenerations, connection)
    return build.outcome(.live, differences: differences)
  }

  /// Applies what is there; what comes meanwhile too, until no more than a chunk is left for the swap.
  ///
  /// - Returns: false when the time was over first.
  private func applyAll(
    of build: inout Build,
    _ apply: GeneratedCode,
    _ progress: (RebuildProgress) -> Void,
    _ connection: Connection
  ) throws -> Bool {
    var final = min(try finalPosition(connection), build.lastPosition)
    repeat {
      while build.generation.position < final {
        if build.isOutOfTime { return false }
        let end = min(build.generation.position + build.options.chunkSize, final)
        var generation = build.generation
        try connection.transaction {
          // A crash loses the chunk together with its checkpoint, so no commit needs to wait for the disk.
          try connection.execute("SET LOCAL synchronous_commit = off")
          try run(apply, upTo: end, on: &generation, connection)
        }
        build.generation = generation
        progress(RebuildProgress(position: end, finalPosition: final, events: generation.events))
      }
      final = min(try finalPosition(connection), build.lastPosition)
    } while final - build.generation.position > build.options.chunkSize
    return true
  }

  /// Applies the events up to a position to a generation, and moves its checkpoint, in the caller's transaction.
  ///
  /// - Throws: ``PoisonEvent`` for an event whose handler fails.
  func run(
    _ apply: GeneratedCode,
    upTo end: Int64,
    on generation: inout Generation,
    _ connection: Connection
  ) throws {
    try generation.useSchema(connection)
    let handled = try apply.call(after: generation.position, upTo: end, connection)
    try generation.advance(to: end, events: handled, connection)
  }

  private func dropRetired(_ projection: String, besides kept: Int, _ connection: Connection) throws {
    let retired = try Generation.all(of: projection, in: .retired, connection: connection)
    for generation in retired.dropFirst(kept) {
      do {
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          try generation.drop(connection)
        }
      } catch let error as PostgresError where error.sqlState == SQLState.lockNotAvailable {
        notify("generation \(generation.number) of \(projection) is in use; the next rebuild drops it")
      }
    }
  }
}

/// A rebuild under way: what was asked for, and the generation that grows.
struct Build: Sendable {
  let file: ProjectionFile
  let source: String
  let options: RebuildOptions
  let deadline: ContinuousClock.Instant?
  var generation: Generation
  let isResumed: Bool
  /// Shards with checkpoints of their own; 0 for a build on one connection.
  let shards: Int

  var isOutOfTime: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }
  var lastPosition: Int64 { options.lastPosition ?? .max }

  func compiler(filter: String? = nil) -> ProjectionCompiler {
    ProjectionCompiler(file, source: source, filter: filter)
  }

  func outcome(
    _ ending: RebuildOutcome.Ending,
    failedChecks: [FailedCheck] = [],
    differences: [TableDifference] = []
  ) -> RebuildOutcome {
    RebuildOutcome(
      projection: file.name,
      generation: Int(generation.number),
      ending: ending,
      events: generation.events,
      position: generation.position,
      isResumed: isResumed,
      schema: generation.ownSchema,
      failedChecks: failedChecks,
      differences: differences
    )
  }
}

extension ProjectionFile {
  /// Whether it gives rights on its tables itself.
  var grants: Bool { create.contains { $0.keyword == "GRANT" } }

  /// Another lock than that of the catch-up: the live read model is kept current while a new one is built.
  var lockOfRebuild: String { Self.lockOfRebuild(name) }
  static func lockOfRebuild(_ name: String) -> String { "the rebuild of projection \(name)" }
}

extension GeneratedCode {
  /// Runs `annals_apply`.
  ///
  /// - Returns: how many events were handled.
  /// - Throws: ``PoisonEvent`` for an event whose handler fails.
  func call(after start: Int64, upTo end: Int64, _ connection: Connection) throws -> Int64 {
    do {
      let sql = "SELECT pg_temp.\(functionName)($1, $2)"
      return try connection.query(sql, [.int8(start), .int8(end)]).int64(0, 0)
    } catch {
      throw PoisonEvent(error, in: self) ?? error
    }
  }
}
