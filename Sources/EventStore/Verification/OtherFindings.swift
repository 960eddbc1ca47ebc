internal import LibPQ

extension VersionCheckRun {
  /// Looks for values that only one event may have, unless a unique index guarantees them.
  func checkUnique(_ column: String, _ kind: Finding.Kind, _ report: Report) throws {
    if try layout.hasUniqueKey([column], connection) { return }
    let value: SQL = "\(raw: "e.\(column)")"
    guard layout.isDistributed else {
      return try connection.forEachPage(of: sql(.duplicateValues, ["value": value])) { page in
        try page.forEachRow { try report(Self.duplicate(column, kind, $0)) }
      }
    }
    // In two steps. On a table of one server, each thousand values would be one more pass through the table.
    let type = column.hasSameBytes(as: "id") ? "uuid" : "bigint"
    try connection.forEachPage(of: sql(.copiedValues, ["value": value])) { page in
      let values = page.map { $0.optionalString("value") }
      let known = Parameter.textArray(values.compactMap(\.self))
      let events = sql(
        .eventsOfValues,
        [
          "value": value, "values": "\(known)::\(raw: type)[]",
          "or_null": values.contains(nil) ? "OR \(value) IS NULL" : "",
        ]
      )
      try connection.query(events).forEachRow { try report(Self.duplicate(column, kind, $0)) }
    }
  }

  private static func duplicate(_ column: String, _ kind: Finding.Kind, _ row: borrowing Row) -> Finding {
    let count = row.int64("copies")
    let events =
      "\(count) \(count == 1 ? "event" : "events") (\(row.string("events"))\(count > 5 ? ", \u{2026}" : ""))"
    return Finding(
      kind: kind,
      severity: .error,
      aggregateID: row.optionalString("aggregate_id"),
      version: row.optionalInt64("version").map(Int.init),
      position: row.optionalInt64("position"),
      detail: row.optionalString("value").map { "\(column) \($0) belongs to \(events)" }
        ?? "no \(column) in \(events)"
    )
  }

  /// Looks for events of a stream that come before the event of the version below.
  func checkOrder(_ report: Report) throws {
    if check.kinds.isDisjoint(with: [.positionOrder, .timeOrder]) { return }
    let isUnique = try layout.hasUniqueKey(["aggregate_id", "version"], connection)
    let tieBreak = layout.hasPosition ? "e.version, e.position" : "e.version, e.\"timestamp\""
    let missing = try nullColumns()
    let findings = sql(
      .orderFindings,
      [
        "order": "\(raw: isUnique ? "e.version" : tieBreak)",
        "with_position": missing.position ? ", \(raw: layout.position) IS NULL" : "",
        "by_time": missing.position || missing.time ? "t" : "p",
        "with_time": missing.time ? ", \(raw: layout.time) IS NULL" : "",
      ]
    )
    // A cursor is planned without parallel workers, so it is only used if there are rows to fetch.
    let count = try connection.query("SELECT count(*) FROM (\(findings)) AS findings")
    guard count.int64(0, 0) > 0 else { return }
    try connection.forEachPage(of: findings) { try $0.forEachRow { try report(orderFinding($0)) } }
  }

  /// Whether events lack a position, or a time: each order is then sorted separately.
  private func nullColumns() throws -> (position: Bool, time: Bool) {
    let lacksPosition =
      try layout.hasPosition
      && connection.hasEvent(in: layout.relation, where: "\(scope) AND e.position IS NULL")
    return (
      lacksPosition,
      try connection.hasEvent(in: layout.relation, where: "\(scope) AND e.\"timestamp\" IS NULL")
    )
  }

  private func orderFinding(_ row: borrowing Row) -> Finding {
    let kind = Finding.Kind(rawValue: row.string("kind"))!
    let (version, previous) = (row.int64("version"), row.int64("previous_version"))
    let (place, previousPlace) =
      kind == .positionOrder
      ? ("position \(row.int64("position"))", "position \(row.int64("previous_position"))")
      : (row.timestamp("timestamp").description, row.timestamp("previous_timestamp").description)
    return Finding(
      kind: kind,
      severity: kind == .timeOrder ? .warning : .error,
      aggregateID: row.string("aggregate_id"),
      version: Int(version),
      position: row.optionalInt64("position"),
      detail: "version \(version) is at \(place), before version \(previous) at \(previousPlace)"
    )
  }

  /// Looks for snapshots of missing versions, if annals' own tables exist and may be read.
  func checkSnapshots(_ report: Report) throws {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return }
    let findings = layout.isDistributed ? SQLTemplate.groupedSnapshotFindings : .snapshotFindings
    try connection.forEachPage(of: sql(findings, ["scope": scopeOfIDs])) { page in
      try page.forEachRow { row in
        let (version, last) = (row.int64("version"), row.optionalInt64("last"))
        try report(
          Finding(
            kind: .snapshotAhead,
            severity: .error,
            aggregateID: row.string("aggregate_id"),
            version: Int(version),
            detail: "a snapshot by reducer \(row.string("reducer")) is of version \(version); "
              + (last.map { "the stream ends at version \($0)" } ?? "the stream has no event")
          )
        )
      }
    }
  }

  /// Names the events that readers leave out, if annals' own tables exist and may be read.
  func reportSkipped(_ report: Report) throws {
    guard try connection.canReadOwnTables(["skipped_events"]) else { return }
    let skipped: SQL = """
      SELECT \(raw: SkippedEvent.fields) FROM annals.skipped_events e
      WHERE store = \(layout.name.description) AND \(scopeOfIDs) ORDER BY position
      """
    try connection.query(skipped).forEachRow { row in
      let event = SkippedEvent(row)
      try report(
        Finding(
          kind: .eventSkipped,
          severity: .info,
          aggregateID: event.aggregateID,
          version: Int(event.version),
          position: event.position,
          detail: event.summary
        )
      )
    }
  }

  /// Looks for read models and consumers that are ahead of the whole store.
  func checkCheckpoints(head: Int64, _ report: Report) throws {
    guard check.selection == .all else { return }
    for reader in try connection.readersAhead(of: head, in: layout.name) {
      try report(
        Finding(
          kind: .checkpointAhead,
          severity: .error,
          position: reader.position,
          detail: reader.message(storeEnd: head)
        )
      )
    }
  }

  func classicTable() -> Finding {
    Finding(
      kind: .classicTable,
      severity: .warning,
      detail: "\(layout.name) has no column position: the order of the whole store was not checked"
    )
  }
}

/// A reader whose checkpoint is beyond the end of the store.
struct ReaderAhead {
  /// Its kind and name.
  let reader: String
  let position: Int64

  func message(storeEnd head: Int64) -> String {
    "\(reader) is at position \(position), and the store ends at \(head): events were restored to an earlier state, or "
      + "removed"
  }
}

extension Connection {
  /// Read models and consumers that are ahead of a store, if annals' own tables exist and may be read.
  func readersAhead(of head: Int64, in table: QualifiedName) throws -> [ReaderAhead] {
    let queries = [
      (["generations", "projections"], SQLTemplate.checkpointFindings.sql),
      (["checkpoints"], SQLTemplate.consumerFindings.sql),
    ]
    var readers: [ReaderAhead] = []
    for (tables, sql) in queries where try canReadOwnTables(tables) {
      readers += try query(sql, [.text("\(table)"), .int8(head)]).map {
        ReaderAhead(reader: $0.string("reader"), position: $0.int64("position"))
      }
    }
    return readers
  }
}

extension Finding {
  /// Only a sequence behind the events is an error in itself; with the other faults readers refuse to continue.
  init(_ fault: PositionFault) {
    let isBehind = fault.kind == .sequenceBehind
    self.init(
      kind: isBehind ? .sequenceBehind : .positionsNotFinal,
      severity: isBehind ? .error : .warning,
      detail: "\(fault.message). \(fault.reason)"
    )
  }
}
