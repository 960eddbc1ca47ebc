/// Splits a stream of bytes into lines, in memory for the longest line and one chunk.
///
/// A line ends with LF or CR LF; the last line may end without. Lines of nothing but white space are skipped, and so is
/// a byte order mark at the start.
package struct LineReader {
  /// Longest line accepted: PostgreSQL's limit for one field of a COPY (`MaxAllocSize` in `memutils.h`).
  package static let maximumLineBytes = 0x3FFF_FFFF

  /// Number of the line that ``next()`` returned last, from 1; every line of the input counts.
  package private(set) var lineNumber = 0
  /// Holds the line that ``next()`` returned last.
  package private(set) var buffer: [UInt8] = []

  private var unread = 0
  private var isAtEnd = false
  private let maximumLineBytes: Int
  private let read: () throws -> [UInt8]?

  /// - Parameter read: returns the next bytes, as many as there are; nil at the end.
  package init(
    maximumLineBytes: Int = LineReader.maximumLineBytes,
    read: @escaping () throws -> [UInt8]?
  ) {
    self.maximumLineBytes = maximumLineBytes
    self.read = read
  }

  /// Returns the place of the next line in ``buffer``, without its line feed; nil at the end of the input.
  ///
  /// - Throws: ``EventLineError`` for a line that is too long, and what the closure throws.
  package mutating func next() throws -> Range<Int>? {
    while let line = try nextLine() {
      lineNumber += 1
      let content = lineNumber == 1 ? withoutByteOrderMark(line) : line
      if JSONScanner.skipWhitespace(in: buffer.span.extracting(content), from: 0) < content.count {
        return content
      }
    }
    return nil
  }

  /// Whether another line was read already, or it is known that there is none.
  package var hasLineAtHand: Bool {
    isAtEnd || buffer.span.firstIndex(of: UInt8(ascii: "\n"), from: unread) != nil
  }

  private mutating func nextLine() throws -> Range<Int>? {
    var searched = unread
    while true {
      if let end = buffer.span.firstIndex(of: UInt8(ascii: "\n"), from: searched) {
        let line = unread..<end
        guard line.count <= maximumLineBytes else { throw tooLong() }
        unread = end + 1
        return line
      }
      let length = buffer.count - unread
      guard length <= maximumLineBytes else { throw tooLong() }
      if isAtEnd {
        defer { unread = buffer.count }
        return length == 0 ? nil : unread..<buffer.count
      }
      buffer.removeSubrange(..<unread)
      unread = 0
      searched = buffer.count
      if let chunk = try read() { buffer += chunk } else { isAtEnd = true }
    }
  }

  private func withoutByteOrderMark(_ line: Range<Int>) -> Range<Int> {
    buffer[line].starts(with: [0xEF, 0xBB, 0xBF]) ? line.lowerBound + 3..<line.upperBound : line
  }

  private func tooLong() -> EventLineError {
    EventLineError(
      line: lineNumber + 1,
      column: 1,
      byteColumn: 1,
      field: nil,
      message: "the line is longer than \(maximumLineBytes) bytes",
      hint: "The input must have one event a line, each line ended by a line feed."
    )
  }
}

extension Span<UInt8> {
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    var index = start
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }
}
