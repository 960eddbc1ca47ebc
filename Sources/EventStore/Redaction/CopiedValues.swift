internal import LibPQ

// Which columns of schema annals may hold a value of an event. A test compares this list with the catalogue.
//
//   snapshots.state               the events folded: deleted from the first redacted event of the stream on
//   dead_letters.message, detail  the server's words about an event, which can quote a value: deleted
//   parked_events.message         a consumer's words: deleted
//   generations.error             as in dead letters: its message and detail are deleted
//   evolutions.plan               has no payloads since migration 16, only the places of its examples
//
// What an operator wrote is not searched: generations.definition, objects and upcasters, the files in evolutions.plan,
// checkpoints.filter, audit.reason, skipped_events.reason. The audit of a redaction has no condition, because that may hold a value.
// Ids of aggregates, types of events and names are not changed by a redaction, wherever they are.
//
// Outside of these tables: the copies that annals.evolutions lists, and the read models that annals.generations lists.

extension StoreConnection {
  /// The tables in which a redaction leaves dead rows with values.
  static let tablesWithValues = ["snapshots", "dead_letters", "parked_events", "generations", "evolutions"]

  /// A transaction that was at work during the redaction may have read the events before it.
  private static let margin = "interval '10 s'"

  private static func isRedacted(_ place: String, version: String, at time: String, in store: String) -> SQL {
    """
    EXISTS (SELECT FROM annals.redactions AS d WHERE d.store = \(store) AND d.aggregate_id = \(raw: place).aggregate_id
            AND d.version \(raw: version) \(raw: place).version AND \(raw: place).\(raw: time) <= d.redacted_at + \(raw: margin))
    """
  }

  /// The snapshots and messages that may hold values of events that would change.
  func copiedValues(of statements: RedactionStatements) throws -> (snapshots: Int64, messages: Int64) {
    let store = table.description
    let snapshots = try connection.query(
      """
      SELECT count(*) FROM annals.snapshots AS s JOIN annals.reducers AS r ON r.id = s.reducer
      JOIN (\(statements.streams)) AS h ON h.aggregate_id = s.aggregate_id COLLATE "C" AND h.version <= s.version
      WHERE r.store = \(store)
      """
    ).int64(0, 0)
    let messages = try connection.query(
      """
      WITH hits AS MATERIALIZED (\(statements.places))
      SELECT (SELECT count(*) FROM annals.dead_letters AS l JOIN annals.projections AS p ON p.name = l.projection
              JOIN hits AS h ON h.aggregate_id = l.aggregate_id COLLATE "C" AND h.version = l.version
              WHERE p.store = \(store) AND l.message <> \(Self.mark))
           + (SELECT count(*) FROM annals.parked_events AS l JOIN annals.checkpoints AS c ON c.name = l.checkpoint
              JOIN hits AS h ON h.aggregate_id = l.aggregate_id COLLATE "C" AND h.version = l.version
              WHERE c.store = \(store) AND l.message <> \(Self.mark))
      """
    ).int64(0, 0)
    return (snapshots, messages)
  }

  /// What stands for a message that was deleted.
  private static let mark = "[redacted]"

  /// Deletes what annals itself has copied from redacted events, also those of an interrupted run.
  func deleteCopiedValues(_ result: inout RedactionResult) throws {
    let store = table.description
    let (snapshots, messages) = try connection.transaction {
      // Waits for those who take snapshots now, and may have read an event before it was redacted.
      try connection.execute(
        "SET LOCAL lock_timeout = '30s'; LOCK TABLE annals.snapshots IN SHARE ROW EXCLUSIVE MODE"
      )
      let snapshots = try connection.query(
        """
        DELETE FROM annals.snapshots AS s USING annals.reducers AS r
        WHERE r.id = s.reducer AND r.store = \(store)
          AND \(Self.isRedacted("s", version: "<=", at: "taken_at", in: store))
        """
      ).affectedRows
      let letters = try connection.query(
        """
        UPDATE annals.dead_letters AS l SET message = \(Self.mark), detail = NULL FROM annals.projections AS p
        WHERE p.name = l.projection AND p.store = \(store) AND (l.message <> \(Self.mark) OR l.detail IS NOT NULL)
          AND \(Self.isRedacted("l", version: "=", at: "failed_at", in: store))
        """
      ).affectedRows
      let parked = try connection.query(
        """
        UPDATE annals.parked_events AS l SET message = \(Self.mark) FROM annals.checkpoints AS c
        WHERE c.name = l.checkpoint AND c.store = \(store) AND l.message <> \(Self.mark)
          AND \(Self.isRedacted("l", version: "=", at: "failed_at", in: store))
        """
      ).affectedRows
      let errors = try connection.query(
        """
        UPDATE annals.generations AS g
        SET error = g.error - 'detail' || jsonb_build_object('message', \(Self.mark)) FROM annals.projections AS p
        WHERE p.name = g.projection AND p.store = \(store) AND g.error ->> 'message' <> \(Self.mark)
          AND (g.error ->> 'at')::timestamptz <= (
            SELECT max(d.redacted_at) FROM annals.redactions AS d WHERE d.store = \(store))
        """
      ).affectedRows
      let messages = letters + parked + errors
      if snapshots + messages > 0 {
        try audit(.redact, .store, "'snapshots', \(Int64(snapshots)), 'messages', \(Int64(messages))")
      }
      return (snapshots, messages)
    }
    (result.snapshots, result.messages) = (Int64(snapshots), Int64(messages))
  }
}
