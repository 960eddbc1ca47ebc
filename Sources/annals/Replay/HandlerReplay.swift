internal import EventStore
internal import Synchronization

/// A replay into one or several processes of a command, tried again from where one failed.
///
/// The events of a stream go to one process, in their order; the checkpoint moves behind what all are done with.
struct HandlerReplay {
  let store: EventStore
  let handler: EventHandlerProcess
  /// How many processes.
  let workers: Int
  let retries: Int
  /// Whether an event that the command failed at too often becomes a dead letter of the checkpoint.
  let parks: Bool
  let query: EventQuery
  let options: ReplayOptions
  private let status: ReadStatus
  /// Begins what is said, where several replays say something.
  private let prefix: String

  init(
    store: EventStore,
    handler: EventHandlerProcess,
    workers: Int,
    retries: Int,
    parks: Bool,
    query: EventQuery,
    options: ReplayOptions,
    name: String? = nil
  ) {
    prefix = name.map { "\($0): " } ?? ""
    status = ReadStatus(name ?? "replay")
    (self.store, self.handler, self.workers) = (store, handler, workers)
    (self.retries, self.parks) = (retries, parks)
    var (query, options) = (query, options)
    // The answers are positions: this refuses a table without them.
    query.fromPosition = query.fromPosition ?? .min
    options.batchSize = EventHandlerProcess.batchSize * workers
    options.dividesStreams = workers > 1
    (self.query, self.options) = (query, options)
  }

  /// - Throws: ``CommandError`` when the command failed more often than allowed without getting any further;
  ///   ``EndWithStatus`` when events were parked.
  func run() async throws {
    let (store, prefix) = (store, prefix)
    let parkedCount = Mutex(0)
    var park: (@Sendable (Int64, Int, String) async throws -> Void)?
    if parks, let checkpoint = options.checkpoint {
      try await store.requireNoProjection(named: checkpoint)
      park = { position, attempts, message in
        try await store.addDeadLetter(at: position, to: checkpoint, attempts: attempts, message: message)
        StandardError.warn("\(prefix)dead letter: the event at position \(position): \(message)")
        parkedCount.withLock { $0 += 1 }
      }
    }
    let team = (0..<workers).map { _ in HandlerWorker(handler, retries: retries, prefix: prefix, park: park) }
    var done: Int64?
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in team { group.addTask { try await worker.run() } }
        try await pass(to: team, &done)
        for worker in team { worker.finish() }
        try await group.waitForAll()
      }
    } catch let failure as HandlerProcessFailure {
      throw stopped(by: failure, done)
    }
    if parkedCount.withLock({ $0 > 0 }) { throw EndWithStatus(status: .partlyDone) }
  }

  /// - Parameter done: the position up to which all is done.
  private func pass(to team: [HandlerWorker], _ done: inout Int64?) async throws {
    var ahead: Set<Int64>?
    _ = try await store.replay(query, options) { batch in
      if let checkpoint = options.checkpoint, ahead?.isEmpty != true {
        ahead = Set(try await store.doneAhead(of: checkpoint))
      }
      let shares = batch.shares(workers, without: ahead ?? []).map(HandlerShare.init)
      let failure = await handle(shares, by: team, ahead ?? [])
      let firstUndone = shares.compactMap(\.firstUndone).min() ?? .max
      let settled = batch.positions.last { $0 < firstUndone }
      done = settled ?? done
      status.add(events: batch.positions.count { $0 < firstUndone }, upTo: settled)
      guard let failure else { return }
      throw settled.map { PartlyDone(upTo: $0, cause: failure) } ?? failure
    }
  }

  /// Has each share passed on by a worker of its own, and remembers now and then what is done.
  ///
  /// - Parameter ahead: positions that were done before.
  /// - Returns: the first failure; the others come to their end all the same.
  private func handle(
    _ shares: [HandlerShare],
    by team: [HandlerWorker],
    _ ahead: Set<Int64>
  ) async -> (any Error)? {
    @Sendable func remember() async throws {
      guard let checkpoint = options.checkpoint else { return }
      try await store.rememberDone(ahead + shares.flatMap(\.done), aheadOf: checkpoint)
    }
    let saving = Task {
      while true {
        try await Task.sleep(for: .seconds(1))
        try await remember()
      }
    }
    let failure = await withTaskGroup(of: (any Error)?.self) { group in
      for (worker, share) in zip(team, shares) where share.firstUndone != nil {
        group.addTask {
          do {
            try await worker.handle(share)
            return nil
          } catch { return error }
        }
      }
      var failure: (any Error)?
      for await error in group { failure = failure ?? error }
      return failure
    }
    saving.cancel()
    let saved = await saving.result
    if failure == nil {
      if case .failure(let error) = saved, !(error is CancellationError) { return error }
      return nil
    }
    // Also in a cancelled task: what is done must not be passed on again.
    _ = await Task { try await remember() }.result
    return failure
  }

  private func stopped(by failure: HandlerProcessFailure, _ done: Int64?) -> CommandError {
    let start = query.fromPosition.flatMap { $0 == .min ? nil : $0 }
    guard let next = done?.saturatingAdd(1) ?? start else {
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
