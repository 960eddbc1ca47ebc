internal import LibPQ

extension EventStore {
  /// Refuses the name of a projection for a checkpoint: their dead letters could not be told apart.
  public func requireNoProjection(named checkpoint: String) async throws {
    try await read { try $0.requireNoProjection(named: checkpoint) }
  }

  /// Says what ``replay(_:_:into:)`` would pass on now, and changes nothing.
  ///
  /// - Parameters:
  ///   - query: the events.
  ///   - options: those of the replay; only the position of a checkpoint is used, which need not exist.
  /// - Throws: ``EventStoreError`` in the cases in which the replay would.
  public func planReplay(
    _ query: EventQuery,
    _ options: ReplayOptions = ReplayOptions()
  ) async throws -> ReplayPlan {
    try await read(seeing: options.checkpoint == nil ? .permitted : .all) {
      try $0.planReplay(query, options)
    }
  }

  /// Passes the events that match to a sink, batch by batch.
  ///
  /// With a checkpoint it begins after the position stored under that name, even if the query's own `fromPosition` is
  /// lower, and stores a position after `sink` has returned. If the process ends between the two, an event comes again;
  /// none is left out.
  ///
  /// - Parameters:
  ///   - query: which events.
  ///   - options: the checkpoint, the rate, and whether to follow.
  ///   - sink: returns when the batch is done.
  /// - Throws: ``EventStoreError``, among others `locked` while another replay uses the checkpoint; what `sink` throws.
  @discardableResult
  public nonisolated func replay(
    _ query: EventQuery,
    _ options: ReplayOptions = ReplayOptions(),
    into sink: (EventBatch) async throws -> Void
  ) async throws -> ReadResult {
    try await pass(query, options, to: sink)
  }

  /// The positions behind a checkpoint that a replay is done with all the same: it passed the events on side by side, and was
  /// ended before those below were done.
  ///
  /// - Parameter checkpoint: its name.
  /// - Throws: ``EventStoreError``.
  public func doneAhead(of checkpoint: String) async throws -> [Int64] {
    try await reconnecting(within: .seconds(30)) { try await perform { try $0.doneAhead(of: checkpoint) } }
  }

  /// Remembers what the sink of a replay is done with, while events below are not done.
  ///
  /// It is for that sink, whose session has the lock of the checkpoint. A checkpoint that moves on forgets what is below it.
  ///
  /// - Parameters:
  ///   - positions: all that are done behind the checkpoint.
  ///   - checkpoint: its name.
  /// - Throws: ``EventStoreError``; `locked` when another session uses the checkpoint now.
  public func rememberDone(_ positions: [Int64], aheadOf checkpoint: String) async throws {
    try await reconnecting(within: .seconds(30)) {
      try await perform { try $0.rememberDone(positions, aheadOf: checkpoint) }
    }
  }
}
