/// How long a follower waits before it looks for events again: a few milliseconds while events come, and longer the
/// quieter the store is.
struct PollingPause: Sendable {
  private static let shortest = Duration.milliseconds(2)
  /// The longest wait by default: a projection that looks five times a second takes 1 % of a processor, including the
  /// server's share (Benchmarks/latency.sh).
  static let usualLongest = Duration.milliseconds(200)

  /// The wait of a follower that is told about new events.
  let longest: Duration
  private var pause: Duration

  init(longest: Duration = PollingPause.usualLongest) {
    self.longest = longest
    pause = min(Self.shortest, longest)
  }

  /// Notes that there were events.
  mutating func reset() { pause = min(Self.shortest, longest) }

  /// The next wait.
  mutating func next() -> Duration {
    defer { pause = min(pause * 2, longest) }
    return pause
  }

  /// Waits after a look that found nothing; if it found something, there may be more.
  mutating func passed(isIdle: Bool, _ store: EventStore) async throws {
    if isIdle { try await store.idle(&self) } else { reset() }
  }
}
