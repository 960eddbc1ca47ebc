internal import LibPQ

/// A name that a layout leaves open, such as that of a schema, and its value.
public struct LayoutParameter: Sendable, Hashable {
  /// The name after `@parameter`.
  public let name: String
  /// An identifier as PostgreSQL stores it, without quotes.
  public let value: String

  /// A value for a parameter of a layout.
  public init(name: String, value: String) {
    (self.name, self.value) = (name, value)
  }
}

extension LayoutParameter {
  /// Why PostgreSQL cannot have such an identifier; nil if it can.
  fileprivate var fault: String? {
    if value.isEmpty { return "is empty" }
    if value.utf8.contains(0) { return "contains a NUL byte" }
    return value.utf8.count > 63 ? "is longer than the 63 bytes of an identifier" : nil
  }
}

/// The parameters of a layout file, while they are inserted into its SQL.
///
/// A place is written as in psql, `:"name"`. The SQL is cut by the server's rules, so that nothing in a string, a
/// quoted identifier or a comment is a place; `::"type"`, a cast, is not a place either.
struct LayoutPlaces {
  private let file: SectionFile
  /// In the order of the file, with their values.
  private(set) var parameters: [LayoutParameter] = []
  /// The parameters whose value differs from the file.
  private(set) var changes: [LayoutParameter] = []
  private var filledNames: [String] = []

  /// - Parameter given: values that replace those of the file.
  init(_ file: SectionFile, _ given: [LayoutParameter]) throws(SQLFileError) {
    self.file = file
    for section in file.sections("parameter") {
      let parameter = try Self.parameter(of: section, in: file)
      if parameters.contains(where: { $0.name.hasSameBytes(as: parameter.name) }) {
        throw file.error("parameter \(parameter.name) is named twice", at: section.argumentLocation)
      }
      let used = given.last { $0.name.hasSameBytes(as: parameter.name) } ?? parameter
      parameters.append(used)
      if !used.value.hasSameBytes(as: parameter.value) { changes.append(used) }
    }
  }

  private static func parameter(
    of section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) -> LayoutParameter {
    let scalars = section.argument.unicodeScalars
    let name = String(scalars.prefix { !$0.properties.isWhitespace })
    let value = String(Substring(scalars.dropFirst(name.unicodeScalars.count)).trimmed)
    let parameter = LayoutParameter(name: name, value: value)
    guard
      name.unicodeScalars.allSatisfy({ ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" })
    else {
      throw file.error(
        "\"\(name)\" cannot name a parameter",
        at: section.argumentLocation,
        hint: "Use a-z, 0-9 and _."
      )
    }
    if let fault = parameter.fault {
      throw file.error(
        "the value of parameter \(name) \(fault)",
        at: section.argumentLocation,
        hint: "Write \"-- @parameter NAME VALUE\", as \"-- @parameter schema public\"."
      )
    }
    return parameter
  }

  /// The parameters that the schema and the name of a table are, if they are parameters.
  static func parameters(ofTable name: String) -> (schema: String?, name: String?) {
    let bytes = Array(name.utf8)
    let places = places(in: bytes)
    return (
      places.first { $0.range.lowerBound == 0 }?.name,
      places.first { $0.range.lowerBound > 0 && $0.range.upperBound == bytes.count }?.name
    )
  }

  /// The SQL with quoted identifiers in its places.
  ///
  /// - Parameter start: where the SQL begins in the file.
  mutating func fill(_ sql: String, at start: SQLLocation) throws(SQLFileError) -> String {
    let bytes = Array(sql.utf8)
    var filled: [UInt8] = []
    var end = 0
    for place in Self.places(in: bytes) {
      guard let parameter = parameters.first(where: { $0.name.hasSameBytes(as: place.name) }) else {
        let (line, column) = (place.location.line, place.location.column)
        throw file.error(
          "no parameter \(place.name)",
          at: SQLLocation(
            line: start.line + line - 1,
            column: line == 1 ? start.column + column - 1 : column
          ),
          hint: "Add a line \"-- @parameter \(place.name) VALUE\". A blank behind the colon makes it SQL."
        )
      }
      filled += bytes[end..<place.range.lowerBound] + Array(quoteIdentifier(parameter.value).utf8)
      end = place.range.upperBound
      filledNames.append(place.name)
    }
    return String(decoding: filled + bytes[end...], as: UTF8.self)
  }

  /// Refuses a parameter that has no place.
  func requireAllFilled() throws(SQLFileError) {
    for (section, parameter) in zip(file.sections("parameter"), parameters)
    where !filledNames.contains(where: { $0.hasSameBytes(as: parameter.name) }) {
      throw file.error(
        "parameter \(parameter.name) has no place",
        at: section.argumentLocation,
        hint: "Write :\"\(parameter.name)\" where its value belongs."
      )
    }
  }

  private typealias Place = (name: String, range: Range<Int>, location: SQLLocation)

  /// None if the text is not SQL.
  private static func places(in bytes: [UInt8]) -> [Place] {
    let tokens = (try? SQLLexer.tokens(of: bytes, file: "")) ?? []
    func isColon(_ index: Int, before next: Int) -> Bool {
      tokens.indices.contains(index) && tokens[index].kind == .symbol
        && bytes[tokens[index].range.lowerBound] == UInt8(ascii: ":")
        && tokens[index].range.upperBound == tokens[next].range.lowerBound
    }
    return tokens.indices.compactMap { index in
      let token = tokens[index]
      guard token.kind == .quoted, bytes[token.range.lowerBound] == UInt8(ascii: "\""),
        isColon(index - 1, before: index), !isColon(index - 2, before: index - 1)
      else { return nil }
      let colon = tokens[index - 1]
      let name = String(decoding: bytes[token.range].dropFirst().dropLast(), as: UTF8.self)
      return (name, colon.range.lowerBound..<token.range.upperBound, colon.location)
    }
  }
}

extension Layout {
  /// The layout with other values for its parameters, or for those that name its table.
  ///
  /// - Parameters:
  ///   - values: for any of the parameters.
  ///   - table: replaces the first `@table`, whose schema and name must be parameters, or equal the given ones.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when there is no such parameter, or its value cannot
  ///   be an identifier.
  public func setting(_ values: [LayoutParameter], table: QualifiedName? = nil) throws -> Layout {
    let values = values + (try table.map(valuesForTable) ?? [])
    for (index, value) in values.enumerated() {
      try require(value)
      if values[..<index].contains(where: { $0.name.hasSameBytes(as: value.name) }) {
        throw EventStoreError(.invalidDefinition, "parameter \(value.name) of layout \(name) is set twice")
      }
    }
    do {
      return try Layout(try SectionFile(name: path, bytes: bytes, rules: Self.sectionRules), values)
    } catch {
      throw EventStoreError(error)
    }
  }

  private func require(_ value: LayoutParameter) throws {
    let names = parameters.map(\.name)
    guard names.contains(where: { $0.hasSameBytes(as: value.name) }) else {
      let near = SectionFile.nearest(to: value.name, among: names).map { "Did you mean '\($0)'? " } ?? ""
      throw EventStoreError(
        .invalidDefinition,
        "layout \(name) has no parameter '\(value.name)'",
        hint: "\(near)\(names.isEmpty ? "It has none" : "Its parameters: \(names.joined(separator: ", "))")."
      )
    }
    if let fault = value.fault {
      throw EventStoreError(
        .invalidDefinition,
        "the value of parameter \(value.name) of layout \(name) \(fault)"
      )
    }
  }

  /// The values that make the first `@table` this table.
  private func valuesForTable(_ table: QualifiedName) throws -> [LayoutParameter] {
    let parts = [
      (tableParameters.schema, tables[0].schema, table.schema),
      (tableParameters.name, tables[0].name, table.name),
    ]
    return try parts.compactMap { parameter, value, wanted in
      if let parameter { return LayoutParameter(name: parameter, value: wanted) }
      if value.hasSameBytes(as: wanted) { return nil }
      throw EventStoreError(
        .invalidDefinition,
        "layout \(name) does not read table \(table)",
        detail: "Its table is \(tables[0]), of which \(value) is no parameter.",
        hint: "See \(.manual(.layoutFiles))."
      )
    }
  }
}
