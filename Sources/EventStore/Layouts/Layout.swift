internal import LibPQ

/// How another framework's table of events is read: a query whose columns have the names and types of the store's.
///
/// A store that is read through a layout is never written to.
public struct Layout: Sendable {
  /// The name after `@layout`.
  public let name: String
  /// Which stores it reads, in one line; nil if the file does not say.
  public let about: String?
  /// The tables whose writers may still make events appear, in the order of the file. annals' own records are kept
  /// under the name of the first table.
  let tables: [QualifiedName]
  /// The values that are inserted into the SQL of the file, in the order of the file.
  public let parameters: [LayoutParameter]
  /// What makes positions final.
  let positions: Positions
  /// The version of a stream's first event, 0 or 1.
  let firstVersion: Int
  /// Whether a stream may begin later than with its first version, because the store's own rules remove old events.
  let mayBeginLater: Bool
  /// The parameters that make up the first table's name, if they do.
  let tableParameters: (schema: String?, name: String?)
  let path: String
  let bytes: [UInt8]
  /// The contents of the file.
  package var text: String { String(decoding: bytes, as: UTF8.self) }
  /// The FROM item that reads the events.
  let relation: String
  /// Distinguishes the layout from another file, or from one with other values: the file, and what differs from it.
  let identity: [UInt8]

  /// Reads a layout file.
  ///
  /// - Parameters:
  ///   - path: for messages.
  ///   - bytes: the contents of the file.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition`, and the line and column in its message.
  public init(path: String, bytes: [UInt8]) throws {
    do {
      try self.init(try SectionFile(name: path, bytes: bytes, rules: Self.sectionRules), [])
    } catch {
      throw EventStoreError(error)
    }
  }

  static let sectionRules = [
    SectionRule(keyword: "layout", argument: "NAME", body: .optional, isUnique: true, isRequired: true),
    SectionRule(keyword: "about", argument: "TEXT", body: .optional, isUnique: true),
    SectionRule(keyword: "parameter", argument: "NAME VALUE", body: .optional),
    SectionRule(keyword: "table", argument: "SCHEMA.NAME", body: .optional, isRequired: true),
    SectionRule(
      keyword: "positions",
      argument: "final|late|dense [SECONDS]",
      body: .optional,
      isUnique: true
    ),
    SectionRule(keyword: "first-version", argument: "0|1", body: .optional, isUnique: true),
    SectionRule(keyword: "may-begin-later", body: .optional, isUnique: true),
  ]

  init(_ file: SectionFile, _ values: [LayoutParameter]) throws(SQLFileError) {
    (path, bytes) = (file.name, file.bytes)
    name = try file.name(of: file.sections("layout")[0])
    about = file.sections("about").first?.argument
    var places = try LayoutPlaces(file, values)
    parameters = places.parameters
    tables = try Self.tables(of: file, &places)
    tableParameters = LayoutPlaces.parameters(ofTable: file.sections("table")[0].argument)
    if let section = file.sections("positions").first {
      guard let positions = Positions(try file.name(of: section)) else {
        throw file.error("@positions is final, late, dense or dense SECONDS", at: section.argumentLocation)
      }
      self.positions = positions
    } else {
      positions = .final
    }
    firstVersion = try Self.firstVersion(in: file)
    mayBeginLater = !file.sections("may-begin-later").isEmpty
    let statements = file.sections.flatMap(\.statements)
    guard let query = statements.first, statements.count == 1, query.isQuery else {
      throw file.error(
        "a layout is one SELECT",
        at: statements.dropFirst().first?.location ?? statements.first?.location ?? file.sections[0].location
      )
    }
    relation = "(\n\(try places.fill(query.text, at: query.location))\n)"
    try places.requireAllFilled()
    // No file contains a NUL byte.
    identity = bytes + places.changes.flatMap { Array("\0\($0.name)=\($0.value)".utf8) }
  }

  private static func firstVersion(in file: SectionFile) throws(SQLFileError) -> Int {
    guard let section = file.sections("first-version").first else { return 1 }
    guard let version = Int(section.argument), (0...1).contains(version) else {
      throw file.error("@first-version is 0 or 1", at: section.argumentLocation)
    }
    return version
  }

  private static func tables(
    of file: SectionFile,
    _ places: inout LayoutPlaces
  ) throws(SQLFileError) -> [QualifiedName] {
    var tables: [QualifiedName] = []
    for section in file.sections("table") {
      let text = try places.fill(section.argument, at: section.argumentLocation)
      tables.append(try file.table(text, of: section))
    }
    return tables
  }
}

extension EventsTable {
  /// The columns of a layout's query.
  static func find(_ layout: Layout, _ connection: Connection) throws -> EventsTable {
    let columns: (types: [ByteString: String], positionOrigin: ColumnOrigin?)
    do { columns = try resultColumns(of: layout, connection) } catch {
      guard error.sqlState?.utf8.starts(with: "42".utf8) == true else { throw error }
      if error.sqlState == SQLState.insufficientPrivilege { throw missingRight(error, layout, connection) }
      throw EventStoreError(
        .invalidDefinition,
        "\(layout.path) does not fit this database: \(error.message)",
        hint: error.hint.map { Hint($0) } ?? LayoutMatch.advice(for: layout, connection)
          ?? "Its tables may have other names or columns in this database; see \(.manual(.layoutFiles)).",
        sqlState: error.sqlState
      )
    }
    try check(
      columns.types,
      of: layout.path,
      hint: "Name and cast the columns of its SELECT; see \(.manual(.layoutFiles))."
    )
    return EventsTable(
      name: layout.tables[0],
      relation: layout.relation,
      types: columns.types,
      positionOrigin: columns.positionOrigin,
      firstVersion: layout.firstVersion,
      mayBeginLater: layout.mayBeginLater
    )
  }

  /// A layout may read more tables than it names with `@table`.
  private static func missingRight(
    _ error: PostgresError,
    _ layout: Layout,
    _ connection: Connection
  ) -> EventStoreError {
    let role = try? connection.query("SELECT current_user::text AS role").first { $0.string("role") }
    let (schema, reader) = (quoteIdentifier(layout.tables[0].schema), quoteIdentifier(role ?? "ROLE"))
    return EventStoreError(
      .permissionDenied,
      "\(layout.path): \(error.message)",
      detail: "The role must be able to read all tables that the layout reads.",
      hint: Hint(
        "GRANT USAGE ON SCHEMA \(schema) TO \(reader); GRANT SELECT ON ALL TABLES IN SCHEMA \(schema) TO \(reader);"
      ),
      sqlState: error.sqlState
    )
  }

  private static func resultColumns(
    of layout: Layout,
    _ connection: Connection
  ) throws(PostgresError) -> (types: [ByteString: String], positionOrigin: ColumnOrigin?) {
    let noRows = try connection.query("SELECT * FROM \(raw: layout.relation) e LIMIT 0")
    let columns = 0..<noRows.columnCount
    let numbers = Parameter.textArray(columns.map { "\(noRows.columnType($0))" })
    let names = try connection.strings(
      "SELECT format_type(t.oid::oid, NULL) FROM unnest(\(numbers)) WITH ORDINALITY AS t (oid, place) ORDER BY place"
    )
    var types: [ByteString: String] = [:]
    for column in columns { types[ByteString(noRows.columnName(column))] = names[column] }
    let position = columns.first { noRows.columnName($0).hasSameBytes(as: "position") }
    let origin = position.flatMap { noRows.columnOrigin($0) }
    return (types, origin.map { ColumnOrigin(table: $0.table, number: $0.number) })
  }
}

extension StoreConnection {
  /// Refuses to change a store of another framework.
  func requireOwn(_ purpose: String) throws { try Layout.requireOwn(foreign, purpose) }
}

extension Layout {
  static func requireOwn(_ foreign: Layout?, _ purpose: String) throws {
    guard let foreign else { return }
    throw EventStoreError(
      .invalidDefinition,
      "\(purpose) would write to a store that is read through layout \(foreign.name)",
      detail: "annals never writes to the store of another framework.",
      hint: "Omit \(.layout), and name a table of annals with \(.table())."
    )
  }
}
