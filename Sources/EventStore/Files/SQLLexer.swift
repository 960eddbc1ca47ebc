/// A piece of SQL as PostgreSQL's lexer cuts it; white space is dropped.
package struct SQLToken: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// A keyword, an unquoted name, a number or a parameter such as `$1`.
    case word
    /// A string constant or a quoted identifier, of any spelling.
    case quoted
    case comment
    /// One byte of an operator or of punctuation.
    case symbol
  }

  package let kind: Kind
  /// The bytes of the token in the file.
  package let range: Range<Int>
  package let location: SQLLocation
}

/// Cuts SQL into tokens by the rules of the PostgreSQL manual, section 4.1 "Lexical Structure",
/// with `standard_conforming_strings` on, the default of every server since 9.1.
///
/// It only tells code from strings and comments; the server knows what the code means.
package struct SQLLexer {
  private let file: String
  private let bytes: [UInt8]
  private var offset = 0
  private var line = 1
  private var column = 1

  private init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  package static func tokens(of bytes: [UInt8], file: String) throws(SQLFileError) -> [SQLToken] {
    var lexer = SQLLexer(bytes, file: file)
    var tokens: [SQLToken] = []
    while let token = try lexer.next() { tokens.append(token) }
    return tokens
  }

  private mutating func next() throws(SQLFileError) -> SQLToken? {
    while let byte = peek(), byte.isSQLSpace { advance() }
    guard let byte = peek() else { return nil }
    let start = offset
    let location = SQLLocation(line: line, column: column)
    let kind = try scan(byte, from: location)
    return SQLToken(kind: kind, range: start..<offset, location: location)
  }

  private mutating func scan(
    _ byte: UInt8,
    from start: SQLLocation
  ) throws(SQLFileError) -> SQLToken.Kind {
    switch (byte, peek(1)) {
    case ("-", "-"):
      skipLine()
      return .comment
    case ("/", "*"):
      try skipBlockComment(from: start)
      return .comment
    case ("'", _):
      try skipString(from: start, backslashEscapes: false)
      return .quoted
    case ("E", "'"), ("e", "'"):
      advance()
      try skipString(from: start, backslashEscapes: true)
      return .quoted
    case ("\"", _):
      try skipQuoted("\"", from: start, what: "quoted identifier")
      return .quoted
    case ("$", _):
      return try scanDollar(from: start)
    case ("\\", _):
      throw psqlCommandError(at: start)
    default:
      if byte.isSQLWordPart {
        while let part = peek(), part.isSQLWordPart || part == "$" { advance() }
        return .word
      }
      advance()
      return .symbol
    }
  }

  /// 4.1.2.1 and 4.1.2.2: a quote is doubled inside; in `E'…'` a backslash escapes it as well, also in the
  /// parts that continue the string on a later line.
  private mutating func skipString(
    from start: SQLLocation,
    backslashEscapes: Bool
  ) throws(SQLFileError) {
    guard backslashEscapes else { return try skipQuoted("'", from: start, what: "string") }
    repeat {
      advance()
      while let byte = peek(), byte != "'" || peek(1) == "'" {
        advance(byte == "\\" || byte == "'" ? 2 : 1)
      }
      guard peek() == "'" else { throw unterminated("string", at: start) }
      advance()
    } while skipToContinuation()
  }

  /// Moves to the next part of a string that continues after a line break; does not move if there is none.
  private mutating func skipToContinuation() -> Bool {
    var ahead = self
    while let byte = ahead.peek() {
      if byte.isSQLSpace {
        ahead.advance()
      } else if byte == "-", ahead.peek(1) == "-" {
        ahead.skipLine()
      } else {
        break
      }
    }
    guard ahead.line > line, ahead.peek() == "'" else { return false }
    self = ahead
    return true
  }

  private mutating func skipQuoted(
    _ quote: Unicode.Scalar,
    from start: SQLLocation,
    what: String
  ) throws(SQLFileError) {
    advance()
    while let byte = peek() {
      if byte == quote, peek(1) != quote {
        advance()
        return
      }
      advance(byte == quote ? 2 : 1)
    }
    throw unterminated(what, at: start)
  }

  /// 4.1.2.4: `$tag$ … $tag$`, or else a parameter `$1`, or a lone dollar.
  private mutating func scanDollar(from start: SQLLocation) throws(SQLFileError) -> SQLToken.Kind {
    var end = offset + 1
    while end < bytes.count, bytes[end].isSQLWordPart { end += 1 }
    let startsWithDigit = bytes.indices.contains(offset + 1) && bytes[offset + 1].isASCIIDigit
    guard end < bytes.count, bytes[end] == "$", !startsWithDigit else {
      advance(end - offset)
      return .word
    }
    let delimiter = bytes[offset...end]
    advance(delimiter.count)
    while offset < bytes.count {
      if bytes[offset...].starts(with: delimiter) {
        advance(delimiter.count)
        return .quoted
      }
      advance()
    }
    throw unterminated("dollar-quoted string \(String(decoding: delimiter, as: UTF8.self))", at: start)
  }

  /// 4.1.5: block comments nest.
  private mutating func skipBlockComment(from start: SQLLocation) throws(SQLFileError) {
    var depth = 0
    repeat {
      switch (peek(), peek(1)) {
      case (nil, _):
        throw unterminated("comment", at: start)
      case ("/", "*"):
        depth += 1
        advance(2)
      case ("*", "/"):
        depth -= 1
        advance(2)
      default:
        advance()
      }
    } while depth > 0
  }

  private mutating func skipLine() {
    while let byte = peek(), byte != "\n", byte != "\r" { advance() }
  }

  private func peek(_ distance: Int = 0) -> UInt8? {
    offset + distance < bytes.count ? bytes[offset + distance] : nil
  }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<min(count, bytes.count - offset) {
      let byte = bytes[offset]
      offset += 1
      if byte == "\n" {
        line += 1
        column = 1
      } else if peek()?.continuesUTF8Character != true {
        column += 1
      }
    }
  }

  private func unterminated(_ what: String, at location: SQLLocation) -> SQLFileError {
    SQLFileError(file: file, location: location, message: "unterminated \(what)")
  }

  private func psqlCommandError(at location: SQLLocation) -> SQLFileError {
    let command = bytes[(offset + 1)...].prefix { $0.isSQLWordPart }
    return SQLFileError(
      file: file,
      location: location,
      message: "\\\(String(decoding: command, as: UTF8.self)) is a command of psql, not SQL",
      hint: "The server runs this file; write plain SQL."
    )
  }
}

extension UInt8 {
  /// The white space of the server's lexer (scan.l): blank, tab, line feed, return, form feed, vertical tab.
  fileprivate var isSQLSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

  fileprivate var isASCIIDigit: Bool { (0x30...0x39).contains(self) }

  /// Letters, digits, underscore and everything beyond ASCII, as 4.1.1 says.
  fileprivate var isSQLWordPart: Bool {
    let lowercased = self | 0x20
    return self == UInt8(ascii: "_") || isASCIIDigit || self >= 0x80
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased)
  }

  fileprivate var continuesUTF8Character: Bool { self & 0xC0 == 0x80 }
}

/// Lets the lexer write a byte as the ASCII character that it is.
private func ~= (character: Unicode.Scalar, byte: UInt8?) -> Bool { byte == UInt8(ascii: character) }

private func == (byte: UInt8?, character: Unicode.Scalar) -> Bool { byte == UInt8(ascii: character) }

private func != (byte: UInt8?, character: Unicode.Scalar) -> Bool { byte != UInt8(ascii: character) }
