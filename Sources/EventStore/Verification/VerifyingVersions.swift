internal import LibPQ

extension StoreConnection {
  func verifyVersions(
    _ check: VersionCheck,
    integrity: IntegrityCheck,
    reporting report: @Sendable (Finding) throws -> Void
  ) throws -> VersionCheckResult {
    let layout = try eventsTable()
    let looksAtStore = check.selection == .all && layout.hasPosition
    let faults = looksAtStore ? try positionFaults().faults : []
    let final = check.isIncremental ? try finalPositionForMark(layout) : 0
    let result = try connection.transaction(.repeatableReadOnly) {
      var findings = faults.map { Finding($0) }
      if looksAtStore, !check.isIncremental, check.kinds.contains(.checkpointDiffers) {
        findings += try readerFindings()
      }
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

  private func readerFindings() throws -> [Finding] {
    try knownReaders().compactMap { Finding($0, stored: try seenEvents(upTo: $0)) }
  }

  /// Where a mark may be set: everything up to there is visible to a snapshot that is taken later.
  private func finalPositionForMark(_ layout: EventsTable) throws -> Int64 {
    try layout.requirePosition(for: "an incremental check")
    try requireSchema()
    try proveFinality()
    return try finalPosition()
  }

  /// The mark of the last check; nil when there is none, or when the store was restored to a state before it.
  private func mark(_ check: VersionCheck) throws -> Int64? {
    let sql = """
      SELECT position FROM annals.verifications WHERE store = $1 AND first_version = $2
        AND position <= (SELECT max(position) FROM \(relation) e)
      """
    let rows = try connection.query(sql, [.text("\(table)"), .int4(Int32(check.firstVersion))])
    return rows.isEmpty ? nil : rows.int64(0, 0)
  }

  private func setMark(_ position: Int64, _ check: VersionCheck) throws {
    let sql = """
      INSERT INTO annals.verifications (store, first_version, position) VALUES ($1, $2, $3)
      ON CONFLICT (store, first_version)
        DO UPDATE SET position = excluded.position, verified_at = excluded.verified_at
      """
    _ = try connection.query(sql, [.text("\(table)"), .int4(Int32(check.firstVersion)), .int8(position)])
  }
}
