internal import LibPQ

/// An event of an export. Unlike a line that is appended, it is taken as it is: null is a payload, and an id may be
/// longer than annals allows, because the exported table had it.
struct RestoredLine {
  let position: Int64?
  let id: EventID
  let aggregateID: [UInt8]
  let eventType: [UInt8]
  let version: Int32
  let timestamp: Timestamp
  /// Places in the line.
  let data: Range<Int>
  let metadata: Range<Int>?

  init(_ parser: inout EventLineParser, _ bytes: Span<UInt8>) throws(FieldError) {
    let ranges = try parser.scanObject(bytes)
    aggregateID = try Self.text(.aggregateID, ranges, in: bytes)
    eventType = try Self.text(.eventType, ranges, in: bytes)
    data = try Self.place(.data, ranges)
    metadata = ranges[EventLineField.metadata.rawValue]
    let idText = try Self.text(.id, ranges, in: bytes)
    guard let id = EventID(utf8: idText.span) else { throw Self.wrong(.id, ranges) }
    self.id = id
    let versionPlace = try Self.place(.version, ranges)
    guard let number = Self.integer(versionPlace, in: bytes), let version = Int32(exactly: number) else {
      throw Self.wrong(.version, ranges)
    }
    self.version = version
    if let place = ranges[EventLineField.position.rawValue] {
      guard let position = Self.integer(place, in: bytes) else { throw Self.wrong(.position, ranges) }
      self.position = position
    } else {
      position = nil
    }
    let timeText = try Self.text(.timestamp, ranges, in: bytes)
    do { timestamp = try Timestamp(iso8601: timeText) } catch { throw Self.wrong(.timestamp, ranges) }
  }

  private static func place(_ field: EventLineField, _ ranges: FieldRanges) throws(FieldError) -> Range<Int> {
    if let range = ranges[field.rawValue] { return range }
    throw FieldError(field.name, at: 0, "the field is missing")
  }

  private static func text(
    _ field: EventLineField,
    _ ranges: FieldRanges,
    in bytes: Span<UInt8>
  ) throws(FieldError) -> [UInt8] {
    let range = try place(field, ranges)
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { throw wrong(field, ranges) }
    return JSONScanner.decodeString(range, in: bytes)
  }

  private static func wrong(_ field: EventLineField, _ ranges: FieldRanges) -> FieldError {
    FieldError(field.name, at: ranges[field.rawValue]?.lowerBound ?? 0, "not a value of this field")
  }

  /// A number without point and exponent.
  private static func integer(_ range: Range<Int>, in bytes: Span<UInt8>) -> Int64? {
    let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
    var value: Int64 = 0
    for index in range.dropFirst(isNegative ? 1 : 0) {
      guard isDigit(bytes[index]) else { return nil }
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      // Down from 0: the lowest number has no positive counterpart.
      let (sum, isBeyond) = product.subtractingReportingOverflow(Int64(bytes[index] & 0x0F))
      if isTooLarge || isBeyond { return nil }
      value = sum
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }
}
