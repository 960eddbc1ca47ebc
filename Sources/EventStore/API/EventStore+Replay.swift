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
}
