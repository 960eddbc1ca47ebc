/// What one kind of section may look like.
package struct SectionRule: Sendable {
  package enum Presence: Sendable {
    case none, optional, required
  }

  package let keyword: String
  /// What follows the keyword, for messages: `NAME`. Nil if nothing may follow.
  package var argument: String?
  /// Whether it may be left out.
  package var isArgumentOptional = false
  package var body: Presence = .none
  /// At most one such section in a file.
  package var isUnique = false
  /// At least one such section in a file.
  package var isRequired = false
}

/// A file of sections. A comment line `-- @word argument` opens a section, which ends at the next such line.
///
/// Projections, reducers, upcasters and layouts have this form, so each file is SQL for psql and any editor. A line
/// inside a string, a dollar quote or a block comment opens nothing. Only comments may come before the first section.
package struct SectionFile: Sendable {
  package struct Section: Sendable {
    package let keyword: String
    package let argument: String
    package let location: SQLLocation
    package let argumentLocation: SQLLocation
    package let statements: [SQLStatement]
  }

  /// The name to use in messages: the path as the operator gave it.
  package let name: String
  /// The whole file as read; its hash tells whether a stored checkpoint still belongs to it.
  package let bytes: [UInt8]
  package let sections: [Section]

  package init(name: String, bytes: [UInt8], rules: [SectionRule]) throws(SQLFileError) {
    self.name = name
    self.bytes = bytes
    try Self.checkEncoding(bytes, file: name)
    let tokens = try SQLLexer.tokens(of: bytes, file: name)
    let starts = tokens.indices.filter { Self.opensSection(tokens[$0], in: bytes) }
    let preamble = tokens[..<(starts.first ?? tokens.endIndex)]
    if let stray = preamble.first(where: { $0.kind != .comment }) {
      throw SQLFileError(
        file: name,
        location: stray.location,
        message: "SQL before the first section",
        hint: "Begin the file with \"\(Self.example(of: rules))\"."
      )
    }
    var sections: [Section] = []
    for (start, end) in zip(starts, starts.dropFirst() + [tokens.endIndex]) {
      let statements = try SQLStatement.split(tokens[(start + 1)..<end], of: bytes, file: name)
      try Self.requireOneTransaction(statements, file: name)
      let section = Section(opening: tokens[start], in: bytes, statements: statements)
      try Self.check(section, after: sections, rules: rules, file: name)
      sections.append(section)
    }
    if let missing = rules.first(where: { rule in
      rule.isRequired && !sections.contains { $0.keyword == rule.keyword }
    }) {
      throw SQLFileError(
        file: name,
        location: SQLLocation(line: 1, column: 1),
        message: "no @\(missing.keyword) section",
        hint: "Add a line \"\(Self.example(of: [missing]))\"."
      )
    }
    self.sections = sections
  }

  package func sections(_ keyword: String) -> [Section] { sections.filter { $0.keyword == keyword } }

  /// The path of a file that a section names: relative to the folder of this one.
  func path(of name: String) -> String {
    let folder = self.name.unicodeScalars.lastIndex(of: "/").map { self.name.unicodeScalars[...$0] }
    return name.utf8.first == UInt8(ascii: "/") ? name : (folder.map { String($0) } ?? "") + name
  }

  /// An error at the section's keyword, or at its argument.
  package func error(
    _ message: String,
    at location: SQLLocation,
    hint: String? = nil
  ) -> SQLFileError {
    SQLFileError(file: name, location: location, message: message, hint: hint)
  }
}

extension SectionFile {
  private static func checkEncoding(_ bytes: [UInt8], file: String) throws(SQLFileError) {
    let invalid: Int?
    let message: String
    do {
      _ = try UTF8Span(validating: bytes.span)
      invalid = bytes.firstIndex(of: 0)
      message = "a NUL byte"
    } catch {
      invalid = error.byteOffsets.lowerBound
      message = "not UTF-8"
    }
    guard let invalid else { return }
    let before = String(decoding: bytes[..<invalid], as: UTF8.self).unicodeScalars
    let line = before.count { $0 == "\n" } + 1
    let column = before.reversed().prefix { $0 != "\n" }.count + 1
    throw SQLFileError(
      file: file,
      location: SQLLocation(line: line, column: column),
      message: message,
      hint: "Save the file as UTF-8 text."
    )
  }

  /// annals runs the SQL of a file in its own transaction, which moves a checkpoint or is rolled back.
  private static func requireOneTransaction(
    _ statements: [SQLStatement],
    file: String
  ) throws(SQLFileError) {
    for statement in statements where statement.controlsTransaction {
      throw SQLFileError(
        file: file,
        location: statement.location,
        message: "\(statement.keyword) controls the transaction, which a file may not do",
        hint: "Remove it: all changes of the file are committed with the checkpoint, or rolled back."
      )
    }
  }

  /// There may only be blanks before the comment, and a letter follows the `@`.
  private static func opensSection(_ token: SQLToken, in bytes: [UInt8]) -> Bool {
    let text = bytes[token.range]
    guard token.kind == .comment, text.starts(with: "--".utf8) else { return false }
    let beforeOnLine = bytes[..<token.range.lowerBound].reversed().prefix { $0 != UInt8(ascii: "\n") }
    guard beforeOnLine.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) else {
      return false
    }
    let content = String(decoding: text.dropFirst(2), as: UTF8.self).trimmed
    let scalars = content.unicodeScalars
    return scalars.first == "@" && scalars.dropFirst().first?.properties.isAlphabetic == true
  }

  private static func example(of rules: [SectionRule]) -> String {
    guard let rule = rules.first else { return "" }
    return "-- @\(rule.keyword)\(rule.argument.map { " \($0)" } ?? "")"
  }

  private static func check(
    _ section: Section,
    after earlier: [Section],
    rules: [SectionRule],
    file: String
  ) throws(SQLFileError) {
    func failure(_ message: String, hint: String? = nil) -> SQLFileError {
      SQLFileError(file: file, location: section.location, message: message, hint: hint)
    }
    let keyword = "@\(section.keyword)"
    guard let rule = rules.first(where: { $0.keyword == section.keyword }) else {
      let known = rules.map(\.keyword)
      throw failure(
        "unknown section \(keyword)",
        hint: nearest(to: section.keyword, among: known).map { "Did you mean @\($0)?" }
          ?? "Known sections: \(known.map { "@\($0)" }.joined(separator: ", "))."
      )
    }
    if let first = earlier.first(where: { $0.keyword == section.keyword }), rule.isUnique {
      throw failure("second \(keyword) section; the first is on line \(first.location.line)")
    }
    if let argument = rule.argument, section.argument.isEmpty, !rule.isArgumentOptional {
      throw failure("\(keyword) needs \(argument)", hint: "Write \"\(example(of: [rule]))\".")
    }
    if rule.argument == nil, !section.argument.isEmpty {
      throw failure("\(keyword) takes nothing after it, found \"\(section.argument)\"")
    }
    if rule.body == .required, section.statements.isEmpty {
      throw failure("\(keyword) has no SQL")
    }
    if rule.body == .none, let stray = section.statements.first {
      throw SQLFileError(
        file: file,
        location: stray.location,
        message: "\(keyword) takes no SQL",
        hint: "Put a section such as \"-- @create\" before it."
      )
    }
  }

  /// The word with the fewest changes to `word` (Levenshtein distance), if two or fewer are enough.
  package static func nearest(to word: String, among candidates: [String]) -> String? {
    candidates.map { ($0, distance(word, $0)) }.filter { $0.1 <= 2 }.min { $0.1 < $1.1 }?.0
  }

  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in right.indices {
        let substitution = diagonal + (character == right[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}

extension SectionFile.Section {
  fileprivate init(opening token: SQLToken, in bytes: [UInt8], statements: [SQLStatement]) {
    let line = String(decoding: bytes[token.range], as: UTF8.self)
    let afterSign = line[line.unicodeScalars.firstIndex(of: "@")!...].unicodeScalars.dropFirst()
    let keyword = afterSign.prefix { !$0.properties.isWhitespace }
    let argument = Substring(afterSign[keyword.endIndex...]).trimmed
    let argumentStart = argument.isEmpty ? line.startIndex : argument.startIndex
    self.keyword = String(keyword)
    self.argument = String(argument)
    self.location = token.location
    self.argumentLocation = SQLLocation(
      line: token.location.line,
      column: token.location.column + line.unicodeScalars[..<argumentStart].count
    )
    self.statements = statements
  }
}

extension StringProtocol {
  /// Without white space at the ends.
  package var trimmed: SubSequence {
    let start = unicodeScalars.drop(while: \.properties.isWhitespace)
    let end = start.lastIndex { !$0.properties.isWhitespace }.map(start.index(after:)) ?? start.startIndex
    return self[start.startIndex..<end]
  }
}
