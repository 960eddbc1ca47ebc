internal import LibPQ

/// Where the statements of a projection file find names without a schema, and which tables they may write to.
struct Confinement: Sendable, Hashable {
  /// The schema that has the tables of the read model now.
  let schema: String
  /// The read model's relations, quoted as in SQL; nil for a schema that holds nothing else.
  var relations: [String]?
  /// Further schemas of the search path, from `@search_path`.
  let searchPath: [String]
  /// Further tables that may be written to, from `@writes`.
  let writes: [QualifiedName]

  /// The one for a read model that is built in its own schema.
  init(_ file: Projection, in schema: String) {
    self.schema = schema
    searchPath = file.searchPath
    writes = file.writes
  }

  /// The one for reads: names in schemas that hold no read model.
  init(reading schema: String, _ searchPath: [String]) {
    self.schema = schema
    self.searchPath = searchPath
    writes = []
  }

  /// The same, with names also looked up in another schema, after the first.
  func alsoReading(_ other: String) -> Confinement { Confinement(reading: schema, searchPath + [other]) }

  /// The read model's schema, those of `@search_path`, and then temporary objects, which hide nothing in the last
  /// place. PostgreSQL itself puts pg_catalog before them.
  fileprivate var path: String {
    (([schema] + searchPath).map(quoteIdentifier) + ["pg_temp"]).joined(separator: ", ")
  }

  /// Schemas of the path in which other roles may have created objects.
  fileprivate var sharedSchemas: [String] { (relations == nil ? [] : [schema]) + searchPath }
}

extension Generation {
  /// The bounds of the statements of its file, with its tables where they are now.
  var confinement: Confinement {
    get throws {
      let file = try Projection(checking: path, Array(definition.utf8))
      var confinement = Confinement(file, in: schema)
      if state == .live { confinement.relations = objects.map(\.name) }
      return confinement
    }
  }
}

extension Connection {
  /// The search path of a session of a store; see ``Session``.
  static let ownPath = "pg_catalog, pg_temp"

  /// Runs statements of a projection file in the current transaction, and then asks the server what they did.
  ///
  /// The server decides, since the file does not show what a function, a trigger or a rule does: to change a relation
  /// takes a lock that is kept to the end of the transaction. A changed setting is found by its value, and a
  /// transaction that the statements ended by its number.
  ///
  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - defining: whether the statements create objects, so that these are examined too.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when they left their bounds; the caller rolls back.
  func confine<T>(
    _ confinement: Confinement,
    of path: String,
    defining: Bool = false,
    _ body: () throws -> T
  ) throws -> T {
    try requireOwnMeaning(of: confinement, path)
    let before = try footprint(confinement, defining)
    let session = try enter(confinement.path)
    let value = try body()
    if !defining { try fireDeferred() }
    let changed = try leave(session)
    guard changed.isEmpty else {
      throw EventStoreError(
        .invalidDefinition,
        "\(path): its statements change \(changed.joined(separator: ", ")) of the session",
        detail: "Their changes are rolled back.",
        hint: "Remove set_config and similar calls, also from functions."
      )
    }
    guard let object = try footprint(confinement, defining).change(since: before) else { return value }
    throw Self.strayWrite(to: object, path)
  }

  /// Runs deferred triggers now, while the server can still be asked what they did, instead of at the commit.
  func fireDeferred() throws(PostgresError) { try execute("SET CONSTRAINTS ALL IMMEDIATE") }

  /// Looks up names without a schema as the statements of a file do, to the end of the transaction; only for reads.
  func useNames(of confinement: Confinement, _ path: String) throws {
    try requireOwnMeaning(of: confinement, path)
    _ = try enter(confinement.path)
  }

  /// Looks up names without a schema in these schemas, to the end of the transaction; for annals' own statements.
  func useSchemas(_ schemas: String...) throws(PostgresError) {
    try execute("SET LOCAL search_path = \(schemas.map(quoteIdentifier).joined(separator: ", ")), pg_temp")
  }

  func useOwnPath() throws(PostgresError) { try execute("SET LOCAL search_path = \(Self.ownPath)") }

  private static func strayWrite(to object: String, _ path: String) -> EventStoreError {
    EventStoreError(
      .invalidDefinition,
      "\(path): its statements change or lock \(object), which is not part of the read model",
      detail: "Their changes are rolled back.",
      hint: "A projection cannot change events or the tables of annals."
        + " Name another table outside the read model in the file with '-- @writes SCHEMA.TABLE'."
    )
  }
}

// MARK: - The session

/// The state of a session: settings that decide what a statement means or may do, and its transaction.
private struct SessionState {
  static let facts: [(name: String, sql: String)] = [
    ("the search path", "pg_catalog.current_setting('search_path')"),
    ("the transaction", "pg_catalog.txid_current()::pg_catalog.text"),
    ("the role", "pg_catalog.concat(current_user, ' ', session_user)"),
    ("row_security", "pg_catalog.current_setting('row_security')"),
    ("session_replication_role", "pg_catalog.current_setting('session_replication_role')"),
    (
      "the format of values",
      """
      pg_catalog.concat_ws(' ', pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('DateStyle'),
        pg_catalog.current_setting('IntervalStyle'), pg_catalog.current_setting('extra_float_digits'),
        pg_catalog.current_setting('bytea_output'), pg_catalog.current_setting('standard_conforming_strings'))
      """
    ),
  ]

  let values: [String]

  /// - Parameter row: the one row of a query whose columns after the first are ``facts``, in their order.
  init(_ row: borrowing QueryResult) {
    values = Self.facts.indices.map { row.string(0, $0 + 1) }
  }
}

extension Connection {
  private func enter(_ path: String) throws -> SessionState {
    try SessionState(query(Self.stateQuery(setting: path, first: true), prepared: true))
  }

  /// Restores the session's own path.
  ///
  /// - Returns: what has changed. Every name is qualified, since the path is not ours yet.
  private func leave(_ state: SessionState) throws -> [String] {
    let now = try SessionState(query(Self.stateQuery(setting: Self.ownPath, first: false), prepared: true))
    return SessionState.facts.indices.filter { now.values[$0] != state.values[$0] }
      .map { SessionState.facts[$0].name }
  }

  /// The server computes the columns from left to right, so the path is set before the facts are read, or after.
  private static func stateQuery(setting path: String, first: Bool) -> SQL {
    let set: SQL = "pg_catalog.set_config('search_path', \(path), true)"
    let facts = SessionState.facts.map { SQL(raw: $0.sql) }
    let columns = first ? [set] + facts : ["NULL::pg_catalog.text"] + facts + [set]
    return "SELECT \(columns.joined(separator: ", "))"
  }
}

// MARK: - The server as the judge

/// What a transaction may have changed so far.
private struct Footprint {
  private struct Object: Hashable {
    let catalog: String
    let number: Int64
  }

  private var own: Set<Object> = []
  private var others: [Object: (name: String?, state: String)] = [:]
  /// The numbers of all relations; nil if the statements create none.
  private var relations: Set<Int64>?

  /// - Parameters:
  ///   - result: of `WritesElsewhere.sql`.
  ///   - defining: whether the statements make objects.
  init(_ result: borrowing QueryResult, defining: Bool) {
    if defining { relations = [] }
    for number in 0..<result.rowCount {
      let row = result[number]
      let object = Object(catalog: row.string("class"), number: row.int64("number"))
      if object.catalog == "there" {
        relations?.insert(object.number)
      } else if row.bool("is_own") {
        own.insert(object)
      } else {
        others[object] = (row.optionalString("name"), row.string("state"))
      }
    }
  }

  /// The first object that was changed since then and does not belong to the read model, nor did before it was dropped.
  func change(since before: Footprint) -> String? {
    others.filter { before.others[$0.key]?.state != $0.value.state && !before.own.contains($0.key) }
      .filter { $0.value.name != nil || before.mayHaveHad($0.key) }
      .map { $0.value.name ?? "a table that they drop" }.min()
  }

  /// A statement that rewrites a table creates another one and drops it: ALTER TABLE, and since PostgreSQL 17 CREATE
  /// MATERIALIZED VIEW.
  private func mayHaveHad(_ relation: Object) -> Bool { relations?.contains(relation.number) ?? true }
}

extension Connection {
  private func footprint(_ confinement: Confinement, _ defining: Bool) throws -> Footprint {
    try Footprint(
      query(
        SQLTemplate.writesElsewhere.filled(["defining": "\(defining)"]),
        [
          .text(confinement.schema), .textArray(confinement.relations ?? []),
          .bool(confinement.relations != nil),
          .textArray(confinement.writes.map(\.sql)),
        ],
        // Planning it takes longer than running it, and a projection that is kept current runs it every few events.
        prepared: true
      ),
      defining: defining
    )
  }

  /// Refuses a schema of the path in which another role created a function or an operator with the name of one of
  /// PostgreSQL's: if its types fit better, it would be called instead.
  private func requireOwnMeaning(of confinement: Confinement, _ path: String) throws {
    let schemas = confinement.sharedSchemas
    guard !schemas.isEmpty else { return }
    let others = try query(SQLTemplate.shadowingNames.sql, [.textArray(schemas)], prepared: true)
    guard let other = others.first({ $0.string("name") }) else { return }
    throw EventStoreError(
      .permissionDenied,
      "\(path): its statements could call \(other)",
      detail:
        "It has the name of one of PostgreSQL's, and belongs to neither this role, the schema's owner nor a superuser.",
      hint:
        "Drop it, or move the read model to a schema of its own with '-- @schema NAME'; see \(.manual(.diagnosis))."
    )
  }
}
