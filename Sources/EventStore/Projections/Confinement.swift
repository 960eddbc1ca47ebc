internal import LibPQ

/// Where the statements of a projection file find names without a schema, and what they may write to.
struct Confinement: Sendable, Hashable {
  /// Where the tables of the read model are now.
  let schema: String
  /// The read model's relations, quoted as in SQL; nil for a schema that holds nothing else.
  var relations: [String]?
  /// Further schemas of the search path, from `@search_path`.
  let searchPath: [String]
  /// Further tables that may be written to, from `@writes`.
  let writes: [QualifiedName]

  /// That of a read model that grows in a schema of its own.
  init(_ file: Projection, in schema: String) {
    self.schema = schema
    searchPath = file.searchPath
    writes = file.writes
  }

  /// Names in schemas that hold nothing of a read model, for what only reads.
  init(reading schema: String, _ searchPath: [String]) {
    self.schema = schema
    self.searchPath = searchPath
    writes = []
  }

  /// The same, where names are also looked up in another schema, after its own.
  func alsoReading(_ other: String) -> Confinement { Confinement(reading: schema, searchPath + [other]) }

  /// The read model's schema, those of `@search_path`, and last what is temporary, which so hides nothing. PostgreSQL
  /// itself puts pg_catalog before them.
  fileprivate var path: String {
    (([schema] + searchPath).map(quoteIdentifier) + ["pg_temp"]).joined(separator: ", ")
  }

  /// Schemas of the path in which others may have made something.
  fileprivate var sharedSchemas: [String] { (relations == nil ? [] : [schema]) + searchPath }
}

extension Generation {
  /// What the statements of its file are confined to, where its tables are now.
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

  /// Runs statements of a projection file in the current transaction, and then has the server tell what they did.
  ///
  /// The server is the judge, as what a function, a trigger or a rule does cannot be read in the file: to change a
  /// relation takes a lock that is kept to the end of the transaction. A setting that the statements changed is told by
  /// its value, and a transaction that they ended by its number.
  ///
  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - defining: whether the statements make objects, so that those are looked at too.
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

  /// Has deferred triggers act now, where the server is still asked what they did, and not at the commit.
  func fireDeferred() throws(PostgresError) { try execute("SET CONSTRAINTS ALL IMMEDIATE") }

  /// Looks names without a schema up as the statements of a file do, to the end of the transaction; for what is read
  /// only.
  func useNames(of confinement: Confinement, _ path: String) throws {
    try requireOwnMeaning(of: confinement, path)
    _ = try enter(confinement.path)
  }

  /// Looks names without a schema up in these schemas, to the end of the transaction; for statements of our own.
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

/// What a session is like: settings that decide what a statement means or may do, and its transaction.
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

  /// Goes back to the session's own path.
  ///
  /// - Returns: what is no longer as it was. Every name is qualified, as the path is not ours yet.
  private func leave(_ state: SessionState) throws -> [String] {
    let now = try SessionState(query(Self.stateQuery(setting: Self.ownPath, first: false), prepared: true))
    return SessionState.facts.indices.filter { now.values[$0] != state.values[$0] }
      .map { SessionState.facts[$0].name }
  }

  /// The server computes the columns from left to right: the path is set before the facts are read, or after.
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
  /// The numbers of all relations; nil where the statements make none.
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

  /// The first of what was changed since then and is not of the read model, nor was before it was dropped.
  func change(since before: Footprint) -> String? {
    others.filter { before.others[$0.key]?.state != $0.value.state && !before.own.contains($0.key) }
      .filter { $0.value.name != nil || before.mayHaveHad($0.key) }
      .map { $0.value.name ?? "a table that they drop" }.min()
  }

  /// A statement that rewrites a table makes another one and drops it: ALTER TABLE, and from PostgreSQL 17 on CREATE
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
        // Planning it takes longer than running it, and a projection that is kept current runs it for every few events.
        prepared: true
      ),
      defining: defining
    )
  }

  /// Refuses a schema of the path where another role made a function or an operator with the name of one of
  /// PostgreSQL's: it would be called instead where its types fit better.
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
