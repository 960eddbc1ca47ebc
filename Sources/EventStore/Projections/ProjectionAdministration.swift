internal import LibPQ

/// What a rollback did.
public struct RollbackOutcome: Sendable, Hashable {
  /// The generation that is live now.
  public let generation: Int
  /// The one that was.
  public let replaced: Int
  /// Up to where the read model now holds history.
  public let position: Int64
  /// Events after that.
  public let eventsBehind: Int64
}

extension EventStore {
  /// Puts the generation that was live before in the place of the live one, which is kept in turn.
  ///
  /// - Throws: ``EventStoreError``: `notFound` when no earlier generation was kept.
  @discardableResult
  public func rollBackProjection(_ name: String) async throws -> RollbackOutcome {
    try await perform { connection in
      try requireSchema(connection)
      try requireProjection(name, connection)
      return try AdvisoryLock.hold(ProjectionFile.lockOfRebuild(name), connection) {
        atSwapStep?(.begun)
        let (outcome, missing) = try whenUnlocked(
          "tables of projection \(name)",
          for: "the rollback",
          connection
        ) {
          try connection.transaction {
            try connection.execute("SET LOCAL lock_timeout = '300ms'")
            _ = try lockProjection(name, connection)
            return try rollBack(name, connection)
          }
        }
        atSwapStep?(.swapped)
        warn(ofMissing: missing, in: name)
        return outcome
      }
    }
  }

  /// No row changes, and none has changed since the generation retired: what a reader's snapshot shows of it is what
  /// it showed then. So nobody's snapshot has to be waited for (see ``SnapshotPatience``).
  private func rollBack(
    _ name: String,
    _ connection: Connection
  ) throws -> (RollbackOutcome, missing: [ReadModelObject]) {
    let live = try Generation.requireLive(name, connection)
    guard let previous = try Generation.all(of: name, in: .retired, connection: connection).first else {
      throw EventStoreError(
        .notFound,
        "no earlier generation of projection \(name) was kept",
        hint: "Rebuild with the earlier file: annals rebuild-projection FILE."
      )
    }
    let additions = try previous.lackingAdditions(connection)
    let missing = try swap(previous, keepsOwnGrants: false, connection)
    for addition in additions where !addition.isTrigger {
      notify(
        "\(addition.description) was on generation \(live.number) and is not on \(previous.number); create it again"
      )
    }
    let numbers: [(String, Parameter)] = [("from", .int4(live.number)), ("to", .int4(previous.number))]
    try audit("roll back", name, Dictionary(uniqueKeysWithValues: numbers), connection)
    let behind = "SELECT count(*) FROM \(relation) e WHERE position > $1"
    let outcome = RollbackOutcome(
      generation: Int(previous.number),
      replaced: Int(live.number),
      position: previous.position,
      eventsBehind: try connection.query(behind, [.int8(previous.position)]).int64(0, 0)
    )
    return (outcome, missing)
  }

  /// Removes a projection: its read model, its generations, its dead letters.
  ///
  /// - Throws: ``EventStoreError``: `locked` while somebody builds it or keeps it current, `invalidDefinition` when
  ///   other objects depend on its tables.
  public func dropProjection(_ name: String) async throws {
    try await perform { connection in
      try requireSchema(connection)
      try requireProjection(name, connection)
      try AdvisoryLock.hold(ProjectionFile.lockOfRebuild(name), connection) {
        try AdvisoryLock.hold("projection \(name)", connection) {
          try whenUnlocked("tables of projection \(name)", for: "the drop", connection) {
            try connection.transaction {
              try connection.execute("SET LOCAL lock_timeout = '300ms'")
              _ = try lockProjection(name, connection)
              try drop(name, connection)
            }
          }
        }
      }
    }
  }

  private func drop(_ name: String, _ connection: Connection) throws {
    try Generation.live(name, connection)?.requireNoDependents(connection)
    let generations = try Generation.all(
      of: name,
      in: .building,
      .ready,
      .live,
      .retired,
      connection: connection
    )
    for generation in generations { try generation.drop(connection) }
    _ = try connection.query("DELETE FROM annals.projections WHERE name = $1", [.text(name)])
    try audit("drop", name, [:], connection)
  }

  /// Stops or starts the catch-up of a projection; one that is under way stops after its transaction.
  public func setProjectionPaused(_ name: String, _ isPaused: Bool) async throws {
    try await perform { connection in
      try requireSchema(connection)
      try connection.transaction {
        _ = try lockProjection(name, connection)
        let sql = "UPDATE annals.projections SET is_paused = $2 WHERE name = $1"
        _ = try connection.query(sql, [.text(name), .bool(isPaused)])
        try audit(isPaused ? "pause" : "resume", name, [:], connection)
      }
    }
  }

  /// Moves the checkpoint of a live read model by hand: back, and events are applied again; forward, and events
  /// are left out.
  ///
  /// - Parameters:
  ///   - name: the name of the projection.
  ///   - position: where the checkpoint goes.
  ///   - expected: where the checkpoint must be.
  /// - Throws: ``EventStoreError``: `locked` while somebody keeps the projection current, or when the checkpoint is
  ///   elsewhere; `invalidInput` for a position beyond the end of the store.
  public func setCheckpoint(
    of name: String,
    to position: Int64,
    from expected: Int64
  ) async throws {
    try await perform { connection in
      try requireSchema(connection)
      try requireProjection(name, connection)
      try AdvisoryLock.hold("projection \(name)", connection) {
        try proveFinality(connection)
        let final = try finalPosition(connection)
        let beginning = try layout(connection).beginning(connection)
        let end = max(final, beginning)
        guard position >= beginning, position <= end else {
          throw EventStoreError(
            .invalidInput,
            "position \(position) is not in the store, which ends at \(end)",
            hint: "Give a position from \(beginning) to \(end)."
          )
        }
        try connection.transaction {
          _ = try lockProjection(name, connection)
          var live = try Generation.requireLive(name, connection)
          guard live.position == expected else {
            throw EventStoreError(
              .locked,
              "the checkpoint of projection \(name) is at \(live.position), not at \(expected)",
              hint: "Look again with 'annals projections \(name)'."
            )
          }
          try live.advance(to: position, events: 0, seen: nil, connection)
          // Who sets it vouches for what is below.
          let known = try reading(live, connection)
          try live.takeAsSeen(known?.file, of: known?.source, connection)
          let numbers: [(String, Parameter)] = [("from", .int8(expected)), ("to", .int8(position))]
          try audit("set checkpoint", name, Dictionary(uniqueKeysWithValues: numbers), connection)
        }
      }
    }
  }

  /// The file of a live read model, and what its handlers read; nil where that goes through other upcasters, or another
  /// layout, than those of this store, and where the file is not one for this version of annals.
  func reading(
    _ live: Generation,
    _ connection: Connection
  ) throws -> (file: ProjectionFile, source: String)? {
    guard let definition = try? sameIdentity(live),
      let file = try? ProjectionFile(path: live.path, bytes: definition)
    else { return nil }
    return (file, try eventSource(connection))
  }

  func requireProjection(_ name: String, _ connection: Connection) throws {
    let sql = "SELECT FROM annals.projections WHERE name = $1"
    if try connection.query(sql, [.text(name)]).isEmpty { throw Self.noProjection(name) }
  }

  /// Writes down what an operator did, in the transaction of the deed.
  func audit(
    _ action: String,
    _ name: String,
    of kind: Consumer = .projection,
    _ detail: [String: Parameter],  // ASCII
    _ connection: Connection
  ) throws {
    let names = detail.keys.sorted()
    let pairs = names.indices.map { "'\(names[$0])', $\($0 + 3)" }.joined(separator: ", ")
    let sql =
      "INSERT INTO annals.audit (action, subject, detail) VALUES ($1, $2, jsonb_build_object(\(pairs)))"
    _ = try connection.query(
      sql,
      [.text(action), .text("\(kind) \(name)")] + names.map { detail[$0]! }
    )
  }
}
