internal import LibPQ

/// The dead letters of a replay with a checkpoint.
extension StoreConnection {
  func addDeadLetter(_ position: Int64, to checkpoint: String, _ attempts: Int, _ message: String) throws {
    try keepLock(ofCheckpoint: checkpoint)
    // It may have been parked before the checkpoint was moved back.
    _ = try connection.query(
      """
      INSERT INTO annals.parked_events AS p (checkpoint, position, aggregate_id, version, event_type, attempts, message)
      SELECT \(checkpoint), position, aggregate_id, version, event_type, \(Int32(attempts)), \(message)
      FROM \(raw: relation) e WHERE position = \(position) LIMIT 1
      ON CONFLICT (checkpoint, position) DO UPDATE
      SET attempts = p.attempts + excluded.attempts, message = excluded.message, failed_at = excluded.failed_at,
          state = excluded.state
      """
    )
  }

  func requireNoProjection(named checkpoint: String) throws {
    try requireSchema()
    let sql: SQL = "SELECT FROM annals.projections WHERE name = \(checkpoint)"
    guard try !connection.query(sql).isEmpty else { return }
    throw EventStoreError(
      .failed,
      "'\(checkpoint)' is the name of a projection, which has its own dead letters",
      hint: "Give the checkpoint another name."
    )
  }

  func parkedPositions(_ positions: [Int64], under checkpoint: String) throws -> [Int64] {
    try requireSchema()
    guard try consumer(named: checkpoint) == .checkpoint else {
      throw Self.noCheckpoint(checkpoint)
    }
    return try parkedPositions(positions, of: .checkpoint(checkpoint))
  }

  /// Notes the result of a retry.
  func settle(_ position: Int64, under checkpoint: String, _ failure: String?) throws {
    let owner = DeadLetterOwner.checkpoint(checkpoint)
    guard let failure else {
      return try connection.transaction {
        try owner.settle(position, .applied, connection)
        try audit(.retry, .checkpoint(checkpoint), "'position', \(position)")
      }
    }
    _ = try connection.query(
      """
      UPDATE \(owner.table) SET attempts = attempts + 1, message = \(failure), failed_at = clock_timestamp()
      WHERE \(owner.isTheirs) AND position = \(position) AND state = 'parked'
      """
    )
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
    return EventBatch(try pages.receive(self))
  }
}
