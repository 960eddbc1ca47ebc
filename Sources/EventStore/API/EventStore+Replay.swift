internal import LibPQ

extension EventStore {
  /// Refuses a checkpoint whose dead letters could not be told from those of a projection.
  public func requireNoProjection(named checkpoint: String) async throws {
    try await read { try $0.requireNoProjection(named: checkpoint) }
  }

  /// Says what ``replay(_:_:into:)`` would pass on now, and changes nothing.
  ///
  /// - Parameters:
  ///   - query: the events.
  ///   - options: those of the replay; of a checkpoint, which need not exist, only the position is looked at.
  /// - Throws: ``EventStoreError`` where the replay would.
  public func planReplay(
    _ query: EventQuery,
    _ options: ReplayOptions = ReplayOptions()
  ) async throws -> ReplayPlan {
    try await read(seeing: options.checkpoint == nil ? .permitted : .all) {
      try $0.planReplay(query, options)
    }
  }
}
