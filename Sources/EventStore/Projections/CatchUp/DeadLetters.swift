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
public struct DeadLetterRetry: Sendable, Hashable {
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
    let result = try connection.query(sql, [.text(consumer), .int8(position), .bool(all)])
    return (0..<result.rowCount).map { DeadLetter(result, row: $0) }
  }

  func retryDeadLetters(
    of projection: String,
    at positions: [Int64],
    with repaired: Projection?
  ) throws -> DeadLetterRetry {
    try requireSchema()
    guard try consumer(named: projection) == .projection else {
      throw EventStoreError(
        .invalidInput,
        "'\(projection)' is a checkpoint, whose events go to a command",
        hint: "Name the command: \(.retryByCommand)."
      )
    }
    let live = try Generation.requireLive(projection, connection)
    let file =
      try repaired.map { try definition(of: $0) } ?? Projection(checking: live.path, sameIdentity(live))
    if repaired != nil { try live.requireSameTables(file) }
    let source = try eventSource()
    let apply = ProjectionCompiler(file, source: source).applyFunction()
    try createFunction(apply)
    return try AdvisoryLock.hold(Self.lockOfDeadLetters(projection), connection) {
      var retry = DeadLetterRetry()
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
      let live = try Generation.requireLive(consumer, connection)
      parked = try self.parked(positions, of: live)
      for position in parked { try live.settle(position, .discarded, connection) }
    case .checkpoint:
      parked = try self.parked(positions, under: consumer)
      try discard(parked, under: consumer)
    }
    try audit("discard dead letters", consumer, of: kind, ["positions": .int8Array(parked)])
    return parked.count
  }

  /// Held by whoever retries or discards them: another would be told of events that are no dead letters any more.
  static func lockOfDeadLetters(_ consumer: String) -> String { "the dead letters of \(consumer)" }

  enum Consumer {
    case projection, checkpoint
  }

  /// What has a name; a projection comes before a checkpoint, which cannot park events under its name.
  func consumer(named name: String) throws -> Consumer {
    let sql = """
      SELECT EXISTS (SELECT FROM annals.projections WHERE name = $1),
             EXISTS (SELECT FROM annals.checkpoints WHERE name = $1)
      """
    let row = try connection.query(sql, [.text(name)])
    if row.bool(0, 0) { return .projection }
    if row.bool(0, 1) { return .checkpoint }
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
    let sql = """
      SELECT position FROM annals.dead_letters
      WHERE projection = $1 AND generation = $2 AND state = 'parked' AND (cardinality($3) = 0 OR position = ANY ($3))
      ORDER BY position
      """
    let result = try connection.query(
      sql,
      [.text(live.projection), .int4(live.number), .int8Array(positions)]
    )
    return try requireAll(
      positions,
      among: (0..<result.rowCount).map { result.int64($0, 0) },
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
        let live = try Generation.requireLive(file.name, connection)
        subject = live
        _ = try connection.confine(live.confinement, of: apply.file) {
          try apply.call(after: position == .min ? nil : position - 1, upTo: position, connection)
        }
        try live.settle(position, .applied, connection)
        if !live.isDefined(by: file) {
          try live.adopt(file, connection)
          // It may handle other types.
          try live.takeAsSeen(file, of: source, connection)
        }
      }
      return true
    } catch let poison as PoisonEvent {
      let sql = """
        UPDATE annals.dead_letters
        SET attempts = attempts + 1, sqlstate = $4, message = $5, detail = $6, failed_at = clock_timestamp()
        WHERE projection = $1 AND generation = $2 AND position = $3 AND state = 'parked'
        """
      _ = try connection.query(
        sql,
        [
          .text(file.name), .int4(subject?.number), .int8(position), .text(poison.sqlState),
          .text(poison.message),
          .text(poison.cause),
        ]
      )
      notify("\(file.path):\(poison.location.line): \(poison.subject) failed again: \(poison.message)")
      return false
    }
  }
}

extension DeadLetter {
  fileprivate init(_ result: borrowing QueryResult, row: Int) {
    projection = result.optionalString(row, 0)
    checkpoint = result.optionalString(row, 1)
    generation = result.optionalInt32(row, 2).map { Int($0) }
    position = result.int64(row, 3)
    aggregateID = result.string(row, 4)
    version = result.int32(row, 5)
    eventType = result.string(row, 6)
    attempts = Int(result.int32(row, 7))
    sqlState = result.optionalString(row, 8)
    message = result.string(row, 9)
    detail = result.optionalString(row, 10)
    failedAt = Timestamp(microseconds: result.int64(row, 11))
    state = State(rawValue: result.string(row, 12)) ?? .parked
  }
}

extension Generation {
  /// Moves a dead letter out of the parked ones; somebody else may have been faster.
  fileprivate func settle(_ position: Int64, _ state: DeadLetter.State, _ connection: Connection) throws {
    let sql = """
      UPDATE annals.dead_letters SET state = $4, attempts = attempts + $5
      WHERE projection = $1 AND generation = $2 AND position = $3 AND state = 'parked'
      """
    let parameters: [Parameter] = [
      .text(projection), .int4(number), .int8(position), .text(state.rawValue),
      .int4(state == .applied ? 1 : 0),
    ]
    guard try connection.query(sql, parameters).affectedRows == 1 else { throw checkpointMoved() }
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
    let sql = """
      UPDATE annals.generations SET definition = convert_from($3, 'UTF8'), definition_hash = sha256($3), version = $4, error = NULL
      WHERE projection = $1 AND number = $2
      """
    _ = try connection.query(
      sql,
      [.text(projection), .int4(number), .bytea(file.bytes), .int4(Int32(file.version))]
    )
  }
}
