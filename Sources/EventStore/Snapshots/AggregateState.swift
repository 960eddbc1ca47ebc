internal import LibPQ

/// The state of an aggregate after one of its events.
public struct AggregateState: Sendable, Hashable {
  /// The aggregate.
  public let aggregateID: String
  /// The version of the last event in it.
  public let version: Int
  /// The time of that event.
  public let timestamp: Timestamp
  /// The place of that event in the whole store; nil in a table without positions.
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
        let known = usingSnapshots ? try usableReducer(reducer) : nil
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
    let state = indented ? "jsonb_pretty(f.state)" : "f.state::text"
    let query = Fold(reducer, of: events, stream: aggregateID).query(
      base: base(of: aggregateID, to: point, from: known, in: events),
      result: """
        SELECT CASE WHEN b.state IS NOT NULL THEN b.version END AS snapshot_version, f.version, f.upto,
               \(raw: state) AS state, \(raw: events.time) AS "timestamp", \(raw: events.position) AS position
        FROM annals_fold AS f CROSS JOIN annals_base AS b
        JOIN \(raw: relation) AS e ON \(events.isOf(aggregateID)) AND e.version = f.upto
        WHERE f.version = f.upto OR f.state IS NULL
        """
    )
    try connection.execute("SET LOCAL jit = off")
    let result = try connection.run(query)
    if result.isEmpty { throw try missing(point, in: aggregateID) }
    let row = result[0]
    guard let state = row.optionalString("state") else {
      throw try nullState(at: row.int32("version"), of: aggregateID, reducer)
    }
    if row.isNull("timestamp") {
      throw EventStoreError.incomplete(
        "an event of \(aggregateID), version \(row.int32("upto")),",
        without: "timestamp"
      )
    }
    return AggregateState(
      aggregateID: aggregateID,
      version: Int(row.int32("upto")),
      timestamp: row.timestamp("timestamp"),
      position: row.optionalInt64("position"),
      snapshotVersion: row.optionalInt32("snapshot_version").map(Int.init),
      state: state
    )
  }

  /// Where the fold of one stream begins and ends.
  func base(
    of aggregateID: String,
    to point: PointInStream,
    from known: KnownReducer?,
    in events: EventsTable
  ) -> SQL {
    let end: SQL = """
      SELECT e.aggregate_id, e.version,
             (SELECT min(f.version) FROM \(raw: events.source) AS f WHERE f.aggregate_id = \(aggregateID)) AS first_version
      FROM \(raw: events.source) AS e
      WHERE \(events.isOf(aggregateID)) AND \(point.condition(in: events))
      ORDER BY e.version DESC LIMIT 1
      """
    return """
      SELECT h.aggregate_id, coalesce(s.version, \(raw: Fold.beginning)) AS version, s.state, h.version AS upto
      FROM (\(end)) AS h LEFT JOIN LATERAL (
      \(newestSnapshot(of: known, upTo: "h"))
      ) AS s ON true
      """
  }

  private func missing(_ point: PointInStream, in aggregateID: String) throws -> EventStoreError {
    let time = try eventsTable().time
    let result = try connection.query(
      """
      SELECT max(version) AS head, min(\(raw: time)) AS earliest, count(*) > count(version) AS lacks_version
      FROM \(raw: relation) e WHERE aggregate_id = \(aggregateID)
      """
    )
    let stream = result[0]
    // An event without a version has no place in a state, and NULL sorts before all versions.
    if stream.bool("lacks_version") {
      return .incomplete("an event of \(aggregateID)", without: "version")
    }
    guard let head = stream.optionalInt32("head") else {
      return NamedEvents.aggregate(aggregateID).missing(in: table)
    }
    return EventStoreError(
      .notFound,
      "'\(aggregateID)' has no event at \(point)",
      detail: "Its last version is \(head)"
        + (stream.isNull("earliest") ? "." : "; its earliest event is of \(stream.timestamp("earliest")).")
    )
  }
}
