internal import LibPQ

/// A stored snapshot, without its state.
public struct SnapshotSummary: Sendable, Hashable {
  /// The aggregate.
  public let aggregateID: String
  /// The version of the last event in it.
  public let version: Int
  /// The place of that event in the whole store; nil in a table without positions.
  public let position: Int64?
  /// The name of the reducer that made it.
  public let reducer: String
  /// The reducer's `@version`.
  public let reducerVersion: Int
  /// The first bytes of the hash of the reducer's text, in hexadecimal.
  public let reducerHash: String
  /// Whether a newer text of the reducer has been used since.
  public let isStale: Bool
  /// When it was taken.
  public let takenAt: Timestamp
  /// The bytes of the state in the table.
  public let bytes: Int
}

/// The result of pruning snapshots.
public struct SnapshotPruningResult: Sendable, Hashable {
  /// How many snapshots are deleted.
  public let snapshots: Int64
  /// The statement that deletes them.
  public let sql: String
}

extension StoreConnection {
  func listSnapshots(
    of selection: AggregateSelection,
    _ body: @Sendable (SnapshotSummary) throws -> Void
  ) throws {
    try requireSchema()
    try requireKnown(selection)
    let sql: SQL = """
      SELECT e.aggregate_id, e.version, e.position, r.name AS reducer, r.version AS reducer_version,
             \(raw: KnownReducer.hashOfRow) AS reducer_hash, r.id <> \(raw: Self.newestReducer) AS is_stale,
             e.taken_at, pg_column_size(e.state) AS bytes
      FROM annals.snapshots AS e JOIN annals.reducers AS r ON r.id = e.reducer
      WHERE \(selection.conditionOnIDs(in: try eventsTable())) AND r.store = \(table.description)
      ORDER BY r.name, r.used_at, e.aggregate_id, e.version
      """
    try connection.transaction(.repeatableReadOnly) {
      try connection.forEachPage(of: sql) { try $0.forEachRow { try body(SnapshotSummary($0)) } }
    }
  }

  /// A name with neither an event nor a snapshot is a mistyped name.
  private func requireKnown(_ selection: AggregateSelection) throws {
    let snapshots: SQL = """
      (SELECT s.aggregate_id FROM annals.snapshots AS s JOIN annals.reducers AS r ON r.id = s.reducer
       WHERE r.store = \(table.description))
      """
    let events = try eventsTable()
    switch selection {
    case .all: return
    case .category(let category):
      if try connection.hasEvent(in: relation, where: selection.condition(in: events)) { return }
      let snapshot = try connection.query(
        "SELECT 1 FROM \(snapshots) AS e WHERE \(selection.conditionOnIDs(in: events)) LIMIT 1"
      )
      if !snapshot.isEmpty { return }
      throw NamedEvents.category(category).missing(in: table)
    case .aggregates(let ids):
      let withoutEvents = try events.withoutEvents(ids, connection)
      if withoutEvents.isEmpty { return }
      let unknown: SQL = """
        SELECT names.name
        FROM unnest(\(Parameter.textArray(withoutEvents))::text[]) WITH ORDINALITY AS names (name, place)
        WHERE NOT EXISTS (SELECT FROM \(snapshots) AS e WHERE e.aggregate_id = names.name)
        ORDER BY place LIMIT 1
        """
      guard let name = try connection.query(unknown).first({ $0.string("name") }) else { return }
      throw NamedEvents.aggregate(name).missing(in: table)
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
  ) throws -> SnapshotPruningResult {
    try requireSchema()
    try requireKnown(selection)
    let doomed = doomedSnapshots(
      "r.store = \(table.description) AND \(selection.conditionOnIDs(in: try eventsTable()))",
      keeping: "\(Int64(kept))",
      stale: stale
    )
    // The SQL that is shown has no parameters, and is not the one that runs.
    let shown = doomedSnapshots(
      "r.store = \(raw: shownLiteral(table.description)) AND \(raw: selection.shownCondition(in: try eventsTable()))",
      keeping: "\(raw: String(kept))",
      stale: stale
    )
    let sql = Self.deletion(of: shown).text
    if dryRun {
      let count = try connection.query("SELECT count(*) \(doomed)").int64(0, 0)
      return SnapshotPruningResult(snapshots: count, sql: sql)
    }
    return try connection.transaction {
      let deleted = Int64(try connection.query(Self.deletion(of: doomed)).affectedRows)
      try audit(.pruneSnapshots, .store, "'snapshots', \(deleted), 'kept', \(Int64(kept))")
      return SnapshotPruningResult(snapshots: deleted, sql: sql)
    }
  }

  /// A FROM clause with the snapshots of a selection to delete.
  private func doomedSnapshots(_ selection: SQL, keeping kept: SQL, stale: Bool) -> SQL {
    """
    FROM (
    SELECT e.reducer, e.aggregate_id, e.version, r.id <> \(raw: Self.newestReducer) AS is_stale, l.id IS NOT NULL AS is_valid,
           row_number() OVER (PARTITION BY e.reducer, e.aggregate_id, l.id IS NULL ORDER BY e.version DESC) AS age
    FROM annals.snapshots AS e JOIN annals.reducers AS r ON r.id = e.reducer
    LEFT JOIN \(raw: relation) AS l
      ON l.aggregate_id = e.aggregate_id COLLATE "C" AND l.version = e.version AND l.id = e.event_id
    WHERE \(selection)
    ) AS old WHERE NOT old.is_valid OR old.age > \(kept)\(raw: stale ? " OR old.is_stale" : "")
    """
  }

  private static func deletion(of doomed: SQL) -> SQL {
    """
    DELETE FROM annals.snapshots AS s USING (SELECT * \(doomed)) AS old
    WHERE s.reducer = old.reducer AND s.aggregate_id = old.aggregate_id AND s.version = old.version
    """
  }
}

extension AggregateSelection {
  /// As ``conditionOnIDs(in:)``, in a form that people can run.
  fileprivate func shownCondition(in table: EventsTable) -> String {
    switch self {
    case .all: "true"
    case .category(let category) where table.hasCategory:
      conditionOnIDs(in: table).text(naming: [shownLiteral(category)])
    case .category(let category):
      "(e.aggregate_id = \(shownLiteral(category)) OR starts_with(e.aggregate_id, \(shownLiteral(category + "-"))))"
    case .aggregates(let ids): "e.aggregate_id IN (\(ids.map(shownLiteral).joined(separator: ", ")))"
    }
  }
}

extension SnapshotSummary {
  fileprivate init(_ row: borrowing Row) {
    aggregateID = row.string("aggregate_id")
    version = Int(row.int32("version"))
    position = row.optionalInt64("position")
    reducer = row.string("reducer")
    reducerVersion = Int(row.int32("reducer_version"))
    reducerHash = row.string("reducer_hash")
    isStale = row.bool("is_stale")
    takenAt = row.timestamp("taken_at")
    bytes = Int(row.int32("bytes"))
  }
}
