internal import LibPQ

extension StoreConnection {
  /// Refuses, before any event is applied, what the swap could not do at the end.
  func requireSwappable(_ generation: Generation) throws {
    let (name, schema) = (generation.projection, generation.liveSchema)
    guard try connection.schemaExists(schema) else {
      throw EventStoreError(
        .invalidDefinition,
        "schema \(schema), the schema of projection \(name), does not exist",
        hint: "Create it: CREATE SCHEMA \(quoteIdentifier(schema));"
      )
    }
    guard try !connection.objects(in: generation.ownSchema).isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "@create of projection \(name) creates nothing that can be swapped in",
        hint: "Write the names of its tables without a schema; set the schema with '-- @schema NAME'."
      )
    }
    try generation.requireWhole(connection)
    let live = try liveGeneration(of: name)
    try generation.requireFreeNames(besides: live, connection)
    try live?.requireNoDependents(connection)
    try live?.requireSameDistribution(as: generation, connection)
  }

  /// Makes a generation live instead of the current one, in the caller's transaction.
  ///
  /// - Returns: what the previous generation lacks, because somebody dropped it by hand.
  func swap(_ generation: Generation, keepsOwnGrants: Bool) throws -> [ReadModelObject] {
    let live = try liveGeneration(of: generation.projection)
    try generation.requireWhole(connection)
    try generation.requireFreeNames(besides: live, connection)
    var missing: [ReadModelObject] = []
    if let live {
      try live.requireNoDependents(connection)
      let additions = try lackingAdditions(of: generation)
      try generation.takeOverProperties(keepsOwnGrants: keepsOwnGrants, connection)
      try add(additions.filter(\.isTrigger), to: generation)
      try live.requireOwnSchema(connection)
      missing = try live.moveAway(connection)
      try live.mark(.retired, connection)
    }
    let objects = try generation.moveIn(connection)
    _ = try connection.query(
      """
      UPDATE annals.generations SET state = 'live', live_at = clock_timestamp(), error = NULL,
        objects = \(Parameter.textArray(objects.map(\.description)))
      WHERE \(generation.isThis)
      """
    )
    atSwapStep?(.moved)
    return missing
  }

  /// Orders this transaction before or after every other swap, catch-up and change of a projection.
  ///
  /// - Returns: whether the projection is paused.
  func lockProjection(_ name: String) throws -> Bool {
    try isPaused(name, lock: "FOR NO KEY UPDATE")
  }

  /// Whether a projection is paused.
  func isPaused(_ name: String, lock: StaticString = "") throws -> Bool {
    let result = try connection.query(
      "SELECT store, is_paused FROM annals.projections WHERE name = \(name) \(raw: "\(lock)")",
      prepared: true
    )
    guard !result.isEmpty else { throw Self.noProjection(name) }
    let row = result[0]
    let store = row.string("store")
    guard store.hasSameBytes(as: table.description) else {
      throw EventStoreError(
        .invalidDefinition,
        "projection \(name) reads \(store), not \(table)",
        hint: "Name that table with \(.table(store))."
      )
    }
    return row.bool("is_paused")
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
  /// Nobody else needs the tables of a generation that is not live, except an autovacuum, which yields only to a
  /// session that waits for deadlock_timeout.
  func lockOwnTables(_ connection: Connection) throws {
    let tables = try connection.objects(in: ownSchema).filter { $0.kind == .table }
    guard !tables.isEmpty else { return }
    let names = tables.map { "\(quoteIdentifier(ownSchema)).\($0.name)" }.joined(separator: ", ")
    try connection.execute("SET LOCAL lock_timeout = '2s'; LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE")
  }

  /// Refuses to replace tables that Citus distributes by plain tables.
  func requireSameDistribution(as new: Generation, _ connection: Connection) throws {
    let hasCitus = try connection.query("SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL")
    guard hasCitus.bool(0, 0) else { return }
    let plain = try connection.strings(
      .distributedTables,
      [
        .text(quoteIdentifier(liveSchema)), .textArray(objects.map(\.description)),
        .text(quoteIdentifier(new.ownSchema)),
      ]
    )
    guard plain.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "Citus distributes tables of projection \(projection), and not those that were built for it: "
          + plain.joined(separator: ", "),
        detail: "The new tables would be plain tables of this server in the place of the distributed ones.",
        hint:
          "Distribute them at the end of '-- @create': SELECT create_distributed_table('\(plain[0])', ...);"
      )
    }
  }

  /// Refuses to move or drop its objects if objects outside the read model depend on them.
  func requireNoDependents(_ connection: Connection) throws {
    let dependents = try connection.searching([schema]) {
      try connection.strings(
        .dependents,
        [.text(quoteIdentifier(schema)), .textArray(objects.map(\.description))]
      )
    }
    guard dependents.isEmpty else {
      let tables = state == .live ? "the live tables" : "the tables of generation \(number)"
      throw EventStoreError(
        .invalidDefinition,
        "other objects depend on \(tables) of projection \(projection): \(dependents.joined(separator: ", "))",
        detail: state == .live ? "They would still use the old generation after the swap." : nil,
        hint: state == .live
          ? "Drop them, or create them in the projection file's '-- @create'." : "Drop them first."
      )
    }
  }
}
