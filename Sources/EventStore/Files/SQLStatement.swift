/// One statement of a file, without its semicolon and without the comments before and after it.
package struct SQLStatement: Sendable, Equatable {
  package let text: String
  package let location: SQLLocation
  /// The words outside quotes, comments and parentheses, in upper case.
  package let words: [Word]

  package struct Word: Sendable, Equatable {
    package let text: String
    /// Where it begins, in bytes from the start of the statement.
    package let offset: Int
    /// Whether it follows a comma.
    package let followsComma: Bool
  }

  /// The statement's first word; empty if it begins with a parenthesis or another symbol.
  package var keyword: String { words.first.map { $0.offset == 0 ? $0.text : "" } ?? "" }

  /// The main word of a statement with a leading WITH clause: `INSERT` of `WITH … INSERT`.
  ///
  /// UPDATE and the like are not reserved, so they may also name a table of the WITH clause. Such a name follows WITH,
  /// RECURSIVE or a comma; the main statement never does.
  package var mainKeyword: String {
    guard keyword == "WITH" else { return keyword }
    var previous = "WITH"
    for word in words.dropFirst() {
      let isName = word.followsComma || previous == "WITH" || previous == "RECURSIVE"
      if !isName, Self.queryKeywords.contains(word.text) { return word.text }
      previous = word.text
    }
    return "SELECT"
  }

  /// Whether it begins or ends a transaction or a part of one; PREPARE may be PREPARE TRANSACTION.
  var controlsTransaction: Bool {
    switch keyword {
    case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE": true
    case "SET": words.contains { $0.text == "TRANSACTION" || $0.text == "CHARACTERISTICS" }
    default: false
    }
  }

  private static let queryKeywords: Set = [
    "SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE",
  ]
}

extension SQLStatement {
  /// Splits tokens at the semicolons that end statements: those outside parentheses and outside the body
  /// `BEGIN ATOMIC … END` of a function, found by the same rule as psql's (psqlscan.l).
  package static func split(
    _ tokens: ArraySlice<SQLToken>,
    of bytes: [UInt8],
    file: String
  ) throws(SQLFileError) -> [SQLStatement] {
    var statements: [SQLStatement] = []
    var current = Builder(bytes: bytes)
    for token in tokens where token.kind != .comment {
      if current.endsAt(token) {
        if let statement = current.statement { statements.append(statement) }
        current = Builder(bytes: bytes)
      } else {
        current.append(token)
      }
    }
    if let open = current.openParentheses.last {
      throw SQLFileError(file: file, location: open, message: "this parenthesis is never closed")
    }
    if let statement = current.statement { statements.append(statement) }
    return statements
  }

  private struct Builder {
    let bytes: [UInt8]
    var tokens: [SQLToken] = []
    var words: [Word] = []
    var openParentheses: [SQLLocation] = []
    var atomicDepth = 0
    var followsComma = false

    func endsAt(_ token: SQLToken) -> Bool {
      isSymbol(token, ";") && openParentheses.isEmpty && atomicDepth == 0
    }

    mutating func append(_ token: SQLToken) {
      tokens.append(token)
      if isSymbol(token, "(") {
        openParentheses.append(token.location)
      } else if isSymbol(token, ")") {
        _ = openParentheses.popLast()
      } else if token.kind == .word, openParentheses.isEmpty {
        append(word: String(decoding: bytes[token.range], as: UTF8.self).uppercased(), at: token)
      }
      followsComma = isSymbol(token, ",")
    }

    private mutating func append(word: String, at token: SQLToken) {
      let offset = token.range.lowerBound - tokens[0].range.lowerBound
      words.append(Word(text: word, offset: offset, followsComma: followsComma))
      guard definesRoutine else { return }
      switch word {
      case "BEGIN": atomicDepth += 1
      case "CASE" where atomicDepth > 0: atomicDepth += 1
      case "END" where atomicDepth > 0: atomicDepth -= 1
      default: break
      }
    }

    private var definesRoutine: Bool {
      let beginning = words.prefix(4).map(\.text).filter { $0 != "OR" && $0 != "REPLACE" }.prefix(2)
      return beginning == ["CREATE", "FUNCTION"] || beginning == ["CREATE", "PROCEDURE"]
    }

    private func isSymbol(_ token: SQLToken, _ symbol: Unicode.Scalar) -> Bool {
      token.kind == .symbol && bytes[token.range.lowerBound] == UInt8(ascii: symbol)
    }

    var statement: SQLStatement? {
      guard let first = tokens.first, let last = tokens.last else { return nil }
      let text = bytes[first.range.lowerBound..<last.range.upperBound]
      return SQLStatement(
        text: String(decoding: text, as: UTF8.self),
        location: first.location,
        words: words
      )
    }
  }
}
