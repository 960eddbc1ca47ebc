/// One line of an NDJSON file of events, checked; its JSON values stay bytes of the line.
package struct EventLine: Sendable, Hashable {
  /// UTF-8, 1 to 255 characters. Bytes, since `String` compares by canonical equivalence and the database does not.
  package var aggregateID: [UInt8]
  /// UTF-8, 1 to 100 characters.
  package var eventType: [UInt8]
  /// The payload's place in the line: any JSON value but null.
  package var data: Range<Int>
  /// The metadata's place in the line: any JSON value but null, which counts as no metadata.
  package var metadata: Range<Int>?
  package var id: EventID?
  /// 1 to 2147483647.
  package var version: Int?
  package var expectedVersion: ExpectedVersion?
  package var timestamp: Timestamp?
}

/// Why a line is not an event.
package struct EventLineError: Error, Hashable {
  /// Number of the line in its input, from 1.
  package let line: Int
  /// Place of the cause in the line, from 1, in characters (Unicode scalars), as editors count.
  package let column: Int
  /// Place of the cause in the line, from 1, in bytes.
  package let byteColumn: Int
  /// The field with the fault, if it is one.
  package let field: String?
  /// The cause, as a clause without a full stop.
  package let message: String
  package let hint: String?
}

extension EventLine {
  init(fields ranges: FieldRanges, in bytes: Span<UInt8>) throws(FieldError) {
    let fields = EventLineFields(ranges: ranges)
    aggregateID = try fields.requiredText(.aggregateID, maximumLength: 255, in: bytes)
    eventType = try fields.requiredText(.eventType, maximumLength: 100, in: bytes)
    data = try fields.required(.data, in: bytes)
    metadata = fields.value(.metadata, in: bytes)
    id = try fields.id(in: bytes)
    version = try fields.version(in: bytes)
    expectedVersion = try fields.expectedVersion(in: bytes)
    timestamp = try fields.timestamp(in: bytes)
    if version != nil, let place = fields.value(.expectedVersion, in: bytes) {
      throw FieldError(
        EventLineField.expectedVersion.name,
        at: place.lowerBound,
        "given beside version",
        hint: "A version implies the version before it: omit one of the two."
      )
    }
  }
}

/// Turns scanned values into what the fields mean. A JSON null means the same as a missing field.
private struct EventLineFields {
  let ranges: FieldRanges

  func value(_ field: EventLineField, in bytes: Span<UInt8>) -> Range<Int>? {
    guard let range = ranges[field.rawValue], bytes[range.lowerBound] != UInt8(ascii: "n") else { return nil }
    return range
  }

  func required(_ field: EventLineField, in bytes: Span<UInt8>) throws(FieldError) -> Range<Int> {
    guard let range = ranges[field.rawValue] else {
      throw FieldError(field.name, at: 0, "the field is missing")
    }
    guard bytes[range.lowerBound] != UInt8(ascii: "n") else {
      throw FieldError(field.name, at: range.lowerBound, "must not be null")
    }
    return range
  }

  /// The bytes of a string; nil for a value of another kind.
  func text(_ range: Range<Int>, in bytes: Span<UInt8>) -> [UInt8]? {
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
    return JSONScanner.decodeString(range, in: bytes)
  }

  func requiredText(
    _ field: EventLineField,
    maximumLength: Int,
    in bytes: Span<UInt8>
  ) throws(FieldError) -> [UInt8] {
    let range = try required(field, in: bytes)
    guard let text = text(range, in: bytes) else {
      throw wrong(field, range, "a string", in: bytes)
    }
    guard !text.isEmpty else { throw FieldError(field.name, at: range.lowerBound, "must not be empty") }
    if text.count > maximumLength {
      let length = text.count { $0 & 0xC0 != 0x80 }
      guard length <= maximumLength else {
        throw FieldError(
          field.name,
          at: range.lowerBound,
          "longer than \(maximumLength) characters: it has \(length)"
        )
      }
    }
    return text
  }

  func id(in bytes: Span<UInt8>) throws(FieldError) -> EventID? {
    guard let range = value(.id, in: bytes) else { return nil }
    guard let text = text(range, in: bytes) else { throw wrong(.id, range, "a string", in: bytes) }
    guard let id = EventID(utf8: text.span) else {
      throw FieldError(
        EventLineField.id.name,
        at: range.lowerBound,
        "not a UUID",
        hint: "A UUID looks like 0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11, without braces."
      )
    }
    return id
  }

  func version(in bytes: Span<UInt8>) throws(FieldError) -> Int? {
    guard let range = value(.version, in: bytes) else { return nil }
    guard let version = integer(range, in: bytes), 1...Int(Int32.max) ~= version else {
      throw wrong(.version, range, "a whole number from 1 to \(Int32.max)", in: bytes)
    }
    return version
  }

  func expectedVersion(in bytes: Span<UInt8>) throws(FieldError) -> ExpectedVersion? {
    guard let range = value(.expectedVersion, in: bytes) else { return nil }
    if let version = integer(range, in: bytes), 0...Int(Int32.max) ~= version {
      return version == 0 ? .noStream : .version(version)
    }
    switch bytes[range.lowerBound] == UInt8(ascii: "\"") ? JSONScanner.decodeString(range, in: bytes) : [] {
    case Array("any".utf8): return .any
    case Array("none".utf8): return .noStream
    case Array("exists".utf8): return .exists
    default:
      let expected = "a whole number from 0 to \(Int32.max), \"any\", \"none\" or \"exists\""
      throw wrong(.expectedVersion, range, expected, in: bytes)
    }
  }

  func timestamp(in bytes: Span<UInt8>) throws(FieldError) -> Timestamp? {
    guard let range = value(.timestamp, in: bytes) else { return nil }
    guard let text = text(range, in: bytes) else { throw wrong(.timestamp, range, "a string", in: bytes) }
    do {
      return try Timestamp(iso8601: text)
    } catch {
      throw FieldError(EventLineField.timestamp.name, at: range.lowerBound, error.message, hint: error.hint)
    }
  }

  /// A number written without point and exponent; nil for anything else and for more than 18 digits.
  private func integer(_ range: Range<Int>, in bytes: Span<UInt8>) -> Int? {
    guard range.count <= 18 else { return nil }
    var value = 0
    for index in range {
      guard isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int(bytes[index] & 0x0F)
    }
    return value
  }

  /// The error for a value of the wrong type or out of range. It shows numbers, but no strings: they may hold anything.
  private func wrong(
    _ field: EventLineField,
    _ range: Range<Int>,
    _ expected: String,
    in bytes: Span<UInt8>
  ) -> FieldError {
    let found =
      switch bytes[range.lowerBound] {
      case UInt8(ascii: "{"): "an object"
      case UInt8(ascii: "["): "an array"
      case UInt8(ascii: "\""): "a string"
      case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
      case _ where range.count <= 20: String(copying: bytes.extracting(range))
      default: "a number of \(range.count) characters"
      }
    return FieldError(field.name, at: range.lowerBound, "must be \(expected), not \(found)")
  }
}

extension String {
  fileprivate init(copying bytes: Span<UInt8>) {
    self = ""
    for index in bytes.indices { unicodeScalars.append(Unicode.Scalar(bytes[index])) }
  }
}
