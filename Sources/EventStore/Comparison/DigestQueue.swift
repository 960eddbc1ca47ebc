internal import Glibc
internal import Synchronization

/// Hands digests of streams from the thread that reads one store to the thread that reads the other.
///
/// Both threads belong to stores and may block. Their order is that of a manifest.
final class DigestQueue: Sendable {
  private struct State {
    var streams: [StreamDigest] = []
    var events = 0
    /// How the reading ended; nil while it goes on.
    var end: Result<Void, any Error>?
  }

  /// More events are not read ahead. A stream that has more is handed over alone.
  private static let mostEvents = 100_000
  /// Waits between two looks at what the other thread did.
  static func wait() { usleep(500) }

  private let state = Mutex(State())

  /// Adds a stream, as soon as there is room.
  ///
  /// - Throws: `CancellationError` when the task was cancelled.
  func put(_ stream: StreamDigest) throws {
    while true {
      let isTaken = state.withLock { state in
        guard state.events < Self.mostEvents else { return false }
        state.streams.append(stream)
        state.events += stream.events.count
        return true
      }
      if isTaken { return }
      try Task.checkCancellation()
      Self.wait()
    }
  }

  /// Tells that there are no more streams, and why.
  func finish(_ end: Result<Void, any Error>) {
    state.withLock { $0.end = end }
  }

  /// Takes what there is, and waits until there is something; nothing at the end.
  ///
  /// - Throws: why the reading ended too early; `CancellationError` when the task was cancelled.
  func take() throws -> [StreamDigest] {
    while true {
      let (streams, end) = state.withLock { state in
        defer { (state.streams, state.events) = ([], 0) }
        return (state.streams, state.end)
      }
      if !streams.isEmpty { return streams }
      if let end {
        try end.get()
        return []
      }
      try Task.checkCancellation()
      Self.wait()
    }
  }
}
