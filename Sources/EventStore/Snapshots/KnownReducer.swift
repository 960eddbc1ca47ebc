internal import LibPQ

/// A reducer in schema `annals`: the key of its snapshots.
struct KnownReducer {
  /// Nil when exactly this text made no snapshot.
  let id: Int32?
  /// The beginning of the hash of its text, in hexadecimal, by which people tell texts apart.
  let hash: String

  /// The same for the reducer in the row `r`.
  static let hashOfRow = "left(encode(r.hash, 'hex'), 12)"
}

extension StoreConnection {
  /// The hash of a reducer's text, with the upcasters that its events go through.
  private func hash(of reducer: Reducer) -> SQL {
    "sha256(\(Parameter.bytea(identity(reducer.bytes))))"
  }

  /// The condition that the reducer in the row `r` is another text of this one.
  func isAnotherText(of reducer: Reducer) -> SQL {
    "r.store = \(table.description) AND r.name = \(reducer.name) AND r.hash <> \(hash(of: reducer))"
  }

  /// Looks up a reducer; nil if schema `annals` is missing or this role may not read it.
  func knownReducer(_ reducer: Reducer) throws -> KnownReducer? {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return nil }
    let sql: SQL = """
      SELECT r.id, left(encode(h.hash, 'hex'), 12) AS hash FROM (SELECT \(hash(of: reducer)) AS hash) AS h
      LEFT JOIN annals.reducers AS r
        ON r.store = \(table.description) AND r.name = \(reducer.name) AND r.hash = h.hash
      """
    return try connection.query(sql).first {
      KnownReducer(id: $0.optionalInt32("id"), hash: $0.string("hash"))
    }
  }

  /// The same if a fold of one stream can begin with a snapshot: the snapshots are not part of a distributed table, and
  /// Citus refuses a recursive query over both.
  func usableReducer(_ reducer: Reducer) throws -> KnownReducer? {
    try eventsTable().isDistributed ? nil : knownReducer(reducer)
  }

  /// Records a reducer, in the caller's transaction.
  func registerReducer(_ reducer: Reducer) throws -> KnownReducer {
    let sql: SQL = """
      INSERT INTO annals.reducers AS r (store, name, hash, version)
      VALUES (\(table.description), \(reducer.name), \(hash(of: reducer)), \(Int32(reducer.version)))
      ON CONFLICT (store, name, hash) DO UPDATE SET used_at = current_timestamp
      RETURNING r.id, \(raw: KnownReducer.hashOfRow) AS hash
      """
    let row = try connection.query(sql)
    return KnownReducer(id: row[0].int32("id"), hash: row[0].string("hash"))
  }

  /// The newest valid snapshot (version, state) of the aggregate in the row `point`, at or below its version.
  ///
  /// A snapshot is valid as long as its last event is the one in the store.
  func newestSnapshot(
    of known: KnownReducer?,
    upTo point: String
  ) -> SQL {
    guard let id = known?.id else { return "SELECT NULL::integer AS version, NULL::jsonb AS state" }
    return """
      SELECT s.version, s.state FROM annals.snapshots AS s
      JOIN \(raw: relation) AS l
        ON l.aggregate_id = \(raw: point).aggregate_id AND l.version = s.version AND l.id = s.event_id
      WHERE s.reducer = \(id) AND s.aggregate_id = \(raw: point).aggregate_id COLLATE "C"
        AND s.version <= \(raw: point).version
      ORDER BY s.version DESC LIMIT 1
      """
  }

  /// Tells the operator of snapshots that another text of the same reducer made.
  func reportStale(_ reducer: Reducer, of aggregateID: String) throws {
    let sql: SQL = """
      SELECT count(*) FROM annals.snapshots s JOIN annals.reducers r ON r.id = s.reducer
      WHERE \(isAnotherText(of: reducer)) AND s.aggregate_id = \(aggregateID)
      """
    let count = try connection.query(sql).int64(0, 0)
    guard count > 0 else { return }
    notify(
      "not used: \(count) stale snapshot\(count == 1 ? "" : "s") of '\(aggregateID)', taken by another text of"
        + " reducer \(reducer.name)"
    )
  }
}
