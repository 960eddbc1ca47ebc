extension EventStore {
  /// The dead letters of the live generations and of checkpoints, by name and position.
  ///
  /// - Parameters:
  ///   - consumer: only of this projection or checkpoint; `notFound` is thrown if there is none.
  ///   - position: only of this event.
  ///   - all: include those that were applied or discarded, and those of generations that are not live.
  public func deadLetters(
    of consumer: String? = nil,
    at position: Int64? = nil,
    all: Bool = false
  ) async throws -> [DeadLetter] {
    try await read { try $0.deadLetters(of: consumer, at: position, all: all) }
  }

  /// The event of a dead letter; nil if the store no longer has it.
  ///
  /// - Throws: ``EventStoreError``.
  public func event(of letter: DeadLetter) async throws -> Event? {
    try await read { try $0.event(of: letter) }
  }

  /// Applies the dead letters of a projection to the live read model, in the order of their positions, each in a transaction.
  ///
  /// They are applied after events that should have followed them: use it only if the handlers allow that.
  ///
  /// - Parameters:
  ///   - projection: the name of the projection.
  ///   - positions: only these; all when empty.
  ///   - repaired: a new version of the projection, with the same tables; it becomes that of the live generation.
  /// - Throws: ``EventStoreError``: `notFound` when there is nothing to retry.
  public func retryDeadLetters(
    of projection: String,
    at positions: [Int64] = [],
    with repaired: Projection? = nil
  ) async throws -> DeadLetterRetryResult {
    try await perform { try $0.retryDeadLetters(of: projection, at: positions, with: repaired) }
  }

  /// Discards dead letters for good.
  ///
  /// - Returns: how many.
  public func discardDeadLetters(of consumer: String, at positions: [Int64] = []) async throws -> Int {
    try await perform { try $0.discardDeadLetters(of: consumer, at: positions) }
  }

  /// Gives an event up that a replay has passed on: it becomes a dead letter under the name of its checkpoint.
  ///
  /// It is for the sink of that replay, whose session has the lock of the checkpoint; the replay moves the checkpoint past
  /// the event when the sink returns.
  ///
  /// - Parameters:
  ///   - position: the event's.
  ///   - checkpoint: the name.
  ///   - attempts: how often it was tried.
  ///   - message: what went wrong at last.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  /// - Throws: ``EventStoreError``; `locked` when another session uses the checkpoint now.
  public func addDeadLetter(
    at position: Int64,
    to checkpoint: String,
    attempts: Int,
    message: String,
    retryTimeout: Duration = .seconds(30)
  ) async throws {
    try await reconnecting(within: retryTimeout) {
      try await perform { try $0.addDeadLetter(position, to: checkpoint, attempts, message) }
    }
  }

  /// Passes the dead letters of a checkpoint to its consumer again, in the order of their positions.
  ///
  /// - Parameters:
  ///   - checkpoint: its name.
  ///   - positions: only these; all when empty.
  ///   - handle: returns nil when it is done with the event, or what went wrong.
  /// - Throws: ``EventStoreError``: `notFound` when there is nothing to retry; what `handle` throws.
  public nonisolated func retryDeadLetters(
    ofCheckpoint checkpoint: String,
    at positions: [Int64] = [],
    by handle: (EventBatch) async throws -> String?
  ) async throws -> DeadLetterRetryResult {
    let lock = StoreConnection.lockOfDeadLetters(checkpoint)
    try await perform { try AdvisoryLock.acquire(lock, $0.connection) }
    return try await holding([lock]) {
      var result = DeadLetterRetryResult()
      for position in try await parkedPositions(positions, under: checkpoint) {
        let failure = try await handle(try await events(at: position))
        try await settle(position, under: checkpoint, failure)
        if failure == nil { result.applied += 1 } else { result.failed += 1 }
      }
      return result
    }
  }

  private func parkedPositions(_ positions: [Int64], under checkpoint: String) async throws -> [Int64] {
    try await perform { try $0.parkedPositions(positions, under: checkpoint) }
  }

  private func events(at position: Int64) async throws -> EventBatch {
    try await perform { try $0.events(at: position) }
  }

  private func settle(_ position: Int64, under checkpoint: String, _ failure: String?) async throws {
    try await perform { try $0.settle(position, under: checkpoint, failure) }
  }
}
