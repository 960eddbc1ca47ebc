internal import EventStore

/// A replay into a command, tried again from the place of a failure.
struct HandlerReplay {
  let store: EventStore
  let handler: EventHandlerProcess
  let retries: Int
  /// Whether an event that the command failed at too often becomes a dead letter of the checkpoint.
  let parks: Bool
  var query: EventQuery
  var options: ReplayOptions
  private let status = ReadStatus("replay")
  private let start = ContinuousClock.now
  /// Positions of the events that the command received and did not answer.
  private var unanswered: [Int64] = []
  /// The command failed at one of the events up to here, and now gets them one by one.
  private var suspectPosition: Int64?
  private var parkedCount = 0

  init(
    store: EventStore,
    handler: EventHandlerProcess,
    retries: Int,
    parks: Bool,
    query: EventQuery,
    options: ReplayOptions
  ) {
    (self.store, self.handler, self.retries, self.parks) = (store, handler, retries, parks)
    (self.query, self.options) = (query, options)
  }

  /// - Throws: ``CommandError`` when the command failed more often than allowed without getting any further;
  ///   ``EndWithStatus`` when events were parked.
  mutating func run() async throws {
    // The answers are positions: this refuses a table without them.
    query.fromPosition = query.fromPosition ?? .min
    if parks, let checkpoint = options.checkpoint { try await store.requireNoProjection(named: checkpoint) }
    var failures = 0
    while true {
      let before = query.afterPosition
      do {
        try await attempt()
        break
      } catch let failure as HandlerProcessFailure {
        failures = query.afterPosition == before ? failures + 1 : 1
        if parks, !failure.isOfCommand, let last = unanswered.last {
          if last != unanswered.first {
            StandardError.warn("the command \(failure.what); passing its events one by one")
            (suspectPosition, failures) = (last, 0)
            continue
          } else if failures > retries {
            try await park(last, attempts: failures, failure)
            failures = 0
            continue
          }
        }
        guard failures <= retries else { throw stopped(by: failure) }
        let pause = 1 << min(failures - 1, 10)
        StandardError.warn(
          "the command \(failure.what); trying again in \(pause) s (\(failures) of \(retries))"
        )
        try await Task.sleep(for: .seconds(pause))
      }
    }
    if parkedCount > 0 { throw EndWithStatus(status: .partlyDone) }
  }

  private mutating func attempt() async throws {
    var replay = self
    replay.unanswered = []
    defer { self = replay }
    try await handler.run { session in
      if let suspect = replay.suspectPosition, suspect > replay.query.afterPosition ?? .min {
        try await replay.pass(upTo: suspect, batchSize: 1, to: session)
      }
      try await replay.pass(batchSize: EventHandlerProcess.batchSize, to: session)
    }
  }

  private mutating func pass(
    upTo end: Int64? = nil,
    batchSize: Int,
    to session: EventHandlerSession
  ) async throws {
    var (replay, query, options) = (self, query, options)
    defer { self = replay }
    if let end { query.toPosition = min(query.toPosition ?? end, end) }
    options.batchSize = batchSize
    options.timeLimit = options.timeLimit.map { max(.zero, $0 - (.now - start)) }
    _ = try await store.replay(query, options) { batch in
      replay.unanswered = batch.positions
      do {
        try await session.handle(batch)
        replay.move(behind: batch.positions.last)
        status.add(events: batch.count, upTo: batch.positions.last)
      } catch let error as PartlyDone {
        replay.move(behind: error.position)
        throw error
      }
    }
  }

  /// Continues after a position up to which the command is done.
  private mutating func move(behind position: Int64?) {
    guard let position else { return }
    query.afterPosition = position
    let done = unanswered.prefix { $0 <= position }.count
    query.limit = query.limit.map { max(0, $0 - done) }
    unanswered.removeFirst(done)
  }

  private mutating func park(
    _ position: Int64,
    attempts: Int,
    _ failure: HandlerProcessFailure
  ) async throws {
    guard let checkpoint = options.checkpoint else { return }
    let message = "the command \(failure.what)"
    try await store.addDeadLetter(
      at: position,
      to: checkpoint,
      of: query,
      attempts: attempts,
      message: message
    )
    StandardError.warn("dead letter: the event at position \(position): \(message)")
    parkedCount += 1
    move(behind: position)
  }

  private func stopped(by failure: HandlerProcessFailure) -> CommandError {
    let start = query.fromPosition.flatMap { $0 == .min ? nil : $0 }
    guard let next = query.afterPosition?.saturatingAdd(1) ?? start else {
      return CommandError(
        failure,
        detail: "It had processed no event.",
        hint: "Fix it, then run again."
      )
    }
    return CommandError(
      failure,
      detail: "It had processed the events before position \(next).",
      hint: options.checkpoint == nil
        ? "Fix it, then continue with --from-position \(next)."
        : "Fix it, then run again; the checkpoint has its progress."
    )
  }
}
