import Testing

@testable import EventStore

/// The lines of a text that arrives in chunks of so many bytes, each with its number.
private func lines(_ text: String, chunk: Int, maximum: Int = 100) throws -> [String] {
  var rest = Array(text.utf8)[...]
  var reader = LineReader(maximumLineBytes: maximum) {
    defer { rest = rest.dropFirst(chunk) }
    return rest.isEmpty ? nil : Array(rest.prefix(chunk))
  }
  var result: [String] = []
  while let line = try reader.next() {
    result.append("\(reader.lineNumber):" + String(decoding: reader.buffer[line], as: UTF8.self))
  }
  #expect(try reader.next() == nil)
  return result
}

@Suite struct LineReaderTests {
  @Test(arguments: [
    ("", []),
    ("a", ["1:a"]),
    ("a\n", ["1:a"]),
    ("a\nbc\n\nd", ["1:a", "2:bc", "4:d"]),
    ("a\r\nb\r\n", ["1:a\r", "2:b\r"]),
    ("\n \t\r\n\r\n", []),
    ("\u{FEFF}a\n\u{FEFF}b", ["1:a", "2:\u{FEFF}b"]),
    ("\u{FEFF}\na", ["2:a"]),
    ("日本\nx", ["1:日本", "2:x"]),
  ])
  func splits(_ text: String, _ expected: [String]) throws {
    for chunk in 1...8 { #expect(try lines(text, chunk: chunk) == expected, "chunks of \(chunk)") }
  }

  @Test func anEmptyChunkIsNotTheEnd() throws {
    var chunks: [[UInt8]] = [Array("a".utf8), [], Array("b\n".utf8)]
    var reader = LineReader { chunks.isEmpty ? nil : chunks.removeFirst() }
    #expect(try reader.next() == 0..<2)
  }

  @Test(arguments: [1, 4, 100])
  func limitsTheLine(chunk: Int) throws {
    #expect(try lines("x\n12345\n", chunk: chunk, maximum: 5) == ["1:x", "2:12345"])
    for ending in ["\n", ""] {
      let error = #expect(throws: EventLineError.self) {
        try lines("x\n123456" + ending, chunk: chunk, maximum: 5)
      }
      #expect(error?.line == 2)
      #expect(error?.message == "the line is longer than 5 bytes")
    }
  }

  @Test func keepsNoMoreThanALineAndAChunk() throws {
    var count = 0
    var reader = LineReader {
      count += 1
      return count <= 1000 ? Array("0123456789\n01234".utf8) + Array("56789\n".utf8) : nil
    }
    var longest = 0
    while try reader.next() != nil { longest = max(longest, reader.buffer.count) }
    #expect(reader.lineNumber == 2000)
    #expect(longest <= 44)
  }

  @Test func passesOnWhatTheClosureThrows() {
    struct Broken: Error {}
    var reader = LineReader { throw Broken() }
    #expect(throws: Broken.self) { try reader.next() }
  }
}
