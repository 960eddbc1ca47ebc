/// Reads lines of NDJSON as chunks of events.
struct ChunkReader {
  private var lines: LineReader
  private var parser = EventLineParser()
  private let options: BulkAppendOptions
  private let table: EventsTable
  private(set) var rejectedCount = 0
  /// Whether an event got its id from the run and its line.
  private(set) var hasMadeIDs = false
  private let run: EventID
  /// Whether the first line was examined.
  private var isBegun = false

  init(_ read: @escaping () throws -> [UInt8]?, _ options: BulkAppendOptions, _ table: EventsTable) {
    lines = LineReader(read: read)
    self.options = options
    self.table = table
    run = EventID(namespace: Self.namespaceOfRuns, name: (options.runID ?? EventID().description).utf8)
  }

  /// Number of the last line that was read.
  var lineNumber: Int { lines.lineNumber }

  /// Whether the next line is available without waiting for input.
  var hasLineAtHand: Bool { lines.hasLineAtHand }

  /// The next events, at most this number; nil at the end.
  mutating func next(_ maximumLines: Int) throws -> EventChunk? {
    var chunks = [EventChunk()]
    while !chunks[0].isFull(maximumLines), try appendNext(to: &chunks) != nil {}
    return chunks[0].entries.isEmpty ? nil : chunks[0]
  }

  /// Adds the next event to one of the chunks, always the same one for an aggregate. Returns which one; nil at the end.
  mutating func appendNext(to chunks: inout [EventChunk]) throws -> Int? {
    while let line = try nextLine() {
      let bytes = lines.buffer[line]
      do throws(EventLineError) {
        let entry = try parse(bytes)
        let share = chunks.count == 1 ? 0 : Int(entry.aggregateID.hashValue.magnitude % UInt(chunks.count))
        chunks[share].append(entry, copying: bytes)
        return share
      } catch {
        try reject(
          RejectedLine(line: error.line, bytes: Array(bytes), reason: error.reason),
          hint: error.hint
        )
      }
    }
    return nil
  }

  private mutating func nextLine() throws -> Range<Int>? {
    do {
      while let line = try lines.next() {
        if !isBegun { try ForeignInput.refuse(lines.buffer[line]) }
        isBegun = true
        if lines.lineNumber > options.skippedLines { return line }
      }
      return nil
    } catch let error as EventLineError {
      throw EventStoreError(
        .invalidInput,
        "line \(error.line), \(error.reason)",
        hint: error.hint.map { Hint($0) }
      )
    }
  }

  private mutating func parse(_ bytes: ArraySlice<UInt8>) throws(EventLineError) -> EventChunk.Entry {
    let event = try parser.parse(bytes.span, line: lines.lineNumber)
    if event.metadata != nil, !table.hasMetadata {
      throw error("metadata", "the table \(table.name) has no column for it", at: event.metadata, in: bytes)
    }
    let id: EventID
    if let given = event.id {
      id = given
    } else if let field = options.idField {
      id = try makeID(from: field, in: bytes, event.data)
    } else {
      hasMadeIDs = true
      id = EventID(namespace: run, name: String(lines.lineNumber).utf8)
    }
    return EventChunk.Entry(
      aggregateID: event.aggregateID,
      eventType: event.eventType,
      data: event.data,
      metadata: event.metadata,
      id: id,
      isIDOfRun: event.id == nil && options.idField == nil,
      timestamp: event.timestamp,
      expected: event.version.map { $0 == 1 ? .noStream : .version($0 - 1) } ?? event.expectedVersion ?? .any,
      line: lines.lineNumber
    )
  }

  /// The namespace of ids that are made from payloads; any fixed UUID will do (RFC 9562, section 6.6).
  private static let namespace = EventID(high: 0x616e_6e61_6c73_4d69, low: 0x8d9b_5a0e_3f21_7c44)
  /// The namespace of runs. Each run is the namespace of its lines.
  private static let namespaceOfRuns = EventID(high: 0x616e_6e61_6c73_4d72, low: 0x8a41_0c6f_57d2_93be)

  private func makeID(
    from field: String,
    in bytes: ArraySlice<UInt8>,
    _ data: Range<Int>
  ) throws(EventLineError) -> EventID {
    let span = bytes.span
    guard let value = JSONScanner.member(field, of: data, in: span) else {
      throw error("event_data", "no \(field) to make an id from", at: data, in: bytes)
    }
    switch span[value.lowerBound] {
    case UInt8(ascii: "\""):
      return EventID(namespace: Self.namespace, name: JSONScanner.decodeString(value, in: span))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return EventID(namespace: Self.namespace, name: JSONScanner.canonicalNumber(value, in: span).utf8)
    default:
      throw error(
        "event_data",
        "\(field), to make an id from, must be a string or a number",
        at: value,
        in: bytes
      )
    }
  }

  private func error(
    _ field: String,
    _ message: String,
    at place: Range<Int>?,
    in bytes: ArraySlice<UInt8>
  ) -> EventLineError {
    let cause = JSONError(at: place?.lowerBound ?? 0, message)
    return EventLineError(FieldError(field, cause), in: bytes.span, line: lines.lineNumber)
  }

  /// Sets a line aside if that is allowed.
  mutating func reject(_ line: RejectedLine, hint: String?) throws {
    guard rejectedCount < options.maximumRejects else {
      throw EventStoreError(
        .invalidInput,
        "line \(line.line), \(line.reason)",
        detail: rejectedCount == 0
          ? nil
          : "\(counted(rejectedCount, "line")) before it \(rejectedCount == 1 ? "was" : "were") set aside.",
        hint: hint.map { Hint($0) }
      )
    }
    // If the line cannot be set aside, the run ends.
    try options.onReject?(line)
    rejectedCount += 1
  }
}

extension EventLineError {
  /// Where in the line and why, for people.
  var reason: String { "column \(column): \(field.map { "\($0): " } ?? "")\(message)" }
}

extension JSONScanner {
  /// The value of a member of an object that was scanned before; nil if there is no such member, or no object.
  ///
  /// If a member is there several times, it is the last one, as in jsonb.
  package static func member(_ name: String, of object: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
    guard bytes[object.lowerBound] == UInt8(ascii: "{") else { return nil }
    var scanner = JSONScanner()
    var index = object.lowerBound + 1
    let wanted = Array(name.utf8)
    var found: Range<Int>?
    // An empty object, like the end of an object that lacks the member, ends the loop with an error.
    while let (key, next) = try? scanKey(in: bytes, from: index),
      let value = try? scanner.scanValue(in: bytes, from: next)
    {
      if decodeString(key, in: bytes) == wanted { found = value }
      guard let end = try? scanSeparator(in: bytes, from: value.upperBound, closing: UInt8(ascii: "}")),
        bytes[end - 1] == UInt8(ascii: ",")
      else { break }
      index = end
    }
    return found
  }
}
