internal import LibPQ

/// Reads an export line by line, and checks it with its last line.
struct ExportReader {
  let name: String
  private var lines: LineReader
  private(set) var header: ExportHeader
  /// The contents of the last line; nil before it was read.
  private(set) var end: ExportEnd?
  private let input: CountedInput
  private(set) var events: Int64 = 0
  private var root = SHA256()

  /// Reads the first line.
  ///
  /// - Parameters:
  ///   - name: of the file, for errors.
  ///   - read: returns the next bytes, nil at the end.
  init(_ name: String, _ read: @escaping () throws -> [UInt8]?) throws {
    self.name = name
    header = ExportHeader(store: "", createdAt: .negativeInfinity)
    let input = CountedInput(read)
    self.input = input
    lines = LineReader { try input.next() }
    guard let range = try nextLine() else { throw cutOff() }
    let line = lines.buffer[range]
    guard ExportFormat.isHeader(line) else {
      try ForeignInput.refuse(line)
      throw notAnExport()
    }
    do {
      guard let header = try ExportFormat.header(line.span) else { throw notAnExport() }
      self.header = header
    } catch is JSONError { throw cutOff() }
    guard header.format <= ExportFormat.format else {
      throw EventStoreError(
        .invalidInput,
        "\(name) has format \(header.format), and this version reads format \(ExportFormat.format)",
        hint: "Use the version that wrote it: \(header.writer ?? "a newer one")."
      )
    }
  }

  /// How many bytes were read so far.
  var bytes: Int64 { input.bytes }
  /// The number of the line that ``next()`` returned last.
  var lineNumber: Int { lines.lineNumber }
  /// Holds the line that ``next()`` returned last.
  var buffer: [UInt8] { lines.buffer }

  /// Returns the place of the next event in ``buffer``; nil after the last one, if all is as the last line says.
  mutating func next() throws -> Range<Int>? {
    if end != nil { return nil }
    guard let range = try nextLine() else { throw cutOff() }
    if ExportFormat.isFooter(lines.buffer[range]) {
      try readEnd(range)
      return nil
    }
    // On a copy: the hash and the buffer belong to the same value.
    var hash = root
    hash.update(lines.buffer.span.extracting(range.lowerBound..<range.upperBound))
    hash.update(Self.lineFeed.span)
    root = hash
    events += 1
    return range
  }

  private static let lineFeed: [UInt8] = [UInt8(ascii: "\n")]

  private mutating func readEnd(_ range: Range<Int>) throws {
    let found: ExportEnd?
    do { found = try ExportFormat.end(lines.buffer[range].span) } catch { throw cutOff() }
    guard let found else { throw broken("Line \(lineNumber) is not the last line of an export.") }
    if found.events != events {
      throw broken("It has \(counted(events, "event")), and its last line says \(found.events).")
    }
    let root = root
    guard root.finish().description.utf8.elementsEqual(found.root.utf8) else {
      throw broken("The root of its events differs from that of its last line.")
    }
    end = found
    let last = lineNumber
    if try lines.next() != nil {
      throw broken(
        "There are lines after its last line, line \(last).",
        hint: "Name several files separately."
      )
    }
  }

  private mutating func nextLine() throws -> Range<Int>? {
    let before = lines.lineNumber
    do {
      guard let range = try lines.next() else { return nil }
      if lines.lineNumber > before + 1 { throw broken("Line \(before + 1) is empty.") }
      return range
    } catch let error as EventLineError {
      throw EventStoreError(.invalidInput, "\(name), line \(error.line): \(error.message)")
    }
  }

  private func notAnExport() -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "\(name) is not an export: it has no header line",
      hint: "Use append for events without a header; they get new positions."
    )
  }

  private func cutOff() -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "\(name) is cut off at byte \(bytes), in line \(max(1, lineNumber))",
      detail: "Its last line, with the number and the root of the events, is missing or incomplete.",
      hint: "Use another copy of the file."
    )
  }

  private func broken(_ detail: String, hint: Hint = "Use another copy of the file.") -> EventStoreError {
    EventStoreError(.invalidInput, "\(name) cannot be trusted", detail: detail, hint: hint)
  }
}

/// Counts the bytes of an input: an error names the place where a truncated one ends.
private final class CountedInput {
  private let read: () throws -> [UInt8]?
  private(set) var bytes: Int64 = 0

  init(_ read: @escaping () throws -> [UInt8]?) { self.read = read }

  func next() throws -> [UInt8]? {
    let piece = try read()
    bytes += Int64(piece?.count ?? 0)
    return piece
  }
}
