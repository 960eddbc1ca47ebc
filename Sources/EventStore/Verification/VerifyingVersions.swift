internal import LibPQ

extension StoreConnection {
  func verifyVersions(
    _ check: VersionCheck,
    integrity: IntegrityCheck,
    reporting report: @Sendable (Finding) throws -> Void
  ) throws -> VersionCheckResult {
    try check.baseline?.require(table)
    let layout = try eventsTable()
    let looksAtStore = check.selection == .all && layout.hasPosition
    let faults = looksAtStore ? try positionFaults().faults : []
    let final = check.isIncremental ? try finalPositionForMark(layout) : 0
    let result = try connection.transaction(.repeatableReadOnly) {
      var findings = faults.map { Finding($0) }
      if looksAtStore { findings += try findingsOfReaders(check, layout) }
      let run = VersionCheckRun(
        check,
        layout,
        mark: check.isIncremental ? try mark(check) : nil,
        writers: check.explains ? try writers() : [],
        storeFindings: findings,
        connection
      )
      return try run.all(integrity, report)
    }
    if check.isIncremental, result.errors == 0 { try setMark(final, check) }
    return result
  }

  /// Events of the store that readers have met differently, or have not met.
  func findingsOfReaders(_ check: VersionCheck, _ layout: EventsTable) throws -> [Finding] {
    guard layout.hasPosition else { return [] }
    var findings: [Finding] = []
    if !check.isIncremental, check.kinds.contains(.checkpointDiffers) {
      findings += try differingReaders()
    }
    if check.kinds.contains(.lateEvent) { findings += try lateEvents() }
    return findings
  }

  /// The position for a mark: everything up to there is visible to a later snapshot.
  private func finalPositionForMark(_ layout: EventsTable) throws -> Int64 {
    try layout.requirePosition(for: "an incremental check")
    try requireSchema()
    try proveFinality()
    return try finalPosition()
  }

  /// The mark of the last check. Nil when there is none, when the store was restored to a state before it, or when all
  /// events are after it: to look up the streams of these would cost more than the check.
  private func mark(_ check: VersionCheck) throws -> Int64? {
    let sql: SQL = """
      SELECT position FROM annals.verifications
      WHERE store = \(table.description) AND first_version = \(Int32(check.firstVersion(in: try eventsTable())))
        AND position BETWEEN (SELECT min(position) FROM \(raw: relation) e)
                         AND (SELECT max(position) FROM \(raw: relation) e)
      """
    return try connection.query(sql).first { $0.int64("position") }
  }

  private func setMark(_ position: Int64, _ check: VersionCheck) throws {
    let sql: SQL = """
      INSERT INTO annals.verifications (store, first_version, position)
      VALUES (\(table.description), \(Int32(check.firstVersion(in: try eventsTable()))), \(position))
      ON CONFLICT (store, first_version)
        DO UPDATE SET position = excluded.position, verified_at = excluded.verified_at
      """
    _ = try connection.query(sql)
  }
}

extension VersionCheck {
  func firstVersion(in table: EventsTable) -> Int { firstVersion ?? table.firstVersion }
}
