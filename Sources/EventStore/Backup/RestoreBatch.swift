internal import LibPQ

/// Events of an export that are stored in one transaction, as rows of COPY's binary format.
struct RestoreBatch {
  fileprivate(set) var rows = BinaryCopy.header
  fileprivate(set) var count = 0
  fileprivate(set) var firstLine = 0
  fileprivate(set) var firstPosition: Int64?

  /// Enough to make the time of commits negligible.
  private static let mostEvents = 10_000
  private static let mostBytes = 16 << 20

  var isEmpty: Bool { count == 0 }
  var isFull: Bool { count >= Self.mostEvents || rows.count >= Self.mostBytes }
}

/// Reads the events of an export as rows.
struct RestoreReader {
  private let table: EventsTable
  private var reader: ExportReader
  private var parser = EventLineParser()
  private var lastPosition = Int64.min
  private(set) var isAtEnd = false

  init(_ reader: ExportReader, _ table: EventsTable) {
    (self.reader, self.table) = (reader, table)
  }

  var header: ExportHeader { reader.header }
  var name: String { reader.name }
  var end: ExportEnd? { reader.end }
  var bytes: Int64 { reader.bytes }
  var events: Int64 { reader.events }

  /// Appends the next event.
  ///
  /// - Returns: false at the end.
  mutating func append(to batch: inout RestoreBatch) throws -> Bool {
    guard let range = try reader.next() else {
      isAtEnd = true
      return false
    }
    let line: RestoredLine
    do {
      line = try RestoredLine(
        &parser,
        reader.buffer.span.extracting(range.lowerBound..<range.upperBound)
      )
    } catch {
      let fault = invalid("\(error.field.map { "\($0): " } ?? "")\(error.cause.message)")
      // A file that ends in the middle of a line is truncated: report that.
      _ = try reader.next()
      throw fault
    }
    if (line.position == nil) == table.hasPosition {
      throw invalid("position: an event \(table.hasPosition ? "has none" : "has one, and others have none")")
    }
    if let position = line.position {
      guard position >= lastPosition else {
        throw invalid("position: it is lower than that of the line before")
      }
      lastPosition = position
    }
    if line.metadata != nil, !table.hasMetadata {
      throw EventStoreError(
        .invalidDefinition,
        "\(reader.name), line \(reader.lineNumber): the event has metadata, and \(table.name) has no column for it",
        hint: table.adding("metadata")
      )
    }
    if batch.isEmpty { (batch.firstLine, batch.firstPosition) = (reader.lineNumber, line.position) }
    batch.rows.appendRow(
      id: line.id,
      aggregateID: line.aggregateID,
      eventType: line.eventType,
      data: slice(line.data, of: range),
      version: line.version,
      timestamp: line.timestamp,
      metadata: table.hasMetadata ? .some(line.metadata.map { slice($0, of: range) }) : .none,
      position: line.position
    )
    batch.count += 1
    return true
  }

  /// Reads events until the batch is full.
  mutating func fill(_ batch: inout RestoreBatch) throws {
    while !batch.isFull, try append(to: &batch) {}
  }

  /// An error of the server at a row of a batch, as the error of a line.
  func refused(_ error: PostgresError, _ batch: RestoreBatch, copyTo table: String) -> EventStoreError {
    var refused = EventStoreError.refusedEvent(error)
    if let row = failedCopyRow(error, table: table) {
      refused.message = "\(reader.name), line \(batch.firstLine + row - 1): \(refused.message)"
    }
    return refused
  }

  /// The place of a line of a batch.
  func place(ofRow row: Int64, _ batch: RestoreBatch) -> String {
    "\(reader.name), line \(Int64(batch.firstLine) + row - 1)"
  }

  private func slice(_ place: Range<Int>, of line: Range<Int>) -> ArraySlice<UInt8> {
    reader.buffer[line.lowerBound + place.lowerBound..<line.lowerBound + place.upperBound]
  }

  private func invalid(_ fault: String) -> EventStoreError {
    EventStoreError(.invalidInput, "\(reader.name), line \(reader.lineNumber), \(fault)")
  }
}
