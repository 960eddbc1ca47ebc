internal import LibPQ
internal import Synchronization

/// A file that a store is compared with.
///
/// Its beginning tells its kind.
final class ComparedFile: Sendable {
  /// Whether it is a manifest, and not events in NDJSON.
  let isManifest: Bool
  private let beginning: Mutex<[UInt8]?>
  private let readRest: @Sendable () throws -> [UInt8]?

  /// - Parameter read: returns the next bytes, nil at the end.
  init(_ read: @escaping @Sendable () throws -> [UInt8]?) throws {
    let header = Array(#"{"annals_manifest""#.utf8)
    var bytes: [UInt8] = []
    while bytes.count < header.count, let piece = try read() { bytes += piece }
    isManifest = bytes.starts(with: header)
    beginning = Mutex(bytes)
    readRest = read
  }

  /// The next bytes; nil at the end.
  @Sendable func read() throws -> [UInt8]? {
    let bytes = beginning.withLock { bytes in
      defer { bytes = nil }
      return bytes
    }
    if let bytes, !bytes.isEmpty { return bytes }
    return try readRest()
  }
}

extension StoreConnection {
  /// Loads the events of a file into a temporary table, which is dropped with the session.
  func load(_ file: ComparedFile) throws -> EventsTable {
    try connection.requireSession()
    let table = EventsTable.ofFile
    var lines = ComparedLines(file.read)
    do {
      try connection.transaction(.readWrite) {
        try connection.execute(
          """
          CREATE TEMPORARY TABLE \(table.name.name) (
            id uuid, aggregate_id text, event_type text, event_data jsonb, version int, "timestamp" timestamptz,
            metadata jsonb)
          """
        )
        try connection.copyIn("COPY \(table.relation) FROM STDIN (FORMAT binary)") { write in
          var rows = BinaryCopy.header
          while try lines.appendRow(to: &rows) {
            guard rows.count >= 1 << 16 else { continue }
            try write(rows)
            rows.removeAll(keepingCapacity: true)
          }
          rows.append(bigEndian: BinaryCopy.trailer)
          try write(rows)
        }
      }
    } catch let error as PostgresError where error.isReadOnlyTransaction {
      throw EventStoreError(
        .permissionDenied,
        "the events of a file cannot be sorted on this server",
        detail: "Sorting needs a temporary table, which a standby cannot create.",
        hint: "Connect to the primary, or compare with a manifest."
      )
    }
    return table
  }
}

extension EventsTable {
  /// The temporary table with the events of a file.
  fileprivate static let ofFile: EventsTable = {
    let name = QualifiedName(schema: "pg_temp", name: "annals_compared")
    let types: [ByteString: String] = [
      "id": "uuid", "aggregate_id": "text", "event_type": "text", "event_data": "jsonb", "version": "integer",
      "timestamp": "timestamp with time zone", "metadata": "jsonb",
    ]
    return EventsTable(name: name, relation: name.sql, types: types)
  }()
}

/// Reads events that have all their fields from NDJSON.
private struct ComparedLines {
  private var lines: LineReader
  private var parser = EventLineParser()
  private var isBegun = false
  /// Whether the first line is that of an export, and whether its last one was read.
  private var (isExport, hasEnd) = (false, false)
  /// Where the line begins in the buffer of `lines`.
  private var lineStart = 0

  init(_ read: @escaping () throws -> [UInt8]?) {
    lines = LineReader(read: read)
  }

  /// Appends the next event as a row of ``EventsTable/ofFile``.
  ///
  /// - Returns: false at the end.
  mutating func appendRow(to rows: inout [UInt8]) throws -> Bool {
    do {
      guard let range = try lines.next() else {
        if isExport, !hasEnd { throw cutOff() }
        return false
      }
      lineStart = range.lowerBound
      let bytes = lines.buffer[range]
      let isFirst = !isBegun
      isBegun = true
      if isFirst {
        try ForeignInput.refuse(bytes)
        isExport = ExportFormat.isHeader(bytes)
      }
      if isExport, isFirst || ExportFormat.isFooter(bytes) {
        hasEnd = !isFirst
        return try appendRow(to: &rows)
      }
      let event = try parser.parse(bytes.span, line: lines.lineNumber)
      rows.appendRow(
        id: try require(event.id, "id"),
        aggregateID: event.aggregateID,
        eventType: event.eventType,
        data: slice(event.data),
        version: Int32(try require(event.version, "version")),
        timestamp: try require(event.timestamp, "timestamp"),
        metadata: .some(event.metadata.map(slice))
      )
      return true
    } catch let error as EventLineError {
      throw EventStoreError(
        .invalidInput,
        "line \(error.line), \(error.reason)",
        hint: error.hint.map { Hint($0) }
      )
    }
  }

  private func cutOff() -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "the export is cut off in line \(lines.lineNumber)",
      detail: "Its last line is missing.",
      hint: "Use another copy of the file."
    )
  }

  private func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
    // Places are those in the line.
    let start = lineStart
    return lines.buffer[start + range.lowerBound..<start + range.upperBound]
  }

  private func require<T>(_ value: T?, _ field: String) throws -> T {
    if let value { return value }
    throw EventStoreError(
      .invalidInput,
      "line \(lines.lineNumber), \(field): the field is missing",
      hint: "Events are compared in all their fields. Give lines as \(.replay()) prints them."
    )
  }
}
