internal import LibPQ

/// What `initialize` did, or would do, to make a database ready.
public struct InitializationResult: Sendable, Hashable {
  /// A step, with the SQL that carries it out.
  public struct Step: Sendable, Hashable {
    /// What it does.
    public let title: String
    /// The statements.
    public let sql: String
  }

  /// The steps that were done, or with `dryRun` would be; empty when the database is ready.
  public internal(set) var steps: [Step] = []
  /// What an existing events table lacks; it is added only on request.
  public internal(set) var missing: [Step] = []
}

extension StoreConnection {
  func initialize(
    addPosition: Bool,
    partitions: Int?,
    distributed: Bool,
    notifies: Bool?,
    dryRun: Bool
  ) throws -> InitializationResult {
    if distributed { try requireDistributable(partitions: partitions, dryRun: dryRun) }
    guard notifies != nil else {
      return try initializeOnce(addPosition, partitions, distributed, notifies: nil, dryRun)
    }
    // A trigger on a table in use needs a lock, which delays all writers while it waits.
    return try whenUnlocked("table \(table)", for: "the change") {
      try initializeOnce(addPosition, partitions, distributed, notifies: notifies, dryRun)
    }
  }

  private func initializeOnce(
    _ addPosition: Bool,
    _ partitions: Int?,
    _ distributed: Bool,
    notifies: Bool?,
    _ dryRun: Bool
  ) throws -> InitializationResult {
    var plan = InitializationResult()
    try connection.transaction {
      if notifies != nil { try connection.execute("SET LOCAL lock_timeout = '300ms'") }
      // Two runs at once would both create: the second waits for the first, then finds nothing to do.
      if !dryRun { _ = try connection.query("SELECT pg_advisory_xact_lock(\(AdvisoryLock.initialization))") }
      plan = try planInitialization(
        addPosition: addPosition,
        partitions: partitions,
        distributed: distributed,
        notifies: notifies
      )
      if dryRun { return }
      let (before, migrations) = (try appliedMigration(), try pendingMigrations())
      for step in plan.steps { try connection.execute(step.sql) }
      try auditInitialization(plan.steps.filter { !migrations.contains($0) }.map(\.title), from: before)
    }
    forgetEventsTable()
    return plan
  }

  private func auditInitialization(_ titles: [String], from before: Int32) throws {
    let latest = Int32(migrations.count)
    if !titles.isEmpty {
      try audit(.initialize, .store, "'steps', \(Parameter.textArray(titles))")
    }
    if before < latest { try audit(.migrate, .schema, "'from', \(before), 'to', \(latest)") }
  }

  private func planInitialization(
    addPosition: Bool,
    partitions: Int?,
    distributed: Bool,
    notifies: Bool?
  ) throws -> InitializationResult {
    var plan = InitializationResult()
    if addPosition { try requireOwn("adding columns") }
    if partitions != nil { try requireOwn("partitions") }
    let existing = try foreign == nil ? EventsTable.find(table, connection) : eventsTable()
    if let existing {
      if let partitions { try requirePartitions(partitions) }
      if distributed { try requireDistributed(existing) }
      if addPosition, try isBackfilled() {
        throw EventStoreError(
          .invalidDefinition,
          "not all events of \(table) have a position yet",
          hint: "Continue with \(.addPositionOnline)."
        )
      }
      let missing = foreign == nil ? try missingColumns(of: existing) : []
      if !missing.isEmpty, let (kind, remedy) = try kindWithoutColumns() {
        let fault = EventStoreError(
          .invalidDefinition,
          "\(table) is a \(kind), to which no column can be added",
          detail: "It lacks what a table of events has: \(missing.map(\.title).joined(separator: "; ")).",
          hint: remedy
        )
        if addPosition { throw fault }
        notify("\(fault.message). \(remedy)")
      } else if addPosition {
        plan.steps += missing
      } else {
        plan.missing = missing
      }
    } else {
      if try !connection.schemaExists(table.schema) {
        plan.steps.append(
          .init(
            title: "Create schema \(table.schema)",
            sql: "CREATE SCHEMA \(quoteIdentifier(table.schema));\n"
          )
        )
      }
      let sql =
        try partitions.map { try createPartitioned($0) } ?? (distributed ? createForCitus : createPlain)
      plan.steps.append(.init(title: "Create table \(table)", sql: sql))
      if distributed {
        plan.steps.append(.init(title: "Distribute table \(table) by aggregate_id", sql: distribution))
      }
    }
    plan.steps += try pendingMigrations()
    if notifies == true, distributed { throw notificationsOfNodes }
    if let notifies, let step = try notificationStep(notifies, existing) { plan.steps.append(step) }
    return plan
  }

  private var createPlain: String {
    SQLTemplate.createEvents.filled([
      "events": table.sql, "id_key": "PRIMARY KEY (id)", "partitioning": "",
      "position_key": "ALTER TABLE \(table.sql) ADD UNIQUE (position)",
    ])
  }

  private func missingColumns(of existing: EventsTable) throws -> [InitializationResult.Step] {
    var missing: [InitializationResult.Step] = []
    if !existing.hasMetadata {
      missing.append(
        .init(title: "Add column metadata to \(table)", sql: fillIn(.addMetadata))
      )
    }
    if !existing.hasPosition {
      missing.append(
        .init(
          title: "Add column position to \(table)",
          sql: fillIn(.addPosition) + (try positionIndex())
        )
      )
    }
    return missing
  }

  /// A unique key of a partitioned table must contain its partition key, so there the identity keeps positions apart.
  private func positionIndex() throws -> String {
    let sql: SQL = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(\(table.sql))"
    let isPartitioned = try connection.query(sql).bool(0, 0)
    return isPartitioned
      ? "CREATE INDEX ON \(table.sql) (position);\n" : "ALTER TABLE \(table.sql) ADD UNIQUE (position);\n"
  }

  /// The kind of the events' relation, and where to add columns instead, if ALTER TABLE cannot add one.
  private func kindWithoutColumns() throws -> (kind: String, remedy: Hint)? {
    let sql: SQL = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(\(table.sql))"
    let query: Hint = "Add the columns to the table that it reads, and to its query."
    return switch try connection.query(sql).string(0, 0) {
    case "v": ("view", query)
    case "m": ("materialized view", query)
    case "f": ("foreign table", "Add the columns to the table on the other server first, then to this one.")
    default: nil
    }
  }

  /// A template filled in with this store's table.
  private func fillIn(_ template: SQLTemplate) -> String {
    template.filled([:], from: ["events": table.sql, "events_literal": quoteLiteral(table.sql)])
  }
}

extension Connection {
  /// Whether a schema of that name exists.
  func schemaExists(_ name: String) throws(PostgresError) -> Bool {
    try query("SELECT to_regnamespace(\(quoteIdentifier(name))) IS NOT NULL").bool(0, 0)
  }
}
