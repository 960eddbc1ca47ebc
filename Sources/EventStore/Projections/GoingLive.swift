internal import LibPQ

extension EventStore {
  /// Refuses, before any event is applied, what the swap could not do at the end.
  func requireSwappable(
    _ generation: Generation,
    of file: ProjectionFile,
    _ connection: Connection
  ) throws {
    let live = try Generation.live(file.name, connection)
    let mine = live?.objects ?? []
    let occupied = Set(try ReadModelObject.all(in: file.schema, connection)).subtracting(mine)
    let clashes = try ReadModelObject.all(in: generation.schema, connection).filter(occupied.contains)
    guard clashes.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "schema \(file.schema) already has \(clashes.map(\.description).joined(separator: ", "))",
        detail: "That does not belong to projection \(file.name), so the rebuild will not replace it.",
        hint: "Rename it, or name another schema in the file with '-- @schema NAME'."
      )
    }
    let dependents = try ReadModelObject.dependents(on: mine, in: file.schema, connection)
    guard dependents.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "other objects depend on the live tables of projection \(file.name): \(dependents.joined(separator: ", "))",
        detail: "They would go on with the old generation when the new one takes its place.",
        hint: "Drop them, or create them in the projection file's '-- @create'."
      )
    }
  }

  /// Puts a finished generation in the place of the live one.
  ///
  /// The bulk was committed before. A REPEATABLE READ reader whose snapshot is older than that would find the new
  /// tables empty, so the swap first waits until nobody holds such a snapshot, as CREATE INDEX CONCURRENTLY does.
  func goLive(
    _ generation: inout Generation,
    of file: ProjectionFile,
    _ apply: GeneratedCode,
    _ connection: Connection
  ) throws {
    try mark(generation, "ready", connection)
    let isFirst = try Generation.live(file.name, connection) == nil
    if !isFirst { try waitForOlderSnapshots(connection) }
    for attempt in 1...Self.swapAttempts {
      do {
        let final = try finalPosition(connection)
        var swapped = generation
        try connection.transaction {
          try connection.execute("SET LOCAL lock_timeout = '300ms'")
          if final > swapped.position { try run(apply, upTo: final, on: &swapped, connection) }
          // ALTER TABLE refuses a table with pending trigger events.
          try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
          try swap(swapped, of: file, connection)
        }
        generation = swapped
        return
      } catch let error as PostgresError where error.sqlState == SQLState.lockNotAvailable {
        guard attempt < Self.swapAttempts else { break }
        _ = try connection.query("SELECT pg_sleep($1)", [.float8(.random(in: 0.1...0.5))])
      }
    }
    throw EventStoreError(
      .locked,
      "the tables of projection \(file.name) were in use all the time, so the swap was given up",
      detail: "The new generation \(generation.number) is complete and kept.",
      hint: "Run the same command again; it only swaps."
    )
  }

  /// With 0.3 s for the locks and 0.1 to 0.5 s between the tries, about 12 s.
  private static let swapAttempts = 20
  private static let snapshotWaitSeconds = 60.0

  private func waitForOlderSnapshots(_ connection: Connection) throws {
    let left = try waitForEnd(
      purpose: "reads a state older than the new tables",
      limitSeconds: Self.snapshotWaitSeconds,
      connection
    ) {
      try openTransactions(PackageResources.OlderTransactions_sql, [], connection)
    }
    guard let oldest = left.first else { return }
    throw EventStoreError(
      .locked,
      "a transaction reads a state older than the new tables, so the swap was given up",
      detail: oldest.summary,
      hint: "Run the same command again when it has ended; it only swaps."
    )
  }

  private func swap(_ generation: Generation, of file: ProjectionFile, _ connection: Connection) throws {
    if let live = try Generation.live(file.name, connection) {
      for object in live.objects { try object.move(from: file.schema, to: live.schema, connection) }
      try mark(live, "retired", connection)
    }
    let objects = try ReadModelObject.all(in: generation.schema, connection)
    for object in objects { try object.move(from: generation.schema, to: file.schema, connection) }
    let sql = """
      UPDATE annals.generations SET state = 'live', live_at = current_timestamp, objects = $3
      WHERE projection = $1 AND number = $2
      """
    _ = try connection.query(
      sql,
      [.text(generation.projection), .int4(generation.number), .textArray(objects.map(\.description))]
    )
  }

  private func mark(_ generation: Generation, _ state: String, _ connection: Connection) throws {
    let sql = "UPDATE annals.generations SET state = $3 WHERE projection = $1 AND number = $2"
    _ = try connection.query(sql, [.text(generation.projection), .int4(generation.number), .text(state)])
  }
}
