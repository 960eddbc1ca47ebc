/// How long a follower waits before it looks for events again: a few milliseconds as long as events come, and the longer the
/// quieter the store is.
struct PollingPause: Sendable {
  private static let shortest = Duration.milliseconds(2)
  /// The longest wait where nobody says otherwise: a projection that looks five times a second takes 1 % of a processor, the
  /// server's share included (Benchmarks/latency.sh).
  static let usualLongest = Duration.milliseconds(200)

  private let longest: Duration
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

  /// Waits after a look, unless it found something: there may be more.
  mutating func passed(isIdle: Bool) async throws {
    if isIdle { try await Task.sleep(for: next()) } else { reset() }
  }
}
