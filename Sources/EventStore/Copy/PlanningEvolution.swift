internal import LibPQ

extension StoreConnection {
  func planEvolution(
    _ upcasters: Upcasters,
    progress: @Sendable (EventStore.Progress) -> Void
  ) throws -> EvolutionPlan {
    let table = try eventsTable()
    try table.requirePosition(for: "a copy of the store")
    try upcasters.check(for: table, connection)
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      var run = try EvolutionCheckRun(upcasters, in: table, EvolutionCheckOptions(), connection)
      let start = ContinuousClock.now
      try run.checkEvents(progress)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      try requireSound(run.result)
      return try plan(run, secondsToRead: seconds)
    }
  }

  /// Refuses a plan that would fail while it is applied.
  private func requireSound(_ result: EvolutionCheckResult) throws {
    let fatal = result.findings.filter { [.failure, .noPayload].contains($0.kind) }
    guard let first = fatal.first else { return }
    let events = fatal.prefix(5).map { "\($0.aggregateID ?? $0.eventType) version \($0.version ?? 0)" }
    let count =
      (result.counts[.failure] ?? 0) + fatal.reduce(0) { $0 + ($1.kind == .noPayload ? $1.events : 0) }
    throw EventStoreError(
      .invalidDefinition,
      "\(first.rules.joined(separator: ", ")): \(first.detail), for \(count) \(count == 1 ? "event" : "events")",
      detail: "\(events.joined(separator: ", "))\(count > Int64(events.count) ? ", \u{2026}" : "")",
      hint: "\(.checkEvolution) names them all."
    )
  }

  /// Events a second that PostgreSQL writes into a table with these indexes (INSERT … SELECT, 2 cores, fsync on).
  private static let writtenPerSecond = 70_000.0

  private func plan(_ run: EvolutionCheckRun, secondsToRead: Double) throws -> EvolutionPlan {
    let upcasters = run.upcasters
    let head = try connection.query(
      "SELECT coalesce(max(position), 0) AS position, count(*) AS events FROM \(raw: relation) e"
    )
    var run = run
    let shapes = try run.shapeChanges().map {
      EvolutionPlan.ShapeChange(
        type: $0.type.string,
        path: $0.path,
        before: $0.before,
        after: $0.after,
        events: $0.events,
        compared: $0.compared
      )
    }
    let types = try run.typeChanges()
    let changed = Set(
      types.filter { $0.changed > 0 }.flatMap { [$0.type] + $0.becomes.map(\.type) }.map { ByteString($0) }
    )
    let readers = try liveProjections().filter {
      $0.handlesEveryType || !changed.isDisjoint(with: $0.handledTypes)
    }
    return EvolutionPlan(
      annalsPlan: EvolutionPlan.format,
      store: table.description,
      position: head[0].int64("position"),
      upcasters: upcasters.files.map { file in
        let text = String(decoding: file.bytes, as: UTF8.self)
        return .init(path: file.path, text: text, sha256: EvolutionPlan.sha256(text))
      },
      types: types,
      shapes: shapes,
      examples: try run.examples(),
      renumbersVersions: upcasters.drops || upcasters.splits,
      renumbersPositions: upcasters.splits,
      projections: readers.map(\.name),
      reducers: changed.isEmpty ? [] : try knownReducers(),
      estimatedSeconds: secondsToRead * 2 + Double(head[0].int64("events")) / Self.writtenPerSecond
    )
  }

  /// The reducers that made snapshots of this store.
  private func knownReducers() throws -> [String] {
    guard try connection.canReadOwnTables(["reducers"]) else { return [] }
    let sql: SQL = "SELECT DISTINCT name FROM annals.reducers WHERE store = \(table.description) ORDER BY 1"
    return try connection.query(sql).map { $0.string("name") }
  }
}

extension EvolutionCheckRun {
  /// What happens to each type, counted over all events.
  func typeChanges() throws -> [EvolutionPlan.TypeChange] {
    guard !counts.isEmpty else { return [] }
    let events = countOfEvents("e")
    let sql: SQL = """
      SELECT e.\(raw: Self.type) AS type, e.event_type AS new_type, count(*) AS rows, \(raw: events) AS events,
             \(raw: events) FILTER (WHERE \(raw: Self.isChanged)) AS changed
      FROM \(raw: source) AS e WHERE e.\(raw: Self.type) \(raw: ofTypes) GROUP BY GROUPING SETS ((1, 2), (1))
      ORDER BY 1, GROUPING(e.event_type), e.event_type COLLATE "C"
      """
    let rows = try connection.query(sql)
    return counts.map { count in
      let own = (0..<rows.rowCount).filter { ByteString(rows[$0].string("type")) == count.type }
      let all = own.last
      return EvolutionPlan.TypeChange(
        type: count.type.string,
        events: count.events,
        // A dropped event gives no row at all.
        changed: all.map { count.events - rows[$0].int64("events") + rows[$0].int64("changed") }
          ?? count.events,
        becomes: own.dropLast().map {
          .init(type: rows[$0].string("new_type"), events: rows[$0].int64("rows"))
        }
      )
    }
  }

  private static let isChanged = """
    e.event_data IS DISTINCT FROM e.\(data) OR e.event_type <> e.\(type) OR e.metadata IS DISTINCT FROM e.\(metadata)
    """

  /// Two events of each type that changes.
  func examples() throws -> [EvolutionPlan.Example] {
    try counts.flatMap { count in
      let sql: SQL = """
        SELECT e.aggregate_id, e.version, e.\(raw: Self.type) AS type, e.event_type AS new_type,
               e.\(raw: Self.data)::text AS before, e.event_data::text AS after
        FROM \(raw: source) AS e
        WHERE e.\(raw: Self.type) = \(count.type.string) AND e.version IS NOT NULL AND (\(raw: Self.isChanged)) LIMIT 2
        """
      return try connection.query(sql).map { row in
        EvolutionPlan.Example(
          aggregateID: row.string("aggregate_id"),
          version: Int(row.int32("version")),
          type: row.string("type"),
          newType: row.string("new_type"),
          before: row.string("before"),
          after: row.string("after")
        )
      }
    }
  }
}
