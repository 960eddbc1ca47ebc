internal import LibPQ

/// An event that the catch-up of a projection, or the consumer of a checkpoint, gave up on.
public struct DeadLetter: Sendable, Hashable {
  /// The state of the event.
  public enum State: String, Sendable, Hashable {
    /// It waits for a retry, or to be discarded.
    case parked
    /// A later retry succeeded.
    case applied
    /// An operator decided to do without it.
    case discarded
  }

  /// The projection; nil for a consumer with a checkpoint.
  public let projection: String?
  /// The name of the consumer's checkpoint; nil for a projection.
  public let checkpoint: String?
  /// The build of the read model that lacks the event; nil for a checkpoint.
  public let generation: Int?
  /// The event's place in the whole store.
  public let position: Int64
  /// The aggregate of the event.
  public let aggregateID: String
  /// The event's place in its stream.
  public let version: Int32
  /// The event's type.
  public let eventType: String
  /// How often it was tried.
  public let attempts: Int
  /// PostgreSQL's code of the last failure; nil for a checkpoint.
  public let sqlState: String?
  /// The message of the last failure.
  public let message: String
  /// PostgreSQL's detail of the last failure.
  public let detail: String?
  /// When it failed last.
  public let failedAt: Timestamp
  /// The state of the event.
  public let state: State
}

/// What a retry of dead letters did.
public struct DeadLetterRetryResult: Sendable, Hashable {
  /// The dead letters that are in the read model now.
  public internal(set) var applied = 0
  /// The dead letters that failed again.
  public internal(set) var failed = 0
}

extension StoreConnection {
  func deadLetters(of consumer: String?, at position: Int64?, all: Bool) throws -> [DeadLetter] {
    try requireSchema()
    if let consumer { _ = try self.consumer(named: consumer) }
    let sql = SQLTemplate.deadLetters.sql
    return try connection.query(sql, [.text(consumer), .int8(position), .bool(all)]).map { DeadLetter($0) }
  }

  /// Another event may have its position by now, for example after a copy was swapped in.
  func event(of letter: DeadLetter) throws -> Event? {
    var query = EventQuery(aggregateID: letter.aggregateID)
    (query.fromPosition, query.toPosition) = (letter.position, letter.position)
    (query.fromVersion, query.toVersion) = (Int(letter.version), Int(letter.version))
    query.limit = 1
    var pages = EventPages(query, in: try eventsTable())
    try pages.send(connection)
    let found = try pages.receive(self)
    return found.isEmpty ? nil : found.event(0)
  }

  func discardDeadLetters(of consumer: String, at positions: [Int64]) throws -> Int {
    try requireSchema()
    let kind = try self.consumer(named: consumer)
    return try connection.transaction {
      try AdvisoryLock.acquireForTransaction(Self.lockOfDeadLetters(consumer), connection)
      return try discard(positions, of: consumer, kind)
    }
  }

  private func discard(_ positions: [Int64], of consumer: String, _ kind: Consumer) throws -> Int {
    let owner: DeadLetterOwner
    switch kind {
    case .projection:
      _ = try lockProjection(consumer)
      owner = .generation(try requireLiveGeneration(of: consumer))
    case .checkpoint: owner = .checkpoint(consumer)
    }
    let parked = try parkedPositions(positions, of: owner)
    for position in parked { try owner.settle(position, .discarded, connection) }
    try audit(.discard, .consumer(kind, consumer), "'positions', \(Parameter.int8Array(parked))")
    return parked.count
  }

  /// Held by a session that retries or discards them: another one would work on events that are settled by then.
  static func lockOfDeadLetters(_ consumer: String) -> String { "the dead letters of \(consumer)" }

  enum Consumer {
    case projection, checkpoint
  }

  /// The consumer of a name. A projection is looked for first; a checkpoint of its name cannot have parked events.
  func consumer(named name: String) throws -> Consumer {
    let sql: SQL = """
      SELECT EXISTS (SELECT FROM annals.projections WHERE name = \(name)) AS is_projection,
             EXISTS (SELECT FROM annals.checkpoints WHERE name = \(name)) AS is_checkpoint
      """
    let found = try connection.query(sql)
    if found[0].bool("is_projection") { return .projection }
    if found[0].bool("is_checkpoint") { return .checkpoint }
    throw EventStoreError(
      .notFound,
      "there is no projection and no checkpoint '\(name)' in this database",
      hint: "List projections and checkpoints with dead letters: \(.deadLetters)."
    )
  }

  /// The positions of dead letters that wait for a retry; all if no positions are given.
  ///
  /// - Throws: ``EventStoreError`` with code `notFound` when a given one is missing, or there is none.
  func parkedPositions(_ positions: [Int64], of owner: DeadLetterOwner) throws -> [Int64] {
    let asked: SQL = positions.isEmpty ? "true" : "position = ANY (\(Parameter.int8Array(positions)))"
    let found = try connection.query(
      "SELECT position FROM \(owner.table) WHERE \(owner.isTheirs) AND state = 'parked' AND \(asked) ORDER BY position"
    ).map { $0.int64("position") }
    let missing = positions.filter { !found.contains($0) }.map(String.init)
    guard missing.isEmpty, !found.isEmpty else {
      throw EventStoreError(
        .notFound,
        missing.isEmpty
          ? "\(owner.name) has no dead letter"
          : "\(owner.name) has no dead letter at position \(missing.joined(separator: ", "))",
        hint: "List them with \(.deadLetters)."
      )
    }
    return found
  }
}

extension DeadLetter {
  fileprivate init(_ row: borrowing Row) {
    projection = row.optionalString("projection")
    checkpoint = row.optionalString("checkpoint")
    generation = row.optionalInt32("generation").map { Int($0) }
    position = row.int64("position")
    aggregateID = row.string("aggregate_id")
    version = row.int32("version")
    eventType = row.string("event_type")
    attempts = Int(row.int32("attempts"))
    sqlState = row.optionalString("sqlstate")
    message = row.string("message")
    detail = row.optionalString("detail")
    failedAt = row.timestamp("failed_at")
    state = State(rawValue: row.string("state")) ?? .parked
  }
}
