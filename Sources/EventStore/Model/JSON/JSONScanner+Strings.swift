extension JSONScanner {
  /// Scans a string from its opening quote; returns the offset after its closing one.
  package static func scanString(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    var index = start + 1
    while index < bytes.count {
      let byte = bytes[index]
      if byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        index += 1
      } else if byte == UInt8(ascii: "\"") {
        return index + 1
      } else if byte == UInt8(ascii: "\\") {
        index = try scanEscape(in: bytes, from: index)
      } else if byte >= 0x80 {
        index += try lengthOfUTF8Sequence(in: bytes, at: index)
      } else {
        throw JSONError(
          at: index,
          "\(JSONError.describe(byte)) in a string",
          hint: "Control characters are written as escapes, for example \\n."
        )
      }
    }
    throw JSONError(at: start, "the string has no closing quote")
  }

  private static func scanEscape(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else { throw .endOfInput(at: start, expected: "an escape") }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      break
    default:
      throw JSONError(
        at: start,
        "unknown escape in a string",
        hint: "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits."
      )
    }
    guard let unit = codeUnit(in: bytes, at: start) else {
      throw JSONError(at: start, "\\u must be followed by four hexadecimal digits")
    }
    switch unit {
    case 0:
      throw JSONError(at: start, "\\u0000 in a string: PostgreSQL cannot store the NUL character")
    case 0xD800...0xDBFF:
      guard let low = codeUnit(in: bytes, at: start + 6), 0xDC00...0xDFFF ~= low else {
        throw JSONError(at: start, "high surrogate without the low surrogate that must follow it")
      }
      return start + 12
    case 0xDC00...0xDFFF:
      throw JSONError(at: start, "low surrogate without a high surrogate before it")
    default:
      return start + 6
    }
  }

  /// The UTF-16 code unit of the escape `\uXXXX` at `start`, nil when that is not one.
  private static func codeUnit(in bytes: Span<UInt8>, at start: Int) -> UInt32? {
    guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
      bytes[start + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt32 = 0
    for index in start + 2..<start + 6 {
      guard let digit = hexadecimalValue(bytes[index]) else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// The length of the well-formed UTF-8 sequence at `index` (Unicode Standard, table 3-7).
  private static func lengthOfUTF8Sequence(
    in bytes: Span<UInt8>,
    at index: Int
  ) throws(JSONError) -> Int {
    var second: ClosedRange<UInt8> = 0x80...0xBF
    let length: Int
    switch bytes[index] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: length = 0
    }
    var isValid = length > 0 && index + length <= bytes.count && second.contains(bytes[index + 1])
    var offset = 2
    while isValid, offset < length {
      isValid = bytes[index + offset] & 0xC0 == 0x80
      offset += 1
    }
    guard isValid else {
      throw JSONError(
        at: index,
        "invalid UTF-8 byte 0x\(String(bytes[index], radix: 16, uppercase: true))",
        hint: "The input must be UTF-8; iconv can convert it."
      )
    }
    return length
  }

  /// The UTF-8 bytes of a scanned string's value.
  ///
  /// - Parameter string: the string with its quotes, as ``scanString(in:from:)`` accepted it.
  package static func decodeString(_ string: Range<Int>, in bytes: Span<UInt8>) -> [UInt8] {
    let end = string.upperBound - 1
    return [UInt8](capacity: string.count - 2) { result in
      var index = string.lowerBound + 1
      while index < end {
        if bytes[index] == UInt8(ascii: "\\") {
          index += decodeEscape(at: index, in: bytes, to: &result)
        } else {
          result.append(bytes[index])
          index += 1
        }
      }
    }
  }

  /// Appends the character of the escape at `index`; returns the length of the escape.
  private static func decodeEscape(
    at index: Int,
    in bytes: Span<UInt8>,
    to result: inout OutputSpan<UInt8>
  ) -> Int {
    switch bytes[index + 1] {
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "u"):
      let first = codeUnit(in: bytes, at: index) ?? 0
      let isPair = 0xD800...0xDBFF ~= first
      let low = isPair ? codeUnit(in: bytes, at: index + 6) ?? 0 : 0
      let scalar = isPair ? 0x10000 + (first & 0x3FF) << 10 + low & 0x3FF : first
      for byte in "\(Unicode.Scalar(scalar) ?? "\u{FFFD}")".utf8 { result.append(byte) }
      return isPair ? 12 : 6
    case let byte: result.append(byte)
    }
    return 2
  }
}
