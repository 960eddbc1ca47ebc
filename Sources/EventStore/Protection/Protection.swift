internal import LibPQ

/// What keeps the history of a store from being changed.
public struct Protection: Sendable, Hashable {
  /// Roles with the rights to read, to append, to build read models, and to administer.
  public var roles: Bool
  /// Triggers that refuse every change of events and of the audit, also to the owner.
  public var immutability: Bool
  /// What the names of the roles begin with; nil for the name of the database.
  public var prefix: String?

  /// - Parameters:
  ///   - roles: roles for readers, appenders, projectors and administrators.
  ///   - immutability: triggers against every change of events.
  ///   - prefix: what the names of the roles begin with; nil for the name of the database.
  public init(roles: Bool = true, immutability: Bool = true, prefix: String? = nil) {
    (self.roles, self.immutability, self.prefix) = (roles, immutability, prefix)
  }
}

extension EventStore {
  /// Protects the history of this store, in one transaction. It can be run again, as after an update of annals.
  ///
  /// The roles are `PREFIX_reader`, `PREFIX_appender`, `PREFIX_projector` and `PREFIX_admin`, which nobody can log in as: grant
  /// them to those who may. Rights of others stay as they are. The owner of the table, and superusers, can end a protection.
  ///
  /// - Parameters:
  ///   - protection: of which kinds.
  ///   - dryRun: changes nothing.
  /// - Returns: the steps.
  /// - Throws: ``EventStoreError``: `failed` when a role of such a name is there that is not one of this store, `locked` when
  ///   the table was in use all the time.
  @discardableResult
  public func protect(
    _ protection: Protection = Protection(),
    dryRun: Bool = false
  ) async throws -> [InitializationResult.Step] {
    try await perform { try $0.changeProtection(protection, isOff: false, dryRun: dryRun) }
  }

  /// Ends a protection: removes the triggers, and the roles of this store.
  ///
  /// - Parameters:
  ///   - protection: of which kinds.
  ///   - dryRun: changes nothing.
  /// - Returns: the steps; empty where there was no protection.
  /// - Throws: ``EventStoreError``; `failed` when a role owns something.
  @discardableResult
  public func endProtection(
    _ protection: Protection = Protection(),
    dryRun: Bool = false
  ) async throws -> [InitializationResult.Step] {
    try await perform { try $0.changeProtection(protection, isOff: true, dryRun: dryRun) }
  }
}

extension StoreConnection {
  fileprivate func changeProtection(
    _ protection: Protection,
    isOff: Bool,
    dryRun: Bool
  ) throws -> [InitializationResult.Step] {
    try requireOwn("protection")
    try requireSchema()
    try requireTable()
    if dryRun { return try steps(of: protection, isOff: isOff) }
    return try whenUnlocked("table \(table)", for: "the change") {
      try connection.transaction {
        _ = try connection.query("SELECT pg_advisory_xact_lock(\(AdvisoryLock.initialization))")
        // A lock that waits delays all writers behind it.
        try connection.execute("SET LOCAL lock_timeout = '300ms'")
        let steps = try steps(of: protection, isOff: isOff)
        for step in steps { try run(step) }
        if !steps.isEmpty { try audit(protection, isOff: isOff) }
        return steps
      }
    }
  }

  private func run(_ step: InitializationResult.Step) throws {
    do {
      try connection.execute(step.sql)
    } catch {
      guard error.sqlState == SQLState.dependentObjectsStillExist else { throw error }
      var failure = EventStoreError(error)
      failure.hint = "Give it to another role with REASSIGN OWNED, or revoke the right, and run it again."
      throw failure
    }
  }

  private func audit(_ protection: Protection, isOff: Bool) throws {
    let prefix = try protection.roles ? prefix(of: protection) : nil
    try audit(
      .protect,
      .store,
      "'roles', \(prefix), 'immutability', \(protection.immutability), 'off', \(isOff)"
    )
  }

  private func requireTable() throws {
    let kind = try connection.query(
      "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(\(table.sql))"
    )
    guard let kind = kind.first({ $0.string("relkind") }) else { throw EventsTable.missing(table) }
    guard ["r", "p"].contains(kind) else {
      throw EventStoreError(
        .invalidDefinition,
        "\(table) is not a table, so it cannot be protected",
        hint: "Protect the table that has its events."
      )
    }
  }

  private func steps(of protection: Protection, isOff: Bool) throws -> [InitializationResult.Step] {
    var steps: [InitializationResult.Step] = []
    if protection.roles {
      let roles = try StoreRoles(of: self, prefix: prefix(of: protection))
      steps += try isOff ? roles.removal(self) : roles.creation(self)
    }
    if protection.immutability { steps += try isOff ? mutability() : immutability() }
    return steps
  }

  private func prefix(of protection: Protection) throws -> String {
    try protection.prefix ?? connection.query("SELECT current_database()::text").string(0, 0)
  }

  // MARK: - Triggers

  private struct ProtectedTable {
    let name: String
    let isPartition: Bool
    let isProtected: Bool
    let hasTriggers: Bool
  }

  private func protectedTables(_ table: String) throws -> [ProtectedTable] {
    try connection.query(SQLTemplate.protectedTables.sql, [.text(table)]).map { row in
      ProtectedTable(
        name: row.string("name"),
        isPartition: row.bool("is_partition"),
        isProtected: row.int64("enabled") == Self.triggers.count,
        hasTriggers: row.int64("triggers") > 0
      )
    }
  }

  /// Names and events of the triggers.
  private static let triggers = [
    (name: "annals_immutable", timing: "BEFORE UPDATE OR DELETE", level: "ROW"),
    (name: "annals_not_truncated", timing: "BEFORE TRUNCATE", level: "STATEMENT"),
  ]
  /// What was done to the events, and to which of them.
  private static let records = ["annals.audit", "annals.redactions"]
  private static let namesOfRecords = records.joined(separator: " and ")

  private func immutability() throws -> [InitializationResult.Step] {
    let archive = try findArchive().map { [$0.name.sql] } ?? []
    let events = (table.description, [table.sql] + archive, quoteLiteral(table.description))
    return try [events, (Self.namesOfRecords, Self.records, "")].compactMap { title, names, argument in
      let tables = try names.flatMap { try protectedTables($0) }
      if tables.allSatisfy(\.isProtected) { return nil }
      let create = tables.flatMap { one in Self.triggers.map { Self.create($0, on: one, argument) } }
      return .init(title: "Refuse changes of \(title)", sql: (tables.map(Self.drop) + create).joined())
    }
  }

  /// The triggers of a new archive; empty for a store that is not protected.
  func protection(ofArchive name: QualifiedName) throws -> String {
    guard try protectedTables(table.sql).contains(where: \.hasTriggers) else { return "" }
    let archive = try protectedTables(name.sql)
    return archive.flatMap { one in
      Self.triggers.map { Self.create($0, on: one, quoteLiteral(table.description)) }
    }.joined()
  }

  /// ALWAYS: it also fires where `session_replication_role` lets others not.
  private static func create(
    _ trigger: (name: String, timing: String, level: String),
    on table: ProtectedTable,
    _ argument: String
  ) -> String {
    if table.isPartition, trigger.level == "ROW" { return "" }
    return """
      CREATE TRIGGER \(trigger.name) \(trigger.timing) ON \(table.name)
        FOR EACH \(trigger.level) EXECUTE FUNCTION annals.refuse_change(\(argument));
      ALTER TABLE \(table.name) ENABLE ALWAYS TRIGGER \(trigger.name);

      """
  }

  private static func drop(from table: ProtectedTable) -> String {
    triggers.filter { !table.isPartition || $0.level == "STATEMENT" }
      .map { "DROP TRIGGER IF EXISTS \($0.name) ON \(table.name);\n" }.joined()
  }

  private func mutability() throws -> [InitializationResult.Step] {
    let archive = try findArchive().map { try protectedTables($0.name.sql) } ?? []
    let tables = try protectedTables(table.sql) + archive
    guard tables.contains(where: \.hasTriggers) else { return [] }
    let others = try connection.query(
      """
      SELECT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = 'annals.refuse_change()'::regprocedure
        AND t.tgrelid <> ALL (\(Parameter.textArray(Self.records))::regclass[])
        AND t.tgrelid <> ALL (\(Parameter.textArray(tables.map(\.name)))::regclass[]))
      """
    ).bool(0, 0)
    // Another store of this database is still protected.
    let ended = try others ? tables : tables + Self.records.flatMap { try protectedTables($0) }
    return [
      .init(
        title: "Allow changes of \(table)" + (others ? "" : ", \(Self.namesOfRecords)"),
        sql: ended.map(Self.drop).joined()
      )
    ]
  }
}
