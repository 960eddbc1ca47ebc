internal import Synchronization

/// Pauses between tries to connect again: each is twice as long as the one before, up to a limit, and a bit random, so
/// that not all clients of a server that comes back meet at once.
struct Backoff: Sendable {
  private static let shortest = Duration.milliseconds(50)

  private let timeout: Duration?
  private let longest: Duration
  private var end: ContinuousClock.Instant?
  private var pause = shortest

  /// - Parameters:
  ///   - timeout: how long to try; nil is for ever.
  ///   - longest: the limit of a pause.
  init(within timeout: Duration?, longest: Duration = .seconds(5)) {
    (self.timeout, self.longest) = (timeout, longest)
  }

  /// Whether something is being tried again.
  var isRunning: Bool { end != nil }

  /// The next pause; nil when it is no use any more.
  mutating func next() -> Duration? {
    let end = end ?? .now + (timeout ?? .seconds(1_000_000_000))
    self.end = end
    let pause = pause * Double.random(in: 0.5...1)
    guard timeout == nil || .now + pause < end else { return nil }
    self.pause = min(self.pause * 2, longest)
    return pause
  }

  /// Begins anew, after work went on.
  mutating func reset() { self = Backoff(within: timeout, longest: longest) }
}

/// How far work has come over all its tries.
///
/// A try that comes no further than the one before counts as none: an event that crashes the server must not do so for
/// ever.
final class Furthest: Sendable {
  private let state = Mutex((position: Int64.min, isNew: false))

  func note(_ position: Int64) {
    state.withLock { if position > $0.position { $0 = (position, true) } }
  }

  /// Whether the work has come further since the last call.
  func hasMoved() -> Bool {
    state.withLock { state in
      defer { state.isNew = false }
      return state.isNew
    }
  }
}

extension EventStore {
  /// Runs work, and again when its connection was lost. The work must find out by itself where to go on.
  ///
  /// - Parameters:
  ///   - timeout: how long to try to connect again; it begins anew when the work has come further.
  ///   - furthest: is told by the work how far it is.
  /// - Throws: what the work throws; the loss, when the time is over.
  nonisolated(nonsending) func reconnecting<T>(
    within timeout: Duration,
    _ furthest: Furthest = Furthest(),
    _ work: () async throws -> T
  ) async throws -> T {
    var backoff = Backoff(within: timeout)
    while true {
      do {
        return try await work()
      } catch let error as EventStoreError where backoff.isRunning ? error.isPassing : error.isLoss {
        let isFirst = !backoff.isRunning || furthest.hasMoved()
        if isFirst { backoff.reset() }
        guard !Task.isCancelled, let pause = backoff.next() else { throw error }
        if isFirst { await notify("the connection was lost (\(error.message)); connecting again") }
        try await Task.sleep(for: pause)
      }
    }
  }
}

extension EventStoreError {
  fileprivate var isLoss: Bool { code == .connectionLost }

  /// Also what a server says while it starts; and a lock may still be that of the session that was lost.
  fileprivate var isPassing: Bool { isLoss || code == .cannotConnect || code == .locked }
}
