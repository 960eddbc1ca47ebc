internal import LibPQ

extension StoreConnection {
  func redact(_ redaction: Redaction, _ options: RedactionOptions) throws -> RedactionResult {
    guard reason != nil else {
      throw EventStoreError(.invalidInput, "a redaction needs a reason, which stays in the audit")
    }
    let statements = try redactionStatements(redaction)
    try connection.prepareLongWork()
    var result = RedactionResult()
    try AdvisoryLock.hold("redaction of \(table)", connection) {
      try requireSound(statements)
      result.events = try redactChunks(redaction, statements, options)
      try deleteCopiedValues(&result)
      if options.dropsKept { result.dropped = try dropKept() }
      result.holders = try holders() + archiveHolder(of: redaction)
    }
    if options.vacuums { try vacuumAfterRedaction(statements.table) }
    return result
  }

  /// The statements on events as they are stored, after all that can be known to stop them was looked at.
  func redactionStatements(_ redaction: Redaction) throws -> RedactionStatements {
    try requireOwn("a redaction")
    try requireSchema()
    guard let events = try EventsTable.find(table, connection) else { throw EventsTable.missing(table) }
    guard !events.isDistributed else {
      throw EventStoreError(
        .invalidDefinition,
        "\(table) is distributed by Citus, and annals cannot redact events of such a table"
      )
    }
    guard try events.hasUniqueKey(["aggregate_id", "version"], connection) else {
      throw EventStoreError(
        .invalidDefinition,
        "\(table) has no unique key of aggregate_id and version, by which an event is found",
        hint: "Create it: ALTER TABLE \(table.sql) ADD UNIQUE (aggregate_id, version);"
      )
    }
    try events.requireVersions(connection)
    try events.requirePositions(connection)
    try requireNoUpdateTriggers()
    try requireContents(of: redaction.query)
    try requireNamed(redaction, in: events)
    if case .upcasters(let upcasters) = redaction.change { try upcasters.check(for: events, connection) }
    return try RedactionStatements(redaction, in: events)
  }

  /// Refuses a trigger or a rule that could keep the old values elsewhere, or write others.
  private func requireNoUpdateTriggers() throws {
    let found = try connection.strings(.updateTriggers, [.text(table.sql)])
    guard !found.isEmpty else { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(found.joined(separator: ", ")) of \(table) would run for each redacted event",
      detail: "It could write the old values elsewhere, or change the new ones.",
      hint: "Disable it with ALTER TABLE for the time of the redaction, and remove what it has kept."
    )
  }

  /// A mistyped name must not look like a stream without such values.
  private func requireNamed(_ redaction: Redaction, in events: EventsTable) throws {
    if let name = try events.withoutEvents(redaction.streams, connection).first {
      try requireNotArchived(name)
      throw NamedEvents.aggregate(name).missing(in: table)
    }
    if let category = redaction.query.category,
      try !connection.hasEvent(in: table.sql, where: events.isOf(category: category))
    {
      throw NamedEvents.category(category).missing(in: table)
    }
    for type in redaction.query.types
    where try !connection.hasEvent(in: table.sql, where: "e.event_type = \(type)") {
      throw NamedEvents.type(type).missing(in: table)
    }
  }

  private func requireNotArchived(_ aggregateID: String) throws {
    guard let archive = try findArchive(),
      try connection.hasEvent(in: archive.name.sql, where: "e.aggregate_id = \(aggregateID)")
    else { return }
    throw EventStoreError(
      .notFound,
      "the events of aggregate '\(aggregateID)' are archived",
      detail: "Only events of \(table) are redacted.",
      hint: "Move them back with \(.unarchive) first."
    )
  }

  /// Refuses upcasters with which a run after an interruption would differ from an uninterrupted one.
  func requireSound(_ statements: RedactionStatements) throws {
    guard let sql = statements.fault,
      let fault = try connection.query(sql).first({ row in
        (
          event: "\(row.string("aggregate_id")) version \(row.int32("version"))",
          isEmpty: row.bool("is_empty")
        )
      })
    else { return }
    throw EventStoreError(
      .invalidDefinition,
      fault.isEmpty
        ? "the upcasters yield NULL as the payload of \(fault.event)"
        : "the upcasters would change their own outcome again, as of \(fault.event)",
      detail: fault.isEmpty
        ? "Every event has a payload." : "A run after an interruption must end with the same result.",
      hint: "See \(.manual(.upcasterFiles))."
    )
  }

  // MARK: - Chunks

  private func redactChunks(
    _ redaction: Redaction,
    _ statements: RedactionStatements,
    _ options: RedactionOptions
  ) throws -> Int64 {
    let end =
      statements.table.hasPosition
      ? try connection.query("SELECT max(position) FROM \(raw: table.sql)").optionalInt64(0, 0) : nil
    var (events, last): (Int64, RedactionStatements.Place?) = (0, nil)
    while true {
      let (places, isLast) = try connection.transaction {
        try redactChunk(from: last, redaction, statements, most: options.chunkSize)
      }
      guard let place = places.last else { return events }
      last = place
      events += Int64(places.count)
      let done = place.position ?? events
      options.onProgress?(EventStore.Progress(done: done, of: max(end ?? done, done), events: events))
      if isLast { return events }
    }
  }

  /// One transaction: first the row of the audit, by which a protected table lets the change pass.
  private func redactChunk(
    from last: RedactionStatements.Place?,
    _ redaction: Redaction,
    _ statements: RedactionStatements,
    most: Int
  ) throws -> (places: [RedactionStatements.Place], isLast: Bool) {
    // Each chunk begins where the last one ended, so it must find its events by an index.
    try connection.execute(
      "SET LOCAL jit = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off"
    )
    // With this lock nobody creates a trigger meanwhile; writers are not delayed.
    try connection.execute("LOCK TABLE \(table.sql) IN ROW EXCLUSIVE MODE")
    try requireNoUpdateTriggers()
    // One more than the chunk has tells whether another one follows.
    let found = try connection.query(statements.nextPlaces(from: last, most: most + 1)).map { row in
      RedactionStatements.Place(
        aggregateID: row.string("aggregate_id"),
        version: row.int32("version"),
        position: row.optionalInt64("position")
      )
    }
    guard !found.isEmpty else { return ([], true) }
    let (places, isLast) = (Array(found.prefix(most)), found.count <= most)
    // A crash loses a chunk with its row in the audit, so only the last commit waits for the disk, for all of them.
    if !isLast { try connection.execute("SET LOCAL synchronous_commit = off") }
    let number = try numberedAudit(
      .redact,
      .store,
      "'events', \(Int64(places.count)), \(redaction.auditDetail)"
    )
    let changed = try connection.query(statements.change(places, audit: number)).affectedRows
    guard changed == places.count else {
      throw EventStoreError(
        .locked,
        "\(changed) of \(places.count) events were redacted: another session changed the others",
        detail: "These changes are rolled back; what was redacted before is kept.",
        hint: "Run the same command again; it continues where it stopped."
      )
    }
    return (places, isLast)
  }

  // MARK: - Vacuum

  private func vacuumAfterRedaction(_ events: EventsTable) throws {
    let names = [events.name.sql] + Self.tablesWithValues.map { "annals.\($0)" }
    let tables = try connection.query(
      """
      SELECT t.name, pg_has_role(c.relowner, 'USAGE') AS is_owner
      FROM unnest(\(Parameter.textArray(names))) WITH ORDINALITY AS t (name, place)
      JOIN pg_class c ON c.oid = to_regclass(t.name) ORDER BY t.place
      """
    ).map { (name: $0.string("name"), isOwner: $0.bool("is_owner")) }
    for one in tables {
      if one.isOwner {
        try connection.execute("VACUUM (ANALYZE) \(one.name)")
      } else {
        notify("\(one.name) was not vacuumed: only its owner can do that")
      }
    }
  }
}
