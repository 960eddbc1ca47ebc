internal import LibPQ

/// An event that the catch-up of a projection gave up on.
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

  /// The projection that gave up.
  public let projection: String
  /// The build of the read model that lacks the event.
  public let generation: Int
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
  /// PostgreSQL's code of the last failure.
  public let sqlState: String
  /// PostgreSQL's message of the last failure.
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

extension EventStore {
  /// The dead letters of the live generations, by projection and position.
  ///
  /// - Parameters:
  ///   - projection: of this one only; `notFound` is thrown where there is none.
  ///   - position: of this event only.
  ///   - all: also those that were applied or discarded, and those of generations that are not live.
  public func deadLetters(
    of projection: String? = nil,
    at position: Int64? = nil,
    all: Bool = false
  ) async throws -> [DeadLetter] {
    try await perform { connection in
      try requireSchema(connection)
      if let projection { try requireProjection(projection, connection) }
      let sql = """
        SELECT d.projection, d.generation, d.position, d.aggregate_id, d.version, d.event_type, d.attempts, d.sqlstate,
               d.message, d.detail, d.failed_at, d.state
        FROM annals.dead_letters d JOIN annals.generations g ON g.projection = d.projection AND g.number = d.generation
        WHERE d.projection = coalesce($1, d.projection) AND d.position = coalesce($2, d.position)
          AND ($3 OR d.state = 'parked' AND g.state = 'live')
        ORDER BY d.projection, d.position, d.generation
        """
      let result = try connection.query(sql, [.text(projection), .int8(position), .bool(all)])
      return (0..<result.rowCount).map { DeadLetter(result, row: $0) }
    }
  }

  /// Applies parked events to the live read model, in the order of their positions, each in a transaction.
  ///
  /// They come after events that they were meant to precede: that is right for handlers that do not mind.
  ///
  /// - Parameters:
  ///   - projection: the name of the projection.
  ///   - positions: only these; all when empty.
  ///   - definition: a mended projection file. Its tables must be those of the live generation, which is its from now on.
  ///   - path: the name of that file, for messages.
  /// - Throws: ``EventStoreError``: `notFound` when there is nothing to retry.
  public func retryDeadLetters(
    of projection: String,
    at positions: [Int64] = [],
    with definition: [UInt8]? = nil,
    path: String? = nil
  ) async throws -> DeadLetterRetry {
    try await perform { connection in
      try requireSchema(connection)
      try requireProjection(projection, connection)
      let live = try Generation.requireLive(projection, connection)
      let file = try ProjectionFile(
        path: path ?? live.path,
        bytes: try definition.map(identity) ?? sameIdentity(live)
      )
      if definition != nil { try live.requireSameTables(file) }
      let apply = ProjectionCompiler(file, source: try eventSource(connection)).applyFunction()
      try createFunction(apply, connection)
      var retry = DeadLetterRetry()
      for position in try parked(positions, of: live, connection) {
        let isApplied = try retryLetter(position, file, apply, connection)
        if isApplied { retry.applied += 1 } else { retry.failed += 1 }
      }
      return retry
    }
  }

  /// Gives parked events up for good.
  ///
  /// - Returns: how many.
  public func discardDeadLetters(of projection: String, at positions: [Int64] = []) async throws -> Int {
    try await perform { connection in
      try requireSchema(connection)
      try requireProjection(projection, connection)
      return try connection.transaction {
        _ = try lockProjection(projection, connection)
        let live = try Generation.requireLive(projection, connection)
        let parked = try parked(positions, of: live, connection)
        for position in parked { try live.settle(position, .discarded, connection) }
        try audit("discard dead letters", projection, ["positions": .int8Array(parked)], connection)
        return parked.count
      }
    }
  }

  private func parked(
    _ positions: [Int64],
    of live: Generation,
    _ connection: Connection
  ) throws -> [Int64] {
    let sql = """
      SELECT position FROM annals.dead_letters
      WHERE projection = $1 AND generation = $2 AND state = 'parked' AND (cardinality($3) = 0 OR position = ANY ($3))
      ORDER BY position
      """
    let result = try connection.query(
      sql,
      [.text(live.projection), .int4(live.number), .int8Array(positions)]
    )
    let found = (0..<result.rowCount).map { result.int64($0, 0) }
    let missing = positions.filter { !found.contains($0) }.map(String.init)
    guard missing.isEmpty, !found.isEmpty else {
      throw EventStoreError(
        .notFound,
        missing.isEmpty
          ? "projection \(live.projection) has no dead letter"
          : "projection \(live.projection) has no dead letter at position \(missing.joined(separator: ", "))",
        hint: "List them with 'annals dead-letters list'."
      )
    }
    return found
  }

  private func retryLetter(
    _ position: Int64,
    _ file: ProjectionFile,
    _ apply: GeneratedCode,
    _ connection: Connection
  ) throws -> Bool {
    var subject: Generation?
    do {
      try connection.transaction {
        _ = try lockProjection(file.name, connection)
        let live = try Generation.requireLive(file.name, connection)
        subject = live
        try live.useSchema(connection)
        _ = try apply.call(after: position - 1, upTo: position, connection)
        try live.settle(position, .applied, connection)
        if !live.isDefined(by: file) { try live.adopt(file, connection) }
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
    projection = result.string(row, 0)
    generation = Int(result.int32(row, 1))
    position = result.int64(row, 2)
    aggregateID = result.string(row, 3)
    version = result.int32(row, 4)
    eventType = result.string(row, 5)
    attempts = Int(result.int32(row, 6))
    sqlState = result.string(row, 7)
    message = result.string(row, 8)
    detail = result.optionalString(row, 9)
    failedAt = Timestamp(microseconds: result.int64(row, 10))
    state = State(rawValue: result.string(row, 11)) ?? .parked
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

  fileprivate func requireSameTables(_ file: ProjectionFile) throws {
    let built = try ProjectionFile(path: path, bytes: Array(definition.utf8))
    guard file.name == projection, file.schema == built.schema,
      file.create.map(\.text) == built.create.map(\.text)
    else {
      throw EventStoreError(
        .invalidDefinition,
        "\(file.path) makes other tables than those of the live generation \(number) of \(projection)",
        hint: "Bring it in with 'annals rebuild-projection \(file.path)', which applies the dead letters too."
      )
    }
  }

  /// Makes a mended file the definition of the live generation.
  fileprivate func adopt(_ file: ProjectionFile, _ connection: Connection) throws {
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
