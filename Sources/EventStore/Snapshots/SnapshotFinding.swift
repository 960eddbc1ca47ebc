internal import LibPQ

/// A snapshot that differs from a fold from the beginning, or that is no longer valid.
public struct SnapshotFinding: Sendable, Hashable {
  /// What is wrong with a snapshot.
  public enum Kind: String, Sendable, Hashable {
    /// The stored state is not the one that the events give now.
    case differs
    /// The stream has no event of its version.
    case ahead
    /// The event of its version is not the one that was there when it was taken.
    case replaced
    /// It was made by another text of the reducer; one finding for all snapshots of such a text.
    case stale
  }

  /// What is wrong.
  public let kind: Kind
  /// Nil for `stale`.
  public let aggregateID: String?
  /// Nil for `stale`.
  public let version: Int?
  /// Where the states differ, in jq's notation.
  public let path: String?
  /// JSON text of the stored value there; nil if it has none.
  public let stored: String?
  /// JSON text of the recomputed value there; nil if it has none.
  public let recomputed: String?
  /// How many snapshots the finding is about.
  public let snapshots: Int64
  /// The first bytes of the hash of the reducer's text, in hexadecimal.
  public let reducerHash: String
}

extension StoreConnection {
  func verifySnapshots(
    of selection: AggregateSelection,
    reducer: Reducer,
    _ found: @Sendable (SnapshotFinding) throws -> Void
  ) throws -> Int64 {
    _ = try eventsTable()
    try requireSchema()
    let stale = try staleSnapshots(of: selection, reducer)
    for finding in stale { try found(finding) }
    guard let known = try knownReducer(reducer), let id = known.id else {
      if stale.isEmpty { throw Self.noSnapshots(of: reducer) }
      return 0
    }
    var (count, after) = (Int64(0), "")
    while true {
      let ids = try snapshotted(selection, by: id, after: after)
      guard let last = ids.last else { break }
      count += try namingPoison(of: reducer, suspects: ids) {
        try verify(ids, reducer, known, id, found)
      }
      after = last
    }
    if count == 0, stale.isEmpty { throw Self.noSnapshots(of: reducer) }
    return count
  }

  private static func noSnapshots(of reducer: Reducer) -> EventStoreError {
    EventStoreError(
      .notFound,
      "no snapshot of reducer \(reducer.name) is selected",
      hint: "\(.snapshots) lists the snapshots, \(.takeSnapshots) takes them."
    )
  }

  private func staleSnapshots(
    of selection: AggregateSelection,
    _ reducer: Reducer
  ) throws -> [SnapshotFinding] {
    let sql: SQL = """
      SELECT \(raw: KnownReducer.hashOfRow) AS hash, count(*) AS snapshots
      FROM annals.snapshots AS e JOIN annals.reducers AS r ON r.id = e.reducer
      WHERE \(selection.conditionOnIDs(in: try eventsTable())) AND \(isAnotherText(of: reducer)) GROUP BY r.id ORDER BY r.used_at
      """
    return try connection.query(sql).map { row in
      SnapshotFinding(
        kind: .stale,
        aggregateID: nil,
        version: nil,
        path: nil,
        stored: nil,
        recomputed: nil,
        snapshots: row.int64("snapshots"),
        reducerHash: row.string("hash")
      )
    }
  }

  /// How many aggregates are compared in one statement.
  private static let verifiedAggregates: Int64 = 500

  /// The next aggregates that have snapshots, in the order of bytes.
  private func snapshotted(
    _ selection: AggregateSelection,
    by reducer: Int32,
    after: String
  ) throws -> [String] {
    let sql: SQL = """
      SELECT DISTINCT e.aggregate_id FROM annals.snapshots AS e
      WHERE \(selection.conditionOnIDs(in: try eventsTable())) AND e.reducer = \(reducer) AND e.aggregate_id > \(after)
      ORDER BY e.aggregate_id LIMIT \(Self.verifiedAggregates)
      """
    return try connection.query(sql).map { $0.string("aggregate_id") }
  }

  private func verify(
    _ ids: [String],
    _ reducer: Reducer,
    _ known: KnownReducer,
    _ id: Int32,
    _ found: (SnapshotFinding) throws -> Void
  ) throws -> Int64 {
    let base: SQL = """
      SELECT h.aggregate_id, \(raw: Fold.beginning) AS version, NULL::jsonb AS state, least(h.version, h.last_version) AS upto
      FROM unnest(\(Parameter.textArray(ids))::text[]) AS names (name) CROSS JOIN LATERAL (
        SELECT e.aggregate_id, e.version,
               (SELECT min(f.version) FROM \(raw: relation) AS f WHERE f.aggregate_id = names.name) AS first_version,
               (SELECT max(s.version) FROM annals.snapshots AS s
                WHERE s.reducer = \(id) AND s.aggregate_id = names.name) AS last_version
        FROM \(raw: relation) AS e WHERE e.aggregate_id = names.name ORDER BY e.version DESC LIMIT 1
      ) AS h
      """
    let verification = SQLTemplate.verifySnapshots.statement([
      "events": "\(raw: relation)", "ids": "\(Parameter.textArray(ids))", "reducer": "\(id)",
      "path": "\(raw: Self.pathForPeople)", "whole": "\(raw: Self.isWhole)",
      "changes": "\(raw: Self.changes(.differing))",
    ])
    let query = Fold(reducer, of: try eventsTable()).query(base: base, result: verification)
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      let result = try connection.run(query)
      for row in 1..<result.rowCount { try found(SnapshotFinding(result[row], reducerHash: known.hash)) }
      return result[0].int64("snapshots")
    }
  }
}

extension SnapshotFinding {
  fileprivate init(_ row: borrowing Row, reducerHash: String) {
    kind = Kind(rawValue: row.string("problem")) ?? .differs
    aggregateID = row.string("aggregate_id")
    version = Int(row.int32("version"))
    path = row.optionalString("path")
    (stored, recomputed) = (row.optionalString("stored"), row.optionalString("recomputed"))
    snapshots = 1
    self.reducerHash = reducerHash
  }
}
