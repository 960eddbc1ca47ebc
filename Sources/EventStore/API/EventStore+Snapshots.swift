internal import LibPQ

extension EventStore {
  /// The state of an aggregate, folded in the server from its newest valid snapshot on.
  ///
  /// It needs SELECT on the events alone, and works on a hot standby. Without the right to read schema `annals` it
  /// folds from the first event.
  ///
  /// - Parameters:
  ///   - aggregateID: the aggregate.
  ///   - point: the version or time of the state.
  ///   - reducer: what folds the events.
  ///   - usingSnapshots: if false, it folds from the first event.
  ///   - indented: formats the JSON for people.
  /// - Throws: ``EventStoreError``: `notFound` for an aggregate without events or a point before the first event;
  ///   `invalidDefinition` when the reducer is wrong or fails for an event.
  public func state(
    of aggregateID: String,
    at point: PointInStream = .head,
    reducer: Reducer = .merge,
    usingSnapshots: Bool = true,
    indented: Bool = false
  ) async throws -> AggregateState {
    try await read {
      try $0.state(
        of: aggregateID,
        at: point,
        reducer: reducer,
        usingSnapshots: usingSnapshots,
        indented: indented
      )
    }
  }

  /// Finds the types of a reducer's sections that no event of the store has. It finds nothing if no index has the
  /// types: the state of one aggregate is no reason to read all events.
  ///
  /// - Throws: ``EventStoreError``.
  public func typeCoverage(of reducer: Reducer) async throws -> TypeCoverage {
    try await read { try $0.typeCoverage(of: reducer.handlers, byIndexAlone: true) }
  }

  /// For each member of an aggregate's state, the event that last changed it.
  ///
  /// It folds from the first event, and compares the state before each event with the state after it. An event that
  /// writes the value that is there already changes nothing. It needs SELECT on the events alone, and works on a hot
  /// standby.
  ///
  /// - Parameters:
  ///   - aggregateID: the aggregate.
  ///   - path: only what is at or below this path.
  ///   - point: the version or time of the state.
  ///   - reducer: what folds the events.
  /// - Throws: as ``state(of:at:reducer:usingSnapshots:indented:)``; `notFound` when nothing is at the path.
  public func blame(
    _ aggregateID: String,
    path: String = ".",
    at point: PointInStream = .head,
    reducer: Reducer = .merge
  ) async throws -> [BlamedValue] {
    try await read { try $0.blame(aggregateID, path: path, at: point, reducer: reducer) }
  }

  /// Folds streams from the beginning, and compares the states with the snapshots under a reducer's name.
  ///
  /// - Parameters:
  ///   - selection: the aggregates.
  ///   - reducer: the one that made the snapshots.
  ///   - found: called on the store's thread with each finding.
  /// - Returns: the number of snapshots that were compared.
  /// - Throws: ``EventStoreError``: `notFound` when no snapshot is selected.
  public func verifySnapshots(
    of selection: AggregateSelection = .all,
    reducer: Reducer = .merge,
    _ found: @Sendable (SnapshotFinding) throws -> Void
  ) async throws -> Int64 {
    let passedOn = PassedOn()
    return try await read(unless: passedOn) {
      try $0.verifySnapshots(of: selection, reducer: reducer) {
        passedOn.set()
        try found($0)
      }
    }
  }

  /// Lists the snapshots of this store, by reducer, aggregate and version.
  ///
  /// - Parameters:
  ///   - selection: the aggregates.
  ///   - body: called on the store's thread with each.
  public func listSnapshots(
    of selection: AggregateSelection = .all,
    _ body: @Sendable (SnapshotSummary) throws -> Void
  ) async throws {
    let passedOn = PassedOn()
    try await read(unless: passedOn) {
      try $0.listSnapshots(of: selection) {
        passedOn.set()
        try body($0)
      }
    }
  }

  /// Deletes snapshots; they can be taken again. All snapshots whose event is no longer in the store are deleted.
  ///
  /// - Parameters:
  ///   - selection: the aggregates.
  ///   - kept: how many of the newest stay, of each aggregate and text of a reducer.
  ///   - stale: also delete all that were made by another text of the reducer than the last one.
  ///   - dryRun: only counts.
  public func pruneSnapshots(
    of selection: AggregateSelection = .all,
    keeping kept: Int,
    stale: Bool = false,
    dryRun: Bool = false
  ) async throws -> SnapshotPruningResult {
    try await perform { try $0.pruneSnapshots(of: selection, keeping: kept, stale: stale, dryRun: dryRun) }
  }

  /// What differs in the state of an aggregate between two points.
  ///
  /// It needs SELECT on the events alone, and works on a hot standby.
  ///
  /// - Throws: as ``state(of:at:reducer:usingSnapshots:indented:)``.
  public func changes(
    of aggregateID: String,
    from first: PointInStream,
    to second: PointInStream,
    reducer: Reducer = .merge,
    usingSnapshots: Bool = true
  ) async throws -> [StateChange] {
    try await read {
      try $0.changes(
        of: aggregateID,
        from: first,
        to: second,
        reducer: reducer,
        usingSnapshots: usingSnapshots
      )
    }
  }

  /// Stores the states of aggregates, folded inside the server from their newest valid snapshots on.
  ///
  /// It works in chunks that commit, and skips aggregates that are up to date, so a second run continues an interrupted
  /// one. A stream that lacks a version is skipped, since that version may still appear.
  ///
  /// - Parameters:
  ///   - selection: the aggregates.
  ///   - reducer: what folds the events.
  ///   - every: only aggregates with at least as many events since their newest valid snapshot.
  ///   - workers: connections to use.
  ///   - retryTimeout: how long to try to connect again after a connection was lost.
  ///   - progress: called after every chunk, with events.
  /// - Throws: ``EventStoreError``: `notFound` when nothing is selected, `failed` when the reducer fails for an event.
  ///   The chunks before are stored then.
  @discardableResult
  public nonisolated func takeSnapshots(
    of selection: AggregateSelection,
    reducer: Reducer = .merge,
    every: Int = 1,
    workers: Int = 1,
    retryTimeout: Duration = .seconds(30),
    progress: @escaping @Sendable (EventStore.Progress) -> Void = { _ in }
  ) async throws -> SnapshotTakingResult {
    try await take(
      of: selection,
      reducer,
      every: every,
      workers: workers,
      retryTimeout: retryTimeout,
      progress: progress
    )
  }
}
