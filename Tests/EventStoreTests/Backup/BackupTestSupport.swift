import EventStore
import LibPQ
import Synchronization
import TestSupport

/// An export in memory.
struct ExportedFiles: Sendable {
  var files: [[UInt8]]
  var result: ExportResult

  /// As files that are read back, in pieces of an odd size.
  func sources() -> [ExportFile] { files.enumerated().map { file($1, named: "file \($0 + 1)") } }
}

/// A file that can be read again.
func file(_ bytes: [UInt8], named name: String = "file 1") -> ExportFile {
  ExportFile(name, size: Int64(bytes.count)) {
    let pieces = Pieces(bytes, size: 4093)
    return { pieces.next() }
  }
}

extension EventStore {
  nonisolated func exported(_ options: ExportOptions = ExportOptions()) async throws -> ExportedFiles {
    let files = Mutex<[[UInt8]]>([])
    let result = try await export(options) { number, bytes in
      files.withLock { files in
        if files.count < number { files.append([]) }
        files[number - 1] += bytes
      }
    }
    return ExportedFiles(files: files.withLock(\.self), result: result)
  }

  nonisolated func manifestText() async throws -> String {
    let bytes = Mutex<[UInt8]>([])
    var integrity = IntegrityCheck()
    integrity.writeManifest = { piece in bytes.withLock { $0 += piece } }
    _ = try await verifyVersions(integrity: integrity) { _ in }
    let text = bytes.withLock { String(decoding: $0, as: UTF8.self) }
    return text.split(separator: "\n").dropFirst().joined(separator: "\n")
  }
}

extension TestDatabase {
  /// Runs SQL while a store is at work on its own thread.
  func execute(_ sql: String) throws {
    try Connection(ConnectionParameters(database: conninfo), canceller: Canceller()).execute(sql)
  }

  /// Every column of all events as text, in the order of positions.
  func allEvents(of table: String = "events") async throws -> String {
    try await psql("SELECT e::text FROM \(table) e ORDER BY position, aggregate_id, version")
  }
}
