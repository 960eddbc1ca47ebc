internal import LibPQ

/// One run of a check, within the transaction that is its snapshot.
struct VersionCheckRun {
  let check: VersionCheck
  let layout: EventsTable
  /// The version of a stream's first event.
  let firstVersion: Int
  let connection: Connection
  /// The transactions that were writing when the check began.
  let writers: [OpenTransaction]
  /// The findings about the store as a whole, and its readers.
  private let storeFindings: [Finding]
  /// The condition on the events `e` that are checked.
  let scope: SQL
  /// The same on other rows `e` with the id of an aggregate.
  let scopeOfIDs: SQL

  /// - Parameters:
  ///   - mark: where the last incremental check ended; nil for a check of the whole selection.
  ///   - part: the streams to examine now.
  init(
    _ check: VersionCheck,
    _ layout: EventsTable,
    mark: Int64?,
    part: PartOfStore = .all,
    writers: [OpenTransaction],
    storeFindings: [Finding],
    _ connection: Connection
  ) {
    (self.check, self.layout, self.connection) = (check, layout, connection)
    firstVersion = check.firstVersion(in: layout)
    (self.writers, self.storeFindings) = (writers, storeFindings)
    let news: [SQL] =
      mark.map {
        ["e.aggregate_id IN (SELECT aggregate_id FROM \(raw: layout.relation) e WHERE position > \($0))"]
      } ?? []
    scope = ([check.selection.condition(in: layout), part.condition] + news).conjunction
    scopeOfIDs = ([check.selection.conditionOnIDs(in: layout)] + news).conjunction
  }

  typealias Report = (Finding) throws -> Void

  /// Looks for all requested kinds, the cheapest first.
  func all(_ integrity: IntegrityCheck, _ report: Report) throws -> VersionCheckResult {
    var tally = FindingTally(check)
    func count(_ finding: Finding) throws {
      if let finding = tally.count(finding) { try report(finding) }
    }
    var result = VersionCheckResult()
    try requireAggregates()
    result.headPosition = try headPosition()
    let circumstances = check.explains && layout.hasPosition ? try circumstances(writers) : nil
    try checkVersions(&result) { try count(explained($0, circumstances)) }
    try shareReading()
    if let circumstances, check.selection == .all, !check.isIncremental {
      try reportHoles(circumstances, count)
    }
    try checkStore(head: result.headPosition, count)
    try checkOrder(count)
    if integrity.isWanted {
      let root = try checkIntegrity(integrity, headPosition: result.headPosition, count)
      result.manifestRoot = root?.description
    }
    tally.report(in: &result)
    return result
  }

  /// Looks for faults that no single stream shows: ids and positions, readers, snapshots.
  func checkStore(head: Int64?, _ report: Report) throws {
    if check.kinds.contains(.duplicateID) { try checkUnique("id", .duplicateID, report) }
    for finding in storeFindings { try report(finding) }
    if let head {
      if check.kinds.contains(.duplicatePosition) { try checkUnique("position", .duplicatePosition, report) }
      if check.kinds.contains(.checkpointAhead) { try checkCheckpoints(head: head, report) }
    } else {
      try report(classicTable())
    }
    if check.kinds.contains(.snapshotAhead) { try checkSnapshots(report) }
    if check.kinds.contains(.eventSkipped) { try reportSkipped(report) }
  }

  /// Lets the server read the following with the requested number of processes, even if it thinks that one is cheaper.
  ///
  /// This excludes the check of versions: an index answers it in a tenth of a second for a million events, and passing
  /// the groups from one process to another takes longer than that (CONTRIBUTING.md, "How fast a check is").
  func shareReading() throws {
    guard let workers = check.workers else { return }
    try connection.execute(
      """
      SET LOCAL max_parallel_workers_per_gather = \(workers - 1);
      SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0
      """
    )
  }

  func headPosition() throws -> Int64? {
    guard layout.hasPosition else { return nil }
    return try connection.query("SELECT coalesce(max(position), 0) FROM \(raw: layout.relation) e").int64(
      0,
      0
    )
  }

  /// A mistyped name must not count as a sound stream.
  func requireAggregates() throws {
    guard case .aggregates(let ids) = check.selection else { return }
    guard let missing = try layout.withoutEvents(ids, connection).first else { return }
    throw NamedEvents.aggregate(missing).missing(in: layout.name)
  }

  /// Counts, and looks for gaps, duplicates, wrong first and invalid versions.
  func checkVersions(_ result: inout VersionCheckResult, _ report: Report) throws {
    // Counting distinct values takes twice as long as counting rows.
    let isUnique = try layout.hasUniqueKey(["aggregate_id", "version"], connection)
    let first = Int64(firstVersion)
    let values: [String: SQL] = [  // ASCII
      "versions": isUnique ? "count(*)" : "count(DISTINCT version)",
      "start": layout.mayBeginLater ? "greatest(min(version), \(first))::bigint" : "\(first)",
    ]
    let totals = try connection.query(sql(.streams, values))
    result.events = totals[0].int64("events")
    result.aggregates = totals[0].int64("aggregates")
    try requireCategory(result)
    let without = totals[0].int64("without_aggregate")
    if without > 0 { try report(withoutAggregate(events: without)) }
    guard totals[0].int64("suspects") > 0 else { return }
    let late: [String: SQL] = ["late": layout.mayBeginLater ? "NULL" : "'wrong_first_version'"]  // ASCII
    try connection.forEachPage(of: sql(.versionFindings, values.merging(late) { $1 })) {
      try $0.forEachRow { try report(versionFinding($0)) }
    }
  }

  private func requireCategory(_ result: VersionCheckResult) throws {
    guard case .category(let category) = check.selection, result.events == 0 else { return }
    throw NamedEvents.category(category).missing(in: layout.name)
  }

  /// A template filled in with the table, its columns, the scope and the first version.
  func sql(_ template: SQLTemplate, _ values: [String: SQL] = [:]) -> SQL {  // ASCII
    template.statement(
      values,
      from: [
        "events": "\(raw: layout.relation)", "position": "\(raw: layout.position)",
        "timestamp": "\(raw: layout.time)", "metadata": "\(raw: layout.metadata)", "scope": scope,
        "store": "\(layout.name.description)", "first": "\(Int64(firstVersion))",
      ]
    )
  }
}
