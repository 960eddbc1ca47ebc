internal import LibPQ

/// The table with the archived events of a store, which has the columns and the indexes of the table that they were in.
struct ArchiveTable: Sendable, Hashable {
  let name: QualifiedName
  /// The FROM item that reads the events of the store together with the archived ones. The planner takes it apart, so each
  /// of the two tables uses its indexes.
  let union: String

  init(_ name: QualifiedName, of events: EventsTable) {
    self.name = name
    let selects = [events.name, name].map { "SELECT \(events.storedColumns) FROM \($0.sql)" }
    union = "(\(selects.joined(separator: " UNION ALL ")))"
  }

  /// The name that an archive gets.
  static func defaultName(of table: QualifiedName) -> QualifiedName {
    QualifiedName(schema: table.schema, name: "\(table.name)_archive")
  }
}

extension EventsTable {
  /// The columns that are stored, in the order in which rows are moved.
  var storedColumns: String {
    "id, aggregate_id, event_type, event_data, version, \"timestamp\""
      + (hasMetadata ? ", metadata" : "") + (hasPosition ? ", position" : "")
  }
}

extension StoreConnection {
  /// The archive of the store; nil without one, or when the role may not read where that is written.
  func findArchive() throws -> ArchiveTable? {
    guard foreign == nil, try connection.canReadOwnTables(["archives"]) else { return nil }
    let found = try connection.query("SELECT archive FROM annals.archives WHERE store = \(table.description)")
    guard let text = found.first({ $0.string("archive") }), let name = QualifiedName(text),
      let events = try EventsTable.find(table, connection)
    else { return nil }
    guard let archived = try EventsTable.find(name, connection) else {
      throw EventStoreError(
        .invalidDefinition,
        "the archive \(name) of \(table) is gone",
        hint: "Restore it from a backup. If its events may be lost, delete its row from annals.archives."
      )
    }
    guard !events.hasMetadata || archived.hasMetadata, !events.hasPosition || archived.hasPosition else {
      throw EventStoreError(
        .invalidDefinition,
        "the archive \(name) lacks a column that \(table) has",
        hint: "Add the column to it."
      )
    }
    return ArchiveTable(name, of: events)
  }

  /// Creates the archive, with the indexes of the table and the right to read it for those who may read the table.
  func createArchive(_ events: EventsTable) throws -> ArchiveTable {
    let name = ArchiveTable.defaultName(of: table)
    guard try EventsTable.find(name, connection) == nil else {
      throw EventStoreError(
        .invalidDefinition,
        "there is a table \(name) already, which is not the archive of \(table)",
        hint: "Rename it."
      )
    }
    // Positions stay those that the events had: no identity, and no default.
    try connection.execute(
      """
      CREATE TABLE \(name.sql) (LIKE \(table.sql) INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);
      COMMENT ON TABLE \(name.sql) IS \(quoteLiteral("Archived events of \(table)"))
      """
    )
    let readers = try connection.query(
      """
      SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS reader
      FROM pg_class c CROSS JOIN aclexplode(c.relacl) AS a
      WHERE c.oid = \(table.sql)::regclass AND a.privilege_type = 'SELECT'
      """
    ).map { $0.string("reader") }
    for reader in readers { try connection.execute("GRANT SELECT ON \(name.sql) TO \(reader)") }
    try connection.execute(protection(ofArchive: name))
    _ = try connection.query(
      "INSERT INTO annals.archives (store, archive) VALUES (\(table.description), \(name.sql))"
    )
    return ArchiveTable(name, of: events)
  }

  /// Adds to an error that something is missing that archived events were not searched.
  func addingArchive(to error: EventStoreError) -> EventStoreError {
    guard error.code == .notFound, error.hint == nil, archive == nil, (try? findArchive()) != nil else {
      return error
    }
    var error = error
    error.hint = "Archived events are read too with \(.includedArchive)."
    return error
  }
}
