internal import LibPQ

/// An event that the catch-up of a projection, or the consumer of a checkpoint, gave up on.
public struct DeadLetter: Sendable, Hashable {
  /// What became of the event.
  public enum State: String, Sendable, Hashable {
    /// It waits for a retry, or to be discarded.
    case parked
    /// A later retry succeeded.
    case applied
    /// An operator decided to do without it.
    case discarded
  }

  /// The projection; nil where it is a consumer with a checkpoint.
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
  /// What PostgreSQL adds to it.
  public let detail: String?
  /// When it failed last.
  public let failedAt: Timestamp
  /// What became of it.
  public let state: State
}

/// What a retry of dead letters did.
public struct DeadLetterRetryResult: Sendable, Hashable {
  /// Those that are in the read model now.
  public internal(set) var applied = 0
  /// Those that failed again.
  public internal(set) var failed = 0
}

extension StoreConnection {
  func deadLetters(of consumer: String?, at position: Int64?, all: Bool) throws -> [DeadLetter] {
    try requireSchema()
    if let consumer { _ = try self.consumer(named: consumer) }
    let sql = SQLTemplate.deadLetters.sql
    return try connection.query(sql, [.text(consumer), .int8(position), .bool(all)]).map { DeadLetter($0) }
  }

  func retryDeadLetters(
    of projection: String,
    at positions: [Int64],
    with repaired: Projection?
  ) throws -> DeadLetterRetryResult {
    try requireSchema()
    guard try consumer(named: projection) == .projection else {
      throw EventStoreError(
        .invalidInput,
        "'\(projection)' is a checkpoint, whose events go to a command",
        hint: "Name the command: \(.retryByCommand)."
      )
    }
    let live = try requireLiveGeneration(of: projection)
    let file =
      try repaired.map { try definition(of: $0) } ?? Projection(checking: live.path, sameIdentity(live))
    if repaired != nil { try live.requireSameTables(file) }
    let source = try eventSource()
    let apply = ProjectionCompiler(file, source: source).applyFunction()
    try createFunction(apply)
    return try AdvisoryLock.hold(Self.lockOfDeadLetters(projection), connection) {
      var retry = DeadLetterRetryResult()
      for position in try parked(positions, of: live) {
        let isApplied = try retryLetter(position, file, source, apply)
        if isApplied { retry.applied += 1 } else { retry.failed += 1 }
      }
      return retry
    }
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
    let parked: [Int64]
    switch kind {
    case .projection:
      _ = try lockProjection(consumer)
      let live = try requireLiveGeneration(of: consumer)
      parked = try self.parked(positions, of: live)
      for position in parked { try live.settle(position, .discarded, connection) }
    case .checkpoint:
      parked = try self.parked(positions, under: consumer)
      try discard(parked, under: consumer)
    }
    try audit("discard dead letters", consumer, of: kind, "'positions', \(Parameter.int8Array(parked))")
    return parked.count
  }

  /// Held by whoever retries or discards them: another would be told of events that are no dead letters any more.
  static func lockOfDeadLetters(_ consumer: String) -> String { "the dead letters of \(consumer)" }

  enum Consumer {
    case projection, checkpoint
  }

  /// What has a name; a projection comes before a checkpoint, which cannot park events under its name.
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
      hint: "List what was given up on with \(.deadLetters)."
    )
  }

  /// Returns what was found, unless something that was asked for is missing, or there is nothing.
  func requireAll(_ positions: [Int64], among found: [Int64], of owner: String) throws -> [Int64] {
    let missing = positions.filter { !found.contains($0) }.map(String.init)
    guard missing.isEmpty, !found.isEmpty else {
      throw EventStoreError(
        .notFound,
        missing.isEmpty
          ? "\(owner) has no dead letter"
          : "\(owner) has no dead letter at position \(missing.joined(separator: ", "))",
        hint: "List them with \(.deadLetters)."
      )
    }
    return found
  }

  private func parked(_ positions: [Int64], of live: Generation) throws -> [Int64] {
    let asked: SQL = positions.isEmpty ? "true" : "position = ANY (\(Parameter.int8Array(positions)))"
    let found = try connection.query(
      """
      SELECT position FROM annals.dead_letters
      WHERE projection = \(live.projection) AND generation = \(live.number) AND state = 'parked' AND \(asked)
      ORDER BY position
      """
    )
    return try requireAll(
      positions,
      among: found.map { $0.int64("position") },
      of: "projection \(live.projection)"
    )
  }

  private func retryLetter(
    _ position: Int64,
    _ file: Projection,
    _ source: String,
    _ apply: GeneratedCode
  ) throws -> Bool {
    var subject: Generation?
    do {
      try connection.transaction {
        _ = try lockProjection(file.name)
        let live = try requireLiveGeneration(of: file.name)
        subject = live
        let before = position == .min ? nil : position - 1
        _ = try connection.handleEvents(by: apply, after: before, upTo: position, within: live.confinement)
        try live.settle(position, .applied, connection)
        if !live.isDefined(by: file) {
          try live.adopt(file, connection)
          // It may handle other types.
          try live.takeAsSeen(file, of: source, connection)
        }
      }
      return true
    } catch let poison as PoisonEvent {
      _ = try connection.query(
        """
        UPDATE annals.dead_letters
        SET attempts = attempts + 1, sqlstate = \(poison.sqlState), message = \(poison.message),
            detail = \(poison.cause), failed_at = clock_timestamp()
        WHERE projection = \(file.name) AND generation = \(subject?.number) AND position = \(position)
          AND state = 'parked'
        """
      )
      notify("\(file.path):\(poison.location.line): \(poison.subject) failed again: \(poison.message)")
      return false
    }
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

extension Generation {
  /// Moves a dead letter out of the parked ones; somebody else may have been faster.
  fileprivate func settle(_ position: Int64, _ state: DeadLetter.State, _ connection: Connection) throws {
    let tries: Int32 = state == .applied ? 1 : 0
    let settled = try connection.query(
      """
      UPDATE annals.dead_letters SET state = \(state.rawValue), attempts = attempts + \(tries)
      WHERE projection = \(projection) AND generation = \(number) AND position = \(position) AND state = 'parked'
      """
    )
    guard settled.affectedRows == 1 else { throw checkpointMoved() }
  }

  fileprivate func requireSameTables(_ file: Projection) throws {
    let built = try Projection(checking: path, Array(definition.utf8))
    guard file.name == projection, file.schema.hasSameBytes(as: built.schema),
      file.create.elementsEqual(built.create, by: { $0.text.hasSameBytes(as: $1.text) })
    else {
      throw EventStoreError(
        .invalidDefinition,
        "\(file.path) makes other tables than those of the live generation \(number) of \(projection)",
        hint:
          "Bring it in with \(.rebuild(path: file.path)), which applies the dead letters too."
      )
    }
  }

  /// Makes a mended file the definition of the live generation.
  fileprivate func adopt(_ file: Projection, _ connection: Connection) throws {
    let bytes = Parameter.bytea(file.bytes)
    _ = try connection.query(
      """
      UPDATE annals.generations SET definition = convert_from(\(bytes), 'UTF8'), definition_hash = sha256(\(bytes)),
        version = \(Int32(file.version)), error = NULL
      WHERE \(isThis)
      """
    )
  }
}
