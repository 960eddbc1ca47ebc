internal import LibPQ
internal import Synchronization

/// Pauses between attempts to connect again: each is twice as long as the one before, up to a limit, and slightly
/// random, so that not all clients come back to a restarted server at once.
struct Backoff: Sendable {
  private static let shortest = Duration.milliseconds(50)

  private let timeout: Duration?
  private let longest: Duration
  private var end: ContinuousClock.Instant?
  private var pause = shortest

  /// - Parameters:
  ///   - timeout: how long to try; nil is forever.
  ///   - longest: the limit of a pause.
  init(within timeout: Duration?, longest: Duration = .seconds(5)) {
    (self.timeout, self.longest) = (timeout, longest)
  }

  /// Whether attempts are being made.
  var isRunning: Bool { end != nil }

  /// The next pause; nil when the time is up.
  mutating func next() -> Duration? {
    let end = end ?? .now + (timeout ?? .seconds(1_000_000_000))
    self.end = end
    let pause = pause * Double.random(in: 0.5...1)
    guard timeout == nil || .now + pause < end else { return nil }
    self.pause = min(self.pause * 2, longest)
    return pause
  }

  /// Starts again, after work continued.
  mutating func reset() { self = Backoff(within: timeout, longest: longest) }
}

/// How far work has come over all its attempts.
///
/// An attempt that comes no further than the one before counts as a failed one: an event that crashes the server must
/// not do so forever.
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

/// Whether work has passed on some result, so that it must not begin again.
final class PassedOn: Sendable {
  private let state = Atomic(false)

  var isSet: Bool { state.load(ordering: .relaxed) }
  func set() { state.store(true, ordering: .relaxed) }
}

/// The failures after which work may begin again.
enum Interruptions {
  /// A lost connection, to any server.
  case losses
  /// A standby's conflict with its replay, and a lost connection to a standby: nothing was changed there.
  case ofStandby
}

extension EventStore {
  /// Runs work, and again when its connection was lost or a standby ended its statement. The work itself must find out
  /// where to continue.
  ///
  /// - Parameters:
  ///   - timeout: how long to try to connect again; it starts again when the work has come further.
  ///   - furthest: the work reports its progress here.
  ///   - interruptions: the failures after which the work can continue.
  ///   - passedOn: set by the work when it cannot begin again.
  /// - Throws: what the work throws; the loss, when the time is up.
  nonisolated(nonsending) func reconnecting<T>(
    within timeout: Duration,
    _ furthest: Furthest = Furthest(),
    after interruptions: Interruptions = .losses,
    unless passedOn: PassedOn = PassedOn(),
    _ work: () async throws -> T
  ) async throws -> T {
    var backoff = Backoff(within: timeout)
    while true {
      do {
        return try await work()
      } catch let error as EventStoreError {
        guard await isPassing(error, interruptions, isRunning: backoff.isRunning) else { throw error }
        if passedOn.isSet { throw error.afterPassingOn }
        let isFirst = !backoff.isRunning || furthest.hasMoved()
        if isFirst { backoff.reset() }
        guard !Task.isCancelled, let pause = backoff.next() else { throw error }
        if isFirst { await notify(error.interruption) }
        try await Task.sleep(for: pause)
      }
    }
  }

  private func isPassing(_ error: EventStoreError, _ interruptions: Interruptions, isRunning: Bool) -> Bool {
    if error.code == .recoveryConflict { return true }
    if isRunning { return error.isPassing }
    return error.isLoss && (interruptions == .losses || session.openConnection?.isOfStandby == true)
  }

  /// Runs a read, and again when a standby ended it.
  ///
  /// - Parameter passedOn: set by `body` when it has passed on some result.
  func read<T: Sendable>(
    seeing rows: RowVisibility = .all,
    goingOn isGoingOn: Bool = false,
    unless passedOn: PassedOn = PassedOn(),
    _ body: (StoreConnection) throws -> T
  ) async throws -> T {
    try await reconnecting(within: Self.readTimeout, after: .ofStandby, unless: passedOn) {
      try await perform(seeing: rows, goingOn: isGoingOn, body)
    }
  }

  /// How long a read that a standby ends is tried again, by default.
  static let readTimeout = Duration.seconds(30)
}

extension EventStoreError {
  fileprivate var isLoss: Bool { code == .connectionLost }

  /// Also what a server reports while it starts; a lock may still belong to the lost session, and a standby may have to
  /// catch up.
  fileprivate var isPassing: Bool { isLoss || [.cannotConnect, .locked, .stale].contains(code) }

  /// The error of work that read in one snapshot and has passed on a part.
  fileprivate var afterPassingOn: EventStoreError {
    var error = self
    let reason = "The events read before were passed on already, and a new start would repeat them."
    error.detail = error.detail.map { "\($0) \(reason)" } ?? reason
    return error
  }

  fileprivate var interruption: String {
    code == .recoveryConflict
      ? "the standby ended a statement (\(message)); reading again"
      : "the connection was lost (\(message)); connecting again"
  }
}
