internal import LibPQ

/// What a run of taking snapshots did.
public struct SnapshotTakingResult: Sendable, Hashable {
  /// Snapshots stored.
  public internal(set) var taken: Int64 = 0
  /// Streams that lack a version, and so were skipped.
  public internal(set) var incomplete: Int64 = 0
  /// The first of them.
  public internal(set) var firstIncomplete: String?

  mutating func add(_ other: SnapshotTakingResult) {
    taken += other.taken
    incomplete += other.incomplete
    firstIncomplete = [firstIncomplete, other.firstIncomplete].compactMap(\.self).min()
  }
}

extension EventStore {
  nonisolated func take(
    of selection: AggregateSelection,
    _ reducer: Reducer,
    every: Int,
    workers: Int,
    retryTimeout: Duration,
    progress: @escaping @Sendable (EventStore.Progress) -> Void
  ) async throws -> SnapshotTakingResult {
    let plan = try await planSnapshots(of: selection, reducer)
    let queue = ChunkQueue(plan.chunks)
    return try await withThrowingTaskGroup(of: SnapshotTakingResult.self) { group in
      for worker in 0..<max(1, min(workers, plan.chunks.count)) {
        let store = worker == 0 ? self : try await sibling()
        group.addTask {
          var tally = SnapshotTakingResult()
          while let chunk = queue.next() {
            // A chunk whose commit was not answered is up to date then, and is skipped.
            let taken = try await store.reconnecting(within: retryTimeout) {
              try await store.take(chunk, of: plan, reducer, every: every)
            }
            tally.add(taken)
            progress(EventStore.Progress(done: queue.finish(chunk), of: queue.total))
          }
          return tally
        }
      }
      return try await group.reduce(into: SnapshotTakingResult()) { $0.add($1) }
    }
  }

  private func planSnapshots(of selection: AggregateSelection, _ reducer: Reducer) async throws
    -> SnapshotPlan
  {
    try await perform { try $0.planSnapshots(of: selection, reducer) }
  }

  private func take(
    _ chunk: SnapshotChunk,
    of plan: SnapshotPlan,
    _ reducer: Reducer,
    every: Int
  ) async throws -> SnapshotTakingResult {
    try await perform { try $0.take(chunk, of: plan, reducer, every: every) }
  }
}

/// The task of a run of taking snapshots.
struct SnapshotPlan {
  let selection: AggregateSelection
  let chunks: [SnapshotChunk]
  let reducer: KnownReducer
}

extension StoreConnection {
  func planSnapshots(of selection: AggregateSelection, _ reducer: Reducer) throws -> SnapshotPlan {
    try requireOneServer()
    try requireSchema()
    return SnapshotPlan(
      selection: selection,
      chunks: try chunks(of: selection),
      reducer: try registerReducer(reducer)
    )
  }

  /// Refuses snapshots of a table that Citus distributes: one statement folds many streams into a table of this server.
  private func requireOneServer() throws {
    guard try eventsTable().isDistributed else { return }
    throw EventStoreError(
      .invalidDefinition,
      "snapshots of \(table) cannot be taken: Citus distributes it",
      detail:
        "Citus takes no recursive query over several streams, and folds of one stream begin with its first event.",
      hint: "Do without snapshots; the node that has a stream folds its state."
    )
  }

  func take(
    _ chunk: SnapshotChunk,
    of plan: SnapshotPlan,
    _ reducer: Reducer,
    every: Int
  ) throws -> SnapshotTakingResult {
    return try namingPoison(of: reducer, suspects: try members(of: chunk, in: plan.selection)) {
      try connection.transaction {
        // A crash loses the chunk as a whole, so no commit needs to wait for the disk.
        try connection.execute("SET LOCAL synchronous_commit = off; SET LOCAL jit = off")
        return try store(chunk, of: plan, reducer, every: every)
      }
    }
  }

  private func store(
    _ chunk: SnapshotChunk,
    of plan: SnapshotPlan,
    _ reducer: Reducer,
    every: Int
  ) throws -> SnapshotTakingResult {
    let events = try eventsTable()
    let due: SQL = """
      SELECT h.aggregate_id, coalesce(s.version, \(raw: Fold.beginning)) AS version, s.state, h.version AS upto
      FROM (
        SELECT e.aggregate_id, max(e.version) AS version, min(e.version) AS first_version
        FROM \(raw: events.source) AS e WHERE \(chunk.condition(in: plan.selection, of: events)) GROUP BY e.aggregate_id
      ) AS h LEFT JOIN LATERAL (
      \(newestSnapshot(of: plan.reducer, upTo: "h"))
      ) AS s ON true
      WHERE h.version - coalesce(s.version, \(raw: Fold.beginning)) >= \(Int64(every))
      """
    // Counted over the whole stream as it is stored: a snapshot does not replace versions that are missing below it,
    // and events that a rule drops are not missing. OFFSET 0: versions are counted only if a snapshot is due.
    let isUnique = try events.hasUniqueKey(["aggregate_id", "version"], connection)
    let beginning = events.firstVersion(ofStreamFrom: "n.first_version")
    let base: SQL = """
      SELECT d.*, d.upto - (\(raw: beginning) - 1) - n.versions AS missing
      FROM (\(due) OFFSET 0) AS d CROSS JOIN LATERAL (
        SELECT min(v.version) AS first_version, \(raw: isUnique ? "count(*)" : "count(DISTINCT v.version)") AS versions
        FROM \(raw: relation) AS v WHERE v.aggregate_id = d.aggregate_id AND v.version <= d.upto
      ) AS n
      """
    let result: QueryResult
    if reducer.isMerge {
      let tail = storing(mergedStates(of: events), for: plan.reducer, in: events)
      result = try connection.query("WITH annals_base AS (\(base))\(tail)")
    } else {
      let tail = storing(Self.foldedStates, for: plan.reducer, in: events)
      result = try connection.run(Fold(reducer, of: events).query(base: base, result: tail))
    }
    let row = result[0]
    if let failing = row.optionalString("failing") {
      _ = try fold(failing, to: .head, reducer, from: plan.reducer)
    }
    return SnapshotTakingResult(
      taken: row.int64("taken"),
      incomplete: row.int64("incomplete"),
      firstIncomplete: row.optionalString("first_incomplete")
    )
  }

  private static let foldedStates = """
    SELECT f.aggregate_id, f.version, f.state, b.missing
    FROM annals_fold AS f JOIN annals_base AS b ON b.aggregate_id = f.aggregate_id
    WHERE f.version = f.upto OR f.state IS NULL
    """

  /// The rule of ``Reducer/merge`` over whole streams, four times as fast as step by step.
  private func mergedStates(of events: EventsTable) -> String {
    """
    SELECT b.aggregate_id, b.upto AS version, coalesce(b.state, '{}') || m.state AS state, b.missing
    FROM annals_base AS b CROSS JOIN LATERAL (
      SELECT annals.shallow_merge(o.event_data) FILTER (WHERE jsonb_typeof(o.event_data) = 'object') AS state
      FROM (
        SELECT e.event_data FROM \(events.source) AS e
        WHERE e.aggregate_id = b.aggregate_id AND e.version > b.version AND e.version <= b.upto ORDER BY e.version
      ) AS o
    ) AS m
    """
  }

  /// Stores the rows (aggregate_id, version, state, missing) of `states`, and counts.
  private func storing(
    _ states: String,
    for reducer: KnownReducer,
    in events: EventsTable
  ) -> SQL {
    """
    , annals_states AS (
    \(raw: states)
    ), annals_stored AS (
      INSERT INTO annals.snapshots AS old (reducer, aggregate_id, version, position, event_id, state)
      SELECT \(reducer.id ?? 0), s.aggregate_id, s.version, l.position, l.id, s.state
      FROM annals_states AS s CROSS JOIN LATERAL (
        SELECT e.id, \(raw: events.position) AS position FROM \(raw: relation) AS e
        WHERE e.aggregate_id = s.aggregate_id AND e.version = s.version LIMIT 1
      ) AS l
      WHERE s.missing = 0 AND s.state IS NOT NULL
      ON CONFLICT (reducer, aggregate_id, version) DO UPDATE
      SET position = excluded.position, event_id = excluded.event_id, state = excluded.state,
          taken_at = excluded.taken_at
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM annals_stored) AS taken, count(*) FILTER (WHERE missing > 0) AS incomplete,
           min(aggregate_id) FILTER (WHERE missing > 0) AS first_incomplete,
           min(aggregate_id) FILTER (WHERE state IS NULL) AS failing
    FROM annals_states
    """
  }
}
