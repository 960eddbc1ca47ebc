internal import LibPQ

extension EventStore {
  /// What ``applyEvolution(_:into:chunkSize:swap:retryTimeout:progress:)`` would run, as SQL.
  public func evolutionScript(_ plan: EvolutionPlan, into copy: QualifiedName) async throws -> String {
    try await perform { try $0.evolutionScript(plan, into: copy) }
  }

  /// Applies upcasters to history, read-only and in one snapshot, and reports their faults.
  ///
  /// It tries every event of the types that the rules name, and compares shapes on a sample of each type. It needs
  /// SELECT on the events alone, and works on a standby.
  ///
  /// - Parameters:
  ///   - upcasters: the rules to try.
  ///   - options: how much to try, and what else is known of types.
  ///   - progress: called on the store's thread after every chunk, with positions.
  /// - Throws: ``EventStoreError``; `invalidDefinition` for a file that the server cannot parse.
  public func check(
    _ upcasters: Upcasters,
    _ options: EvolutionCheckOptions = EvolutionCheckOptions(),
    progress: @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> EvolutionCheckResult {
    try await read { try $0.check(upcasters, options, progress: progress) }
  }

  /// The event types of the store, the most frequent first.
  ///
  /// The counts come from an index if there is one; bytes and shapes come from a sample spread over history. A table
  /// without positions is read whole. It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - category: only the aggregates whose id is this, or begins with it and a `-`.
  ///   - sample: about how many events of each type are examined; nil for all.
  ///   - exact: count all events; otherwise PostgreSQL's statistics give an estimate for a frequent type of a large
  ///     table, unless a category is given.
  /// - Throws: ``EventStoreError``; `notFound` for a category without events.
  public func eventTypes(
    category: String? = nil,
    sample: Int? = 1000,
    exact: Bool = true
  ) async throws -> [EventTypeSummary] {
    try await read { try $0.eventTypes(category: category, sample: sample, exact: exact) }
  }

  /// How many events of each type happened in each of the last hours; the current hour comes last.
  ///
  /// - Parameters:
  ///   - category: only the aggregates whose id is this, or begins with it and a `-`.
  ///   - hours: how many hours.
  /// - Returns: the types that have events then, each with a count for every hour.
  /// - Throws: ``EventStoreError``.
  public func eventsPerHour(category: String? = nil, hours: Int = 24) async throws -> [(
    type: String, counts: [Int64]
  )] {
    try await read { try $0.eventsPerHour(category: category, hours: hours) }
  }

  /// Tries upcasters on all of history, read-only, and reports what applying them would do.
  ///
  /// - Parameters:
  ///   - upcasters: the rules to try.
  ///   - progress: called on the store's thread after every chunk, with positions.
  /// - Throws: ``EventStoreError``; `invalidDefinition` when the upcasters fail for an event, with the first of them.
  public func planEvolution(
    _ upcasters: Upcasters,
    progress: @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> EvolutionPlan {
    try await read { try $0.planEvolution(upcasters, progress: progress) }
  }

  /// Swaps the original table back in.
  ///
  /// - Parameter copy: the table that has the old events.
  /// - Throws: ``EventStoreError``: `notFound` when no such copy was swapped in; `failed` when events were appended
  ///   since the swap, which the old table does not have.
  public func rollBackEvolution(_ copy: QualifiedName) async throws {
    try await perform { try $0.rollBackEvolution(copy) }
  }

  /// The shape of an event type: its paths, and the variants in which they occur together.
  ///
  /// It needs SELECT on the events alone.
  ///
  /// - Parameters:
  ///   - type: the event type.
  ///   - sample: about how many events are examined, spread over history; nil for all.
  ///   - findingRequired: whether to find the members that every event has; this reads the events once more.
  /// - Throws: ``EventStoreError``; `notFound` when there is no event of the type.
  public func shape(
    ofType type: String,
    sample: Int? = 10_000,
    findingRequired: Bool = false
  ) async throws -> TypeShape {
    try await read { try $0.shape(ofType: type, sample: sample, findingRequired: findingRequired) }
  }

  /// Copies the store through the upcasters of a plan into a new table beside it; the store itself is not changed.
  ///
  /// The copy grows in chunks that commit with their checkpoint, so an interrupted run can be continued. A complete
  /// copy catches up with events that were appended since. At the end it is compared, event by event and in one
  /// snapshot, with what the upcasters make of the original.
  ///
  /// - Parameters:
  ///   - plan: what to apply; it must be of this store.
  ///   - copy: the new table.
  ///   - chunkSize: events in a transaction.
  ///   - swap: exchanges the names of the two tables at the end, in one short transaction.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  ///   - progress: called on the store's thread after every chunk.
  /// - Throws: ``EventStoreError``: `invalidDefinition` for a plan of another store, or a table that is there already,
  ///   `locked` when another session works on it, `failed` when the comparison finds a difference.
  public func applyEvolution(
    _ plan: EvolutionPlan,
    into copy: QualifiedName,
    chunkSize: Int64 = 50_000,
    swap: Bool = false,
    retryTimeout: Duration = .seconds(30),
    progress: @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> EvolutionResult {
    let furthest = Furthest()
    return try await reconnecting(within: retryTimeout, furthest) {
      try await perform {
        try $0.apply(plan, into: copy, chunkSize: chunkSize, swap: swap) {
          furthest.note($0.done)
          progress($0)
        }
      }
    }
  }
}
