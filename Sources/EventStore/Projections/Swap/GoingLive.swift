internal import LibPQ

extension StoreConnection {
  /// Refuses, before any event is applied, what the swap could not do at the end.
  func requireSwappable(_ generation: Generation) throws {
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
    try generation.requireWhole(connection)
    let live = try Generation.live(name, connection)
    try generation.requireFreeNames(besides: live, connection)
    try live?.requireNoDependents(connection)
  }

  /// Makes a generation live instead of the one that is, in the caller's transaction.
  ///
  /// - Returns: what the generation that was live lacks, as somebody dropped it by hand.
  func swap(_ generation: Generation, keepsOwnGrants: Bool) throws -> [ReadModelObject] {
    let live = try Generation.live(generation.projection, connection)
    try generation.requireWhole(connection)
    try generation.requireFreeNames(besides: live, connection)
    var missing: [ReadModelObject] = []
    if let live {
      try live.requireNoDependents(connection)
      let additions = try generation.lackingAdditions(connection)
      try generation.takeOverProperties(keepsOwnGrants: keepsOwnGrants, connection)
      try add(additions.filter(\.isTrigger), to: generation)
      try live.requireOwnSchema(connection)
      missing = try live.moveAway(connection)
      try live.mark(.retired, connection)
    }
    let objects = try generation.moveIn(connection)
    let sql = """
      UPDATE annals.generations SET state = 'live', live_at = clock_timestamp(), objects = $3, error = NULL
      WHERE projection = $1 AND number = $2
      """
    _ = try connection.query(
      sql,
      [.text(generation.projection), .int4(generation.number), .textArray(objects.map(\.description))]
    )
    atSwapStep?(.moved)
    return missing
  }

  /// Orders this transaction before or after every other swap, catch-up and change of a projection.
  ///
  /// - Returns: whether the projection is paused.
  func lockProjection(_ name: String) throws -> Bool {
    let sql = "SELECT store, is_paused FROM annals.projections WHERE name = $1 FOR NO KEY UPDATE"
    let result = try connection.query(sql, [.text(name)], prepared: true)
    guard !result.isEmpty else { throw Self.noProjection(name) }
    let store = result.string(0, 0)
    guard store.hasSameBytes(as: table.description) else {
      throw EventStoreError(
        .invalidDefinition,
        "projection \(name) reads \(store), not \(table)",
        hint: "Name that table with \(.table(store))."
      )
    }
    return result.bool(0, 1)
  }

  static func noProjection(_ name: String) -> EventStoreError {
    EventStoreError(
      .notFound,
      "there is no projection \(name) in this database",
      hint: "List them with \(.projections()); build one with \(.rebuild())."
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
