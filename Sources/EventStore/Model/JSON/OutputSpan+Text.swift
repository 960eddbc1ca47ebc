extension OutputSpan<UInt8> {
  /// Bytes that one byte of a text becomes at most: `\u001f`.
  static var maximumEscapedBytes: Int { 6 }

  mutating func append(_ text: StaticString) {
    for byte in text.description.utf8 { append(byte) }
  }

  mutating func append(copying bytes: Span<UInt8>) {
    for index in bytes.indices { append(bytes[index]) }
  }

  mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    var digits = 1
    var limit: UInt64 = 10
    while magnitude >= limit, digits < 19 {
      digits += 1
      limit *= 10
    }
    append(decimal: magnitude, digits: digits)
  }

  /// Appends a number with leading zeros, up to 19 digits.
  mutating func append(decimal value: UInt64, digits: Int) {
    // From the last digit: a division by a constant is a multiplication; a division by a growing divisor is not.
    var reversed = InlineArray<19, UInt8>(repeating: 0)
    var rest = value
    for place in 0..<digits {
      reversed[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    for place in (0..<digits).reversed() { append(reversed[place]) }
  }

  /// Appends a UTF-8 text as a JSON string; escapes only what RFC 8259 requires.
  mutating func append(jsonString text: Span<UInt8>) {
    append(UInt8(ascii: "\""))
    for index in text.indices {
      let byte = text[index]
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 0x0A: append("\\n")
      case 0x0D: append("\\r")
      case 0x09: append("\\t")
      case ..<0x20:
        append("\\u00")
        append(hexadecimalDigit(byte >> 4))
        append(hexadecimalDigit(byte & 0x0F))
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
