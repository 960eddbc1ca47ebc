internal import LibPQ

/// What files of projections and reducers have in common.
extension SectionFile {
  /// PostgreSQL cuts identifiers at 63 bytes, and annals adds a prefix and a generation to the name.
  private static let longestName = 40

  /// The name after `@keyword`, which may become part of an identifier.
  func definitionName(_ keyword: String) throws(SQLFileError) -> String {
    let section = sections(keyword)[0]
    let name = try name(of: section)
    let characters = name.unicodeScalars
    let isValid =
      characters.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" }
      && characters.first.map { !("0"..."9").contains($0) } ?? false
      && characters.count <= Self.longestName
    guard isValid else {
      throw error(
        "\"\(name)\" cannot name a \(keyword)",
        at: section.argumentLocation,
        hint: "Use a-z, 0-9 and _, not a digit first, \(Self.longestName) characters at most."
      )
    }
    return name
  }

  /// The number after `@version`; 1 without it.
  func definitionVersion() throws(SQLFileError) -> Int {
    guard let section = sections("version").first else { return 1 }
    let text = try name(of: section)
    guard let version = Int32(text), version > 0 else {
      throw error(
        "\"\(text)\" is not a version",
        at: section.argumentLocation,
        hint: "Use a whole number from 1."
      )
    }
    return Int(version)
  }

  /// The types after the keyword of a section.
  func eventTypes(of section: Section) throws(SQLFileError) -> [ByteString] {
    let words = try words(of: section)
    let types = words.map(\.type)
    guard !types.isEmpty else {
      throw error("@\(section.keyword) needs TYPE", at: section.argumentLocation)
    }
    if types.count > 1, types.contains(Self.anyType) {
      throw error(
        "* must be alone",
        at: section.argumentLocation,
        hint: "It takes every type that no other section handles."
      )
    }
    if let twice = types.indices.first(where: { types[..<$0].contains(types[$0]) }) {
      throw error("\(Self.word(types[twice])) is named twice", at: words[twice].location)
    }
    return types
  }

  /// The tables that sections name, each with its schema.
  package func tables(_ keyword: String) throws(SQLFileError) -> [QualifiedName] {
    var tables: [QualifiedName] = []
    for section in sections(keyword) { tables.append(try table(section.argument, of: section)) }
    return tables
  }

  /// The table of that name, which a section names or derives.
  func table(_ name: String, of section: Section) throws(SQLFileError) -> QualifiedName {
    guard section.argument.utf8.contains(UInt8(ascii: ".")), let table = QualifiedName(name) else {
      throw error(
        "\"\(section.argument)\" is not the name of a table with its schema",
        at: section.argumentLocation
      )
    }
    return table
  }
}

extension SQLStatement {
  /// Whether it returns rows and changes nothing.
  var isQuery: Bool {
    ["SELECT", "VALUES", "TABLE"].contains(mainKeyword) || text.utf8.first == UInt8(ascii: "(")
  }
}
