internal import LibPQ

extension StoreConnection {
  func planArchive(_ selection: ArchiveSelection) throws -> ArchivePlan {
    let events = try archivableTable(selection)
    let archive = try findArchive()?.name ?? ArchiveTable.defaultName(of: table)
    return try connection.transaction(.repeatableReadOnly) {
      try plan(selection, from: events, upTo: archiveLimit(events), archive)
    }
  }

  func planUnarchive(_ selection: ArchiveSelection) throws -> ArchivePlan {
    let (archive, archived) = try archivedTable(selection)
    return try connection.transaction(.repeatableReadOnly) {
      try plan(selection, from: archived, upTo: .none, archive.name)
    }
  }

  private func plan(
    _ selection: ArchiveSelection,
    from source: EventsTable,
    upTo limit: ArchiveLimit,
    _ archive: QualifiedName
  ) throws -> ArchivePlan {
    try connection.execute("SET LOCAL jit = off")
    var plan = ArchivePlan(archive: archive)
    var place: ArchivePlace? = .beginning
    while let from = place {
      let streams: [ArchivableStream]
      (streams, place) = try nextStreams(selection, from: from, in: source)
      let counts = try connection.query(
        """
        SELECT count(*) FILTER (WHERE c.events > 0) AS streams, coalesce(sum(c.events), 0)::bigint AS events,
               coalesce(sum(c.held), 0)::bigint AS held
        FROM unnest(\(streams.names), \(streams.ends)) AS n (name, last) CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE \(limit.isBelow)) AS events, count(*) FILTER (WHERE NOT (\(limit.isBelow))) AS held
          FROM \(raw: source.name.sql) e WHERE e.aggregate_id = n.name AND e.version <= n.last
        ) AS c
        """
      )
      plan.streams += counts[0].int64("streams")
      plan.events += counts[0].int64("events")
      plan.held += counts[0].int64("held")
    }
    if plan.held > 0 { plan.heldBy = limit.bound }
    return plan
  }

  /// Moves events into the archive, chunk by chunk. Each chunk is one statement, in a transaction with its audit.
  func archive(_ selection: ArchiveSelection, _ options: ArchiveOptions) throws -> ArchiveResult {
    let events = try archivableTable(selection)
    try requireReason("archiving")
    try connection.prepareLongWork()
    return try AdvisoryLock.hold("archive of \(table)", connection) {
      let archive = try findArchive() ?? connection.transaction { try createArchive(events) }
      var result = ArchiveResult(archive: archive.name)
      try moveStreams(selection, from: events, &result, options) { streams, result in
        let limit = try archiveLimit(events)
        let moved = try move(streams, from: table, to: archive.name, upTo: limit, events, options)
        if moved < options.chunkSize { try countHeld(streams, limit, &result) }
        return moved
      }
      return result
    }
  }

  /// Moves archived events back, with the positions that they had.
  func unarchive(_ selection: ArchiveSelection, _ options: ArchiveOptions) throws -> ArchiveResult {
    try requireReason("taking events out of the archive")
    let (archive, archived) = try archivedTable(selection)
    guard let events = try EventsTable.find(table, connection) else { throw EventsTable.missing(table) }
    try connection.prepareLongWork()
    return try AdvisoryLock.hold("archive of \(table)", connection) {
      var result = ArchiveResult(archive: archive.name)
      try moveStreams(selection, from: archived, &result, options) { streams, _ in
        try move(streams, from: archive.name, to: table, upTo: .none, events, options)
      }
      return result
    }
  }

  // MARK: - What can be archived

  private func archivedTable(
    _ selection: ArchiveSelection
  ) throws -> (archive: ArchiveTable, archived: EventsTable) {
    try requireOwn("an archive")
    try requireSchema()
    guard let archive = try findArchive(), let archived = try EventsTable.find(archive.name, connection)
    else {
      throw EventStoreError(.notFound, "\(table) has no archive")
    }
    try requireNames(selection, in: archived)
    return (archive, archived)
  }

  private func archivableTable(_ selection: ArchiveSelection) throws -> EventsTable {
    try requireOwn("an archive")
    try requireSchema()
    guard let events = try EventsTable.find(table, connection) else { throw EventsTable.missing(table) }
    var fault: (message: String, hint: Hint?)?
    if events.isDistributed {
      fault = ("\(table) is distributed by Citus, and annals cannot archive events of such a table", nil)
    } else if try !events.hasUniqueKey(["aggregate_id", "version"], connection) {
      fault = (
        "\(table) has no unique key of aggregate_id and version, by which an event is found",
        "Create it: ALTER TABLE \(table.sql) ADD UNIQUE (aggregate_id, version);"
      )
    }
    if let fault { throw EventStoreError(.invalidDefinition, fault.message, hint: fault.hint) }
    try events.requireVersions(connection)
    try events.requirePositions(connection)
    try requireNames(selection, in: events)
    return events
  }

  /// A mistyped name must not look like a stream that was moved already.
  private func requireNames(_ selection: ArchiveSelection, in events: EventsTable) throws {
    if let name = try events.withoutEvents(selection.streams, connection).first {
      throw NamedEvents.aggregate(name).missing(in: events.name)
    }
    if let category = selection.category,
      try !connection.hasEvent(in: events.name.sql, where: events.isOf(category: category))
    {
      throw NamedEvents.category(category).missing(in: events.name)
    }
    for type in selection.closingTypes
    where try !connection.hasEvent(in: events.name.sql, where: "e.event_type = \(type)") {
      throw NamedEvents.type(type).missing(in: events.name)
    }
  }

  private func requireReason(_ deed: String) throws {
    guard reason == nil else { return }
    throw EventStoreError(.invalidInput, "\(deed) needs a reason, which stays in the audit")
  }

  /// A reader must have met an event before the event is archived, and the last event keeps the head of the store: below
  /// it, a reader that is up to date would seem to be ahead.
  private func archiveLimit(_ events: EventsTable) throws -> ArchiveLimit {
    guard events.hasPosition else { return .none }
    let rows = try connection.query(
      """
      SELECT reader, position FROM (
        SELECT 'projection ' || g.projection || CASE g.state WHEN 'live' THEN '' ELSE ', generation ' || g.number END AS reader,
               g.position
        FROM annals.generations g JOIN annals.projections p ON p.name = g.projection WHERE p.store = \(table.description)
        UNION ALL
        SELECT 'checkpoint ' || c.name, c.position FROM annals.checkpoints c WHERE c.store = \(table.description)
        UNION ALL
        (SELECT NULL, e.position - 1 FROM \(raw: table.sql) e ORDER BY e.position DESC LIMIT 1)
      ) AS readers ORDER BY position, reader NULLS LAST LIMIT 1
      """
    )
    let bound = rows.first {
      ArchiveBound(reader: $0.optionalString("reader"), position: $0.int64("position"))
    }
    return ArchiveLimit(bound: bound)
  }

  // MARK: - Streams

  private static let streamsAtOnce = 1_000

  /// The next streams of a selection, and where the ones after them begin; nil after the last.
  private func nextStreams(
    _ selection: ArchiveSelection,
    from place: ArchivePlace,
    in events: EventsTable
  ) throws -> (streams: [ArchivableStream], next: ArchivePlace?) {
    let names = try streamNames(selection, from: place, in: events)
    guard let last = names.last else { return ([], nil) }
    var conditions: [SQL] = []
    if let category = selection.category { conditions.append(events.isOf(category: category)) }
    if let before = selection.before { conditions.append("e.\"timestamp\" < \(events.stored(before))") }
    if !selection.closingTypes.isEmpty {
      conditions.append("e.event_type = ANY (\(Parameter.textArray(selection.closingTypes)))")
    }
    let streams = try connection.query(
      SQLTemplate.archivableStreams.statement([
        "names": "\(Parameter.textArray(names))", "events": "\(raw: events.name.sql)",
        "last": selection.keepsFromSnapshot ? beforeSnapshot : "e.version" as SQL,
        "conditions": conditions.conjunction,
      ])
    ).map { ArchivableStream(name: $0.string("aggregate_id"), last: $0.int32("last")) }
    let isLast = !selection.streams.isEmpty || names.count < Self.streamsAtOnce
    return (streams, isLast ? nil : .after(last))
  }

  private func streamNames(
    _ selection: ArchiveSelection,
    from place: ArchivePlace,
    in events: EventsTable
  ) throws -> [String] {
    guard selection.streams.isEmpty else { return selection.streams }
    let after: SQL = if case .after(let name) = place { "e.aggregate_id > \(name)" } else { "true" }
    return try connection.strings(
      SQLTemplate.streamNames.statement([
        "events": "\(raw: events.name.sql)", "after": after, "most": "\(Int64(Self.streamsAtOnce))",
      ])
    )
  }

  /// The version before the snapshot from which every reducer continues; NULL without a snapshot.
  private var beforeSnapshot: SQL {
    """
    (SELECT min(s.last) - 1 FROM (
       SELECT max(s.version) AS last FROM annals.snapshots s JOIN annals.reducers r ON r.id = s.reducer
       WHERE r.store = \(table.description) AND s.aggregate_id = e.aggregate_id COLLATE "C" GROUP BY s.reducer
     ) AS s)
    """
  }

  // MARK: - Chunks

  /// - Parameter move: moves the next events of streams, and returns how many; fewer than a chunk when none is left.
  private func moveStreams(
    _ selection: ArchiveSelection,
    from source: EventsTable,
    _ result: inout ArchiveResult,
    _ options: ArchiveOptions,
    _ move: (_ streams: [ArchivableStream], _ result: inout ArchiveResult) throws -> Int
  ) throws {
    var place: ArchivePlace? = .beginning
    while let from = place {
      let streams: [ArchivableStream]
      (streams, place) = try nextStreams(selection, from: from, in: source)
      var isDone = streams.isEmpty
      while !isDone {
        let moved = try connection.transaction { try move(streams, &result) }
        isDone = moved < options.chunkSize
        result.events += Int64(moved)
        options.onProgress?(.init(done: result.events, of: result.events, events: result.events))
      }
    }
  }

  private func move(
    _ streams: [ArchivableStream],
    from source: QualifiedName,
    to target: QualifiedName,
    upTo limit: ArchiveLimit,
    _ events: EventsTable,
    _ options: ArchiveOptions
  ) throws -> Int {
    try connection.execute(
      "SET LOCAL jit = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off"
    )
    let chunk = try nextChunk(of: streams, from: source, upTo: limit, events, options)
    if chunk.count == 0 { return 0 }
    let isUndone = target == table
    // By this row, which is there before the change, a protected table lets the change pass.
    try audit(
      .archive,
      .store,
      """
      'archive', \((isUndone ? source : target).description), 'undone', \(isUndone), 'events', \(Int64(chunk.count)),
      'first_position', \(chunk.positions?.lowerBound), 'last_position', \(chunk.positions?.upperBound)
      """
    )
    let moved = try moved(
      SQLTemplate.moveEvents.statement([
        "names": "\(Parameter.textArray(chunk.names))", "versions": "\(Parameter.int4Array(chunk.versions))",
        "from": "\(raw: source.sql)", "to": "\(raw: target.sql)", "columns": "\(raw: events.storedColumns)",
        "overriding": events.hasPosition && isUndone ? "OVERRIDING SYSTEM VALUE" : "",
      ]),
      to: target
    )
    guard moved == chunk.count else {
      throw EventStoreError(
        .locked,
        "\(moved) of \(chunk.count) events were moved: another session or a trigger kept the others",
        detail: "These changes are rolled back; what was moved before stays where it is.",
        hint: "Run the same command again; it continues where it stopped."
      )
    }
    return moved
  }

  private func moved(_ statement: SQL, to target: QualifiedName) throws -> Int {
    do {
      let rows = try connection.query(statement).affectedRows
      return rows
    } catch {
      guard error.sqlState == SQLState.uniqueViolation else { throw error }
      throw EventStoreError(
        .versionConflict,
        "\(target) has an event already in the place of one that would be moved there",
        detail: error.detail,
        hint: "\(.verify(only: "duplicate_version")) finds such events."
      )
    }
  }

  private func nextChunk(
    of streams: [ArchivableStream],
    from source: QualifiedName,
    upTo limit: ArchiveLimit,
    _ events: EventsTable,
    _ options: ArchiveOptions
  ) throws -> ArchiveChunk {
    var chunk = ArchiveChunk()
    try connection.query(
      """
      SELECT e.aggregate_id::text AS aggregate_id, e.version, \(raw: events.position) AS position
      FROM unnest(\(streams.names), \(streams.ends)) WITH ORDINALITY AS n (name, last, place)
      JOIN \(raw: source.sql) e ON e.aggregate_id = n.name AND e.version <= n.last AND \(limit.isBelow)
      ORDER BY n.place, e.version LIMIT \(Int64(options.chunkSize))
      """
    ).forEachRow { chunk.add($0) }
    return chunk
  }

  private func countHeld(
    _ streams: [ArchivableStream],
    _ limit: ArchiveLimit,
    _ result: inout ArchiveResult
  ) throws {
    guard let bound = limit.bound else { return }
    let held = try connection.query(
      """
      SELECT count(*) FROM unnest(\(streams.names), \(streams.ends)) AS n (name, last)
      JOIN \(raw: table.sql) e ON e.aggregate_id = n.name AND e.version <= n.last WHERE NOT (\(limit.isBelow))
      """
    ).int64(0, 0)
    guard held > 0 else { return }
    result.held += held
    result.heldBy = bound
  }
}
