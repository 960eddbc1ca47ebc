internal import LibPQ

/// What a field of an event's JSON must be: `customer=ann`, `items[*].sku~TEA-*`, `total>100`, or `customer` alone, where it
/// must only be there.
///
/// The path is written as jq and the catalogue of types write it. A value counts as text, and as a number, true, false or
/// null as well where it is spelled as one; in double quotes it is text only. Where a path leads to several values, one
/// that fits is enough; `!=` and `!~` hold where the field is there and no value of it fits.
public struct FieldCondition: Sendable, Hashable {
  enum Comparison: String, CaseIterable, Sendable {
    case notEqual = "!="
    case notLike = "!~"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "="
    case like = "~"
    case less = "<"
    case greater = ">"
  }

  /// As it was written.
  public let text: String
  /// What finds the field, in SQL/JSON's path language; in its lax mode an array on the way stands for its elements.
  let field: String
  let comparison: Comparison?
  /// What a value `@` must be, in the same language; empty where it must only be there.
  private let test: String

  /// - Throws: ``EventStoreError`` with code `invalidInput`, which names the place.
  public init(_ text: String) throws {
    self.text = text
    var scanner = FieldConditionScanner(text)
    field = try scanner.path()
    comparison = try scanner.comparison()
    test = try comparison.map { try $0.test(of: scanner.value(), scanner) } ?? ""
  }

  /// Whether an index of type GIN can find the events: it knows what values are equal to.
  var isIndexable: Bool { comparison == .equal }

  /// The condition that a value of type jsonb, which may be NULL, is so.
  func holds(of value: String) -> SQL {
    let matching: SQL =
      "\(raw: value) @? \(test.isEmpty ? field : "\(field) ? (\(test))")::jsonpath"
    guard comparison == .notEqual || comparison == .notLike else { return matching }
    return "(\(raw: value) @? \(field)::jsonpath AND NOT \(matching))"
  }
}

extension FieldCondition.Comparison {
  fileprivate func test(of value: FieldValue, _ scanner: FieldConditionScanner) throws -> String {
    switch self {
    case .equal, .notEqual: return value.literals.map { "@ == \($0)" }.joined(separator: " || ")
    case .like, .notLike: return "@ like_regex \(jsonString(Self.expression(of: value.text))) flag \"s\""
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard let literal = value.ordered else {
        throw scanner.error("\(rawValue) needs a number or a text to compare with")
      }
      return "@ \(rawValue) \(literal)"
    }
  }

  /// A pattern, in which `*` is any text and `?` any character, as a regular expression.
  private static func expression(of pattern: String) -> String {
    var expression = "^"
    for scalar in pattern.unicodeScalars {
      switch scalar {
      case "*": expression += ".*"
      case "?": expression += "."
      case "\\", ".", "^", "$", "+", "(", ")", "[", "]", "{", "}", "|": expression += "\\\(scalar)"
      default: expression.unicodeScalars.append(scalar)
      }
    }
    return expression + "$"
  }
}

/// What a field is compared with.
private struct FieldValue {
  let text: String
  /// As a number, true, false or null, where it is spelled as one.
  let other: String?
  let isNumber: Bool

  /// What it may be equal to.
  var literals: [String] { [jsonString(text)] + [other].compactMap(\.self) }

  /// What it may be greater than; nil for nothing, and for what has no order.
  var ordered: String? {
    if isNumber { return other }
    return other == nil && !text.isEmpty ? jsonString(text) : nil
  }
}

private func jsonString(_ text: String) -> String { ManifestFormat.quoted(Array(text.utf8)) }

/// Reads a condition from its beginning.
private struct FieldConditionScanner {
  private let text: String
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) {
    self.text = text
    rest = Substring(text).unicodeScalars
  }

  /// The path, up to a comparison or the end, in the path language of SQL/JSON.
  mutating func path() throws -> String {
    var path = "$"
    skipBlanks()
    if isNext("."), rest.dropFirst().first.map(Self.isEndOfPath) ?? true {
      rest.removeFirst()
      return path
    }
    var isFirst = true
    while let next = rest.first, !Self.isEndOfPath(next) {
      if next == "[" {
        path += try element()
      } else {
        if next == "." {
          rest.removeFirst()
        } else if !isFirst {
          throw error("a step of the path begins with . or [")
        }
        if isFirst || !isNext("[") {
          path += try member()
        } else {
          throw error("a name of a field is missing")
        }
      }
      isFirst = false
    }
    if isFirst { throw error("the name of a field is missing") }
    return path
  }

  private static func isEndOfPath(_ scalar: Unicode.Scalar) -> Bool {
    isBlank(scalar) || ["=", "!", "<", ">", "~"].contains(scalar)
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

  private func isNext(_ scalar: Unicode.Scalar) -> Bool { rest.first == scalar }

  private mutating func skipBlanks() { rest = rest.drop(while: Self.isBlank) }

  private mutating func member() throws -> String {
    if isNext("\"") { return "." + jsonString(try quoted()) }
    let end = rest.firstIndex { $0 == "." || $0 == "[" || $0 == "]" || $0 == "\"" || Self.isEndOfPath($0) }
    let name = rest[..<(end ?? rest.endIndex)]
    if name.isEmpty { throw error("the name of a field is missing") }
    rest = rest[name.endIndex...]
    return "." + jsonString(String(name))
  }

  /// `[]` and `[*]` are all elements, `[0]` is the first.
  private mutating func element() throws -> String {
    let number = rest.dropFirst().prefix { $0 != "]" }
    guard number.endIndex < rest.endIndex else { throw error("this [ is never closed") }
    let isNumber = !number.isEmpty && number.count < 10 && number.allSatisfy { "0"..."9" ~= $0 }
    guard isNumber || number.isEmpty || number.elementsEqual("*".unicodeScalars) else {
      throw error("[ ] holds a number, * or nothing")
    }
    rest = rest[number.endIndex...].dropFirst()
    return isNumber ? "[\(String(number))]" : "[*]"
  }

  /// A string as JSON writes it.
  private mutating func quoted() throws -> String {
    var end = rest.index(after: rest.startIndex)
    while end < rest.endIndex, rest[end] != "\"" {
      end = rest.index(end, offsetBy: rest[end] == "\\" ? 2 : 1, limitedBy: rest.endIndex) ?? rest.endIndex
    }
    guard end < rest.endIndex else { throw error("this quote is never closed") }
    let string = rest[...end]
    guard let value = string.decodedJSONString else { throw error("this is no string of JSON") }
    rest = rest[string.endIndex...]
    return value
  }

  mutating func comparison() throws -> FieldCondition.Comparison? {
    skipBlanks()
    if rest.isEmpty { return nil }
    for comparison in FieldCondition.Comparison.allCases
    where rest.starts(with: comparison.rawValue.unicodeScalars) {
      rest = rest.dropFirst(comparison.rawValue.unicodeScalars.count)
      return comparison
    }
    throw error("a comparison is missing: = != ~ !~ < <= > >=")
  }

  /// What is left, without the blanks around it.
  func value() throws -> FieldValue {
    var scanner = self
    scanner.skipBlanks()
    let blanks = scanner.rest.reversed().prefix(while: Self.isBlank).count
    scanner.rest = scanner.rest.dropLast(blanks)
    if scanner.isNext("\"") {
      let text = try scanner.quoted()
      guard scanner.rest.isEmpty else { throw scanner.error("the value ends before this") }
      return FieldValue(text: text, other: nil, isNumber: false)
    }
    let text = String(scanner.rest)
    let isNumber = text.isJSONNumber
    let isWord = ["true", "false", "null"].contains { text.hasSameBytes(as: $0) }
    return FieldValue(text: text, other: isNumber || isWord ? text : nil, isNumber: isNumber)
  }

  func error(_ what: String) -> EventStoreError {
    let column = text.unicodeScalars.distance(from: text.unicodeScalars.startIndex, to: rest.startIndex) + 1
    return EventStoreError(
      .invalidInput,
      "\(text), column \(column): \(what)",
      hint: "Write a path as in customer=ann, items[*].sku~TEA-* or total>100."
    )
  }
}

extension Substring.UnicodeScalarView {
  /// The text that it stands for as a string of JSON; nil where it is none.
  fileprivate var decodedJSONString: String? {
    let bytes = Array(String(self).utf8)
    guard let end = try? JSONScanner.scanString(in: bytes.span, from: 0), end == bytes.count else {
      return nil
    }
    return String(decoding: JSONScanner.decodeString(0..<end, in: bytes.span), as: UTF8.self)
  }
}

extension String {
  fileprivate var isJSONNumber: Bool {
    let bytes = Array(utf8)
    guard let first = bytes.first, isDigit(first) || first == UInt8(ascii: "-") else { return false }
    return (try? JSONScanner.scanNumber(in: bytes.span, from: 0)) == bytes.count
  }
}
