internal import LibPQ

/// A relation, routine or type of a read model, as ALTER names it; it moves when the generations are swapped.
struct ReadModelObject: Sendable, Hashable, CustomStringConvertible {
  enum Kind: String, CaseIterable {
    case table = "TABLE"
    case view = "VIEW"
    case materializedView = "MATERIALIZED VIEW"
    case foreignTable = "FOREIGN TABLE"
    case sequence = "SEQUENCE"
    case routine = "ROUTINE"
    case type = "TYPE"
    case domain = "DOMAIN"
  }

  let kind: Kind
  /// Without the schema; quoted if SQL needs that.
  let name: String

  /// `KIND name`, the form in which annals.generations keeps it.
  var description: String { "\(kind.rawValue) \(name)" }

  init?(_ description: some StringProtocol) {
    // By bytes: a name may begin with a scalar that joins the blank before it.
    let text = description.utf8
    guard let kind = Kind.allCases.first(where: { text.starts(with: "\($0.rawValue) ".utf8) }) else {
      return nil
    }
    self.kind = kind
    name = String(decoding: text.dropFirst(kind.rawValue.utf8.count + 1), as: UTF8.self)
  }

  static func == (left: ReadModelObject, right: ReadModelObject) -> Bool {
    left.kind == right.kind && left.name.hasSameBytes(as: right.name)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(ByteString(name))
  }
}

extension Generation {
  /// All objects in one of its two schemas, with the same names in either.
  ///
  /// A routine is named with the types of its arguments, with their schemas if these are not in the search path.
  func present(in schema: String, _ connection: Connection) throws -> [ReadModelObject] {
    try connection.searching([schema, liveSchema, ownSchema]) { try connection.objects(in: schema) }
  }

  /// Gives this generation's objects the owners, grants, comments, policies and publications of the live ones.
  ///
  /// - Parameter keepsOwnGrants: whether the projection file grants rights itself. Otherwise rights that the live table
  ///   lacks come from the role's default privileges, and an operator may have revoked them.
  func takeOverProperties(keepsOwnGrants: Bool, _ connection: Connection) throws {
    for statement in try newOwners(connection) { try connection.execute(statement) }
    for statement in try newProperties(keepsOwnGrants, connection) { try connection.execute(statement) }
  }

  /// What ``takeOverProperties(keepsOwnGrants:_:)`` would run.
  func properties(keepsOwnGrants: Bool, _ connection: Connection) throws -> [String] {
    try newOwners(connection) + newProperties(keepsOwnGrants, connection)
  }

  private func newOwners(_ connection: Connection) throws -> [String] {
    try connection.strings(.liveOwners, [.text(liveSchema), .text(ownSchema)])
  }

  private func newProperties(_ keepsOwnGrants: Bool, _ connection: Connection) throws -> [String] {
    let parameters: [Parameter] = [.text(liveSchema), .text(ownSchema), .bool(keepsOwnGrants)]
    return try connection.strings(.liveProperties, parameters)
  }
}

extension Connection {
  /// All objects of a schema, tables before the views on them.
  func objects(in schema: String) throws -> [ReadModelObject] {
    try query(SQLTemplate.readModelObjects.sql, [.text(quoteIdentifier(schema))]).map { row in
      ReadModelObject("\(row.string("kind")) \(row.string("name"))")
    }.compactMap(\.self)
  }

  func move(_ object: ReadModelObject, from old: String, to new: String) throws {
    try execute(
      "ALTER \(object.kind.rawValue) \(quoteIdentifier(old)).\(object.name) SET SCHEMA \(quoteIdentifier(new))"
    )
  }

  /// Runs queries with their own search path.
  func searching<T>(_ schemas: [String], _ body: () throws -> T) throws -> T {
    try rolledBack {
      try setSearchPath(schemas)
      return try body()
    }
  }

  /// Sets the search path to the end of the transaction.
  func setSearchPath(_ schemas: [String]) throws(PostgresError) {
    try execute("SET LOCAL search_path = \(schemas.map(quoteIdentifier).joined(separator: ", "))")
  }

  /// The one text column of an embedded query.
  func strings(_ template: SQLTemplate, _ parameters: [Parameter]) throws(PostgresError) -> [String] {
    try query(template.sql, parameters).strings
  }

  /// The one text column of a query.
  func strings(_ sql: SQL) throws(PostgresError) -> [String] { try query(sql).strings }
}

extension QueryResult {
  /// The first column, whatever its name is.
  fileprivate var strings: [String] { (0..<rowCount).map { string($0, 0) } }
}
