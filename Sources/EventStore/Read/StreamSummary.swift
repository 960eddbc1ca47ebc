internal import LibPQ

/// A stream at a glance.
public struct StreamSummary: Sendable, Hashable {
  /// How many events there are.
  public let count: Int
  /// The lowest version.
  public let firstVersion: Int
  /// The highest version.
  public let lastVersion: Int
  /// The earliest and the latest time of its events.
  public let firstTime: Timestamp
  /// The latest time.
  public let lastTime: Timestamp
  /// The latest version of which there is a snapshot; nil without one, or where the role may not look.
  public let snapshotVersion: Int?
}

extension StoreConnection {
  func summary(ofStream aggregateID: String) throws -> StreamSummary? {
    let table = try eventsTable()
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    let sql = """
      SELECT count(*), min(version), max(version), min("timestamp")\(zone), max("timestamp")\(zone)
      FROM \(relation) e WHERE \(table.isOf(aggregateID, "$1"))
      """
    let row = try connection.query(sql, [.text(aggregateID)])
    guard row.int64(0, 0) > 0 else { return nil }
    for (column, name) in [(1, "version"), (3, "timestamp")] where row.isNull(0, column) {
      throw EventStoreError.incomplete("every event of \(aggregateID)", without: name)
    }
    return StreamSummary(
      count: Int(row.int64(0, 0)),
      firstVersion: Int(row.int32(0, 1)),
      lastVersion: Int(row.int32(0, 2)),
      firstTime: Timestamp(microseconds: row.int64(0, 3)),
      lastTime: Timestamp(microseconds: row.int64(0, 4)),
      snapshotVersion: try snapshotVersion(aggregateID)
    )
  }

  private func snapshotVersion(_ aggregateID: String) throws -> Int? {
    guard try connection.canReadOwnTables(["reducers", "snapshots"]) else { return nil }
    let sql = """
      SELECT max(s.version) FROM annals.snapshots s JOIN annals.reducers r ON r.id = s.reducer
      WHERE r.store = $1 AND s.aggregate_id = $2
      """
    let result = try connection.query(sql, [.text(table.description), .text(aggregateID)])
    return result.optionalInt32(0, 0).map { Int($0) }
  }
}
