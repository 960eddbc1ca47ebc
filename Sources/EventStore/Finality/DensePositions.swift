internal import LibPQ

/// Positions without permanent holes.
///
/// A writer that takes a position before it has a lock, or even in an earlier transaction, cannot be waited for. But if
/// each assigned number is used or lost for good, the holes tell: a missing position may still come while a transaction
/// from before is alive, and, if the client keeps numbers between two transactions, for a grace time. Marten's daemon
/// works this way. A hole that stays is passed and remembered, and verify-versions checks whether an event came later.
extension StoreConnection {
  /// More holes than this are no accident: the positions are not dense.
  private static let mostHoles = 100_000

  /// The position up to which no hole needs a look; nil if nobody has looked yet.
  ///
  /// Read it before the head: if it is above the head, the store was restored to an earlier state meanwhile.
  func denseStart() throws -> Int64? {
    guard case .dense = positions else { return nil }
    return try [denseUpTo, rememberedDense()].compactMap(\.self).max()
  }

  /// The position before the first hole; nil without a hole, or if the reader is there already and has to wait.
  func endBeforeHole(upTo head: Int64, after known: Int64?) throws -> Int64? {
    guard let end = try firstMissing(after: known, upTo: head).map({ $0 - 1 }) else { return nil }
    guard end > known ?? .min else { return nil }
    denseUpTo = end
    return end
  }

  /// The first missing position after the examined ones.
  func firstMissing(after known: Int64?, upTo head: Int64) throws -> Int64? {
    guard case .dense = positions else { return nil }
    return try firstHole(after: known.flatMap { $0 > head ? nil : $0 }, upTo: head)
  }

  /// Waits until no position up to the head can come any more, and passes those that are missing then.
  func passHoles(upTo head: Int64, after known: Int64?, grace: Duration) throws {
    if known == head { return }
    let start = known.flatMap { $0 > head ? nil : $0 }
    if known != nil, start == nil { try forgetHoles() }
    if try firstHole(after: start, upTo: head) != nil {
      let seen = ContinuousClock.now
      try waitForAll()
      try waitForGrace(grace, since: seen) { try firstHole(after: start, upTo: head) == nil }
      try passRemainingHoles(upTo: head, after: start)
    }
    denseUpTo = head
    try rememberDense(upTo: head)
  }

  private func waitForAll() throws {
    let limit = writerLimit.map { $0 / .seconds(1) } ?? .infinity
    let open = try waitForEnd(purpose: "may fill a hole in the positions", limitSeconds: limit) {
      try openTransactions(.aliveTransactions)
    }
    guard let oldest = open.first else { return }
    throw holeError("a transaction that may fill it did not end in time: \(oldest.summary)")
  }

  /// - Parameter isOver: whether the holes are filled, so the wait can end.
  private func waitForGrace(
    _ grace: Duration,
    since seen: ContinuousClock.Instant,
    _ isOver: () throws -> Bool
  ) throws {
    let limit = writerLimit ?? grace
    while true {
      let began = ContinuousClock.now
      if try isOver() { return }
      let rest = min(grace, limit) - (.now - seen)
      if rest <= .zero { break }
      // A look takes long if a reader begins far back.
      try canceller.sleep(for: min(rest, max(.milliseconds(200), (ContinuousClock.now - began) * 10)))
    }
    if limit < grace { throw holeError("its grace time of \(grace / .seconds(1)) s is not over") }
  }

  private func holeError(_ reason: String) -> EventStoreError {
    EventStoreError(
      .locked,
      "a position of \(table) is missing, and \(reason)",
      detail: "An event may still appear there, so no checkpoint can be stored after it.",
      hint: "End the transaction, or wait longer."
    )
  }
}

// MARK: - The holes

extension StoreConnection {
  /// The FROM item of the existing positions: the column of the table if it is unique, since the layout may leave rows
  /// out; otherwise the layout.
  private func positionsSource() throws -> String {
    guard let origin = try eventsTable().positionOrigin else { return relation }
    let found = try connection.query(
      SQLTemplate.uniqueColumn.sql,
      [.int8(Int64(origin.table)), .int8(Int64(origin.number))]
    )
    guard let column = found.first({ $0.string("column") }) else { return relation }
    let table = found[0].string("table")
    return "(SELECT \(column) AS position FROM \(table))"
  }

  private func firstHole(after start: Int64?, upTo head: Int64) throws -> Int64? {
    let holes = try holes(after: start, upTo: head)
    let sql: SQL = "SELECT first FROM (\(holes)) AS holes ORDER BY first LIMIT 1"
    return try connection.query(sql).first { $0.int64("first") }
  }

  /// If nobody has looked yet, positions before the first event count as missing, as they may be under way. Positions
  /// begin with 1, or with the lowest existing one.
  private func holes(after start: Int64?, upTo head: Int64) throws -> SQL {
    SQLTemplate.missingPositions.statement([
      "positions": "\(raw: try positionsSource())", "end": "\(head)",
      "start": "\(try start ?? eventsTable().beginning(connection))",
    ])
  }

  private func passRemainingHoles(upTo head: Int64, after start: Int64?) throws {
    let holes = try holes(after: start, upTo: head)
    let sql: SQL = """
      SELECT count(*) AS holes, min(first) AS first, (min(ARRAY[first, last]))[2] AS last FROM (\(holes)) AS holes
      """
    let found = try connection.query(sql)
    let count = found[0].int64("holes")
    guard count > 0 else { return }
    guard count <= Self.mostHoles else { throw notDense(count) }
    let (first, last) = (found[0].int64("first"), found[0].int64("last"))
    if try canRemember() {
      let sql: SQL = """
        INSERT INTO annals.passed_holes (store, first, last)
        SELECT \(table.description), first, last FROM (\(holes)) AS holes ON CONFLICT DO NOTHING
        """
      _ = try connection.query(sql)
    }
    let place = first == last ? "\(first)" : "\(first) to \(last)"
    notify(
      count == 1
        ? "no event has position \(place) of \(table), and no transaction from before is left: passed"
        : "\(count) holes in the positions of \(table), the first at \(place), and no transaction from before is left: passed"
    )
  }

  private func notDense(_ count: Int64) -> EventStoreError {
    EventStoreError(
      .invalidDefinition,
      "positions of \(table) are not dense: \(count) runs of them have no event",
      detail: "If writers skip numbers on purpose, a missing number does not show that an event is missing.",
      hint: "Give the layout another '@positions'; see \(.manual(.layoutFiles))."
    )
  }
}

// MARK: - What is remembered

extension StoreConnection {
  /// Events that came where readers had passed a hole.
  func lateEvents() throws -> [Finding] {
    guard case .dense = positions, try connection.canReadOwnTables(["passed_holes"]) else { return [] }
    let sql: SQL = """
      SELECT e.aggregate_id, e.version, e.position, to_char(h.passed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS passed
      FROM annals.passed_holes AS h JOIN \(raw: relation) e ON e.position BETWEEN h.first AND h.last
      WHERE h.store = \(table.description)
      ORDER BY e.position
      """
    return try connection.query(sql).map { row in
      Finding(
        kind: .lateEvent,
        severity: .error,
        aggregateID: row.optionalString("aggregate_id"),
        version: row.optionalInt32("version").map(Int.init),
        position: row.int64("position"),
        detail: "the event came after readers had passed its position as a hole, at \(row.string("passed"))"
      )
    }
  }

  private func canRemember() throws -> Bool {
    try connection.query(
      """
      SELECT current_setting('transaction_read_only') = 'off' AND coalesce(has_schema_privilege(to_regnamespace('annals'), 'USAGE')
        AND has_table_privilege(to_regclass('annals.passed_holes'), 'INSERT')
        AND has_table_privilege(to_regclass('annals.passed_holes'), 'DELETE')
        AND has_table_privilege(to_regclass('annals.dense_positions'), 'INSERT')
        AND has_table_privilege(to_regclass('annals.dense_positions'), 'UPDATE')
        AND has_table_privilege(to_regclass('annals.dense_positions'), 'DELETE'), false)
      """
    ).bool(0, 0)
  }

  private func rememberedDense() throws -> Int64? {
    guard try connection.canReadOwnTables(["dense_positions"]) else { return nil }
    let sql: SQL = "SELECT position FROM annals.dense_positions WHERE store = \(table.description)"
    return try connection.query(sql).first { $0.int64("position") }
  }

  /// Old holes say nothing about a store that begins again.
  private func forgetHoles() throws {
    guard try canRemember() else { return }
    for records in ["passed_holes", "dense_positions"] {
      _ = try connection.query("DELETE FROM annals.\(raw: records) WHERE store = \(table.description)")
    }
  }

  private func rememberDense(upTo head: Int64) throws {
    guard try canRemember() else { return }
    _ = try connection.query(
      """
      INSERT INTO annals.dense_positions AS d (store, position) VALUES (\(table.description), \(head))
      ON CONFLICT (store) DO UPDATE SET position = excluded.position WHERE d.position < excluded.position
      """
    )
  }
}
