internal import Glibc
internal import Synchronization

/// Passes digests of streams from the thread that reads one store to the thread that reads the other.
///
/// Both threads belong to stores and may block. Their order is that of a manifest.
final class DigestQueue: Sendable {
  private struct State {
    var streams: [StreamDigest] = []
    var events = 0
    /// How the reading ended; nil as long as it continues.
    var end: Result<Void, any Error>?
  }

  /// At most as many events are read ahead. A stream that has more is passed alone.
  private static let mostEvents = 100_000
  /// Waits before the next look at what the other thread did.
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

  /// Reports that there are no more streams, and why.
  func finish(_ end: Result<Void, any Error>) {
    state.withLock { $0.end = end }
  }

  /// Takes the available streams, and waits until there is one; returns none at the end.
  ///
  /// - Throws: the reason why the reading ended too early; `CancellationError` when the task was cancelled.
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
