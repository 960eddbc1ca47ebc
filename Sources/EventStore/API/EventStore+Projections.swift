internal import LibPQ

extension EventStore {
  /// Applies to a live read model what has happened since its checkpoint, in order, and nothing twice.
  ///
  /// An event whose handler fails is tried again alone, and then set aside as a dead letter, in the transaction that
  /// moves the checkpoint past it. After a lost connection it connects again. To keep several projections current side
  /// by side, use a store for each, with its own connection.
  ///
  /// - Parameters:
  ///   - projection: the one that built the live generation.
  ///   - options: retries, chunks, and whether to end.
  ///   - progress: called after every chunk, on the store's thread.
  /// - Throws: ``EventStoreError``: `notFound` without a live generation, `invalidDefinition` when the file is wrong
  ///   or not the one that built the generation, `locked` when another session keeps the same projection current.
  @discardableResult
  public func project(
    _ projection: Projection,
    options: CatchUpOptions = CatchUpOptions(),
    progress: @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> CatchUpResult {
    try await keepCurrent(projection, options, progress)
  }

  /// Swaps the previous generation back in, and keeps the one that was live.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when no earlier generation was kept.
  @discardableResult
  public func rollBackProjection(_ name: String) async throws -> RollbackResult {
    try await perform { try $0.rollBackProjection(name) }
  }

  /// The text of the file that built a generation.
  ///
  /// - Parameters:
  ///   - name: the name of the projection.
  ///   - generation: its number; nil for the live one.
  /// - Throws: ``EventStoreError``: `notFound` when there is no such projection or generation.
  public func projectionFile(of name: String, generation: Int? = nil) async throws -> String {
    try await read { try $0.projectionFile(of: name, generation: generation) }
  }

  /// The projection of the file that built the live generation.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when there is no such projection, or none of its generations is live.
  public func liveProjection(_ name: String) async throws -> Projection {
    try await read { try $0.liveProjection(name) }
  }

  /// Removes a projection: its read model, its generations, its dead letters.
  ///
  /// - Throws: ``EventStoreError``: `locked` while somebody builds it or keeps it current, `invalidDefinition` when
  ///   other objects depend on its tables.
  public func dropProjection(_ name: String) async throws {
    try await perform { try $0.dropProjection(name) }
  }

  /// Removes one generation of a projection that is not live: a retired one, or one that is being built.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when there is no such projection or generation, `failed` when it is the
  ///   live one, `locked` while somebody builds it.
  public func discardGeneration(_ number: Int, of name: String) async throws {
    try await perform { try $0.discardGeneration(number, ofProjection: name) }
  }

  /// Stops the catch-up of a projection; a running one stops after its transaction.
  public func pauseProjection(_ name: String) async throws {
    try await perform { try $0.setPaused(true, projection: name) }
  }

  /// Lets a paused projection continue.
  public func resumeProjection(_ name: String) async throws {
    try await perform { try $0.setPaused(false, projection: name) }
  }

  /// Moves the checkpoint of a live read model by hand: back, and events are applied again; forward, and events
  /// are left out.
  ///
  /// - Parameters:
  ///   - name: the name of the projection.
  ///   - position: where the checkpoint goes.
  ///   - expected: where the checkpoint must be.
  /// - Throws: ``EventStoreError``: `locked` while another session keeps the projection current, or when the checkpoint
  ///   has another position; `invalidInput` for a position beyond the end of the store.
  public func setCheckpoint(
    of name: String,
    to position: Int64,
    from expected: Int64
  ) async throws {
    try await perform { try $0.setCheckpoint(of: name, to: position, from: expected) }
  }

  /// Runs a projection over the events that match, in a schema that it creates, to see what the read model would be, or
  /// would have been. Nothing is swapped, and annals keeps no record of it.
  ///
  /// Events are applied in chunks, each in a transaction. After an error or a cancellation the schema stays, for
  /// inspection; the operator drops it.
  ///
  /// - Parameters:
  ///   - projection: what makes the read model.
  ///   - query: the events; its order is ignored. The limit ends between positions.
  ///   - schema: must not exist.
  ///   - chunkSize: events in a transaction.
  ///   - progress: called after every chunk, on the store's thread.
  /// - Throws: ``EventStoreError``: `notFound` for a name that the store does not have, `invalidDefinition` for a wrong
  ///   file, `failed` when the schema exists, or for an event whose handler fails.
  public func buildReadModel(
    _ projection: Projection,
    from query: EventQuery,
    into schema: String,
    chunkSize: Int64 = 20_000,
    progress: @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> ReadModelBuild {
    try await perform {
      try $0.buildReadModel(projection, from: query, into: schema, chunkSize: chunkSize, progress: progress)
    }
  }

  /// Parses and compiles a projection file and runs it on no event, in a transaction that is rolled back.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` and the place in the file.
  public func checkProjection(_ projection: Projection) async throws -> CheckedProjection {
    try await perform { try $0.checkProjection(projection) }
  }

  /// Finds the types of a projection's handlers that no event has, and the types of events that no handler takes.
  ///
  /// - Parameters:
  ///   - projection: the projection.
  ///   - byIndexAlone: finds nothing if no index has the types, instead of reading all events.
  /// - Throws: ``EventStoreError``.
  public func typeCoverage(of projection: Projection, byIndexAlone: Bool = false) async throws -> TypeCoverage
  {
    try await read { try $0.typeCoverage(of: projection.handlers, byIndexAlone: byIndexAlone) }
  }

  /// Says what a rebuild would do, and how long it would take: it does a small part of it, and rolls that back.
  ///
  /// - Parameters:
  ///   - projection: the projection.
  ///   - lastPosition: as ``RebuildOptions/lastPosition``.
  public func planRebuild(
    _ projection: Projection,
    upTo lastPosition: Int64? = nil
  ) async throws -> RebuildPlan {
    try await perform { try $0.planRebuild(projection, upTo: lastPosition) }
  }

  /// The projections of this store: their live generations and the ones that are being built.
  ///
  /// It needs SELECT on the events and on the tables of schema `annals`.
  ///
  /// - Parameter name: only this one, with the retired generations; `notFound` is thrown if there is none.
  public func projections(_ name: String? = nil) async throws -> [ProjectionStatus] {
    try await projectionStatus(name, countsRows: true, lagLimit: StoreHealth.lagLimit)
  }

  /// - Parameters:
  ///   - countsRows: reads small tables; otherwise the number of their rows is an estimate too.
  ///   - lagLimit: how many events after a checkpoint are counted.
  package func projectionStatus(
    _ name: String? = nil,
    countsRows: Bool,
    lagLimit: Int64
  ) async throws -> [ProjectionStatus] {
    try await read { try $0.projectionStatus(name, countsRows: countsRows, lagLimit: lagLimit) }
  }

  /// Finds what would stop ``buildReadModel(_:from:into:chunkSize:progress:)`` before the first event.
  public func checkReadModelBuild(_ projection: Projection, into schema: String) async throws {
    _ = try await checkProjection(projection)
    try await perform { store in
      try store.proveFinality(goesOn: false)
      try store.requireNew(schema)
    }
  }

  /// The SQL that drops what an unfinished build left.
  package static func dropUnfinished(_ schema: String) -> String {
    "DROP SCHEMA IF EXISTS \(quoteIdentifier(schema)) CASCADE;"
  }

  /// Sets who is told of the steps of swaps.
  package func onSwapStep(_ report: @escaping @Sendable (SwapStep) -> Void) {
    atSwapStep = report
  }

  /// Builds a projection's read model from history and swaps it in for the live one.
  ///
  /// The new generation grows beside the live one, in chunks that commit with their checkpoint. So an interrupted build
  /// can be continued, as long as the file is the same. Then come the file's checks, and one short transaction that
  /// swaps the tables. The old generation is kept. The live one may be kept current meanwhile.
  ///
  /// - Parameters:
  ///   - projection: what makes the read model.
  ///   - options: chunks, connections, limits, and what happens at the end.
  ///   - progress: called at the beginning and after every chunk, on a thread of the store.
  /// - Throws: ``EventStoreError``: `invalidDefinition` for a wrong file, `locked` when another session works on the
  ///   projection or holds its tables too long, `failed` for an event whose handler fails. The live read model is
  ///   untouched then.
  public func rebuildProjection(
    _ projection: Projection,
    options: RebuildOptions = RebuildOptions(),
    progress: @escaping @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> RebuildResult {
    try await rebuildProjections([projection], options: options, progress: progress)[0].get()
  }

  /// Builds several read models in one pass over history, and then swaps them in one after another.
  ///
  /// They advance together, chunk by chunk. A build that fails stops alone: it can be resumed, and the others continue.
  ///
  /// - Parameters:
  ///   - projections: different ones.
  ///   - options: the same for all of them.
  ///   - progress: called at the beginning and after every chunk, on a thread of the store.
  /// - Returns: what became of each, in their order.
  /// - Throws: ``EventStoreError`` for what concerns all of them, or stops one of them before the first event.
  public func rebuildProjections(
    _ projections: [Projection],
    options: RebuildOptions = RebuildOptions(),
    progress: @escaping @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> [Result<RebuildResult, EventStoreError>] {
    try await rebuild(projections, options, progress)
  }
}
