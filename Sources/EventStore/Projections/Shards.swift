internal import LibPQ
internal import Synchronization

/// A build that several connections share: each takes the aggregates of a shard, through all of history, and moves a
/// checkpoint of its own. When all have arrived, the build goes on as one with one checkpoint.
extension EventStore {
  /// Makes the shards of a build, or finds those of an interrupted one, whose number then stays.
  ///
  /// - Returns: how many there are; 0 when one connection does it all.
  func prepareShards(
    of generation: Generation,
    _ file: ProjectionFile,
    workers: Int,
    _ connection: Connection
  ) throws -> Int {
    guard workers == 1 || file.isParallelByAggregate else {
      throw EventStoreError(
        .invalidDefinition,
        "workers cannot share projection \(file.name)",
        detail: "Its file does not say that rows touched by different aggregates never meet.",
        hint: "If that is so, add a line '-- @parallel aggregate'; otherwise use one worker."
      )
    }
    let key: [Parameter] = [.text(generation.projection), .int4(generation.number)]
    let count = "SELECT count(*) FROM annals.shards WHERE projection = $1 AND generation = $2"
    let existing = Int(try connection.query(count, key).int64(0, 0))
    if existing > 0 || workers == 1 { return existing }
    let sql = """
      INSERT INTO annals.shards (projection, generation, number, position)
      SELECT $1, $2, number, $4 FROM generate_series(0, $3 - 1) AS number
      """
    _ = try connection.query(sql, key + [.int4(Int32(workers)), .int8(generation.position)])
    return workers
  }

  /// Brings all shards to the end of history.
  ///
  /// - Returns: false when the time was over first.
  func runShards(
    of build: Build,
    _ progress: @escaping @Sendable (RebuildProgress) -> Void
  ) async throws -> Bool {
    let final = try await perform { min(try finalPosition($0), build.lastPosition) }
    let meter = ShardMeter(build, final: final, report: progress)
    do {
      return try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<build.shards {
          let worker = try await sibling()
          group.addTask { try await worker.runShard(number, of: build, upTo: final, meter) }
        }
        var areComplete = true
        while let isComplete = try await group.next() { areComplete = areComplete && isComplete }
        return areComplete
      }
    } catch {
      throw (try? await perform { record(error, of: build, $0) }) ?? error
    }
  }

  private func runShard(
    _ number: Int,
    of build: Build,
    upTo final: Int64,
    _ meter: ShardMeter
  ) async throws -> Bool {
    try await perform { connection in
      try AdvisoryLock.noticeLostClients(connection)
      let hash = "(hashtext(annals_source.aggregate_id) & 2147483647) % \(build.shards) = \(number)"
      let apply = build.compiler(filter: hash).applyFunction()
      try createFunction(apply, connection)
      var shard = try Shard(number, of: build.generation, connection)
      meter.show(shard)
      while shard.position < final {
        if build.isOutOfTime { return false }
        let end = min(shard.position + build.options.chunkSize, final)
        var moved = shard
        try connection.transaction {
          try connection.execute("SET LOCAL synchronous_commit = off")
          try build.generation.useSchema(connection)
          let handled = try apply.call(after: shard.position, upTo: end, connection)
          try moved.advance(to: end, events: handled, connection)
        }
        shard = moved
        meter.show(shard)
      }
      return true
    }
  }

  /// Replaces the checkpoints of the shards by the generation's.
  func mergeShards(of generation: inout Generation, _ connection: Connection) throws {
    var merged = generation
    try connection.transaction {
      let sql = """
        WITH gone AS (DELETE FROM annals.shards WHERE projection = $1 AND generation = $2 RETURNING position, events)
        SELECT min(position), max(position), sum(events)::bigint FROM gone
        """
      let key: [Parameter] = [.text(generation.projection), .int4(generation.number)]
      let result = try connection.query(sql, key)
      guard !result.isNull(0, 0), result.int64(0, 0) == result.int64(0, 1) else {
        throw generation.checkpointMoved()
      }
      try merged.advance(to: result.int64(0, 0), events: result.int64(0, 2), connection)
    }
    generation = merged
  }
}

/// The checkpoint of a shard.
private struct Shard {
  let generation: Generation
  let number: Int
  var position: Int64
  var events: Int64

  init(_ number: Int, of generation: Generation, _ connection: Connection) throws {
    let sql = """
      SELECT position, events FROM annals.shards WHERE projection = $1 AND generation = $2 AND number = $3
      """
    let key: [Parameter] = [.text(generation.projection), .int4(generation.number), .int4(Int32(number))]
    let result = try connection.query(sql, key)
    guard !result.isEmpty else { throw generation.checkpointMoved() }
    (self.generation, self.number) = (generation, number)
    (position, events) = (result.int64(0, 0), result.int64(0, 1))
  }

  /// The fence of a shard: see ``Generation/advance(to:events:_:)``.
  mutating func advance(to position: Int64, events: Int64, _ connection: Connection) throws {
    let sql = """
      UPDATE annals.shards SET position = $5, events = events + $6
      WHERE projection = $1 AND generation = $2 AND number = $3 AND position = $4
      """
    let parameters: [Parameter] = [
      .text(generation.projection), .int4(generation.number), .int4(Int32(number)), .int8(self.position),
      .int8(position), .int8(events),
    ]
    guard try connection.query(sql, parameters, prepared: true).affectedRows == 1 else {
      throw generation.checkpointMoved()
    }
    self.position = position
    self.events += events
  }
}

/// Adds up how far the shards are.
private final class ShardMeter: Sendable {
  private let shards: Mutex<[Int: Shard]> = Mutex([:])
  private let count: Int
  private let final: Int64
  private let eventsBefore: Int64
  private let report: @Sendable (RebuildProgress) -> Void

  init(_ build: Build, final: Int64, report: @escaping @Sendable (RebuildProgress) -> Void) {
    (count, eventsBefore) = (build.shards, build.generation.events)
    (self.final, self.report) = (final, report)
  }

  func show(_ shard: Shard) {
    let (position, events) = shards.withLock { shards in
      shards[shard.number] = shard
      return shards.values.reduce((0, eventsBefore)) { ($0.0 + $1.position, $0.1 + $1.events) }
    }
    report(RebuildProgress(position: position / Int64(count), finalPosition: final, events: events))
  }
}
