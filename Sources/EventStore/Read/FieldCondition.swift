internal import LibPQ

/// A condition on a field of an event's JSON: `customer=ann`, `items[*].sku~TEA-*`, `total>100`, or only `customer`,
/// which must be there.
///
/// The path has the notation of jq and of the catalogue of types. A value is compared as text; if it is written as a
/// number, true, false or null, it is also compared as that; in double quotes it is only text. If a path leads to
/// several values, one match is enough; `!=` and `!~` hold if the field is there and no value matches.
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
  /// The path to the field, in SQL/JSON's path language; in its lax mode an array on the way means its elements.
  let field: String
  let comparison: Comparison?
  /// The condition on a value `@`, in the same language; empty if the value only must be there.
  private let test: String

  /// - Throws: ``EventStoreError`` with code `invalidInput`, which names the place.
  public init(_ text: String) throws {
    self.text = text
    var scanner = FieldConditionScanner(text)
    field = try FieldStep.jsonPath(scanner.path())
    comparison = try scanner.comparison()
    test = try comparison.map { try $0.test(of: scanner.value(), scanner) } ?? ""
  }

  /// Whether a GIN index can find the events: it only knows equality.
  var isIndexable: Bool { comparison == .equal }

  /// The condition on a value of type jsonb, which may be NULL.
  func holds(of value: String) -> SQL {
    let matching: SQL =
      "\(raw: value) @? \(test.isEmpty ? field : "\(field) ? (\(test))")::jsonpath"
    guard comparison == .notEqual || comparison == .notLike else { return matching }
    return "(\(raw: value) @? \(field)::jsonpath AND NOT \(matching))"
  }
}

/// A step of a path to a field.
enum FieldStep: Sendable, Hashable {
  /// A field of an object.
  case member(String)
  case element(Int)
  case everyElement

  /// The path in SQL/JSON's path language.
  static func jsonPath(_ steps: [FieldStep]) -> String {
    "$" + steps.map(\.jsonPath).joined()
  }

  private var jsonPath: String {
    switch self {
    case .member(let name): "." + jsonString(name)
    case .element(let number): "[\(number)]"
    case .everyElement: "[*]"
    }
  }

  /// The steps of a path that stands alone.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidInput`, which names the place.
  static func path(_ text: String) throws -> [FieldStep] {
    var scanner = FieldConditionScanner(text)
    let steps = try scanner.path()
    guard scanner.isAtEnd else { throw scanner.error("the path ends before this") }
    return steps
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

  /// A pattern, in which `*` means any text and `?` any character, as a regular expression.
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

/// The value with which a field is compared.
private struct FieldValue {
  let text: String
  /// The value as a number, true, false or null, if it is written as one.
  let other: String?
  let isNumber: Bool

  /// The JSON values that it may equal.
  var literals: [String] { [jsonString(text)] + [other].compactMap(\.self) }

  /// The JSON value for an order; nil if it is nothing, or has no order.
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

  /// The path, up to a comparison or the end.
  mutating func path() throws -> [FieldStep] {
    var path: [FieldStep] = []
    skipBlanks()
    if isNext("."), rest.dropFirst().first.map(Self.isEndOfPath) ?? true {
      rest.removeFirst()
      return path
    }
    var isFirst = true
    while let next = rest.first, !Self.isEndOfPath(next) {
      if next == "[" {
        path.append(try element())
      } else {
        if next == "." {
          rest.removeFirst()
        } else if !isFirst {
          throw error("a step of the path begins with . or [")
        }
        if isFirst || !isNext("[") {
          path.append(.member(try member()))
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

  /// Whether only blanks are left.
  var isAtEnd: Bool { rest.allSatisfy(Self.isBlank) }

  private func isNext(_ scalar: Unicode.Scalar) -> Bool { rest.first == scalar }

  private mutating func skipBlanks() { rest = rest.drop(while: Self.isBlank) }

  private mutating func member() throws -> String {
    if isNext("\"") { return try quoted() }
    let end = rest.firstIndex { $0 == "." || $0 == "[" || $0 == "]" || $0 == "\"" || Self.isEndOfPath($0) }
    let name = rest[..<(end ?? rest.endIndex)]
    if name.isEmpty { throw error("the name of a field is missing") }
    rest = rest[name.endIndex...]
    return String(name)
  }

  /// `[]` and `[*]` mean all elements, `[0]` the first.
  private mutating func element() throws -> FieldStep {
    let number = rest.dropFirst().prefix { $0 != "]" }
    guard number.endIndex < rest.endIndex else { throw error("this [ is never closed") }
    let isNumber = !number.isEmpty && number.count < 10 && number.allSatisfy { "0"..."9" ~= $0 }
    guard isNumber || number.isEmpty || number.elementsEqual("*".unicodeScalars) else {
      throw error("[ ] holds a number, * or nothing")
    }
    rest = rest[number.endIndex...].dropFirst()
    return isNumber ? .element(Int(String(number)) ?? 0) : .everyElement
  }

  /// A JSON string.
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

  /// The rest, without the blanks around it.
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
  /// The value of the text as a JSON string; nil if it is not one.
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
