internal import LibPQ

/// A build that several connections share: each takes the aggregates of a shard, through all of history, and moves its
/// own checkpoint. When all have reached the end, the build continues as one with one checkpoint.
extension EventStore {
  /// Brings the shards of all builds to the end of history: a worker takes one shard of each build.
  func runShards(
    of builds: [Build],
    _ options: RebuildOptions,
    _ progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) async throws -> [Build] {
    let shared = builds.filter { $0.shards > 0 }
    guard let workers = shared.map(\.shards).max() else { return builds }
    let final = try await perform { try $0.finalPosition(for: options) }
    let meter = RebuildMeter(eventsBefore: shared.reduce(0) { $0 + $1.generation.events }, report: progress)
    return try await withThrowingTaskGroup(of: [BuildPart].self) { group in
      for number in 0..<workers {
        let worker = try await sibling()
        group.addTask { try await worker.runShards(number, of: shared, upTo: final, meter) }
      }
      var builds = builds
      while let parts = try await group.next() {
        for part in parts {
          let index = builds.firstIndex { $0.file.name == part.build.file.name }!
          builds[index].takeResult(of: part)
        }
      }
      return builds
    }
  }

  private func runShards(
    _ number: Int,
    of builds: [Build],
    upTo final: Int64,
    _ meter: RebuildMeter
  ) async throws -> [BuildPart] {
    try await perform { try $0.runShards(number, of: builds, upTo: final, meter) }
  }
}

extension StoreConnection {
  /// Creates the shards of a build, or finds those of an interrupted one, whose number does not change.
  ///
  /// - Returns: how many there are; 0 when one connection does everything.
  func prepareShards(of generation: Generation, _ file: Projection, workers: Int) throws -> Int {
    guard workers == 1 || file.isParallelByAggregate else {
      throw EventStoreError(
        .invalidDefinition,
        "workers cannot share projection \(file.name)",
        detail: "Its file does not say that different aggregates never change the same row.",
        hint: "If that is so, add a line '-- @parallel aggregate'; otherwise use one worker."
      )
    }
    let count: SQL = "SELECT count(*) FROM annals.shards WHERE \(generation.ownsShard)"
    let existing = Int(try connection.query(count).int64(0, 0))
    if existing > 0 || workers == 1 { return existing }
    _ = try connection.query(
      """
      INSERT INTO annals.shards (projection, generation, number, position, seen_events, seen_hash)
      SELECT \(generation.projection), \(generation.number), number, \(generation.position), 0, 0
      FROM generate_series(0, \(Int32(workers)) - 1) AS number
      """
    )
    return workers
  }

  func runShards(
    _ number: Int,
    of builds: [Build],
    upTo final: Int64,
    _ meter: RebuildMeter
  ) throws -> [BuildPart] {
    try connection.prepareLongWork()
    var parts = try builds.filter { number < $0.shards }.map { build in
      let part = BuildPart(build, shard: try Shard(number, of: build.generation, connection))
      try createFunction(part.handlers.apply)
      return part
    }
    try advance(&parts, upTo: final, meter)
    return parts
  }

  /// Replaces the checkpoints of the shards by that of the generation.
  func mergeShards(of generation: inout Generation) throws {
    var merged = generation
    try connection.transaction {
      let sql: SQL = """
        WITH gone AS (
          DELETE FROM annals.shards WHERE \(generation.ownsShard) RETURNING *
        )
        SELECT min(position) AS first, max(position) AS last, sum(events)::bigint AS events,
               CASE WHEN bool_and(seen_events IS NOT NULL) THEN sum(seen_events)::bigint END AS seen_events,
               CASE WHEN bool_and(seen_hash IS NOT NULL) THEN sum(seen_hash)::bigint END AS seen_hash
        FROM gone
        """
      let result = try connection.query(sql)
      let row = result[0]
      guard let position = row.optionalInt64("first"), position == row.int64("last") else {
        throw generation.checkpointMoved()
      }
      try merged.advance(to: position, events: row.int64("events"), seen: row.seenEvents, connection)
    }
    generation = merged
  }
}

extension Generation {
  /// The condition that a row of `annals.shards` is of this generation.
  var ownsShard: SQL { "projection = \(projection) AND generation = \(number)" }
}

/// The checkpoint of a shard.
struct Shard: Sendable {
  let generation: Generation
  let number: Int
  var position: Int64
  var events: Int64

  init(_ number: Int, of generation: Generation, _ connection: Connection) throws {
    let result = try connection.query(
      "SELECT position, events FROM annals.shards WHERE \(generation.ownsShard) AND number = \(Int32(number))"
    )
    guard !result.isEmpty else { throw generation.checkpointMoved() }
    (self.generation, self.number) = (generation, number)
    (position, events) = (result[0].int64("position"), result[0].int64("events"))
  }

  /// As ``Generation/run(_:upTo:_:)``.
  mutating func run(_ handlers: EventHandlers, upTo end: Int64, _ connection: Connection) throws {
    let (events, seen) = try connection.handleEvents(
      by: handlers,
      after: position,
      upTo: end,
      except: connection.skippedPositions(of: generation.projection, after: position, upTo: end),
      within: generation.confinement
    )
    try advance(to: end, events: events, seen, connection)
  }

  /// The fence of a shard: see ``Generation/advance(to:events:seen:_:)``.
  mutating func advance(
    to position: Int64,
    events handled: Int64,
    _ seen: SeenEvents?,
    _ connection: Connection
  ) throws {
    try CheckpointFence.pass(
      """
      UPDATE annals.shards SET position = \(position), events = events + \(handled),
        seen_events = seen_events + \(seen?.count), seen_hash = seen_hash + \(seen?.hash)
      WHERE \(generation.ownsShard) AND number = \(Int32(number)) AND position = \(self.position)
      """,
      connection,
      orThrow: generation.checkpointMoved()
    )
    self.position = position
    events += handled
  }
}
