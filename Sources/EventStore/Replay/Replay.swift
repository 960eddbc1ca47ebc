internal import LibPQ

/// The options of a replay.
public struct ReplayOptions: Sendable, Hashable {
  /// Continues with new events.
  public var isFollowing = false
  /// Remembers, under this name, up to where the sink is done, and begins there the next time.
  public var checkpoint: String?
  /// Where a new checkpoint begins; nil for the beginning of history.
  public var start: ReplayStart?
  /// Most events per second.
  public var eventsPerSecond: Int?
  /// Ends after this time, between two batches.
  public var timeLimit: Duration?
  /// How long to try to connect again after the connection was lost.
  public var retryTimeout: Duration = .seconds(30)
  /// The most events in a batch; nil decides by their size.
  public var batchSize: Int?

  /// Batches know the streams of their events, so that ``EventBatch/shares(_:without:)`` can divide them.
  public var dividesStreams = false

  /// Also passes on the events that an operator skips; see ``EventStore/EventStore/skip(_:)``.
  public var includesSkipped = false

  /// Waits while another session replays with the checkpoint, and takes over when it ends; otherwise that is an error.
  public var isStandby = false

  /// All existing events, as fast as the sink takes them, without a checkpoint.
  public init() {}
}

/// Where a reader begins.
public enum ReplayStart: Sendable, Hashable {
  /// After the existing events.
  case now
  /// At this position, included.
  case position(Int64)
  /// At the first event, in the order of positions, that is not earlier.
  case time(Timestamp)
}

/// Thrown by a sink that has done a part of its batch: the checkpoint moves there, then `cause` is thrown.
public struct PartlyDone: Error {
  /// Position of the last event that was done.
  public let position: Int64
  /// Why the rest was not done.
  public let cause: any Error

  /// The sink did the events up to a position, and then failed.
  public init(upTo position: Int64, cause: any Error) {
    (self.position, self.cause) = (position, cause)
  }
}

extension EventStore {
  nonisolated func pass(
    _ query: EventQuery,
    _ options: ReplayOptions,
    to sink: (EventBatch) async throws -> Void
  ) async throws -> ReadResult {
    guard let name = options.checkpoint else { return try await run(query, options, nil, sink) }
    while true {
      do {
        return try await replay(query, options, name, sink)
      } catch let error as EventStoreError where error.code == .locked && options.isStandby {
        // Another session took over while the connection was lost.
      }
    }
  }

  private nonisolated func replay(
    _ query: EventQuery,
    _ options: ReplayOptions,
    _ name: String,
    _ sink: (EventBatch) async throws -> Void
  ) async throws -> ReadResult {
    // A standby may lose its connection while it waits.
    let checkpoint = try await reconnecting(within: options.isStandby ? options.retryTimeout : .zero) {
      try await openCheckpoint(
        name,
        for: query,
        following: options.isFollowing,
        standby: options.isStandby,
        start: options.start
      )
    }
    return try await holding([Checkpoint.lockName(name)]) {
      var query = query
      query.afterPosition = max(query.afterPosition ?? .min, checkpoint.position)
      return try await run(query, options, checkpoint, sink)
    }
  }

  private nonisolated func run(
    _ query: EventQuery,
    _ options: ReplayOptions,
    _ checkpoint: Checkpoint?,
    _ sink: (EventBatch) async throws -> Void
  ) async throws -> ReadResult {
    var (checkpoint, result, idlePause) = (checkpoint, ReadResult(), PollingPause())
    var reader = EventReader(query, following: options.isFollowing)
    reader.maximumRows = options.maximumRows
    reader.retryTimeout = options.retryTimeout
    reader.endsBetweenPositions = checkpoint != nil
    reader.leavesOutSkipped = !options.includesSkipped
    let pace = Pace(options)
    while !reader.isFinished, !pace.isOver {
      // An event that a policy hides now would never be passed on, because the checkpoint moves past it.
      let page = try await nextPage(reader, seeing: checkpoint == nil ? .permitted : .all) {
        EventBatch($0, withStreams: options.dividesStreams)
      }
      reader = page.reader
      try await checkpoint?.keepLock(in: self, within: options.retryTimeout)
      if let batch = page.content {
        let wanted = batch.without(reader.skipped)
        do {
          if wanted.count > 0 { try await sink(wanted) }
        } catch let error as PartlyDone {
          // Also in a cancelled task: what is done must not be passed on again.
          let seen = batch.seenEvents(upTo: error.position)
          try await Task { [checkpoint] in
            var checkpoint = checkpoint
            try await checkpoint?.move(to: error.position, seen: seen, in: self, within: options.retryTimeout)
          }.value
          throw error.cause
        }
        result.count += wanted.count
        result.lastPosition = batch.positions.last
      }
      if let done = reader.settledPosition ?? page.content?.positions.last {
        let seen = page.content?.seenEvents(upTo: done) ?? SeenEvents()
        try await checkpoint?.move(to: done, seen: seen, in: self, within: options.retryTimeout)
      }
      try await pace.wait(after: result.count)
      try await idlePause.passed(isIdle: page.content == nil && !reader.isFinished, self)
    }
    return result
  }
}

extension ReplayOptions {
  /// At a given rate the events come in ten batches a second, not all at the second's beginning.
  fileprivate var maximumRows: Int? {
    guard let eventsPerSecond else { return batchSize }
    return min(batchSize ?? .max, max(1, eventsPerSecond / 10))
  }
}

/// Keeps a replay to its rate and its time.
private struct Pace {
  private let start = ContinuousClock.now
  private let options: ReplayOptions

  init(_ options: ReplayOptions) {
    self.options = options
  }

  var isOver: Bool {
    options.timeLimit.map { ContinuousClock.now - start >= $0 } ?? false
  }

  /// Waits until the rate allows this number of events.
  func wait(after count: Int) async throws {
    guard let rate = options.eventsPerSecond else { return }
    try await Task.sleep(until: start + .seconds(1) * (Double(count) / Double(rate)))
  }
}
