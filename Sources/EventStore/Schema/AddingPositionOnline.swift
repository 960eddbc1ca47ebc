internal import LibPQ

extension StoreConnection {
  /// Adds the column position to a table, without stopping writers.
  ///
  /// Each step finds out whether it was done or begun, so a run continues an interrupted one.
  ///
  /// - Parameter chunkSize: events in a transaction.
  /// - Returns: how many events had no position; nil when the column was there.
  func addPositionOnline(chunkSize: Int64, _ progress: @Sendable (EventStore.Progress) -> Void) throws
    -> Int64?
  {
    try requireOwn("adding columns")
    return try AdvisoryLock.hold("positions of \(table)", connection) {
      try connection.prepareLongWork()
      let state = try backfillState()
      if state.isDone { return nil }
      let backfill = try state.isBegun ? backfill(of: state) : beginBackfill(state)
      if try !exists(backfill.numbers) { try number(backfill) }
      let count = try fill(backfill, chunkSize, progress)
      try buildIndexes(backfill)
      try connection.execute(backfill.validate)
      try whenUnlocked("table \(table)", for: "the last step") {
        try connection.transaction {
          try lockBriefly()
          let names = try Self.indexSuffixes.map { try freeName($0, state) }
          try connection.execute(backfill.end(positionIndex: names[0], typesIndex: names[1]))
          try auditIfKept(.addPosition, .store, "'step', 'end', 'events', \(count)")
        }
      }
      forgetEventsTable()
      return count
    }
  }

  /// What ``addPositionOnline(chunkSize:_:)`` would run, as SQL.
  func positionBackfillScript() throws -> String {
    try requireOwn("adding columns")
    let state = try backfillState()
    if state.isDone { return "" }
    let backfill = try state.isBegun ? backfill(of: state) : newBackfill(state)
    let names = try Self.indexSuffixes.map { try freeName($0, state) }
    let begin = """
      -- A moment's lock of the table
      BEGIN;
      \(backfill.begin)COMMIT;


      """
    let number = """
      -- In one transaction
      \(backfill.number)

      """
    return """
      \(state.isBegun ? "" : begin)\(try exists(backfill.numbers) ? "" : number)\
      -- In chunks, with VACUUM in between: the events with $1 < position <= $2
      \(backfill.fillChunk);
      \(backfill.vacuum);

      -- Each by itself
      \(backfill.indexes.map { "\($0.create);\n" }.joined())\(backfill.validate)
      -- A moment's lock of the table
      BEGIN;
      \(backfill.end(positionIndex: names[0], typesIndex: names[1]))COMMIT;

      """
  }

  private struct BackfillState {
    let oid: Int64
    /// The column is there in its final form.
    let isDone: Bool
    /// The first position of new events, while the column is being filled.
    let start: Int64?
    var isBegun: Bool { start != nil }
  }

  /// Whether existing events are being numbered, or such a run was interrupted.
  func isBackfilled() throws -> Bool {
    try connection.query(
      "SELECT to_regclass(format('annals.backfill_%s_positions', to_regclass(\(table.sql))::oid)) IS NOT NULL"
    ).bool(0, 0)
  }

  private func backfillState() throws -> BackfillState {
    let found = try connection.query(
      """
      SELECT c.oid::bigint AS oid, c.relkind::text AS kind, coalesce(a.attnotnull, false) AS is_done,
             a.attname IS NOT NULL AS has_column,
             EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)) AS has_relatives,
             (SELECT s.seqstart FROM pg_sequence s
              WHERE s.seqrelid = to_regclass(format('annals.backfill_%s_positions', c.oid))) AS start
      FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'position' AND NOT a.attisdropped
      WHERE c.oid = to_regclass(\(table.sql))
      """
    )
    guard !found.isEmpty else { throw EventsTable.missing(table) }
    let row = found[0]
    let state = BackfillState(
      oid: row.int64("oid"),
      isDone: row.bool("is_done"),
      start: row.optionalInt64("start")
    )
    func refusal(_ reason: String, _ hint: Hint) -> EventStoreError {
      EventStoreError(.invalidDefinition, "\(table) cannot get positions online: \(reason)", hint: hint)
    }
    let locking: Hint = "\(.addPosition) alone adds them under a lock."
    if state.isDone { return state }
    if row.string("kind") != "r" || row.bool("has_relatives") {
      throw refusal("it is not a plain table without partitions and children", locking)
    }
    if row.bool("has_column"), !state.isBegun {
      throw refusal(
        "it already has a column position that annals did not add",
        "Give each event a position, and the column NOT NULL."
      )
    }
    return state
  }

  private func backfill(of state: BackfillState) throws -> PositionBackfill {
    let keys = try UniqueKeys(of: table, connection)
    guard let key = keys.ofEvent else {
      throw EventStoreError(
        .invalidDefinition,
        "\(table) cannot get positions online: no unique index finds an event",
        detail: "There is none on (id), and none on (aggregate_id, version).",
        hint: "Create one of them, or use \(.addPosition) alone, which locks the table."
      )
    }
    return PositionBackfill(try eventsTable(), oid: state.oid, key: key, start: state.start ?? 0)
  }

  /// New events begin above the highest number that existing events can need.
  private func newBackfill(_ state: BackfillState) throws -> PositionBackfill {
    let count = try connection.query("SELECT count(*) FROM \(raw: table.sql)").int64(0, 0)
    // Far fewer events come between the count and the lock.
    let start = count + count / 10 + 100_001
    return try backfill(of: BackfillState(oid: state.oid, isDone: false, start: start))
  }

  private func beginBackfill(_ state: BackfillState) throws -> PositionBackfill {
    let backfill = try newBackfill(state)
    try whenUnlocked("table \(table)", for: "the first step") {
      try connection.transaction {
        try lockBriefly()
        try connection.execute(backfill.begin)
        try auditIfKept(.addPosition, .store, "'step', 'begin'")
      }
    }
    return backfill
  }

  private func lockBriefly() throws {
    try connection.execute(
      "SET LOCAL lock_timeout = '300ms'; LOCK TABLE \(table.sql) IN ACCESS EXCLUSIVE MODE"
    )
  }

  private func exists(_ name: QualifiedName) throws -> Bool {
    try connection.query("SELECT to_regclass(\(name.sql)) IS NOT NULL").bool(0, 0)
  }

  private func number(_ backfill: PositionBackfill) throws {
    try connection.transaction {
      try connection.execute(backfill.number)
      let last = try connection.query("SELECT coalesce(max(position), 0) FROM \(raw: backfill.numbers.sql)")
      guard last.int64(0, 0) >= backfill.start else { return }
      throw EventStoreError(
        .failed,
        "more events came to \(table) while the column was added than there is room for below position \(backfill.start)",
        hint: "Drop the column position and the sequence of its default, and run the command again."
      )
    }
    try connection.execute("ANALYZE \(backfill.numbers.sql)")
  }

  private func fill(
    _ backfill: PositionBackfill,
    _ chunkSize: Int64,
    _ progress: @Sendable (EventStore.Progress) -> Void
  ) throws -> Int64 {
    let count = try connection.query("SELECT count(*) FROM \(raw: backfill.numbers.sql)").int64(0, 0)
    var (done, vacuumed): (Int64, Int64) = (0, 0)
    while done < count {
      let next = min(done + chunkSize, count)
      try connection.transaction {
        // A crash loses chunks, which are done again.
        try connection.execute("SET LOCAL synchronous_commit = off")
        _ = try connection.query(backfill.fillChunk, [.int8(done), .int8(next)])
      }
      done = next
      progress(EventStore.Progress(done: done, of: count, events: done))
      if done - vacuumed >= max(count / 10, chunkSize) {
        try connection.execute(backfill.vacuum)
        vacuumed = done
      }
    }
    return count
  }

  /// An index that an interrupted run left is not valid, and is built again.
  private func buildIndexes(_ backfill: PositionBackfill) throws {
    for (name, create) in backfill.indexes {
      let known = try connection.query(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(\(name.sql))"
      )
      if !known.isEmpty {
        if known.bool(0, 0) { continue }
        try connection.execute("DROP INDEX CONCURRENTLY \(name.sql)")
      }
      try connection.execute(create)
    }
  }

  /// The names that `CREATE TABLE` gives the indexes, after the name of the table.
  private static let indexSuffixes = ["position_key", "event_type_position_idx"]

  private func freeName(_ suffix: String, _ state: BackfillState) throws -> String {
    let wanted = QualifiedName(schema: table.schema, name: "\(table.name)_\(suffix)")
    let isFree = try wanted.name.utf8.count <= 63 && !exists(wanted)
    return isFree ? wanted.name : "annals_\(state.oid)_\(suffix)"
  }
}
