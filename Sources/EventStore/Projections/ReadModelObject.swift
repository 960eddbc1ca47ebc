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
  /// Without the schema; quoted where SQL needs it.
  let name: String

  /// `KIND name`, the form in which annals.generations keeps it.
  var description: String { "\(kind.rawValue) \(name)" }

  init?(_ description: some StringProtocol) {
    guard let kind = Kind.allCases.first(where: { description.hasPrefix($0.rawValue + " ") }) else {
      return nil
    }
    self.kind = kind
    name = String(description.dropFirst(kind.rawValue.count + 1))
  }

  /// All objects of a schema, tables before the views on them.
  static func all(in schema: String, _ connection: Connection) throws -> [ReadModelObject] {
    let sql = embeddedSQL(PackageResources.ReadModelObjects_sql)
    let result = try connection.query(sql, [.text(quoteIdentifier(schema))])
    return (0..<result.rowCount).compactMap {
      ReadModelObject("\(result.string($0, 0)) \(result.string($0, 1))")
    }
  }

  func move(from old: String, to new: String, _ connection: Connection) throws {
    try connection.execute(
      "ALTER \(kind.rawValue) \(quoteIdentifier(old)).\(name) SET SCHEMA \(quoteIdentifier(new))"
    )
  }

  /// Views and foreign keys outside a read model that hang on its tables in a schema, as PostgreSQL describes them.
  static func dependents(
    on objects: [ReadModelObject],
    in schema: String,
    _ connection: Connection
  ) throws -> [String] {
    let sql = embeddedSQL(PackageResources.Dependents_sql)
    let names = Parameter.textArray(objects.map(\.name))
    let result = try connection.query(sql, [.text(quoteIdentifier(schema)), names])
    return (0..<result.rowCount).map { result.string($0, 0) }
  }
}
