internal import LibPQ

/// The roles of a store, and their rights.
struct StoreRoles {
  private static let kinds = ["reader", "appender", "projector", "admin"]

  private let prefix: String
  /// Those that are there.
  private let existing: [String]
  /// What the templates share.
  private let common: [String: String]  // ASCII
  private let sequence: String?
  private let database: String

  /// - Throws: ``EventStoreError`` with code `failed` when there is a role of such a name that is not one of the store.
  init(of store: StoreConnection, prefix: String) throws {
    self.prefix = prefix
    let connection = store.connection
    let longest = Self.name(prefix, "projector")
    guard longest.utf8.count <= 63, !prefix.isEmpty else {
      throw EventStoreError(
        .invalidInput,
        "the name of role \(longest) is \(prefix.isEmpty ? "without a beginning" : "longer than 63 bytes")",
        hint: "Give another beginning of the names."
      )
    }
    let facts = try connection.query(
      "SELECT current_database()::text AS database, pg_get_serial_sequence(\(store.table.sql), 'position') AS sequence"
    )
    (database, sequence) = (facts[0].string("database"), facts[0].optionalString("sequence"))
    let comments = Self.kinds.map { Self.comment($0, of: store.table, in: facts[0].string("database")) }
    let names = Self.kinds.map { Self.name(prefix, $0) }
    let found = try connection.query(
      """
      SELECT r.rolname::text AS name, coalesce(shobj_description(r.oid, 'pg_authid') = k.comment, false) AS is_own
      FROM unnest(\(Parameter.textArray(names)), \(Parameter.textArray(comments))) AS k (name, comment)
      JOIN pg_roles r ON r.rolname = k.name
      """
    ).map { (name: $0.string("name"), isOwn: $0.bool("is_own")) }
    if let other = found.first(where: { !$0.isOwn }) {
      throw EventStoreError(
        .failed,
        "there is a role \(other.name) already, which is not one of \(store.table) in this database",
        hint: "Give another beginning of the names."
      )
    }
    existing = found.map(\.name)
    common = [
      "events": store.table.sql, "schema": quoteIdentifier(store.table.schema),
      "database": quoteIdentifier(database),
    ]
  }

  func creation(_ store: StoreConnection) throws -> [InitializationResult.Step] {
    var steps: [InitializationResult.Step] = []
    for kind in Self.kinds {
      let name = Self.name(prefix, kind)
      if existing.contains(where: { $0.hasSameBytes(as: name) }) { continue }
      let comment = quoteLiteral(Self.comment(kind, of: store.table, in: database))
      steps.append(
        .init(
          title: "Create role \(name)",
          sql:
            "CREATE ROLE \(quoteIdentifier(name)) NOLOGIN;\nCOMMENT ON ROLE \(quoteIdentifier(name)) IS \(comment);\n"
        )
      )
    }
    let events = try store.eventsTable()
    let columns =
      "id, aggregate_id, event_type, event_data, version, \"timestamp\""
      + (events.hasMetadata ? ", metadata" : "")
    var values = common
    for kind in Self.kinds { values[kind] = quoteIdentifier(Self.name(prefix, kind)) }
    values["columns"] = columns
    values["sequence_grants"] = sequenceGrants
    values["archive_grants"] = try archiveGrants(store)
    steps.append(
      .init(title: "Grant their rights to these roles", sql: SQLTemplate.grantRoles.filled(values))
    )
    return steps
  }

  private func archiveGrants(_ store: StoreConnection) throws -> String {
    guard let archive = try store.findArchive() else { return "" }
    let (reader, admin) = (Self.name(prefix, "reader"), Self.name(prefix, "admin"))
    return """
      GRANT SELECT ON \(archive.name.sql) TO \(quoteIdentifier(reader));
      GRANT INSERT, DELETE ON \(archive.name.sql) TO \(quoteIdentifier(admin));

      """
  }

  /// A reader finds out whether the sequence is behind the events; a restore moves it.
  private var sequenceGrants: String {
    guard let sequence else { return "" }
    let (reader, admin) = (Self.name(prefix, "reader"), Self.name(prefix, "admin"))
    return """
      GRANT SELECT ON SEQUENCE \(sequence) TO \(quoteIdentifier(reader));
      GRANT UPDATE ON SEQUENCE \(sequence) TO \(quoteIdentifier(admin));
      """
  }

  func removal(_ store: StoreConnection) throws -> [InitializationResult.Step] {
    guard !existing.isEmpty else { return [] }
    let roles = existing.map(quoteIdentifier).joined(separator: ", ")
    var values = common
    values["roles"] = roles
    values["archive_revokes"] =
      try store.findArchive().map { "REVOKE ALL ON \($0.name.sql) FROM \(roles);\n" } ?? ""
    values["sequence_revokes"] = sequence.map { "REVOKE ALL ON SEQUENCE \($0) FROM \(roles);\n" } ?? ""
    return [
      .init(
        title: "Drop roles \(existing.joined(separator: ", "))",
        sql: SQLTemplate.revokeRoles.filled(values)
      )
    ]
  }

  private static func name(_ prefix: String, _ kind: String) -> String { "\(prefix)_\(kind)" }

  /// By which a role is known as one of the store: roles belong to all databases.
  private static func comment(_ kind: String, of table: QualifiedName, in database: String) -> String {
    "annals: \(kind) of \(table) in database \(database)"
  }
}
