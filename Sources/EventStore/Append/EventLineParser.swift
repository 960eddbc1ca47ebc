/// Reads lines of NDJSON as events. It keeps the scanner's memory from line to line.
package struct EventLineParser: Sendable {
  private var scanner = JSONScanner()

  package init() {}

  /// Checks a whole line, its JSON and its fields.
  ///
  /// - Parameter line: the number of the line, for errors.
  package mutating func parse(
    _ bytes: Span<UInt8>,
    line: Int
  ) throws(EventLineError) -> EventLine {
    do throws(FieldError) {
      return try EventLine(fields: scanObject(bytes), in: bytes)
    } catch {
      throw EventLineError(error, in: bytes, line: line)
    }
  }

  /// Scans the line's object; returns the place of each field's value.
  mutating func scanObject(_ bytes: Span<UInt8>) throws(FieldError) -> FieldRanges {
    var ranges = FieldRanges(repeating: nil)
    var index = JSONScanner.skipWhitespace(in: bytes, from: 0)
    guard index < bytes.count, bytes[index] == UInt8(ascii: "{") else {
      throw FieldError(
        at: index,
        "not a JSON object",
        hint: #"The input is NDJSON: a line looks like {"aggregate_id": "order-42", \#u{2026}}."#
      )
    }
    index = JSONScanner.skipWhitespace(in: bytes, from: index + 1)
    if index < bytes.count, bytes[index] == UInt8(ascii: "}") {
      index += 1
    } else {
      repeat {
        index = try scanField(in: bytes, from: index, to: &ranges)
      } while bytes[index - 1] == UInt8(ascii: ",")
    }
    index = JSONScanner.skipWhitespace(in: bytes, from: index)
    guard index == bytes.count else {
      throw FieldError(at: index, "text after the object", hint: "Write one event per line.")
    }
    return ranges
  }

  /// Scans a field and what ends it, a comma or the closing brace; returns the offset after that.
  private mutating func scanField(
    in bytes: Span<UInt8>,
    from start: Int,
    to ranges: inout FieldRanges
  ) throws(FieldError) -> Int {
    let key: Range<Int>
    let next: Int
    do { (key, next) = try JSONScanner.scanKey(in: bytes, from: start) } catch {
      throw FieldError(nil, error)
    }
    let field = try EventLineField(key: key, in: bytes)
    guard ranges[field.rawValue] == nil else {
      throw FieldError(field.name, at: key.lowerBound, "the field occurs twice")
    }
    do {
      let value = try scanner.scanValue(in: bytes, from: next)
      ranges[field.rawValue] = value
      return try JSONScanner.scanSeparator(in: bytes, from: value.upperBound, closing: UInt8(ascii: "}"))
    } catch { throw FieldError(field.name, error) }
  }
}

/// The place of each field's value, by the field's raw value; nil for a field that is not there.
typealias FieldRanges = InlineArray<9, Range<Int>?>

/// The fields of a line. `position` is there because replay prints it; it is ignored, as the store assigns its own.
enum EventLineField: Int, CaseIterable {
  case position, aggregateID, version, expectedVersion, eventType, timestamp, id, data, metadata

  var name: String {
    switch self {
    case .position: "position"
    case .aggregateID: "aggregate_id"
    case .version: "version"
    case .expectedVersion: "expected_version"
    case .eventType: "event_type"
    case .timestamp: "timestamp"
    case .id: "id"
    case .data: "event_data"
    case .metadata: "metadata"
    }
  }

  /// The field that a key with its quotes names.
  init(key: Range<Int>, in bytes: Span<UInt8>) throws(FieldError) {
    let name = bytes.extracting(key.lowerBound + 1..<key.upperBound - 1)
    if let field = Self.candidate(for: name), name.elementsEqual(field.name) {
      self = field
      return
    }
    let text = String(decoding: JSONScanner.decodeString(key, in: bytes), as: UTF8.self)
    if let field = Self.allCases.first(where: { $0.name == text }) {
      self = field
      return
    }
    throw FieldError(
      text,
      at: key.lowerBound,
      "unknown field",
      hint: "The fields are \(Self.allCases.map(\.name).joined(separator: ", "))."
    )
  }
}

extension EventLineField {
  /// The only field that a name can be, by its length and last byte. Comparing with all fields took a tenth of a line's
  /// time.
  private static func candidate(for name: Span<UInt8>) -> EventLineField? {
    switch name.count {
    case 2: .id
    case 7: .version
    case 8: name[7] == UInt8(ascii: "n") ? .position : .metadata
    case 9: .timestamp
    case 10: name[9] == UInt8(ascii: "e") ? .eventType : .data
    case 12: .aggregateID
    case 16: .expectedVersion
    default: nil
    }
  }
}

/// Why a field, or the line around the fields, is wrong.
struct FieldError: Error {
  let field: String?
  let cause: JSONError

  init(_ field: String?, _ cause: JSONError) {
    self.field = field
    self.cause = cause
  }

  init(_ field: String? = nil, at offset: Int, _ message: String, hint: String? = nil) {
    self.init(field, JSONError(at: offset, message, hint: hint))
  }
}

extension EventLineError {
  /// Says where in the line the cause is: for people in characters, as an editor counts them.
  init(_ error: FieldError, in bytes: Span<UInt8>, line: Int) {
    let offset = min(error.cause.offset, bytes.count)
    var column = 1
    for index in 0..<offset where bytes[index] & 0xC0 != 0x80 { column += 1 }
    self.init(
      line: line,
      column: column,
      byteColumn: offset + 1,
      field: error.field,
      message: error.cause.message,
      hint: error.cause.hint
    )
  }
}
