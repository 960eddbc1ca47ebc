/// Finds the end of JSON values without decoding them, and refuses what PostgreSQL's jsonb refuses.
///
/// The grammar is that of RFC 8259, with the limits of jsonb (PostgreSQL, "JSON Types"; `jsonb.h`, `numeric.c`), so
/// that a bad value is found with its place on the client, and not as an error of a whole COPY.
/// Only the server can find limits of the total size after conversion (54000).
package struct JSONScanner: Sendable {
  /// Deepest nesting accepted. PostgreSQL 15 with its default `max_stack_depth` of 2 MB parses 14,544 nested arrays
  /// or 13,090 nested objects (measured on x86-64) before it fails with 54001; half of that leaves room for other
  /// platforms' stack frames and for values that are read inside functions.
  package static let maximumDepth = 6_000

  /// Longest value in bytes: `JENTRY_OFFLENMASK` in PostgreSQL's `jsonb.h`, which limits strings and containers alike.
  package static let maximumValueBytes = 0x0FFF_FFFF

  /// The open brackets, outermost first. It is a stack in memory instead of recursion, so that no input can overflow
  /// the thread's stack; it is kept between values for its capacity.
  private var open: [UInt8] = []

  package init() {}

  /// Checks the value that starts at or after `start`, white space skipped.
  ///
  /// - Returns: the range of the value without the white space around it.
  package mutating func scanValue(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Range<Int> {
    open.removeAll(keepingCapacity: true)
    let first = Self.skipWhitespace(in: bytes, from: start)
    var index = first
    repeat {
      index = try scanScalarOrBracket(in: bytes, from: index)
      index = try scanAfterValue(in: bytes, from: index)
    } while !open.isEmpty
    guard index - first <= Self.maximumValueBytes else {
      throw JSONError(
        at: first,
        "the value is longer than the \(Self.maximumValueBytes) bytes jsonb can hold"
      )
    }
    return first..<index
  }

  /// Scans a scalar or an empty container, or opens containers up to the place of their first value.
  private mutating func scanScalarOrBracket(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    var index = start
    while true {
      index = Self.skipWhitespace(in: bytes, from: index)
      guard index < bytes.count else { throw .endOfInput(at: index, expected: "a value") }
      switch bytes[index] {
      case UInt8(ascii: "\""):
        return try Self.scanString(in: bytes, from: index)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        return try Self.scanNumber(in: bytes, from: index)
      case UInt8(ascii: "t"):
        return try Self.scanLiteral("true", in: bytes, from: index)
      case UInt8(ascii: "f"):
        return try Self.scanLiteral("false", in: bytes, from: index)
      case UInt8(ascii: "n"):
        return try Self.scanLiteral("null", in: bytes, from: index)
      case let bracket where bracket == UInt8(ascii: "{") || bracket == UInt8(ascii: "["):
        guard open.count < Self.maximumDepth else {
          throw JSONError(at: index, "nested deeper than \(Self.maximumDepth) levels")
        }
        let inside = Self.skipWhitespace(in: bytes, from: index + 1)
        if inside < bytes.count, bytes[inside] == Self.closing(bracket) { return inside + 1 }
        open.append(bracket)
        index = bracket == UInt8(ascii: "{") ? try Self.scanKey(in: bytes, from: inside).next : inside
      default:
        throw .unexpected(in: bytes, at: index, expected: "a value")
      }
    }
  }

  /// Closes the containers that end after a value, up to the place of the next value.
  private mutating func scanAfterValue(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    var index = start
    while let bracket = open.last {
      index = try Self.scanSeparator(in: bytes, from: index, closing: Self.closing(bracket))
      if bytes[index - 1] == UInt8(ascii: ",") {
        return bracket == UInt8(ascii: "{") ? try Self.scanKey(in: bytes, from: index).next : index
      }
      open.removeLast()
    }
    return index
  }
}

extension JSONScanner {
  /// In ASCII each closing bracket is two places after its opening one.
  @inline(__always)
  private static func closing(_ bracket: UInt8) -> UInt8 { bracket + 2 }

  @inline(__always)
  package static func skipWhitespace(in bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < bytes.count, isWhitespace(bytes[index]) { index += 1 }
    return index
  }

  @inline(__always)
  package static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// Scans an object's key and the colon after it, from white space before the key.
  ///
  /// - Returns: the key with its quotes, and the offset after the colon.
  package static func scanKey(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> (key: Range<Int>, next: Int) {
    let first = skipWhitespace(in: bytes, from: start)
    guard first < bytes.count else { throw .endOfInput(at: first, expected: "a field name") }
    guard bytes[first] == UInt8(ascii: "\"") else {
      throw .unexpected(in: bytes, at: first, expected: "a field name in double quotes")
    }
    let end = try scanString(in: bytes, from: first)
    let colon = skipWhitespace(in: bytes, from: end)
    guard colon < bytes.count else { throw .endOfInput(at: colon, expected: "\":\"") }
    guard bytes[colon] == UInt8(ascii: ":") else {
      throw .unexpected(in: bytes, at: colon, expected: "\":\"")
    }
    return (first..<end, colon + 1)
  }

  /// Scans the comma or the closing bracket after a value, white space before it skipped; returns the offset after it.
  package static func scanSeparator(
    in bytes: Span<UInt8>,
    from start: Int,
    closing bracket: UInt8
  ) throws(JSONError) -> Int {
    let index = skipWhitespace(in: bytes, from: start)
    if index < bytes.count, bytes[index] == UInt8(ascii: ",") || bytes[index] == bracket { return index + 1 }
    let expected = "\",\" or \"\(Unicode.Scalar(bracket))\""
    guard index < bytes.count else { throw .endOfInput(at: index, expected: expected) }
    throw .unexpected(in: bytes, at: index, expected: expected)
  }

  private static func scanLiteral(
    _ literal: StaticString,
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    let text = literal.description
    let end = start + text.utf8.count
    guard end <= bytes.count, bytes.extracting(start..<end).elementsEqual(text) else {
      throw JSONError(at: start, "unknown word, expected true, false, null or a value")
    }
    return end
  }
}

extension Span<UInt8> {
  /// Whether these are the bytes of a text in UTF-8.
  package func elementsEqual(_ text: String) -> Bool {
    let utf8 = text.utf8
    guard utf8.count == count else { return false }
    var index = 0
    for byte in utf8 {
      if self[index] != byte { return false }
      index += 1
    }
    return true
  }
}

extension JSONError {
  static func endOfInput(at offset: Int, expected: String) -> JSONError {
    JSONError(
      at: offset,
      "the line ends where \(expected) was expected",
      hint: "The line may be cut off. An event is one line; jq -c . makes one of several."
    )
  }

  static func unexpected(
    in bytes: Span<UInt8>,
    at offset: Int,
    expected: String
  ) -> JSONError {
    let byte = bytes[offset]
    let hint: String? =
      switch byte {
      case UInt8(ascii: "]"), UInt8(ascii: "}"): "Is there a comma too many before it?"
      case UInt8(ascii: "'"): "Put JSON strings in double quotes."
      case UInt8(ascii: "\""): "Is a comma missing before it?"
      default: nil
      }
    return JSONError(at: offset, "unexpected \(describe(byte)), expected \(expected)", hint: hint)
  }

  static func describe(_ byte: UInt8) -> String {
    switch byte {
    case 0x21...0x7E: "\"\(Unicode.Scalar(byte))\""
    case 0x20: "space"
    case 0x80...: "character outside ASCII"
    default: "control character 0x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }
}
