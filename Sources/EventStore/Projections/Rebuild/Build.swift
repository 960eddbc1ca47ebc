internal import LibPQ
internal import Synchronization

/// A rebuild under way: the request, and the generation that grows.
struct Build: Sendable {
  let file: Projection
  let source: String
  let options: RebuildOptions
  let deadline: ContinuousClock.Instant?
  /// What was known of the store when it began.
  let history: FollowedHistory
  var generation: Generation
  let isResumed: Bool
  /// Shards with checkpoints of their own; 0 for a build on one connection.
  let shards: Int
  /// The dead letters of a complete build.
  var deadLetters = 0
  /// Its result; nil as long as it continues.
  var result: Result<RebuildResult, EventStoreError>?

  var isOutOfTime: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

  /// - Parameter position: its position, if its shards know better than the generation.
  func outcome(
    _ ending: RebuildResult.Ending,
    at position: Int64? = nil,
    failedChecks: [FailedCheck] = [],
    differences: [TableDifference] = []
  ) -> RebuildResult {
    RebuildResult(
      projection: file.name,
      generation: Int(generation.number),
      ending: ending,
      events: generation.events,
      position: position ?? generation.position,
      isResumed: isResumed,
      schema: generation.ownSchema,
      failedChecks: failedChecks,
      differences: differences,
      deadLetters: deadLetters
    )
  }

  /// Takes over the result of a shard: a failed one fails the build, and the last one tells the position.
  mutating func takeResult(of part: BuildPart) {
    switch (result, part.build.result) {
    case (_, nil), (.failure, _): break
    case (.success(let mine), .success(let other)) where mine.position <= other.position: break
    default: result = part.build.result
    }
  }
}

/// What a connection advances: a build as a whole, or one of its shards.
struct BuildPart: Sendable {
  var build: Build
  var shard: Shard?
  let handlers: EventHandlers
  /// Where the next chunk ends, if the last one failed.
  private(set) var nextEnd: Int64?

  init(_ build: Build, shard: Shard? = nil) {
    (self.build, self.shard) = (build, shard)
    let filter = shard.map {
      "(hashtext(annals_source.aggregate_id) & 2147483647) % \(build.shards) = \($0.number)"
    }
    handlers = EventHandlers(
      build.file,
      source: build.source,
      filter: filter,
      named: "annals_apply_\(build.file.name)"
    )
  }

  var position: Int64 { shard?.position ?? build.generation.position }
  var events: Int64 { shard?.events ?? build.generation.events }

  func isBehind(_ position: Int64) -> Bool { build.result == nil && self.position < position }

  /// Applies the next chunk, and moves the checkpoint with it.
  mutating func advance(upTo end: Int64, _ connection: Connection) throws {
    var moved = self
    try connection.transaction {
      // A crash loses the chunk together with its checkpoint, so no commit needs to wait for the disk.
      try connection.execute("SET LOCAL synchronous_commit = off")
      if shard == nil {
        try moved.build.generation.run(handlers, upTo: end, connection)
      } else {
        try moved.shard!.run(handlers, upTo: end, connection)
      }
      try build.history.requireUnchanged(connection)
    }
    moved.nextEnd = nil
    self = moved
  }

  /// Moves towards an event whose handler failed, or past it, if the rebuild sets such events aside.
  ///
  /// - Returns: false for an error at which the build ends.
  mutating func passes(_ error: any Error, _ store: StoreConnection) throws -> Bool {
    guard let poison = error as? PoisonEvent, !poison.isOfHandler, build.options.mostDeadLetters > 0 else {
      return false
    }
    switch poison.nextStep(after: position) {
    case .apply(let end): nextEnd = end
    case .park(let position):
      guard try build.generation.parkedCount(store.connection) < build.options.mostDeadLetters else {
        return false
      }
      try park(position, poison, store)
    }
    return true
  }

  private mutating func park(_ position: Int64, _ poison: PoisonEvent, _ store: StoreConnection) throws {
    let connection = store.connection
    var moved = self
    try connection.transaction {
      try build.generation.park(position, poison, attempts: 1, from: store.relation, connection)
      let seen = try build.file.seenEvents(of: build.source, from: position, upTo: position, connection)
      if shard == nil {
        try moved.build.generation.advance(to: position, events: 0, seen: seen, connection)
      } else {
        try moved.shard!.advance(to: position, events: 0, seen, connection)
      }
      try build.history.requireUnchanged(connection)
    }
    moved.nextEnd = nil
    self = moved
    store.notify("\(poison.place(in: build.file.path)) dead letter: \(poison.subject): \(poison.message)")
  }

  /// Ends the build with its own error; an error of the connection or the whole command is thrown again.
  mutating func fail(with error: any Error, _ connection: Connection) throws {
    let failure: EventStoreError
    switch error {
    case let event as PoisonEvent: failure = EventStoreError(event, file: build.file.path)
    case let error as SQLFileError: failure = EventStoreError(error)
    case let error as EventStoreError: failure = error
    case let error as PostgresError
    where error.kind == .statement && error.sqlState != SQLState.queryCanceled:
      failure = EventStoreError(error)
    default: throw error
    }
    build.generation.record(failure, connection)
    build.result = .failure(failure)
  }
}

extension StoreConnection {
  /// Advances parts to a position together, a chunk at a time, always the one furthest behind. What the server read
  /// from disk for one of them is then still in its memory for the others.
  func advance(_ parts: inout [BuildPart], upTo final: Int64, _ meter: RebuildMeter) throws {
    let table = try eventsTable()
    for part in parts { meter.show(part, upTo: final) }
    while let index = parts.indices.filter({ parts[$0].isBehind(final) }).min(by: {
      parts[$0].position < parts[$1].position
    }) {
      if parts[index].build.isOutOfTime {
        parts[index].build.result = .success(
          parts[index].build.outcome(.outOfTime, at: parts[index].position)
        )
        continue
      }
      let start = parts[index].position
      var end = start
      do {
        end =
          try parts[index].nextEnd
          ?? table.endOfChunk(
            of: parts[index].build.options.chunkSize,
            after: start,
            upTo: final,
            connection
          )
        try parts[index].advance(upTo: end, connection)
      } catch {
        let cause = try unreadableEvent(behind: error, after: start, upTo: end) ?? error
        do {
          if try !parts[index].passes(cause, self) { try parts[index].fail(with: cause, connection) }
        } catch {
          try parts[index].fail(with: error, connection)
        }
      }
      meter.show(parts[index], upTo: final)
    }
  }
}

/// Adds up the progress of the parts of a rebuild.
final class RebuildMeter: Sendable {
  private struct Name: Hashable {
    let projection: ByteString
    let shard: Int?
  }

  private struct State {
    var parts: [Name: (position: Int64, events: Int64)] = [:]
    var latest: EventStore.Progress?
  }

  private let state = Mutex(State())
  /// Events that were handled before the shards were made.
  private let eventsBefore: Int64
  private let report: @Sendable (EventStore.Progress) -> Void

  init(eventsBefore: Int64 = 0, report: @escaping @Sendable (EventStore.Progress) -> Void) {
    (self.eventsBefore, self.report) = (eventsBefore, report)
  }

  func show(_ part: BuildPart, upTo final: Int64) {
    let progress = state.withLock { state in
      let name = Name(projection: ByteString(part.build.file.name), shard: part.shard?.number)
      state.parts[name] = (part.position, part.events)
      // The mean, term by term, since the sum of two positions may overflow.
      let count = Int64(state.parts.count)
      let mean = state.parts.values.reduce(0) { $0 + $1.position / count }
      let position = mean.saturatingAdd(state.parts.values.reduce(0) { $0 + $1.position % count } / count)
      let progress = EventStore.Progress(
        done: position,
        of: max(final, position),
        events: state.parts.values.reduce(eventsBefore) { $0 + $1.events }
      )
      state.latest = progress
      return progress
    }
    report(progress)
  }

  /// Reports the phase after the events.
  func enter(_ phase: EventStore.Progress.Phase) {
    guard var progress = state.withLock(\.latest) else { return }
    progress.phase = phase
    report(progress)
  }
}

/// The generations that a rebuild has begun, over all its attempts.
final class BegunBuilds: Sendable {
  private let numbers = Mutex<[ByteString: Int32]>([:])

  func note(_ generation: Generation) {
    numbers.withLock { $0[ByteString(generation.projection)] = generation.number }
  }

  func number(_ file: Projection) -> Int32? {
    numbers.withLock { $0[ByteString(file.name)] }
  }
}
