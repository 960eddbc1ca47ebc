internal import LibPQ

/// The totals of a stream.
public struct StreamSummary: Sendable, Hashable {
  /// How many events there are.
  public let count: Int
  /// The lowest version.
  public let firstVersion: Int
  /// The highest version.
  public let lastVersion: Int
  /// The earliest time of its events.
  public let firstTime: Timestamp
  /// The latest time.
  public let lastTime: Timestamp
  /// The latest version with a snapshot; nil without one, or if the role may not look.
  public let snapshotVersion: Int?
}

extension StoreConnection {
  func summary(ofStream aggregateID: String) throws -> StreamSummary? {
    let table = try eventsTable()
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    let sql: SQL = """
      SELECT count(*) AS events, min(version) AS first_version, max(version) AS last_version,
             min("timestamp")\(raw: zone) AS first_time, max("timestamp")\(raw: zone) AS last_time
      FROM \(raw: relation) e WHERE \(table.isOf(aggregateID))
      """
    let result = try connection.query(sql)
    let row = result[0]
    guard row.int64("events") > 0 else { return nil }
    if row.isNull("first_version") {
      throw EventStoreError.incomplete("every event of \(aggregateID)", without: "version")
    }
    if row.isNull("first_time") {
      throw EventStoreError.incomplete("every event of \(aggregateID)", without: "timestamp")
    }
    return StreamSummary(
      count: Int(row.int64("events")),
      firstVersion: Int(row.int32("first_version")),
      lastVersion: Int(row.int32("last_version")),
      firstTime: row.timestamp("first_time"),
      lastTime: row.timestamp("last_time"),
      snapshotVersion: try snapshotVersion(aggregateID)
    )
  }

  private func snapshotVersion(_ aggregateID: String) throws -> Int? {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return nil }
    let sql: SQL = """
      SELECT max(s.version) FROM annals.snapshots s JOIN annals.reducers r ON r.id = s.reducer
      WHERE r.store = \(table.description) AND s.aggregate_id = \(aggregateID)
      """
    let result = try connection.query(sql)
    return result.optionalInt32(0, 0).map { Int($0) }
  }
}
