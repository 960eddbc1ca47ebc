internal import LibPQ

/// The contents of an export.
public struct ExportOptions: Sendable {
  /// Which streams.
  public var selection = AggregateSelection.all
  /// The earliest time, included.
  public var since: Timestamp?
  /// The latest time, included.
  public var until: Timestamp?
  /// The end of the time range, excluded.
  public var before: Timestamp?
  /// Reads the export that this one continues: returns its next bytes, nil at its end. The selection is taken from it.
  public var previous: (@Sendable () throws -> [UInt8]?)?
  /// Most events in a file; nil for one file.
  public var eventsPerFile: Int?
  /// The program that writes it, with its version: a note in the file.
  public var writer: String?
  /// Called, on the store's thread, with the current position; not called for a table without positions.
  public var onProgress: (@Sendable (EventStore.Progress) -> Void)?

  /// All events, in one file.
  public init() {}
}

/// The result of an export.
public struct ExportResult: Sendable, Hashable {
  /// The events.
  public internal(set) var events: Int64 = 0
  /// The files.
  public internal(set) var files = 1
  /// The SHA-256 of the lines of the last file, in hexadecimal digits.
  public internal(set) var root = ""
  /// The position of the last event; nil without any, or without positions.
  public internal(set) var lastPosition: Int64?
}

extension StoreConnection {
  /// Writes the events in one snapshot, up to where history was final before it.
  ///
  /// - Parameters:
  ///   - previous: the export that it continues.
  ///   - write: gets the number of the file, from 1, and its next bytes.
  func export(
    _ options: ExportOptions,
    after previous: ProvedExport?,
    to write: (_ file: Int, _ bytes: [UInt8]) throws -> Void
  ) throws -> ExportResult {
    guard upcasters.isEmpty else {
      throw EventStoreError(
        .invalidInput,
        "an export has events as they are stored",
        hint: "Leave \(.upcasters) out."
      )
    }
    var header = ExportHeader(store: foreign?.name ?? table.description, createdAt: try now())
    header.writer = options.writer
    header.selection = previous?.header.selection ?? options.selection
    (header.since, header.until, header.before) = (options.since, options.until, options.before)
    if let previous {
      try requireSuccessor(of: previous.header, header, hasNext: previous.end.hasNext)
      header.previous = previous.end
    }
    let query = try exportQuery(of: header)
    // An empty store has no head.
    header.headPosition = query.toPosition.map { $0 == .min ? 0 : $0 }
    return try withoutActuallyEscaping(write) { write in
      try connection.transaction(.repeatableReadOnly) {
        var writer = ExportWriter(header, eventsPerFile: options.eventsPerFile, write)
        try writer.begin()
        try forEachExportedPage(of: query) { page in
          try writer.add(page)
          guard let head = header.headPosition, let done = writer.result.lastPosition else { return }
          options.onProgress?(EventStore.Progress(done: done, of: head, events: writer.result.events))
        }
        return try writer.finish()
      }
    }
  }

  private func now() throws -> Timestamp {
    Timestamp(microseconds: try connection.query("SELECT clock_timestamp()").int64(0, 0))
  }

  /// The events that an export with this first line has, up to where history is final now.
  private func exportQuery(of header: ExportHeader) throws -> EventQuery {
    let table = try eventsTable()
    var query = EventQuery()
    switch header.selection {
    case .all: break
    case .category(let category): query.category = category
    case .aggregates(let ids):
      query.aggregateIDs = ids
      if let missing = try table.withoutEvents(ids, connection).first {
        throw NamedEvents.aggregate(missing).missing(in: self.table)
      }
    }
    (query.since, query.until, query.before) = (header.since, header.until, header.before)
    guard table.hasPosition else {
      if header.previous != nil { try table.requirePosition(for: "an export of what is new") }
      return query
    }
    if let last = header.previous?.lastPosition {
      let history = try proveFinality()
      try requireNotAhead(
        last,
        "the export before",
        of: history,
        hint: "Restore the events that are missing, or export the whole store."
      )
      query.afterPosition = last
    }
    query.toPosition = try finalPosition(goesOn: header.previous != nil)
    return query
  }

  /// Refuses to continue the export of another store.
  private func requireSuccessor(of previous: ExportHeader, _ header: ExportHeader, hasNext: Bool) throws {
    var reason: String?
    if hasNext {
      reason = "Another file continues it."
    } else if !previous.store.hasSameBytes(as: header.store) {
      reason = "It is of \(previous.store), and this is \(header.store)."
    } else if previous.until != nil || previous.before != nil {
      reason = "It ends at a time, so later events in the store are not all new."
    } else if previous.headPosition == nil {
      reason = "Its events have no positions."
    }
    guard let reason else { return }
    throw EventStoreError(.invalidInput, "an export cannot continue that file", detail: reason)
  }
}

/// Writes an export, in one file or in several that continue each other.
private struct ExportWriter {
  private let write: (Int, [UInt8]) throws -> Void
  private let eventsPerFile: Int
  private var header: ExportHeader
  private(set) var result = ExportResult()
  private var root = SHA256()
  private var eventsInFile = 0
  private var lines: [UInt8] = []

  init(_ header: ExportHeader, eventsPerFile: Int?, _ write: @escaping (Int, [UInt8]) throws -> Void) {
    (self.header, self.write) = (header, write)
    self.eventsPerFile = eventsPerFile ?? .max
    result.lastPosition = header.previous?.lastPosition
  }

  func begin() throws { try write(result.files, ExportFormat.line(header)) }

  mutating func add(_ page: borrowing QueryResult) throws {
    for row in 0..<page.rowCount {
      if eventsInFile == eventsPerFile { try beginNext() }
      page.appendNDJSON(row, to: &lines)
      eventsInFile += 1
      result.events += 1
      result.lastPosition = page.optionalInt64(row, EventsTable.Column.position)
    }
    try flush()
  }

  mutating func finish() throws -> ExportResult {
    let end = try endFile()
    result.root = end.root
    return result
  }

  private mutating func flush() throws {
    guard !lines.isEmpty else { return }
    var hash = root
    hash.update(lines.span)
    root = hash
    try write(result.files, lines)
    lines.removeAll(keepingCapacity: true)
  }

  private mutating func endFile(hasNext: Bool = false) throws -> ExportEnd {
    try flush()
    var end = ExportEnd(
      events: Int64(eventsInFile),
      lastPosition: result.lastPosition,
      root: root.finish().description
    )
    end.hasNext = hasNext
    try write(result.files, ExportFormat.line(end))
    return end
  }

  private mutating func beginNext() throws {
    header.previous = try endFile(hasNext: true)
    (root, eventsInFile) = (SHA256(), 0)
    result.files += 1
    try begin()
  }
}
