internal import LibPQ

extension StoreConnection {
  /// Refuses before the work starts what the swap could not do at its end.
  func requireExchangeable(with copy: QualifiedName, _ plan: EvolutionPlan) throws {
    let hanging = try dependents()
    guard hanging.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "other objects depend on \(table): \(hanging.joined(separator: ", "))",
        detail: "They would still use the old events after the swap.",
        hint: "Drop them and create them again after the swap, or omit \(.withoutSwap)."
      )
    }
    guard plan.renumbersPositions else { return }
    let readers = try connection.query(
      """
      SELECT string_agg(name, ', ' ORDER BY name) FROM (
        SELECT 'projection ' || name FROM annals.projections WHERE store = \(table.description)
        UNION SELECT 'checkpoint ' || name FROM annals.checkpoints WHERE store = \(table.description)
        UNION SELECT 'skipped event at ' || position FROM annals.skipped_events WHERE store = \(table.description)
      ) AS r (name)
      """
    )
    guard let names = readers.optionalString(0, 0) else { return }
    throw EventStoreError(
      .invalidDefinition,
      "@split changes the positions of events, and these have old positions: \(names)",
      hint: "Drop them before the swap, rebuild the projections after it, and skip the events again."
    )
  }

  /// Views, foreign keys in both directions, triggers and whatever else is bound to the table of events.
  private func dependents() throws -> [String] {
    let others = try connection.strings(
      .dependents,
      [
        .text(quoteIdentifier(table.schema)),
        .textArray(["TABLE \(quoteIdentifierIfNeeded(table.name))"]),
      ]
    )
    let own = try connection.query(
      """
      SELECT format('trigger %I', tgname) AS dependent FROM pg_trigger
      WHERE tgrelid = \(table.sql)::regclass AND NOT tgisinternal
      UNION SELECT format('foreign key %I', conname) FROM pg_constraint
      WHERE conrelid = \(table.sql)::regclass AND contype = 'f'
      UNION SELECT 'partitions' FROM pg_class WHERE oid = \(table.sql)::regclass AND relkind <> 'r' ORDER BY 1
      """
    )
    return others + own.map { $0.string("dependent") }
  }

  /// As the server's quote_ident writes it.
  private func quoteIdentifierIfNeeded(_ name: String) throws -> String {
    try connection.query("SELECT quote_ident(\(name))").string(0, 0)
  }

  /// Exchanges the names of the store and its copy.
  ///
  /// Before the swap, events that were appended meanwhile are copied and committed, and it waits for the snapshots of
  /// readers (see ``SnapshotPatience``), until an attempt finds no new events. Writers are not delayed by that. If each
  /// attempt finds some, the last one copies them under the lock that keeps writers out.
  func swap(
    _ copy: inout EvolutionCopy,
    _ plan: EvolutionPlan,
    _ statements: EvolutionCopyStatements
  ) throws {
    var (patience, triesLeft, late) = (SnapshotPatience(), Self.triesWithoutRows, Int64(0))
    atSwapStep?(.begun)
    try copyRest(upTo: try finalPosition(), statements, &copy)
    try patience.waitLong(upTo: copy.position, self)
    atSwapStep?(.waited)
    copy = try whenUnlocked("tables \(table) and \(copy.name)") {
      try copyRest(upTo: try finalPosition(), statements, &copy)
      atSwapStep?(.current)
      try patience.wait(upTo: copy.position, self)
      atSwapStep?(.settled)
      var swapped = copy
      late = 0
      try connection.transaction {
        try lock(copy.name)
        let last =
          try connection.query("SELECT max(position) FROM \(raw: table.sql)").optionalInt64(0, 0) ?? .min
        if last > swapped.position {
          triesLeft -= 1
          guard triesLeft <= 0 else { throw SwapObstacle.overtaken }
          let before = swapped.events
          try copyChunk(upTo: last, statements, &swapped)
          late = swapped.events - before
        }
        try requireExchangeable(with: copy.name, plan)
        try continueSequence(of: copy.name, renumbered: plan.renumbersPositions)
        try exchange(with: copy.name)
        let end =
          try connection.query("SELECT max(position) FROM \(raw: table.sql)").optionalInt64(0, 0) ?? .min
        try swapped.mark(.swapped, at: end, connection)
        try forgetSnapshots()
        try forgetSeenEvents()
        try audit(.swap, .store, "'copy', \(copy.name.description), 'events', \(swapped.events)")
        atSwapStep?(.moved)
      }
      return swapped
    }
    atSwapStep?(.swapped)
    if late > 0 {
      notify(
        "the last \(late == 1 ? "event was" : "\(late) events were") copied in the swap itself, as others always came; a transaction of REPEATABLE READ "
          + "that began before it does not see \(late == 1 ? "it" : "them") in \(table)"
      )
    }
    forgetEventsTable()
  }

  private static let triesWithoutRows = 12

  /// Copies what was appended since, in its own transaction.
  private func copyRest(
    upTo end: Int64,
    _ statements: EvolutionCopyStatements,
    _ copy: inout EvolutionCopy
  ) throws {
    guard end > copy.position else { return }
    var copied = copy
    try connection.transaction { try copyChunk(upTo: end, statements, &copied) }
    copy = copied
  }

  func rollBackEvolution(_ copy: QualifiedName) throws {
    try requireOwn("a swap")
    try requireSchema()
    try AdvisoryLock.hold("evolution of \(table)", connection) {
      guard var state = try EvolutionCopy.find(copy, connection), state.state == .swapped,
        let end = state.swappedPosition
      else {
        throw EventStoreError(.notFound, "\(copy) is not the result of a swap with \(table)")
      }
      try whenUnlocked("tables \(table) and \(copy)") {
        try connection.transaction {
          try lock(copy)
          try requireNothingAppended(since: end)
          try exchange(with: copy)
          try state.mark(.copied, connection)
          try forgetSnapshots()
          try forgetSeenEvents()
          try audit(.rollback, .store, "'copy', \(copy.description)")
        }
      }
      forgetEventsTable()
    }
  }

  private func requireNothingAppended(since end: Int64) throws {
    let sql: SQL = """
      SELECT count(*) AS events, min(position) AS first FROM \(raw: table.sql) WHERE position > \(end)
      """
    let newer = try connection.query(sql)
    let count = newer[0].int64("events")
    guard count > 0 else { return }
    throw EventStoreError(
      .failed,
      "\(count) \(count == 1 ? "event was" : "events were") appended since the swap; the old table does not have them",
      hint: "Save them with \(.replay(fromPosition: newer[0].int64("first"))), and repair forward."
    )
  }

  /// A waiting lock delays every later one, so it waits briefly and is tried again.
  private func lock(_ copy: QualifiedName) throws {
    try connection.execute("SET LOCAL lock_timeout = '300ms'")
    try connection.execute("LOCK TABLE \(table.sql), \(copy.sql) IN ACCESS EXCLUSIVE MODE")
  }

  /// New events get positions above all that the original ever assigned.
  private func continueSequence(of copy: QualifiedName, renumbered: Bool) throws {
    let old = try connection.query("SELECT pg_get_serial_sequence(\(table.sql), 'position')")
    let new = try connection.query("SELECT pg_get_serial_sequence(\(copy.sql), 'position')")
    guard let new = new.optionalString(0, 0) else { return }
    let last = old.optionalString(0, 0).flatMap { renumbered ? nil : $0 }
    let value =
      last.map { "SELECT last_value, is_called FROM \($0)" }
      ?? "SELECT greatest(max(position), 1), max(position) IS NOT NULL FROM \(copy.sql)"
    _ = try connection.query(
      "SELECT setval(\(new), last.value, last.is_called) FROM (\(raw: value)) AS last (value, is_called)"
    )
  }

  /// The new table gets owner, grants, comments, policies and publications of the old one.
  private func exchange(with copy: QualifiedName) throws {
    let aside = "annals_swap"
    let moved = QualifiedName(schema: aside, name: table.name)
    try connection.execute("CREATE SCHEMA \(aside)")
    try connection.execute("ALTER TABLE \(copy.sql) SET SCHEMA \(aside)")
    if !copy.name.hasSameBytes(as: table.name) {
      let away = QualifiedName(schema: aside, name: copy.name)
      try connection.execute("ALTER TABLE \(away.sql) RENAME TO \(quoteIdentifier(table.name))")
    }
    let schemas: [Parameter] = [.text(table.schema), .text(aside)]
    for statement in try connection.strings(.liveOwners, schemas)
      + connection.strings(.liveProperties, schemas + [.bool(false)])
    {
      try connection.execute(statement)
    }
    try connection.execute("ALTER TABLE \(table.sql) RENAME TO \(quoteIdentifier(copy.name))")
    if !copy.schema.hasSameBytes(as: table.schema) {
      let old = QualifiedName(schema: table.schema, name: copy.name)
      try connection.execute("ALTER TABLE \(old.sql) SET SCHEMA \(quoteIdentifier(copy.schema))")
    }
    try connection.execute("ALTER TABLE \(moved.sql) SET SCHEMA \(quoteIdentifier(table.schema))")
    try connection.execute("DROP SCHEMA \(aside)")
  }

  /// The snapshots were made from the events as they were.
  private func forgetSnapshots() throws {
    _ = try connection.query(
      """
      DELETE FROM annals.snapshots s USING annals.reducers r
      WHERE r.id = s.reducer AND r.store = \(table.description)
      """
    )
  }
}
