internal import LibPQ

extension EventStore {
  /// Checks the versions of streams, and hands over what it finds.
  ///
  /// All is read in one snapshot, so that writers at work cause no finding. The server does the reading: one aggregate
  /// over the streams tells how many of them need a closer look, and only those are looked at. Nothing but SELECT on the
  /// events is needed, and it works on a standby.
  ///
  /// - Parameters:
  ///   - check: which streams, and for what.
  ///   - integrity: a manifest to compare with or to write; it is of the whole store, whatever the selection is.
  ///   - report: is called on the store's thread for each finding; those of a stream follow one another.
  /// - Throws: ``EventStoreError``; `notFound` when an aggregate or category that was asked for has no events,
  ///   `invalidInput` when the manifest was damaged.
  public func verifyVersions(
    _ check: VersionCheck = VersionCheck(),
    integrity: IntegrityCheck = IntegrityCheck(),
    reporting report: @Sendable (Finding) throws -> Void
  ) async throws -> VersionCheckResult {
    try await perform { connection in
      let layout = try layout(connection)
      let looksAtStore = check.selection == .all && layout.hasPosition
      let faults = looksAtStore ? try positionFaults(connection).faults : []
      let final = check.isIncremental ? try finalPositionForMark(layout, connection) : 0
      let result = try connection.transaction(.repeatableReadOnly) {
        var findings = faults.map { Finding($0) }
        if looksAtStore, !check.isIncremental, check.kinds.contains(.checkpointDiffers) {
          findings += try readerFindings(connection)
        }
        let run = VersionCheckRun(
          check,
          layout,
          mark: check.isIncremental ? try mark(check, connection) : nil,
          writers: check.explains ? try writers(connection) : [],
          storeFindings: findings,
          connection
        )
        return try run.all(integrity, report)
      }
      if check.isIncremental, result.errors == 0 { try setMark(final, check, connection) }
      return result
    }
  }

  private func readerFindings(_ connection: Connection) throws -> [Finding] {
    try knownReaders(connection).compactMap { Finding($0, stored: try seenEvents(upTo: $0, connection)) }
  }

  /// Where a mark may be set: everything up to there is visible to a snapshot that is taken later.
  private func finalPositionForMark(_ layout: EventsTable, _ connection: Connection) throws -> Int64 {
    try layout.requirePosition(for: "an incremental check")
    try requireSchema(connection)
    try proveFinality(connection)
    return try finalPosition(connection)
  }

  /// The mark of the last check; nil when there is none, or when the store was restored to a state before it.
  private func mark(_ check: VersionCheck, _ connection: Connection) throws -> Int64? {
    let sql = """
      SELECT position FROM annals.verifications WHERE store = $1 AND first_version = $2
        AND position <= (SELECT max(position) FROM \(relation) e)
      """
    let rows = try connection.query(sql, [.text("\(table)"), .int4(Int32(check.firstVersion))])
    return rows.isEmpty ? nil : rows.int64(0, 0)
  }

  private func setMark(_ position: Int64, _ check: VersionCheck, _ connection: Connection) throws {
    let sql = """
      INSERT INTO annals.verifications (store, first_version, position) VALUES ($1, $2, $3)
      ON CONFLICT (store, first_version)
        DO UPDATE SET position = excluded.position, verified_at = excluded.verified_at
      """
    _ = try connection.query(sql, [.text("\(table)"), .int4(Int32(check.firstVersion)), .int8(position)])
  }
}
