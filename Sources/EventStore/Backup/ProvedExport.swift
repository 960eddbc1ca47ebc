/// An export that was read to its end.
struct ProvedExport: Sendable {
  let file: ExportFile
  let header: ExportHeader
  let end: ExportEnd

  /// Refuses files in the wrong order.
  func requireSuccessor(of other: ProvedExport) throws {
    if let previous = header.previous, previous.root.utf8.elementsEqual(other.end.root.utf8) { return }
    throw EventStoreError(
      .invalidInput,
      "\(file.name) does not continue \(other.file.name)",
      detail: "The first line of an export names the root of the one before.",
      hint: "Name the files in their order."
    )
  }
}

extension [ProvedExport] {
  /// Refuses an export without its last file.
  func requireEnd() throws {
    if let last, last.end.hasNext { throw EventStoreError.notLast(last.file.name) }
  }
}

extension EventStoreError {
  static func notLast(_ name: String) -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "\(name) is not the last file of its export",
      detail: "Its last line says that another file continues it.",
      hint: "Name all files of the export, in their order."
    )
  }
}

extension ExportFile {
  /// Reads the file to its end.
  ///
  /// - Parameter report: is called from time to time.
  func proved(_ report: (ExportReader) throws -> Void) throws -> ProvedExport {
    var reader = try reader()
    while try reader.next() != nil {
      if reader.events.isMultiple(of: 10_000) { try report(reader) }
    }
    try report(reader)
    // After the last event there is an end.
    return ProvedExport(file: self, header: reader.header, end: reader.end!)
  }
}

/// How many of several files are verified.
struct ProvingProgress {
  private let options: RestoreOptions
  private let totalBytes: Int64?
  private var before: (bytes: Int64, events: Int64) = (0, 0)
  private var current: (bytes: Int64, events: Int64) = (0, 0)

  init(_ files: [ExportFile], _ options: RestoreOptions) {
    self.options = options
    totalBytes = files.totalBytes
  }

  /// - Throws: `CancellationError` when the task was cancelled.
  mutating func tell(_ reader: ExportReader) throws {
    try Task.checkCancellation()
    current = (reader.bytes, reader.events)
    options.onProgress?(
      RestoreProgress(
        phase: .proving,
        bytes: before.bytes + current.bytes,
        totalBytes: totalBytes,
        events: before.events + current.events
      )
    )
  }

  mutating func endFile() {
    before = (before.bytes + current.bytes, before.events + current.events)
  }
}

extension [ExportFile] {
  /// The size of all; nil if the size of one is not known.
  var totalBytes: Int64? {
    reduce(0) { total, file in total.flatMap { total in file.size.map { total + $0 } } }
  }
}
