internal import LibPQ

/// The dead letters of a replay with a checkpoint.
extension EventStore {
  /// Gives an event up: it becomes a dead letter under the checkpoint's name, in the transaction that moves the
  /// checkpoint past it.
  ///
  /// - Parameters:
  ///   - position: the event's; the replay must be done with those before it.
  ///   - checkpoint: the name.
  ///   - query: what the replay with that checkpoint selects.
  ///   - attempts: how often it was tried.
  ///   - message: what went wrong at last.
  /// - Throws: ``EventStoreError``; `locked` when somebody else uses the checkpoint, or has moved it on.
  public func park(
    _ position: Int64,
    under checkpoint: String,
    of query: EventQuery,
    attempts: Int,
    message: String
  ) async throws {
    let checkpoint = try await openCheckpoint(checkpoint, for: query)
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await perform { try $0.park(position, under: checkpoint, of: query, attempts, message) }
      )
    } catch {
      result = .failure(error)
    }
    closeCheckpoint(checkpoint.name)
    try result.get()
  }

  /// Passes parked events to a consumer again, in the order of their positions.
  ///
  /// - Parameters:
  ///   - checkpoint: the name that they were parked under.
  ///   - positions: only these; all when empty.
  ///   - handle: returns nil when it is done with the event, or what went wrong.
  /// - Throws: ``EventStoreError``: `notFound` when there is nothing to retry; what `handle` throws.
  public nonisolated func retryParkedEvents(
    under checkpoint: String,
    at positions: [Int64] = [],
    by handle: (EventBatch) async throws -> String?
  ) async throws -> DeadLetterRetryResult {
    let lock = StoreConnection.lockOfDeadLetters(checkpoint)
    try await perform { try AdvisoryLock.acquire(lock, $0.connection) }
    do {
      var retry = DeadLetterRetryResult()
      for position in try await parkedPositions(positions, under: checkpoint) {
        let failure = try await handle(try await events(at: position))
        try await settle(position, under: checkpoint, failure)
        if failure == nil { retry.applied += 1 } else { retry.failed += 1 }
      }
      await releaseLocks([lock])
      return retry
    } catch {
      await releaseLocks([lock])
      throw error
    }
  }

  private func parkedPositions(_ positions: [Int64], under checkpoint: String) async throws -> [Int64] {
    try await perform { try $0.parkedPositions(positions, under: checkpoint) }
  }

  private func events(at position: Int64) async throws -> EventBatch {
    try await perform { try $0.events(at: position) }
  }

  /// Notes what became of a retry; somebody else may have been faster.
  private func settle(_ position: Int64, under checkpoint: String, _ failure: String?) async throws {
    let sql = """
      UPDATE annals.parked_events SET attempts = attempts + 1, state = CASE WHEN $3 IS NULL THEN 'applied' ELSE state END,
        message = coalesce($3, message), failed_at = CASE WHEN $3 IS NULL THEN failed_at ELSE clock_timestamp() END
      WHERE checkpoint = $1 AND position = $2 AND state = 'parked'
      """
    try await perform {
      _ = try $0.connection.query(sql, [.text(checkpoint), .int8(position), .text(failure)])
    }
  }
}

extension StoreConnection {
  func park(
    _ position: Int64,
    under checkpoint: Checkpoint,
    of query: EventQuery,
    _ attempts: Int,
    _ message: String
  ) throws {
    var checkpoint = checkpoint
    try connection.transaction {
      try insert(position, checkpoint.name, attempts, message)
      let parked = try seenEvents(at: position, of: query)
      try checkpoint.move(to: position, seen: parked, connection)
    }
  }

  private func seenEvents(at position: Int64, of query: EventQuery) throws -> SeenEvents {
    var selection = EventQuery()
    (selection.aggregateID, selection.category, selection.types) = (
      query.aggregateID, query.category, query.types
    )
    (selection.fromPosition, selection.toPosition) = (position, position)
    return try seenEvents(of: selection)
  }

  private func insert(
    _ position: Int64,
    _ checkpoint: String,
    _ attempts: Int,
    _ message: String
  ) throws {
    // It may have been parked before the checkpoint was set back.
    let sql = """
      INSERT INTO annals.parked_events AS p (checkpoint, position, aggregate_id, version, event_type, attempts, message)
      SELECT $1, position, aggregate_id, version, event_type, $3, $4 FROM \(relation) e WHERE position = $2 LIMIT 1
      ON CONFLICT (checkpoint, position) DO UPDATE
      SET attempts = p.attempts + excluded.attempts, message = excluded.message, failed_at = excluded.failed_at,
          state = excluded.state
      """
    _ = try connection.query(
      sql,
      [.text(checkpoint), .int8(position), .int4(Int32(attempts)), .text(message)]
    )
  }

  func requireNoProjection(named checkpoint: String) throws {
    try requireSchema()
    let sql = "SELECT FROM annals.projections WHERE name = $1"
    guard try !connection.query(sql, [.text(checkpoint)]).isEmpty else { return }
    throw EventStoreError(
      .failed,
      "'\(checkpoint)' is the name of a projection, which has dead letters of its own",
      hint: "Give the checkpoint another name."
    )
  }

  func parkedPositions(_ positions: [Int64], under checkpoint: String) throws -> [Int64] {
    try requireSchema()
    guard try consumer(named: checkpoint) == .checkpoint else {
      throw Self.noCheckpoint(checkpoint)
    }
    return try parked(positions, under: checkpoint)
  }

  private static func noCheckpoint(_ name: String) -> EventStoreError {
    EventStoreError(
      .notFound,
      "there is no checkpoint '\(name)'",
      hint: "A projection retries its dead letters itself, without a command."
    )
  }

  func events(at position: Int64) throws -> EventBatch {
    var query = EventQuery()
    (query.fromPosition, query.toPosition) = (position, position)
    var pages = EventPages(query, in: try eventsTable())
    try pages.send(connection)
    return EventBatch(try pages.receive(connection))
  }

  func parked(_ positions: [Int64], under checkpoint: String) throws -> [Int64] {
    let sql = """
      SELECT position FROM annals.parked_events
      WHERE checkpoint = $1 AND state = 'parked' AND (cardinality($2) = 0 OR position = ANY ($2)) ORDER BY position
      """
    let found = try connection.query(sql, [.text(checkpoint), .int8Array(positions)])
    return try requireAll(
      positions,
      among: (0..<found.rowCount).map { found.int64($0, 0) },
      of: "checkpoint \(checkpoint)"
    )
  }

  func discard(_ positions: [Int64], under checkpoint: String) throws {
    let sql = """
      UPDATE annals.parked_events SET state = 'discarded'
      WHERE checkpoint = $1 AND position = ANY ($2) AND state = 'parked'
      """
    _ = try connection.query(sql, [.text(checkpoint), .int8Array(positions)])
  }
}
