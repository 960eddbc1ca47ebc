import Testing

@testable import EventStore

/// Scans a text as one JSON value, without anything after it.
private func scan(_ bytes: [UInt8]) throws(JSONError) -> Range<Int> {
  var scanner = JSONScanner()
  let value = try scanner.scanValue(in: bytes.span, from: 0)
  let end = JSONScanner.skipWhitespace(in: bytes.span, from: value.upperBound)
  guard end == bytes.count else { throw JSONError(at: end, "text after the value") }
  return value
}

private func error(_ bytes: [UInt8]) -> JSONError? {
  do {
    _ = try scan(bytes)
    return nil
  } catch { return error }
}

@Suite struct JSONScannerTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "-1.25", "1e5", "1E+05", "1e-5", "\"\"", "[]", "{}", " [ 1 , 2 ] ",
    #"{"a":{"b":[{}]},"a":[[],"x"]}"#, "\t\r\n 1 \n", #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#,
    "\"\u{7F}é日😀\"",
    "\"\u{D7FF}\u{E000}\u{10FFFF}\u{80}\u{800}\u{10000}\"", #""\uFFFF\udbff\udfff""#,
    "1e131071", "0.1e131072", "100e131069", "1e-16383", "0e131072", "0e1073741822", "9.99e131071",
  ])
  func accepts(_ text: String) throws {
    _ = try scan(Array(text.utf8))
  }

  @Test func returnsTheValueWithoutWhiteSpace() throws {
    #expect(try scan(Array(" \t[1, 2] ".utf8)) == 2..<8)
  }

  @Test(arguments: [
    ("", 0, "the line ends where a value was expected"),
    ("[1,", 3, "the line ends where a value was expected"),
    ("[1", 2, #"the line ends where "," or "]" was expected"#),
    ("{", 1, "the line ends where a field name was expected"),
    (#"{"a""#, 4, #"the line ends where ":" was expected"#),
    (#"{"a":1,}"#, 7, #"unexpected "}", expected a field name in double quotes"#),
    ("[1,]", 3, #"unexpected "]", expected a value"#),
    ("[,1]", 1, #"unexpected ",", expected a value"#),
    ("[1 2]", 3, #"unexpected "2", expected "," or "]""#),
    (#"{"a" 1}"#, 5, #"unexpected "1", expected ":""#),
    ("{'a':1}", 1, #"unexpected "'", expected a field name in double quotes"#),
    ("[1}", 2, #"unexpected "}", expected "," or "]""#),
    ("{} x", 3, "text after the value"),
    ("tru", 0, "unknown word, expected true, false, null or a value"),
    ("nulL", 0, "unknown word, expected true, false, null or a value"),
    ("NaN", 0, #"unexpected "N", expected a value"#),
    ("01", 0, "a number must not begin with 0"),
    ("-", 1, "a digit is missing in a number"),
    ("1.", 2, "a digit is missing in a number"),
    ("1.e5", 2, "a digit is missing in a number"),
    ("1e+", 3, "a digit is missing in a number"),
    ("+1", 0, #"unexpected "+", expected a value"#),
    (".5", 0, #"unexpected ".", expected a value"#),
    (#"["a"#, 1, "the string has no closing quote"),
    (#"["a\"]"#, 1, "the string has no closing quote"),
    ("\"a\u{1}\"", 2, "control character 0x01 in a string"),
    ("\"a\tb\"", 2, "control character 0x09 in a string"),
    (#""\x41""#, 1, "unknown escape in a string"),
    (#""\u12G4""#, 1, #"\u must be followed by four hexadecimal digits"#),
    (#""\u12"#, 1, #"\u must be followed by four hexadecimal digits"#),
    (#""a\u0000""#, 2, #"\u0000 in a string: PostgreSQL cannot store the NUL character"#),
    (#""\ud800""#, 1, "high surrogate without the low surrogate that must follow it"),
    (#""\ud800x""#, 1, "high surrogate without the low surrogate that must follow it"),
    (#""\ud800\ud800""#, 1, "high surrogate without the low surrogate that must follow it"),
    (#""\ud800\n0000""#, 1, "high surrogate without the low surrogate that must follow it"),
    (#""\udc00\ud800""#, 1, "low surrogate without a high surrogate before it"),
    ("\u{FEFF}1", 0, "unexpected character outside ASCII, expected a value"),
  ])
  func refuses(_ text: String, at offset: Int, message: String) {
    let error = error(Array(text.utf8))
    #expect(error?.offset == offset)
    #expect(error?.message == message)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80],
      [0xF0, 0x8F, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
      [0xFF],
      [0xE2, 0x82, 0x41],
    ] as [[UInt8]]
  )
  func refusesInvalidUTF8(_ sequence: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let error = error([quote, quote - 1] + sequence + [quote])
    #expect(error?.offset == 2)
    #expect(error?.message.hasPrefix("invalid UTF-8 byte 0x") == true)
  }

  @Test func refusesInvalidUTF8AtTheEnd() {
    #expect(error([UInt8(ascii: "\""), 0xF0, 0x9F])?.message == "invalid UTF-8 byte 0xF0")
  }

  @Test(arguments: [
    "1e131072", "-1e131072", "100e131070", "0.1e131073", "1e1073741823", "1e99999999999999999999",
    "1e-16384", "1.5e-16383", "0e-16384", "0e-99999999999999999999", "0e1073741823",
  ])
  func refusesNumbersThatOverflowNumeric(_ text: String) {
    #expect(error(Array(text.utf8))?.offset == 0)
  }

  @Test func limitsDigits() throws {
    let nines = { (count: Int) in [UInt8](repeating: UInt8(ascii: "9"), count: count) }
    _ = try scan(nines(131_072))
    #expect(error(nines(131_073))?.message.contains("131072 digits before") == true)
    _ = try scan(Array("0.".utf8) + nines(16_383))
    #expect(error(Array("0.".utf8) + nines(16_384))?.message.contains("16383 digits after") == true)
    _ = try scan(nines(16_384) + Array("e-16383".utf8))
  }

  @Test(arguments: ["[", #"{"a":"#])
  func limitsDepth(_ opening: String) throws {
    let closing: UInt8 = opening == "[" ? UInt8(ascii: "]") : UInt8(ascii: "}")
    func nested(_ depth: Int) -> [UInt8] {
      Array(String(repeating: opening, count: depth).utf8) + [UInt8(ascii: "1")]
        + [UInt8](repeating: closing, count: depth)
    }
    _ = try scan(nested(JSONScanner.maximumDepth))
    let error = error(nested(JSONScanner.maximumDepth + 1))
    #expect(error?.message == "nested deeper than 6000 levels")
    #expect(error?.offset == opening.utf8.count * 6000)
  }

  @Test func keepsNoStateAfterAnError() throws {
    var scanner = JSONScanner()
    let broken = Array("[[{".utf8)
    #expect(throws: JSONError.self) { try scanner.scanValue(in: broken.span, from: 0) }
    let sound = Array("[1]".utf8)
    #expect(try scanner.scanValue(in: sound.span, from: 0) == 0..<3)
  }

  @Test(arguments: [
    (#""""#, ""), (#""order-42""#, "order-42"), (#""a\"\\\/b""#, "a\"\\/b"),
    (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20ac""#, "Aé€"), (#""x\ud83d\uDE00y""#, "x😀y"),
    ("\"é日😀\"", "é日😀"),
  ])
  func decodesStrings(_ json: String, _ text: String) throws {
    let bytes = Array(json.utf8)
    let range = try scan(bytes)
    #expect(JSONScanner.decodeString(range, in: bytes.span) == Array(text.utf8))
  }
}
