internal import LibPQ

/// A reducer as schema `annals` knows it: the key of its snapshots.
struct KnownReducer {
  /// Nil when no snapshot was taken by exactly this text.
  let id: Int32?
  /// The beginning of the hash of its text, in hexadecimal, as far as people tell texts apart by it.
  let hash: String

  /// The same of the reducer in the row `r`.
  static let hashOfRow = "left(encode(r.hash, 'hex'), 12)"
}

extension StoreConnection {
  /// What tells a reducer from all others: `$1` the store, `$2` its name, `$3` its text, with the upcasters that its
  /// events go through.
  func key(of reducer: Reducer) -> [Parameter] {
    [.text(table.description), .text(reducer.name), .bytea(identity(reducer.bytes))]
  }

  /// Looks a reducer up; nil where schema `annals` is missing or this role may not read it.
  func knownReducer(_ reducer: Reducer) throws -> KnownReducer? {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return nil }
    let sql = """
      SELECT r.id, left(encode(h.hash, 'hex'), 12) FROM (SELECT sha256($3) AS hash) AS h
      LEFT JOIN annals.reducers AS r ON r.store = $1 AND r.name = $2 AND r.hash = h.hash
      """
    let result = try connection.query(sql, key(of: reducer))
    return KnownReducer(id: result.optionalInt32(0, 0), hash: result.string(0, 1))
  }

  /// Enters a reducer, in the caller's transaction.
  func registerReducer(_ reducer: Reducer) throws -> KnownReducer {
    let sql = """
      INSERT INTO annals.reducers AS r (store, name, hash, version) VALUES ($1, $2, sha256($3), $4)
      ON CONFLICT (store, name, hash) DO UPDATE SET used_at = current_timestamp
      RETURNING r.id, \(KnownReducer.hashOfRow)
      """
    let result = try connection.query(sql, key(of: reducer) + [.int4(Int32(reducer.version))])
    return KnownReducer(id: result.int32(0, 0), hash: result.string(0, 1))
  }

  /// The newest valid snapshot (version, state) of the aggregate in the row `point`, at or below its version.
  ///
  /// A snapshot is valid as long as the event that it ends with is the one in the store.
  func newestSnapshot(
    of known: KnownReducer?,
    upTo point: String,
    _ conditions: inout Conditions
  ) -> String {
    guard let id = known?.id else { return "SELECT NULL::integer AS version, NULL::jsonb AS state" }
    return """
      SELECT s.version, s.state FROM annals.snapshots AS s
      JOIN \(relation) AS l ON l.aggregate_id = \(point).aggregate_id AND l.version = s.version AND l.id = s.event_id
      WHERE s.reducer = \(conditions.bind(.int4(id))) AND s.aggregate_id = \(point).aggregate_id COLLATE "C"
        AND s.version <= \(point).version
      ORDER BY s.version DESC LIMIT 1
      """
  }

  /// Tells the operator of snapshots that another text of the same reducer took.
  func reportStale(_ reducer: Reducer, of aggregateID: String) throws {
    let sql = """
      SELECT count(*) FROM annals.snapshots s JOIN annals.reducers r ON r.id = s.reducer
      WHERE r.store = $1 AND r.name = $2 AND r.hash <> sha256($3) AND s.aggregate_id = $4
      """
    let count = try connection.query(sql, key(of: reducer) + [.text(aggregateID)]).int64(0, 0)
    guard count > 0 else { return }
    notify(
      "not used: \(count) stale snapshot\(count == 1 ? "" : "s") of '\(aggregateID)', taken by another text of"
        + " reducer \(reducer.name)"
    )
  }
}
