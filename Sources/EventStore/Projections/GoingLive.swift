internal import LibPQ

extension EventStore {
  /// Refuses, before any event is applied, what the swap could not do at the end.
  func requireSwappable(_ generation: Generation, _ connection: Connection) throws {
    let (name, schema) = (generation.projection, generation.liveSchema)
    let exists = "SELECT to_regnamespace($1) IS NOT NULL"
    guard try connection.query(exists, [.text(quoteIdentifier(schema))]).bool(0, 0) else {
      throw EventStoreError(
        .invalidDefinition,
        "schema \(schema), where projection \(name) is to live, does not exist",
        hint: "Create it: CREATE SCHEMA \(quoteIdentifier(schema));"
      )
    }
    guard try !ReadModelObject.all(in: generation.ownSchema, connection).isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "@create of projection \(name) makes nothing that could be swapped in",
        hint: "Write the names of its tables without a schema; where they live is said by '-- @schema NAME'."
      )
    }
    let live = try Generation.live(name, connection)
    let clashes = try generation.nameClashes(besides: live, connection)
    guard clashes.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "schema \(schema) already has \(clashes.joined(separator: ", "))",
        detail: "That does not belong to projection \(name), so the rebuild will not replace it.",
        hint: "Rename it, or name another schema in the file with '-- @schema NAME'."
      )
    }
    try live?.requireNoDependents(connection)
  }

  /// Puts a finished generation in the place of the live one.
  ///
  /// The bulk was committed before. A REPEATABLE READ reader whose snapshot is older than that would find the new
  /// tables empty, so the swap first waits until nobody holds such a snapshot, as CREATE INDEX CONCURRENTLY does.
  func goLive(
    _ generation: Generation,
    of file: ProjectionFile,
    upTo limit: Int64,
    _ apply: GeneratedCode,
    _ connection: Connection
  ) throws -> Generation {
    try waitForOlderSnapshots(connection)
    return try whenUnlocked("tables of projection \(file.name)", connection) {
      let final = min(try finalPosition(connection), limit)
      return try connection.transaction {
        try generation.lockOwnTables(connection)
        try connection.execute("SET LOCAL lock_timeout = '300ms'")
        _ = try lockProjection(file.name, connection)
        var swapped = generation
        if final > swapped.position { try swapped.run(apply, upTo: final, connection) }
        // ALTER TABLE refuses a table with pending trigger events.
        try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        try swap(swapped, keepsOwnGrants: file.grants, connection)
        return swapped
      }
    }
  }

  /// Makes a generation live instead of the one that is, in the caller's transaction.
  func swap(_ generation: Generation, keepsOwnGrants: Bool, _ connection: Connection) throws {
    if let live = try Generation.live(generation.projection, connection) {
      try live.requireNoDependents(connection)
      let additions = try generation.lackingAdditions(connection)
      try generation.takeOverProperties(keepsOwnGrants: keepsOwnGrants, connection)
      try add(additions.filter(\.isTrigger), to: generation, connection)
      for object in try live.existing(in: live.liveSchema, connection) {
        try object.move(from: live.liveSchema, to: live.ownSchema, connection)
      }
      try live.mark(.retired, connection)
    }
    let objects = try ReadModelObject.all(in: generation.ownSchema, connection)
    for object in objects {
      try object.move(from: generation.ownSchema, to: generation.liveSchema, connection)
    }
    let sql = """
      UPDATE annals.generations SET state = 'live', live_at = clock_timestamp(), objects = $3, error = NULL
      WHERE projection = $1 AND number = $2
      """
    _ = try connection.query(
      sql,
      [.text(generation.projection), .int4(generation.number), .textArray(objects.map(\.description))]
    )
  }

  /// Tries again while somebody else's locks are in the way, and gives up politely.
  ///
  /// A waiting ALTER TABLE makes all later readers wait behind it, so each try waits briefly and the pauses, with
  /// jitter, are longer than the waits.
  func whenUnlocked<T>(
    _ subject: String,
    for purpose: String = "the swap",
    _ connection: Connection,
    _ body: () throws -> T
  ) throws -> T {
    for _ in 1...Self.swapAttempts {
      do {
        return try body()
      } catch let error as PostgresError
        where [SQLState.lockNotAvailable, SQLState.deadlockDetected].contains(error.sqlState)
      {
        try connection.canceller.sleep(for: .seconds(.random(in: 0.3...0.7)))
      }
    }
    throw EventStoreError(
      .locked,
      "the \(subject) were in use all the time, so \(purpose) was given up",
      detail: "All is as it was, and what was built is kept.",
      hint: "Run the same command again; it only does what is missing."
    )
  }

  /// With 0.3 s for the locks and 0.3 to 0.7 s between the tries, about 16 s.
  private static let swapAttempts = 20
  private static let snapshotWaitSeconds = 60.0

  func waitForOlderSnapshots(_ connection: Connection) throws {
    let left = try waitForEnd(
      purpose: "reads a state older than the new tables",
      limitSeconds: Self.snapshotWaitSeconds,
      connection
    ) {
      try openTransactions(.olderTransactions, [], connection)
    }
    guard let oldest = left.first else { return }
    throw EventStoreError(
      .locked,
      "a transaction reads a state older than the new tables, so the swap was given up",
      detail: oldest.summary,
      hint: "Run the same command again when it has ended; it only swaps."
    )
  }

  /// Orders this transaction before or after every other swap, catch-up and change of a projection.
  ///
  /// - Returns: whether the projection is paused.
  func lockProjection(_ name: String, _ connection: Connection) throws -> Bool {
    let sql = "SELECT store, is_paused FROM annals.projections WHERE name = $1 FOR NO KEY UPDATE"
    let result = try connection.query(sql, [.text(name)], prepared: true)
    guard !result.isEmpty else { throw Self.noProjection(name) }
    let store = result.string(0, 0)
    guard store.hasSameBytes(as: table.description) else {
      throw EventStoreError(
        .invalidDefinition,
        "projection \(name) reads \(store), not \(table)",
        hint: "Name that table with --table \(store)."
      )
    }
    return result.bool(0, 1)
  }

  static func noProjection(_ name: String) -> EventStoreError {
    EventStoreError(
      .notFound,
      "there is no projection \(name) in this database",
      hint: "List them with 'annals projections'; build one with 'annals rebuild-projection FILE'."
    )
  }
}

extension Generation {
  /// Nobody else needs the tables of a generation that is not live, but for an autovacuum, which yields only to one who
  /// waits for as long as deadlock_timeout.
  func lockOwnTables(_ connection: Connection) throws {
    let tables = try ReadModelObject.all(in: ownSchema, connection).filter { $0.kind == .table }
    guard !tables.isEmpty else { return }
    let names = tables.map { "\(quoteIdentifier(ownSchema)).\($0.name)" }.joined(separator: ", ")
    try connection.execute("SET LOCAL lock_timeout = '2s'; LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE")
  }

  func requireNoDependents(_ connection: Connection) throws {
    let dependents = try dependents(connection)
    guard dependents.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "other objects depend on the live tables of projection \(projection): \(dependents.joined(separator: ", "))",
        detail: "They would go on with the old generation when the new one takes its place.",
        hint: "Drop them, or create them in the projection file's '-- @create'."
      )
    }
  }
}
