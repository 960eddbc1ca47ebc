internal import LibPQ

extension VersionCheckRun {
  /// Looks for values that only one event may have, unless a unique index vouches for them.
  func checkUnique(_ column: String, _ kind: Finding.Kind, _ report: Report) throws {
    if try layout.hasUniqueKey([column], connection) { return }
    let findings = sql(.duplicateValues, ["value": "e.\(column)"])
    try connection.forEachPage(of: findings, parameters) { page in
      for row in 0..<page.rowCount {
        let count = page.int64(row, 1)
        let events =
          "\(count) \(count == 1 ? "event" : "events") (\(page.string(row, 5))\(count > 5 ? ", \u{2026}" : ""))"
        try report(
          Finding(
            kind: kind,
            severity: .error,
            aggregateID: page.optionalString(row, 2),
            version: page.optionalInt64(row, 3).map(Int.init),
            position: page.optionalInt64(row, 4),
            detail: page.optionalString(row, 0).map { "\(column) \($0) belongs to \(events)" }
              ?? "no \(column) in \(events)"
          )
        )
      }
    }
  }

  /// Looks for events of a stream that came before the event of the version below.
  func checkOrder(_ report: Report) throws {
    let isUnique = try layout.hasUniqueKey(["aggregate_id", "version"], connection)
    let tieBreak = layout.hasPosition ? "e.version, e.position" : "e.version, e.\"timestamp\""
    let findings = sql(.orderFindings, ["order": isUnique ? "e.version" : tieBreak])
    // A cursor is planned without parallel workers: it is worth its while only where there is something to fetch.
    let count = try connection.query("SELECT count(*) FROM (\(findings)) AS findings", parameters)
    guard count.int64(0, 0) > 0 else { return }
    try connection.forEachPage(of: findings, parameters) { page in
      for row in 0..<page.rowCount { try report(orderFinding(page, row)) }
    }
  }

  private func orderFinding(_ page: borrowing QueryResult, _ row: Int) -> Finding {
    let kind = Finding.Kind(rawValue: page.string(row, 0))!
    let (version, previous) = (page.int64(row, 2), page.int64(row, 4))
    let (place, previousPlace) =
      kind == .positionOrder
      ? ("position \(page.int64(row, 3))", "position \(page.int64(row, 5))")
      : (
        Timestamp(microseconds: page.int64(row, 6)).description,
        Timestamp(microseconds: page.int64(row, 7)).description
      )
    return Finding(
      kind: kind,
      severity: kind == .timeOrder ? .warning : .error,
      aggregateID: page.string(row, 1),
      version: Int(version),
      position: page.optionalInt64(row, 3),
      detail: "version \(version) is at \(place), before version \(previous) at \(previousPlace)"
    )
  }

  /// Looks for snapshots of versions that are not there, where annals' own tables are and may be read.
  func checkSnapshots(_ report: Report) throws {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return }
    let findings = sql(.snapshotFindings)
    try connection.forEachPage(of: findings, parameters) { page in
      for row in 0..<page.rowCount {
        let (version, last) = (page.int64(row, 2), page.int64(row, 3))
        try report(
          Finding(
            kind: .snapshotAhead,
            severity: .error,
            aggregateID: page.string(row, 0),
            version: Int(version),
            detail: "a snapshot by reducer \(page.string(row, 1)) is of version \(version); "
              + (last == 0 ? "the stream has no event" : "the stream ends at version \(last)")
          )
        )
      }
    }
  }

  /// Looks for read models and consumers that are ahead of the store, which concerns the store as a whole.
  func checkCheckpoints(head: Int64, _ report: Report) throws {
    guard check.selection == .all else { return }
    let queries = [
      (["generations", "projections"], SQLTemplate.checkpointFindings.sql),
      (["checkpoints"], SQLTemplate.consumerFindings.sql),
    ]
    for (tables, sql) in queries where try connection.canReadOwnTables(tables) {
      let rows = try connection.query(sql, [.text("\(layout.name)"), .int8(head)])
      for row in 0..<rows.rowCount {
        let position = rows.int64(row, 1)
        try report(
          Finding(
            kind: .checkpointAhead,
            severity: .error,
            position: position,
            detail: "\(rows.string(row, 0)) is at position \(position), and the store ends at \(head): "
              + "events were restored to an earlier state, or removed"
          )
        )
      }
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

extension Finding {
  /// Only a sequence behind the events is wrong in itself; with the other faults readers refuse to go on.
  init(_ fault: PositionFault) {
    let isBehind = fault.kind == .sequenceBehind
    self.init(
      kind: isBehind ? .sequenceBehind : .positionsNotFinal,
      severity: isBehind ? .error : .warning,
      detail: "\(fault.message). \(fault.reason)"
    )
  }
}
