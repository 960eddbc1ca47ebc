internal import LibPQ

/// A layout that is made of the columns of one table, by their names and types.
struct NamedColumns {
  private struct Column {
    let name: String
    let type: String
    let isCounted: Bool

    var sql: String { "e.\(quoteIdentifier(name))" }
  }

  private let table: QualifiedName
  private let columns: [Column]
  private let given: [LayoutParameter]

  /// The columns of a store, in the order of its table. The id can be derived, and the last two may be missing.
  private static let names = [
    "id", "aggregate_id", "event_type", "event_data", "version", "timestamp", "metadata", "position",
  ]
  private static let optional = ["id", "metadata", "position"]

  /// - Parameter given: the store's names, and the names of the table's columns if they differ.
  /// - Throws: ``EventStoreError`` with code `notFound` without such a table, `invalidDefinition` if a name is wrong.
  init(of table: QualifiedName, _ given: [LayoutParameter], _ connection: Connection) throws {
    (self.table, self.given) = (table, given)
    columns = try connection.query(
      SQLTemplate.tableColumns.sql,
      [.text(table.schema), .text(table.name)]
    ).map { Column(name: $0.string("name"), type: $0.string("type"), isCounted: $0.bool("is_counted")) }
    guard !columns.isEmpty else { throw EventsTable.missing(table) }
    // A line of the file ends at a line break.
    guard table.sql.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
      throw EventStoreError(
        .invalidDefinition,
        "a control character in the name of a table is not for a layout"
      )
    }
    for (index, parameter) in given.enumerated() {
      if !Self.names.contains(where: { $0.hasSameBytes(as: parameter.name) }) {
        let near = SectionFile.nearest(to: parameter.name, among: Self.names).map { "Did you mean '\($0)'? " }
        throw EventStoreError(
          .invalidDefinition,
          "events have no column '\(parameter.name)'",
          hint: "\(near ?? "")Their columns: \(Self.names.joined(separator: ", "))."
        )
      }
      if given[..<index].contains(where: { $0.name.hasSameBytes(as: parameter.name) }) {
        throw EventStoreError(.invalidDefinition, "column \(parameter.name) is named twice")
      }
    }
  }

  /// The file of the layout.
  func file() throws -> String {
    var items: [String] = []
    for name in Self.names { items += try item(name).map { [$0] } ?? [] }
    if let aggregate = try column("aggregate_id"), aggregate.type == "uuid" {
      items.append("\(aggregate.sql) AS \(EventsTable.aggregateKey)")
    }
    // For other numbers, locks do not tell which may still appear.
    let isFinal = try column("position").map(\.isCounted) ?? true
    return """
      -- @layout \(table.name)
      -- @table \(table.sql)
      \(isFinal ? "" : "-- @positions late\n")SELECT \(items.joined(separator: ",\n       "))
      FROM \(table.sql) AS e

      """
  }

  private func column(_ name: String) throws -> Column? {
    let wanted = given.first { $0.name.hasSameBytes(as: name) }
    if let column = columns.first(where: { $0.name.hasSameBytes(as: wanted?.value ?? name) }) {
      return column
    }
    if wanted == nil, Self.optional.contains(where: { $0.hasSameBytes(as: name) }) { return nil }
    throw EventStoreError(
      .invalidDefinition,
      "table \(table) has no column \(wanted?.value ?? name)",
      hint: wanted == nil ? "Name the one that holds it: \(name)=COLUMN." : nil
    )
  }

  private func item(_ name: String) throws -> String? {
    guard let column = try column(name) else { return name == "id" ? try madeID() : nil }
    guard let expression = Self.expression(name, column.sql, column.type) else {
      throw EventStoreError(
        .invalidDefinition,
        "column \(column.name) of \(table) is \(column.type), which cannot be \(name)",
        hint: "Write a layout with a SELECT that makes it one; see \(.manual(.layoutFiles))."
      )
    }
    return "\(expression) AS \(quoteIdentifier(name))"
  }

  /// Derived from the stream and the version, as in other layouts.
  private func madeID() throws -> String? {
    guard let aggregate = try column("aggregate_id"), let version = try column("version") else { return nil }
    return "md5(\(aggregate.sql)::text || ' ' || \(version.sql))::uuid AS \"id\""
  }

  /// A column converted to what the store has under that name; nil if its type does not allow that.
  private static func expression(_ name: String, _ column: String, _ type: String) -> String? {
    let isText = ["text", "character varying", "character"].contains(type)
    let isWhole = ["smallint", "integer", "bigint"].contains(type)
    switch name {
    case "id":
      if type == "uuid" { return column }
      if isWhole { return "lpad(to_hex(\(column)), 32, '0')::uuid" }
      // Another text is replaced by its MD5.
      let form = "'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'"
      return isText ? "CASE WHEN \(column) ~ \(form) THEN \(column) ELSE md5(\(column)) END::uuid" : nil
    case "aggregate_id", "event_type":
      if ["text", "character varying"].contains(type) { return column }
      return isWhole || isText || type == "uuid" ? "\(column)::text" : nil
    case "event_data", "metadata":
      if type == "jsonb" { return column }
      if type == "bytea" { return "convert_from(\(column), 'UTF8')::jsonb" }
      return isText || type == "json" ? "\(column)::jsonb" : nil
    case "version":
      return type == "integer" ? column : isWhole || type == "numeric" ? "\(column)::integer" : nil
    case "timestamp":
      if type.utf8.starts(with: "timestamp with".utf8) { return column }
      return isText || type == "date" ? "\(column)::timestamptz" : nil
    default:
      return type == "bigint" ? column : isWhole ? "\(column)::bigint" : nil
    }
  }
}
