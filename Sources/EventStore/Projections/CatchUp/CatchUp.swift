internal import LibPQ

/// How a read model is kept current.
public struct CatchUpOptions: Sendable, Hashable {
  /// Ends when everything up to the watermark is applied; otherwise continues until the task is cancelled.
  public var once = false
  /// How often an event that failed is tried alone before it becomes a dead letter; with 0 it becomes one at once.
  public var attempts = 3
  /// The wait before the first of these attempts; each further wait is twice as long, plus or minus a quarter.
  public var retryDelay: Duration = .seconds(1)
  /// Events in a transaction.
  public var chunkSize: Int64 = 5_000
  /// How long to try to connect again after the connection was lost. Nil means without end, or 30 seconds if the
  /// catch-up is to end.
  public var retryTimeout: Duration?
  /// The longest wait before it looks for new events again. While events come, it looks every few milliseconds.
  public var pollInterval = PollingPause.usualLongest

  /// Waits while another session keeps the projection current, and takes over when it ends; otherwise that is an error.
  ///
  /// The server ends the other session when its client is silent for ``silenceOfHolder``: a process that is stopped or
  /// cut off must not keep others from taking over.
  public var isStandby = false

  /// Goes on with the file of another generation when that goes live; otherwise that is an error.
  public var followsGenerations = false

  /// How long the holder of a projection may be silent while others may wait for it.
  public static let silenceOfHolder = Duration.milliseconds(1500)

  /// Continues until the task is cancelled, and tries an event that failed three times.
  public init() {}
}

/// What a catch-up did.
public struct CatchUpResult: Sendable, Hashable {
  /// The name of the projection.
  public let projection: String
  /// Events that were handled.
  public internal(set) var events: Int64 = 0
  /// The checkpoint that was reached.
  public internal(set) var position: Int64 = 0
  /// Events that were given up on.
  public internal(set) var deadLetters = 0
  /// Whether the projection is paused, so that nothing more was applied.
  public internal(set) var isPaused = false
}

extension EventStore {
  /// Continues after temporary failures, on a new connection if the old one was lost. A process that runs once, such as
  /// a cron job, must end; a service continues forever.
  func keepCurrent(
    _ projection: Projection,
    _ options: CatchUpOptions,
    _ progress: @Sendable (EventStore.Progress) -> Void
  ) async throws -> CatchUpResult {
    // A standby that is to take over soon asks often.
    let longest = options.isStandby ? Duration.seconds(1) : .seconds(5)
    var backoff = Backoff(
      within: options.retryTimeout ?? (options.once ? .seconds(30) : nil),
      longest: longest
    )
    var run: CatchUp?
    var reached: Int64?
    while true {
      let failure: EventStoreError
      do {
        let attempt = try await perform { store in
          var current = try run ?? store.catchUp(projection, options)
          defer { run = current }
          return try store.attempt(&current, progress)
        }
        switch attempt {
        case .success(let result): return result
        case .failure(let error): failure = EventStoreError(error)
        }
      } catch let error as EventStoreError where run != nil && error.isOfConnection {
        // The first connection must succeed, as for any command; a new one may be lost before it is used.
        failure = error
      }
      if run?.result.position != reached { backoff.reset() }
      reached = run?.result.position
      let isFirst = !backoff.isRunning
      guard let pause = backoff.next() else { throw failure }
      if !isFirst { notify("\(projection.path): \(failure.message); trying again") }
      try await Task.sleep(for: pause)
    }
  }
}

extension EventStoreError {
  fileprivate var isOfConnection: Bool { [.cannotConnect, .connectionLost, .timedOut].contains(code) }
}

extension StoreConnection {
  fileprivate func catchUp(_ projection: Projection, _ options: CatchUpOptions) throws -> CatchUp {
    let file = try definition(of: projection)
    try requireSchema()
    let unseen = FollowedHistory(of: table, relation, sequence: nil)
    return CatchUp(file: file, source: try eventSource(), options: options, unseen)
  }

  /// - Returns: the failure if a later attempt may succeed.
  fileprivate func attempt(
    _ run: inout CatchUp,
    _ progress: (EventStore.Progress) -> Void
  ) throws -> Result<CatchUpResult, PostgresError> {
    do {
      try keepEachCurrent(&run, progress)
      return .success(run.result)
    } catch let error as PostgresError where error.isPassing && !canceller.isCancelled {
      return .failure(error)
    }
  }

  /// Keeps current what is live, also after a swap if that is wanted.
  private func keepEachCurrent(
    _ run: inout CatchUp,
    _ progress: (EventStore.Progress) -> Void
  ) throws {
    while true {
      do { return try keepCurrent(&run, progress) } catch is OtherFile {
        run = try catchUp(liveProjection(run.file.name), run.options)
      }
    }
  }

  private func keepCurrent(_ run: inout CatchUp, _ progress: (EventStore.Progress) -> Void) throws {
    try connection.prepareLongWork()
    try holdProjection(run) {
      try createFunction(run.handlers.apply)
      do {
        run.history = try proveFinality(after: run.history)
        var pause = PollingPause(longest: run.options.pollInterval)
        if !run.options.once { try listenForAppends() }
        repeat {
          let before = run.result.position
          try applyNews(&run, progress)
          if run.options.once { return }
          if run.result.position > before { pause.reset() }
          let isWoken = connection.isListening
          try connection.sleepAlive(for: isWoken ? pause.longest : pause.next(), untilNotified: isWoken)
        } while true
      } catch {
        let error = replacement(of: run.history, behind: error) ?? error
        let failure: EventStoreError
        switch error {
        case let poison as PoisonEvent: failure = EventStoreError(handlerFault: poison, file: run.file.path)
        case let error as PostgresError where !error.isPassing: failure = EventStoreError(error)
        case let error as EventStoreError where error.code != .locked: failure = error
        default: throw error
        }
        try? liveGeneration(of: run.file.name)?.record(failure, connection)
        throw failure
      }
    }
  }

  /// Runs `body` as the only session that keeps a projection current.
  private func holdProjection(_ run: CatchUp, _ body: () throws -> Void) throws {
    let lock = "projection \(run.file.name)"
    guard run.options.isStandby else { return try hold(lock, inTurn: false, body) }
    // Before it has the lock: a process that is stopped just then would keep it forever. One that waits asks often.
    try connection.endWhenSilent(for: CatchUpOptions.silenceOfHolder)
    defer { connection.cleanUp { try connection.endWhenSilent(for: .zero) } }
    try hold(lock, inTurn: true, body)
  }

  /// Applies everything up to the watermark. A chunk with a poison event is divided until the event is alone.
  private func applyNews(_ run: inout CatchUp, _ progress: (EventStore.Progress) -> Void) throws {
    let final = try finalPosition(of: &run.history, stopsAtHole: !run.options.once)
    // While events come, the transaction that applies them reads the checkpoint.
    if !run.hasLooked || run.result.isPaused || run.result.position >= final { try step(&run, .look) }
    try requireNotAhead(run, of: final)
    let table = try eventsTable()
    func nextEnd() throws -> Int64 {
      let position = run.result.position
      guard position < final else { return position }
      return try table.endOfChunk(of: run.options.chunkSize, after: position, upTo: final, connection)
    }
    var end = try nextEnd()
    while !run.result.isPaused, run.result.position < final {
      do {
        try step(&run, .apply(upTo: end))
        end = try nextEnd()
      } catch {
        let unreadable = try unreadableEvent(behind: error, after: run.result.position, upTo: end)
        guard let poison = error as? PoisonEvent ?? unreadable, !poison.isOfHandler else { throw error }
        switch poison.nextStep(after: run.result.position) {
        case .apply(let next): end = next
        case .park(let position):
          try retryOrPark(&run, position, poison)
          end = try nextEnd()
        }
      }
      progress(
        EventStore.Progress(done: run.result.position, of: final, events: run.result.events)
      )
    }
  }

  /// Another generation may have gone live meanwhile, with events that came since the head was read.
  private func requireNotAhead(_ run: CatchUp, of final: Int64) throws {
    guard run.result.position > final else { return }
    var now = run.history
    _ = try look(at: &now)
    try requireNotAhead(
      run.result.position,
      "projection \(run.file.name)",
      of: now,
      hint: "Rebuild it from the current events: \(.rebuild(path: run.file.path))."
    )
  }

  private func retryOrPark(_ run: inout CatchUp, _ position: Int64, _ poison: PoisonEvent) throws {
    var poison = poison
    var delaySeconds = run.options.retryDelay / .seconds(1)
    // An event that cannot be read stays unreadable.
    let attempts = poison.location == nil ? 0 : run.options.attempts
    for _ in 0..<attempts {
      try connection.sleepAlive(for: .seconds(delaySeconds * .random(in: 0.75...1.25)))
      delaySeconds *= 2
      do {
        return try step(&run, .apply(upTo: position))
      } catch let again as PoisonEvent {
        poison = again
      }
    }
    try step(&run, .park(position, poison, attempts: attempts + 1))
    if !run.result.isPaused {
      notify("\(poison.place(in: run.file.path)) dead letter: \(poison.subject): \(poison.message)")
    }
  }

  private enum Step {
    /// Reads the checkpoint.
    case look
    case apply(upTo: Int64)
    case park(Int64, PoisonEvent, attempts: Int)

    var isLook: Bool { if case .look = self { true } else { false } }
  }

  /// One transaction on the generation that is live now; waits for a swap that is under way.
  private func step(_ run: inout CatchUp, _ step: Step) throws {
    while try !takeStep(&run, step) { try connection.canceller.sleep(for: .milliseconds(50)) }
  }

  /// - Returns: false when nothing was done because a swap is under way.
  private func takeStep(_ run: inout CatchUp, _ step: Step) throws -> Bool {
    var result = run.result
    let isDone = try connection.transaction {
      guard try AdvisoryLock.share(run.file.lockOfSwap, connection) else { return false }
      // A transaction that only reads takes no lock, since one with a lock ends with a write to the disk.
      result.isPaused = try step.isLook ? isPaused(run.file.name) : lockProjection(run.file.name)
      var live = try requireLiveGeneration(of: run.file.name)
      if run.options.followsGenerations, !isWritten(live, as: run.file) { throw OtherFile() }
      try requireSameFile(live, run.file)
      if result.isPaused { return true }
      let eventsBefore = live.events
      switch step {
      case .look: break
      case .apply(let end):
        if end > live.position {
          try live.run(run.handlers, upTo: end, connection)
          try run.history.requireUnchanged(connection)
        }
      case .park(let position, let poison, let attempts):
        try live.park(position, poison, attempts: attempts, from: relation, connection)
        let parked = try run.file.seenEvents(of: run.source, from: position, upTo: position, connection)
        try live.advance(to: position, events: 0, seen: parked, connection)
        result.deadLetters += 1
      }
      result.position = live.position
      result.events += live.events - eventsBefore
      return true
    }
    run.result = result
    run.hasLooked = run.hasLooked || isDone
    return isDone
  }
}

/// Another file than that of the catch-up built what is live now.
private struct OtherFile: Error {}

/// A catch-up under way.
private struct CatchUp {
  let file: Projection
  let source: String
  let handlers: EventHandlers
  let options: CatchUpOptions
  var result: CatchUpResult
  /// Whether the checkpoint was read.
  var hasLooked = false
  /// What it knows of the store.
  var history: FollowedHistory

  init(
    file: Projection,
    source: String,
    options: CatchUpOptions,
    _ history: FollowedHistory
  ) {
    (self.file, self.source, self.options, self.history) = (file, source, options, history)
    handlers = EventHandlers(file, source: source)
    result = CatchUpResult(projection: file.name)
  }
}

extension EventStoreError {
  /// A fault of the handler or the tables stops the catch-up: otherwise every event would become a dead letter.
  fileprivate init(handlerFault poison: PoisonEvent, file: String) {
    self.init(poison, file: file)
    hint = "The cause is the handler or the tables, so no event was set aside. Fix them, and run again."
  }
}
