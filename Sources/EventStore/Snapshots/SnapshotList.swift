internal import LibPQ

/// A stored snapshot, without its state.
public struct SnapshotSummary: Sendable, Hashable {
  /// The aggregate.
  public let aggregateID: String
  /// The version of the last event in it.
  public let version: Int
  /// That event's place in the whole store; nil in a table without one.
  public let position: Int64?
  /// The name of the reducer that it was taken by.
  public let reducer: String
  /// The reducer's `@version`.
  public let reducerVersion: Int
  /// The first bytes of the hash of the reducer's text, in hexadecimal.
  public let reducerHash: String
  /// Whether a newer text of the reducer has been used since.
  public let isStale: Bool
  /// When it was taken.
  public let takenAt: Timestamp
  /// Bytes that the state takes in the table.
  public let bytes: Int
}

/// Snapshots to delete.
public struct SnapshotPruning: Sendable, Hashable {
  /// How many snapshots are deleted.
  public let snapshots: Int64
  /// The statement that does so.
  public let sql: String
}

extension StoreConnection {
  func listSnapshots(
    of selection: AggregateSelection,
    _ body: @Sendable (SnapshotSummary) throws -> Void
  ) throws {
    try requireSchema()
    var conditions = Conditions()
    conditions.add(selection)
    let store = conditions.bind(.text(table.description))
    let sql = """
      SELECT e.aggregate_id, e.version, e.position, r.name, r.version, \(KnownReducer.hashOfRow),
             r.id <> \(Self.newestReducer), e.taken_at, pg_column_size(e.state)
      FROM annals.snapshots AS e JOIN annals.reducers AS r ON r.id = e.reducer
      \(conditions.clause(and: "r.store = \(store)")) ORDER BY r.name, r.used_at, e.aggregate_id, e.version
      """
    try connection.transaction(.repeatableReadOnly) {
      try connection.forEachPage(of: sql, conditions.parameters) { page in
        for row in 0..<page.rowCount { try body(SnapshotSummary(page, row: row)) }
      }
    }
  }

  /// The text of the reducer `r` that was used last.
  private static let newestReducer = """
    (SELECT n.id FROM annals.reducers AS n WHERE n.store = r.store AND n.name = r.name
     ORDER BY n.used_at DESC, n.id DESC LIMIT 1)
    """

  func pruneSnapshots(
    of selection: AggregateSelection,
    keeping kept: Int,
    stale: Bool,
    dryRun: Bool
  ) throws -> SnapshotPruning {
    try requireSchema()
    var conditions = Conditions()
    conditions.add("r.store = \(conditions.bind(.text(table.description)))")
    conditions.add(selection)
    let doomed = doomedSnapshots(conditions.conjunction, keeping: kept, stale: stale)
    // What is shown takes no parameters, and is not what runs.
    let shown = "r.store = \(shownLiteral(table.description)) AND \(selection.literalCondition)"
    let sql = Self.deletion(of: doomedSnapshots(shown, keeping: kept, stale: stale))
    if dryRun {
      let count = try connection.query("SELECT count(*) \(doomed)", conditions.parameters).int64(0, 0)
      return SnapshotPruning(snapshots: count, sql: sql)
    }
    return try connection.transaction {
      let deleted = try connection.query(Self.deletion(of: doomed), conditions.parameters).affectedRows
      _ = try connection.query(
        """
        INSERT INTO annals.audit (action, subject, detail)
        VALUES ('snapshot prune', $1, jsonb_build_object('snapshots', $2, 'kept', $3))
        """,
        [.text(table.description), .int8(Int64(deleted)), .int8(Int64(kept))]
      )
      return SnapshotPruning(snapshots: Int64(deleted), sql: sql)
    }
  }

  /// A FROM clause with the snapshots of a selection that are to go.
  private func doomedSnapshots(_ selection: String, keeping kept: Int, stale: Bool) -> String {
    """
    FROM (
    SELECT e.reducer, e.aggregate_id, e.version, r.id <> \(Self.newestReducer) AS is_stale, l.id IS NOT NULL AS is_valid,
           row_number() OVER (PARTITION BY e.reducer, e.aggregate_id, l.id IS NULL ORDER BY e.version DESC) AS age
    FROM annals.snapshots AS e JOIN annals.reducers AS r ON r.id = e.reducer
    LEFT JOIN \(relation) AS l
      ON l.aggregate_id = e.aggregate_id COLLATE "C" AND l.version = e.version AND l.id = e.event_id
    WHERE \(selection)
    ) AS old WHERE NOT old.is_valid OR old.age > \(kept)\(stale ? " OR old.is_stale" : "")
    """
  }

  private static func deletion(of doomed: String) -> String {
    """
    DELETE FROM annals.snapshots AS s USING (SELECT * \(doomed)) AS old
    WHERE s.reducer = old.reducer AND s.aggregate_id = old.aggregate_id AND s.version = old.version
    """
  }
}

extension AggregateSelection {
  /// As ``Conditions/add(_:)``, in a statement that people can run.
  fileprivate var literalCondition: String {
    switch self {
    case .all: "true"
    case .category(let category): "split_part(e.aggregate_id, '-', 1) = \(shownLiteral(category))"
    case .aggregates(let ids): "e.aggregate_id IN (\(ids.map(shownLiteral).joined(separator: ", ")))"
    }
  }
}

extension SnapshotSummary {
  fileprivate init(_ page: borrowing QueryResult, row: Int) {
    aggregateID = page.string(row, 0)
    version = Int(page.int32(row, 1))
    position = page.optionalInt64(row, 2)
    reducer = page.string(row, 3)
    reducerVersion = Int(page.int32(row, 4))
    reducerHash = page.string(row, 5)
    isStale = page.bool(row, 6)
    takenAt = Timestamp(microseconds: page.int64(row, 7))
    bytes = Int(page.int32(row, 8))
  }
}
