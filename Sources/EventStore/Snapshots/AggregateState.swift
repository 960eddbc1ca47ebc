internal import LibPQ

/// The state of an aggregate after one of its events.
public struct AggregateState: Sendable, Hashable {
  /// The aggregate.
  public let aggregateID: String
  /// The version of the last event in it.
  public let version: Int
  /// That event's time.
  public let timestamp: Timestamp
  /// That event's place in the whole store; nil in a table without one.
  public let position: Int64?
  /// The version of the snapshot that the fold began with; nil when it began with the first event.
  public let snapshotVersion: Int?
  /// JSON text.
  public let state: String
}

extension StoreConnection {
  func state(
    of aggregateID: String,
    at point: PointInStream,
    reducer: Reducer,
    usingSnapshots: Bool,
    indented: Bool
  ) throws -> AggregateState {
    try namingPoison(of: reducer, to: point, suspects: [aggregateID]) {
      try connection.transaction(.repeatableReadOnly) {
        let known = usingSnapshots ? try knownReducer(reducer) : nil
        let state = try fold(aggregateID, to: point, reducer, from: known, indented: indented)
        if known != nil, state.snapshotVersion == nil {
          try reportStale(reducer, of: aggregateID)
        }
        return state
      }
    }
  }

  /// Folds one stream, in the caller's transaction.
  func fold(
    _ aggregateID: String,
    to point: PointInStream,
    _ reducer: Reducer,
    from known: KnownReducer?,
    indented: Bool = false
  ) throws -> AggregateState {
    let events = try eventsTable()
    var conditions = Conditions()
    let base = base(of: aggregateID, to: point, from: known, &conditions, in: events)
    let query = Fold(reducer, of: events).query(
      base: base,
      result: """
        SELECT CASE WHEN b.state IS NOT NULL THEN b.version END, f.version, f.upto, \(indented ? "jsonb_pretty(f.state)" : "f.state::text"),
               \(events.time), \(events.position)
        FROM annals_fold AS f CROSS JOIN annals_base AS b
        JOIN \(relation) AS e ON e.aggregate_id = f.aggregate_id AND e.version = f.upto
        WHERE f.version = f.upto OR f.state IS NULL
        """
    )
    try connection.execute("SET LOCAL jit = off")
    let result = try connection.run(query, conditions.parameters)
    if result.isEmpty { throw try missing(point, in: aggregateID) }
    if result.isNull(0, 3) {
      throw try nullState(at: result.int32(0, 1), of: aggregateID, reducer)
    }
    guard let time = result.optionalInt64(0, 4) else {
      throw EventStoreError.incomplete(
        "an event of \(aggregateID), version \(result.int32(0, 2)),",
        without: "timestamp"
      )
    }
    return AggregateState(
      aggregateID: aggregateID,
      version: Int(result.int32(0, 2)),
      timestamp: Timestamp(microseconds: time),
      position: result.optionalInt64(0, 5),
      snapshotVersion: result.optionalInt32(0, 0).map(Int.init),
      state: result.string(0, 3)
    )
  }

  /// Where the fold of one stream begins and ends.
  func base(
    of aggregateID: String,
    to point: PointInStream,
    from known: KnownReducer?,
    _ conditions: inout Conditions,
    in events: EventsTable
  ) -> String {
    let id = conditions.bind(.text(aggregateID))
    let end = """
      SELECT e.aggregate_id, e.version,
             (SELECT min(f.version) FROM \(events.source) AS f WHERE f.aggregate_id = \(id)) AS first_version
      FROM \(events.source) AS e
      WHERE e.aggregate_id = \(id) AND \(point.condition(&conditions, in: events))
      ORDER BY e.version DESC LIMIT 1
      """
    return """
      SELECT h.aggregate_id, coalesce(s.version, \(Fold.beginning)) AS version, s.state, h.version AS upto
      FROM (\(end)) AS h LEFT JOIN LATERAL (
      \(newestSnapshot(of: known, upTo: "h", &conditions))
      ) AS s ON true
      """
  }

  private func missing(_ point: PointInStream, in aggregateID: String) throws -> EventStoreError {
    let sql = "SELECT max(version), min(\"timestamp\")::text FROM \(relation) e WHERE aggregate_id = $1"
    let stream = try connection.query(sql, [.text(aggregateID)])
    guard let head = stream.optionalInt32(0, 0) else {
      return EventStoreError(.notFound, "\(table) has no event of aggregate '\(aggregateID)'")
    }
    return EventStoreError(
      .notFound,
      "'\(aggregateID)' has no event at \(point)",
      detail: "Its last version is \(head); its earliest event is of \(stream.string(0, 1))."
    )
  }
}
