package import LibPQ

/// A `CREATE FUNCTION` in PL/pgSQL, or a query, that contains statements of an operator's file. It maps the places in
/// the server's error messages back to that file.
///
/// The operator's lines are copied whole and padded so that every character keeps its column; what the
/// generator adds is on lines of its own, or after the end of a statement.
package struct GeneratedCode: Sendable, Equatable {
  package let file: String
  /// Empty for a query.
  package let functionName: String
  /// The whole command.
  package let sql: String
  /// The values of a query.
  package let parameters: [Parameter]
  /// The line of the file for each line of `sql`; nil for lines of the generator.
  package let fileLines: [Int?]
  /// The line of `sql` that PL/pgSQL calls line 1: the one with the opening dollar quote.
  package let firstBodyLine: Int

  /// The place in the operator's file of an error, if the server tells it.
  package func location(of error: PostgresError) -> SQLLocation? {
    if let position = error.position {
      let place = Self.place(of: position, in: sql)
      return fileLine(ofLine: place.line).map { SQLLocation(line: $0, column: place.column) }
    }
    guard let context = error.context, let line = bodyLine(in: context) else { return nil }
    if let query = error.internalQuery, let position = error.internalPosition, isInnermost(in: context) {
      let place = Self.place(of: position, in: query)
      if place.line > 1, let fileLine = fileLine(ofBodyLine: line + place.line - 1) {
        return SQLLocation(line: fileLine, column: place.column)
      }
    }
    return fileLine(ofBodyLine: line).map { SQLLocation(line: $0, column: 1) }
  }

  /// The place in the operator's file that a context names, by line: PL/pgSQL tells the first line of a statement.
  package func location(inContext context: String) -> SQLLocation? {
    bodyLine(in: context).flatMap(fileLine(ofBodyLine:)).map { SQLLocation(line: $0, column: 1) }
  }

  /// The server's message with its place in the operator's file; nil if it is not about a line of that file.
  package func fileError(for error: PostgresError) -> SQLFileError? {
    location(of: error).map {
      SQLFileError(file: file, location: $0, message: error.message, hint: error.hintInFile)
    }
  }

  private func fileLine(ofBodyLine line: Int) -> Int? { fileLine(ofLine: line + firstBodyLine - 1) }

  private func fileLine(ofLine line: Int) -> Int? {
    fileLines.indices.contains(line - 1) ? fileLines[line - 1] : nil
  }

  /// Reads N from `PL/pgSQL function pg_temp_3.annals_apply(bigint,bigint) line N at SQL statement` or from
  /// `compilation of PL/pgSQL function "annals_apply" near line N`.
  private func bodyLine(in context: String) -> Int? {
    for scalars in context.unicodeScalars.split(separator: "\n") where isOurs(scalars) {
      let words = scalars.split(separator: " ").map(String.init)
      guard let label = words.lastIndex(where: { $0 == "line" }), label + 1 < words.endIndex else { continue }
      return Int(words[label + 1])
    }
    return nil
  }

  private func isInnermost(in context: String) -> Bool {
    context.unicodeScalars.split(separator: "\n").first.map(isOurs) ?? false
  }

  private func isOurs(_ line: Substring.UnicodeScalarView) -> Bool {
    [".\(functionName)(", " \(functionName)(", "\"\(functionName)\""].contains {
      line.contains($0.unicodeScalars)
    }
  }

  private static func place(of position: Int, in text: String) -> (line: Int, column: Int) {
    let before = text.unicodeScalars.prefix(max(0, position - 1))
    return (
      before.count { $0 == "\n" } + 1,
      before.reversed().prefix { $0 != "\n" }.count + 1
    )
  }
}

extension GeneratedCode {
  /// Writes the lines of one function.
  package struct Builder {
    private var lines: [String] = []
    private var parameters: [Parameter] = []
    private var fileLines: [Int?] = []

    package init() {}

    package mutating func add(_ text: String) {
      for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
        lines.append(String(line))
        fileLines.append(nil)
      }
    }

    /// Adds a part of a query, with its values.
    mutating func add(sql: SQL) {
      add(sql.text(after: parameters.count))
      parameters += sql.parameters
    }

    /// Adds a statement of the file.
    ///
    /// - Parameters:
    ///   - prefix: lines before it; an error there is reported at the statement's first line.
    ///   - blanked: words to replace by blanks, since the prefix has them.
    package mutating func add(
      _ statement: SQLStatement,
      prefix: [String] = [],
      blanked: [SQLStatement.Word] = [],
      suffix: String = ";"
    ) {
      for line in prefix {
        lines.append(line)
        fileLines.append(statement.location.line)
      }
      var text = Array(statement.text.utf8)
      for word in blanked {
        let range = word.offset..<(word.offset + word.text.utf8.count)
        text.replaceSubrange(range, with: repeatElement(UInt8(ascii: " "), count: range.count))
      }
      let padding = String(repeating: " ", count: statement.location.column - 1)
      let copied = (padding + String(decoding: text, as: UTF8.self) + suffix)
        .unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in copied.enumerated() {
        lines.append(String(line))
        fileLines.append(statement.location.line + index)
      }
    }

    /// The lines as one query.
    func query(file: String) -> GeneratedCode {
      GeneratedCode(
        file: file,
        functionName: "",
        sql: lines.joined(separator: "\n"),
        parameters: parameters,
        fileLines: fileLines,
        firstBodyLine: 1
      )
    }

    package func function(
      _ name: String,
      arguments: String,
      returns: String,
      file: String
    ) -> GeneratedCode {
      let body = quoteDollar("\n" + lines.joined(separator: "\n") + "\n")
      let header =
        "CREATE OR REPLACE FUNCTION pg_temp.\(name)(\(arguments)) RETURNS \(returns)\nLANGUAGE plpgsql AS "
      return GeneratedCode(
        file: file,
        functionName: name,
        sql: header + body,
        parameters: [],
        fileLines: [nil, nil] + fileLines + [nil],
        firstBodyLine: 2
      )
    }
  }
}
