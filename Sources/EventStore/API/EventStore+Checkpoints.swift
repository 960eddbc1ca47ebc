internal import LibPQ

extension EventStore {
  /// The checkpoints of the live projections and of the replays of this store.
  ///
  /// - Throws: ``EventStoreError``; `notFound` without schema `annals`, which keeps them.
  public func checkpoints() async throws -> [StoreHealth.Reader] {
    try await perform { try $0.requireSchema() }
    return try await health().readers
  }

  /// The position after which a reader with this start begins; see ``ReplayOptions/start``.
  ///
  /// - Throws: ``EventStoreError``; `invalidInput` for a position that is not in the store.
  public func position(before start: ReplayStart) async throws -> Int64 {
    try await perform { try $0.position(before: start) }
  }

  /// Moves the checkpoint of a replay by hand: back, and events come again; forward, and events are left out.
  ///
  /// - Parameters:
  ///   - name: the name of the checkpoint.
  ///   - position: where the checkpoint goes.
  ///   - expected: where the checkpoint must be.
  /// - Throws: ``EventStoreError``: `locked` while a replay uses it, or when its position is not the expected one;
  ///   `invalidInput` for a position beyond the end of the store.
  public func setCheckpoint(ofReplay name: String, to position: Int64, from expected: Int64) async throws {
    try await perform { try $0.setReplayCheckpoint(name, to: position, from: expected) }
  }

  /// Removes the checkpoint of a replay, with its dead letters; the events stay.
  ///
  /// - Throws: ``EventStoreError``: `notFound`; `locked` while a replay uses it.
  public func removeCheckpoint(_ name: String) async throws {
    try await perform { try $0.removeCheckpoint(name) }
  }

  /// Gives the checkpoint of a replay another name.
  ///
  /// - Throws: ``EventStoreError``: `notFound`; `failed` when a checkpoint or a projection has the new name; `locked`
  ///   while a replay uses it.
  public func renameCheckpoint(_ name: String, to newName: String) async throws {
    try await perform { try $0.renameCheckpoint(name, to: newName) }
  }
}
