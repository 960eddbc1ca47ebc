internal import LibPQ

/// Events on their way into the store. Their payloads are in one buffer, as they came.
struct EventChunk: Sendable {
  struct Entry: Sendable {
    /// UTF-8.
    var aggregateID: [UInt8]
    /// UTF-8.
    var eventType: [UInt8]
    var data: Range<Int>
    var metadata: Range<Int>?
    var id: EventID
    /// Whether the id was made from the run and the line.
    var isIDOfRun = false
    /// nil means the server's time at the append.
    var timestamp: Timestamp?
    var expected: ExpectedVersion
    /// Number of the line in the input, from 1; 0 for an event that did not come from a file.
    var line: Int
    /// The text that the event was read from.
    var source: Range<Int> = 0..<0
  }

  /// Holds the texts that the events were read from.
  private(set) var bytes: [UInt8] = []
  private(set) var entries: [Entry] = []

  /// From the first event's line to the last one's.
  var lines: ClosedRange<Int> { (entries.first?.line ?? 0)...(entries.last?.line ?? 0) }

  /// Roughly the memory of the chunk.
  var size: Int { bytes.count + entries.count * (MemoryLayout<Entry>.stride + 128) }

  /// The lines, or bytes, that one COPY sends: enough to make its fixed cost small, and few enough that two chunks take
  /// only a few megabytes.
  static let maximumLines = 10_000
  private static let maximumBytes = 4 << 20

  /// Whether nothing can be added, with this maximum of lines.
  func isFull(_ maximumLines: Int) -> Bool {
    entries.count >= min(maximumLines, Self.maximumLines) || size >= Self.maximumBytes
  }

  /// Adds an event, and copies the text that holds its JSON.
  mutating func append(_ entry: Entry, copying source: ArraySlice<UInt8>) {
    let start = bytes.count
    bytes += source
    var entry = entry
    entry.data = entry.data.shifted(by: start)
    entry.metadata = entry.metadata?.shifted(by: start)
    entry.source = start..<bytes.count
    entries.append(entry)
  }

  /// All events in order, in runs within which no id occurs twice.
  var runsOfDifferentIDs: [ArraySlice<Int>] {
    let indexes = Array(entries.indices)
    var runs: [ArraySlice<Int>] = []
    var ids: Set<EventID> = []
    var start = 0
    for index in indexes where !ids.insert(entries[index].id).inserted {
      runs.append(indexes[start..<index])
      (ids, start) = ([entries[index].id], index)
    }
    return runs + [indexes[start...]]
  }

  /// The line of an event that is set aside.
  func refusedLine(_ index: Int, _ reason: String) -> RejectedLine {
    RejectedLine(line: entries[index].line, bytes: Array(bytes[entries[index].source]), reason: reason)
  }

  func aggregateID(of index: Int) -> String { String(decoding: entries[index].aggregateID, as: UTF8.self) }

  func ids(_ indexes: some Sequence<Int>) -> Parameter {
    .uuidArray(indexes.map { (entries[$0].id.high, entries[$0].id.low) })
  }
  func aggregateIDs(_ indexes: some Sequence<Int>) -> Parameter {
    .textArray(utf8: indexes.map { entries[$0].aggregateID })
  }
  func eventTypes(_ indexes: some Sequence<Int>) -> Parameter {
    .textArray(utf8: indexes.map { entries[$0].eventType })
  }
  func payloads(_ indexes: some Sequence<Int>) -> Parameter {
    .jsonbArray(indexes.map { bytes[entries[$0].data] })
  }
  func timestamps(_ indexes: some Sequence<Int>) -> Parameter {
    .timestamptzArray(indexes.map { entries[$0].timestamp?.microseconds })
  }
  func metadata(_ indexes: some Sequence<Int>) -> Parameter {
    .jsonbArray(indexes.map { entries[$0].metadata.map { bytes[$0] } })
  }
}

extension EventChunk {
  /// Checks events that a program passes in.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidInput`, naming the event by its place when there are several.
  init(_ events: [NewEvent], aggregateID: String, table: EventsTable) throws {
    var scanner = JSONScanner()
    let aggregate = try EventChunk.text(aggregateID, field: "aggregate_id", maximumLength: 255)
    for (index, event) in events.enumerated() {
      do throws(EventStoreError) {
        if event.metadata != nil { try table.requireMetadata() }
        let eventType = try EventChunk.text(event.type, field: "event_type", maximumLength: 100)
        let data = Array(event.data.utf8)
        let metadata = Array((event.metadata ?? "").utf8)
        let dataRange = try EventChunk.json(data, field: "event_data", &scanner)
        let metadataRange = try event.metadata.map { (_) throws(EventStoreError) in
          try EventChunk.json(metadata, field: "metadata", &scanner)
        }
        append(
          Entry(
            aggregateID: aggregate,
            eventType: eventType,
            data: dataRange,
            metadata: metadataRange?.shifted(by: data.count),
            id: event.id,
            timestamp: event.timestamp,
            expected: .any,
            line: 0
          ),
          copying: (data + metadata)[...]
        )
      } catch {
        guard events.count > 1 else { throw error }
        var error = error
        error.message = "event \(index + 1) of \(events.count): \(error.message)"
        throw error
      }
    }
  }

  private static func text(
    _ text: String,
    field: String,
    maximumLength: Int
  ) throws(EventStoreError) -> [UInt8] {
    let length = text.unicodeScalars.count
    guard length > 0 else { throw EventStoreError(.invalidInput, "\(field) must not be empty") }
    guard length <= maximumLength else {
      throw EventStoreError(
        .invalidInput,
        "\(field) is longer than \(maximumLength) characters: it has \(length)"
      )
    }
    guard !text.utf8.contains(0) else {
      throw EventStoreError(
        .invalidInput,
        "\(field) contains the NUL character, which PostgreSQL cannot store"
      )
    }
    return Array(text.utf8)
  }

  /// The place of the one JSON value in a text.
  private static func json(
    _ bytes: [UInt8],
    field: String,
    _ scanner: inout JSONScanner
  ) throws(EventStoreError) -> Range<Int> {
    do throws(JSONError) {
      let range = try scanner.scanValue(in: bytes.span, from: 0)
      let end = JSONScanner.skipWhitespace(in: bytes.span, from: range.upperBound)
      guard end == bytes.count else { throw JSONError(at: end, "text after the value") }
      guard bytes[range.lowerBound] != UInt8(ascii: "n") else {
        throw JSONError(at: range.lowerBound, "must not be null")
      }
      return range
    } catch {
      let place = String(decoding: bytes[..<min(error.offset, bytes.count)], as: UTF8.self)
      let line = place.unicodeScalars.count { $0 == "\n" } + 1
      let column = place.unicodeScalars.reversed().prefix { $0 != "\n" }.count + 1
      throw EventStoreError(
        .invalidInput,
        "\(field), line \(line), column \(column): \(error.message)",
        hint: error.hint.map { Hint($0) }
      )
    }
  }
}

extension Range<Int> {
  func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}

extension EventsTable {
  /// Refuses metadata if the table has no column for it.
  func requireMetadata() throws(EventStoreError) {
    guard !hasMetadata else { return }
    throw EventStoreError(
      .invalidInput,
      "the event has metadata, and \(name) has no column metadata",
      hint: "Leave the metadata out, or add the column with 'ALTER TABLE \(name) ADD COLUMN metadata jsonb'."
    )
  }
}
