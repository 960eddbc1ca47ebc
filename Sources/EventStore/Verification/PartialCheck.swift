internal import LibPQ

/// A part of a store's streams: those in a range of the index on their ids.
enum PartOfStore {
  case all
  /// The streams after one, or from the beginning, up to another one, or to the end. Events without a stream are at the
  /// end, as in the index.
  case range(after: String?, through: String?)

  /// The condition on the event `e`.
  var condition: SQL {
    switch self {
    case .all, .range(nil, nil): "true"
    case .range(nil, let through?): "e.aggregate_id <= \(through)"
    case .range(let after?, let through?): "e.aggregate_id > \(after) AND e.aggregate_id <= \(through)"
    case .range(let after?, nil): "(e.aggregate_id > \(after) OR e.aggregate_id IS NULL)"
    }
  }
}

extension StoreConnection {
  /// Where the last check in parts ended; nil for the beginning of the store.
  func placeOfPartialCheck(_ check: VersionCheck) throws -> String? {
    try requireSchema()
    let sql: SQL = """
      SELECT aggregate_id FROM annals.partial_verifications
      WHERE store = \(table.description) AND first_version = \(Int32(check.firstVersion(in: try eventsTable())))
      """
    let rows = try connection.query(sql)
    return rows.first { $0.optionalString("aggregate_id") } ?? nil
  }

  /// Checks the store as a whole; a pass through its streams begins with this.
  func verifyWhole(_ check: VersionCheck, _ report: (Finding) throws -> Void) throws -> VersionCheckResult {
    try check.baseline?.require(table)
    let layout = try eventsTable()
    let faults = layout.hasPosition ? try positionFaults().faults : []
    return try connection.transaction(.repeatableReadOnly) {
      let run = VersionCheckRun(
        check,
        layout,
        mark: nil,
        writers: [],
        storeFindings: try faults.map { Finding($0) } + findingsOfReaders(check, layout),
        connection
      )
      var tally = FindingTally(check)
      var result = VersionCheckResult()
      result.headPosition = try run.headPosition()
      try run.shareReading()
      try run.checkStore(head: result.headPosition) {
        if let finding = tally.count($0) { try report(finding) }
      }
      tally.report(in: &result)
      return result
    }
  }

  /// Checks the streams after one, in their own snapshot, and keeps the place.
  ///
  /// - Parameters:
  ///   - events: about how many events are checked; a stream is not divided.
  /// - Returns: the result, with the last of these streams; nil at the end of the store.
  func verifyPart(
    _ check: VersionCheck,
    after: String?,
    events: Int,
    _ report: (Finding) throws -> Void
  ) throws -> VersionCheckResult {
    let layout = try eventsTable()
    let result = try connection.transaction(.repeatableReadOnly) {
      let last = try endOfPart(after: after, events: events)
      let part = PartOfStore.range(after: after, through: last)
      let run = VersionCheckRun(
        check,
        layout,
        mark: nil,
        part: part,
        writers: [],
        storeFindings: [],
        connection
      )
      var tally = FindingTally(check)
      func count(_ finding: Finding) throws {
        if let finding = tally.count(finding) { try report(finding) }
      }
      var result = VersionCheckResult()
      result.headPosition = try run.headPosition()
      try run.checkVersions(&result, count)
      try run.shareReading()
      try run.checkOrder(count)
      tally.report(in: &result)
      result.checkedThrough = last
      return result
    }
    try keepPlace(result.checkedThrough, check)
    return result
  }

  private func endOfPart(after: String?, events: Int) throws -> String? {
    let rest: SQL = after.map { "e.aggregate_id > \($0)" } ?? "true"
    let rows = try connection.query(
      """
      SELECT e.aggregate_id::text AS aggregate_id FROM \(raw: relation) e WHERE \(rest) AND e.aggregate_id IS NOT NULL
      ORDER BY e.aggregate_id OFFSET \(Int64(events - 1)) LIMIT 1
      """
    )
    return rows.first { $0.string("aggregate_id") }
  }

  private func keepPlace(_ aggregateID: String?, _ check: VersionCheck) throws {
    let sql: SQL = """
      INSERT INTO annals.partial_verifications (store, first_version, aggregate_id)
      VALUES (\(table.description), \(Int32(check.firstVersion(in: try eventsTable()))), \(aggregateID))
      ON CONFLICT (store, first_version)
        DO UPDATE SET aggregate_id = excluded.aggregate_id, verified_at = excluded.verified_at
      """
    _ = try connection.query(sql)
  }
}

extension VersionCheckResult {
  /// Adds the result of a later part of the store.
  mutating func add(_ part: VersionCheckResult) {
    events += part.events
    aggregates += part.aggregates
    headPosition = part.headPosition ?? headPosition
    counts.merge(part.counts, uniquingKeysWith: +)
    errors += part.errors
    known += part.known
    checkedThrough = part.checkedThrough
  }
}
