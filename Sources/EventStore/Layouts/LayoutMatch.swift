internal import LibPQ

/// Tables of a framework that a shipped layout reads.
package struct LayoutMatch: Sendable, Hashable {
  /// The name of the layout.
  package let layout: String
  /// The values that its parameters need; those that are right by default are left out.
  package let parameters: [LayoutParameter]
  /// Other shipped layouts that read the same tables in another way.
  package let others: [String]
}

extension StoreConnection {
  /// The tables of other frameworks in this database, by schema and name.
  func findLayouts() throws -> [LayoutMatch] { try LayoutMatch.all(connection) }
}

extension LayoutMatch {
  /// The tables of other frameworks in this database, by schema and name.
  static func all(_ connection: Connection) throws -> [LayoutMatch] {
    try connection.query(SQLTemplate.detectLayouts.sql, []).map { row -> LayoutMatch? in
      guard let layout = Layout(shipped: row.string("layout")) else { return nil }
      let (schema, name) = (row.string("schema"), row.string("name"))
      return LayoutMatch(
        layout: layout.name,
        parameters: layout.parameters.compactMap { parameter in
          let value = parameter.name.hasSameBytes(as: "schema") ? schema : name
          return value.hasSameBytes(as: parameter.value)
            ? nil : LayoutParameter(name: parameter.name, value: value)
        },
        others: row.string("others").unicodeScalars.split(separator: ",").map { String($0) }
      )
    }.compactMap(\.self)
  }

  /// The advice if a layout does not fit, but its tables exist under other names; nil if they do not.
  static func advice(for layout: Layout, _ connection: Connection) -> Hint? {
    // After an error the transaction runs no further query.
    let matches = (try? all(connection)) ?? []
    let match = matches.first { match in
      ([match.layout] + match.others).contains { $0.hasSameBytes(as: layout.name) }
    }
    guard let match else { return nil }
    let command = Remedy.diagnose(layout: layout.name, setting: match.parameters)
    return "This database has such a store under other names: \(command)."
  }
}
