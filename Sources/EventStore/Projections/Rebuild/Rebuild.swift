internal import LibPQ

extension EventStore {
  func rebuild(
    _ projections: [Projection],
    _ options: RebuildOptions,
    _ progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) async throws -> [Result<RebuildResult, EventStoreError>] {
    let deadline = options.timeLimit.map { ContinuousClock.now + $0 }
    let (furthest, begun) = (Furthest(), BegunBuilds())
    return try await reconnecting(within: options.retryTimeout, furthest) {
      try await rebuild(projections, options, deadline, begun) {
        furthest.note($0.done)
        progress($0)
      }
    }
  }

  /// - Parameter begun: the builds of an earlier attempt; they are resumed, not repeated.
  private func rebuild(
    _ projections: [Projection],
    _ options: RebuildOptions,
    _ deadline: ContinuousClock.Instant?,
    _ begun: BegunBuilds,
    _ progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) async throws -> [Result<RebuildResult, EventStoreError>] {
    let builds = try await perform { try $0.beginBuilds(of: projections, options, deadline, begun) }
    return try await holding(builds.map(\.file.lockOfRebuild)) { try await finish(builds, options, progress) }
  }

  private func finish(
    _ builds: [Build],
    _ options: RebuildOptions,
    _ progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) async throws -> [Result<RebuildResult, EventStoreError>] {
    let builds = try await runShards(of: builds, options, progress)
    return try await perform { try $0.finish(builds, options, progress) }
  }
}

extension StoreConnection {
  /// Starts builds, or finds interrupted ones; afterwards their locks are held.
  fileprivate func beginBuilds(
    of projections: [Projection],
    _ options: RebuildOptions,
    _ deadline: ContinuousClock.Instant?,
    _ begun: BegunBuilds
  ) throws -> [Build] {
    let files = try projections.map { try definition(of: $0) }
    try requireDifferentNames(files)
    let source = try eventSource()
    try requireSchema()
    let history = try proveFinality(goesOn: options.lastPosition == nil)
    // Refuse before anything is created.
    if positions != .final { _ = try finalPosition(for: options) }
    try connection.prepareLongWork()
    return try AdvisoryLock.take(files.map(\.lockOfRebuild), connection) {
      try files.map { file in
        if let live = try swapped(file, begun) {
          var build = Build(
            file: file,
            source: source,
            options: options,
            deadline: deadline,
            history: history,
            generation: live,
            isResumed: true,
            shards: 0
          )
          build.result = .success(build.outcome(.live))
          return build
        }
        var options = options
        options.restarts = options.restarts && begun.number(file) == nil
        let (generation, isResumed) = try beginOrResume(file, source, options)
        begun.note(generation)
        try requireNotAhead(generation, of: history)
        return Build(
          file: file,
          source: source,
          options: options,
          deadline: deadline,
          history: history,
          generation: generation,
          isResumed: isResumed,
          shards: try prepareShards(of: generation, file, workers: options.workers)
        )
      }
    }
  }

  /// Checks builds whose shards are done, and swaps them in one after another.
  fileprivate func finish(
    _ builds: [Build],
    _ options: RebuildOptions,
    _ progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) throws -> [Result<RebuildResult, EventStoreError>] {
    try AdvisoryLock.acquireLost(builds.map(\.file.lockOfRebuild), connection)
    var parts = try builds.map { try wholePart(of: $0) }
    let meter = RebuildMeter(report: progress)
    for index in parts.indices {
      // Builds whose turn comes later stay current while others are checked and swapped.
      repeat {
        try applyAll(of: &parts, options, meter)
        if parts[index].build.result != nil { break }
        do {
          parts[index].build.result = .success(try finish(&parts[index], meter))
        } catch {
          // An event that came just before the swap can fail in it, and is then set aside like the others.
          do {
            if try !parts[index].passes(error, self) { try parts[index].fail(with: error, connection) }
          } catch {
            try parts[index].fail(with: error, connection)
          }
        }
      } while parts[index].build.result == nil
    }
    return parts.map { $0.build.result! }
  }

  /// The live generation of this rebuild, if its swap was committed and the answer was lost.
  private func swapped(_ file: Projection, _ begun: BegunBuilds) throws -> Generation? {
    guard let number = begun.number(file), let live = try liveGeneration(of: file.name) else { return nil }
    return live.number == number ? live : nil
  }

  private func requireNotAhead(_ generation: Generation, of history: FollowedHistory) throws {
    let shards = try connection.query(
      "SELECT max(position) FROM annals.shards WHERE \(generation.ownsShard)"
    )
    try requireNotAhead(
      max(generation.position, shards.optionalInt64(0, 0) ?? generation.position),
      "the interrupted build of projection \(generation.projection)",
      of: history,
      hint: "Start the build again with \(.restartRebuild)."
    )
  }

  private func requireDifferentNames(_ files: [Projection]) throws {
    for (index, file) in files.enumerated() {
      guard let other = files[..<index].first(where: { $0.name == file.name }) else { continue }
      throw EventStoreError(
        .invalidDefinition,
        "\(other.path) and \(file.path) are both projection \(file.name)",
        hint: "Give one of them another name, or leave it out."
      )
    }
  }

  /// A build as a whole, with its shards merged.
  private func wholePart(of build: Build) throws -> BuildPart {
    var part = BuildPart(build)
    guard build.result == nil else { return part }
    do {
      if build.shards > 0 { try mergeShards(of: &part.build.generation) }
      try createFunction(part.handlers.apply)
    } catch {
      try part.fail(with: error, connection)
    }
    return part
  }

  /// Checks a build that has reached the end of history, and swaps it in.
  private func finish(_ part: inout BuildPart, _ meter: RebuildMeter) throws -> RebuildResult {
    part.build.deadLetters = try part.build.generation.parkedCount(connection)
    let options = part.build.options
    meter.enter(.checking)
    var tried: Set<ByteString> = []
    try addToLoadedTables(of: part.build.generation, besides: &tried)
    try analyze(part.build.generation.ownSchema)
    let failed = try failedChecks(of: part.build.file, in: part.build.generation.schema)
    guard failed.isEmpty else { return part.build.outcome(.checksFailed, failedChecks: failed) }
    try markReady(&part.build.generation)
    var differences: [TableDifference] = []
    if options.compares || options.differenceLimit != nil {
      meter.enter(.comparing)
      differences = try self.differences(of: part.build.generation)
      if let limit = options.differenceLimit, limit.isExceeded(by: differences) {
        return part.build.outcome(.tooDifferent, differences: differences)
      }
    }
    guard options.swaps else { return part.build.outcome(.ready, differences: differences) }
    meter.enter(.swapping)
    part.build.generation = try goLive(&part, besides: &tried)
    try dropRetired(part.build.file.name, besides: options.keptGenerations)
    return part.build.outcome(.live, differences: differences)
  }

  /// Applies all events, also those that come meanwhile, until at most a chunk is left for each swap.
  private func applyAll(
    of parts: inout [BuildPart],
    _ options: RebuildOptions,
    _ meter: RebuildMeter
  ) throws {
    var final = try finalPosition(for: options)
    repeat {
      try advance(&parts, upTo: final, meter)
      final = try finalPosition(for: options)
    } while try isFarBehind(parts, options, final)
  }

  /// Whether more than a chunk of events is left for some part.
  private func isFarBehind(
    _ parts: [BuildPart],
    _ options: RebuildOptions,
    _ final: Int64
  ) throws -> Bool {
    let table = try eventsTable()
    return try parts.contains { part in
      guard part.isBehind(final) else { return false }
      return try table.endOfChunk(of: options.chunkSize, after: part.position, upTo: final, connection)
        < final
    }
  }

  /// The load is complete; a resumed build that was ready keeps its record.
  private func markReady(_ generation: inout Generation) throws {
    var ready = generation
    try connection.transaction {
      try ready.markReady(connection)
      guard generation.state != .ready else { return }
      try audit(
        .finish,
        .projection(generation.projection),
        "'generation', \(generation.number), 'events', \(generation.events), 'position', \(generation.position)"
      )
    }
    generation = ready
  }

  private func dropRetired(_ projection: String, besides kept: Int) throws {
    let retired = try generations(of: projection, in: .retired)
    for generation in retired.dropFirst(kept) {
      do {
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          try generation.drop(connection)
          try audit(.drop, .projection(projection), "'generation', \(generation.number)")
        }
      } catch let error as PostgresError where error.sqlState == SQLState.lockNotAvailable {
        notify("generation \(generation.number) of \(projection) is in use; the next rebuild drops it")
      }
    }
  }
}

extension Projection {
  /// Whether the file itself grants rights on its tables.
  var grants: Bool { create.contains { $0.keyword == "GRANT" } }

  /// Not the lock of the catch-up: the live read model is kept current while a new one is built.
  var lockOfRebuild: String { Self.lockOfRebuild(name) }
  static func lockOfRebuild(_ name: String) -> String { "the rebuild of projection \(name)" }

  /// Shared by each transaction of the catch-up, and held alone by a swap, during which the live read model is fixed.
  var lockOfSwap: String { "the swap of projection \(name)" }
}

extension Connection {
  /// Runs `annals_apply` within its bounds.
  ///
  /// - Returns: the events that were handled.
  /// - Throws: ``PoisonEvent`` for an event whose handler fails.
  func handleEvents(
    by apply: GeneratedCode,
    after start: Int64?,
    upTo end: Int64,
    within confinement: Confinement
  ) throws -> SeenEvents {
    try confine(confinement, of: apply.file) {
      do throws(PostgresError) {
        let handled = try query(
          "SELECT annals_events, annals_seen FROM pg_temp.\(raw: apply.functionName)(\(start), \(end))"
        )
        return SeenEvents(count: handled[0].int64("annals_events"), hash: handled[0].int64("annals_seen"))
      } catch {
        throw PoisonEvent(error, in: apply) ?? error.inItsOwnWords
      }
    }
  }
}
