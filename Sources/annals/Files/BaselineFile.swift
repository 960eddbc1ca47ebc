internal import EventStore
internal import Synchronization

/// A baseline that is written while findings arrive.
final class BaselineFile: Sendable {
  private let file: OutputFile
  private let baseline: Mutex<Baseline>

  init(_ path: String, of store: EventStore) throws {
    file = try OutputFile(path)
    baseline = Mutex(Baseline(of: store.table))
  }

  func add(_ finding: Finding) {
    baseline.withLock { $0.add(finding) }
  }

  func finish() throws {
    try file.write(baseline.withLock(\.bytes))
    try file.finish()
  }
}
