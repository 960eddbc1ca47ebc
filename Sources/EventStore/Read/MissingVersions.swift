internal import LibPQ

extension StoreConnection {
  /// The versions that a stream lacks as it is stored: events that upcasters drop are not missing.
  ///
  /// A stream may begin with version 0 or 1, unless the layout says that it is 0, and later if the layout says so.
  ///
  /// - Parameters:
  ///   - first: only what is missing before a later event than this.
  ///   - last: only what is missing before an event up to here.
  func missingVersions(
    ofStream aggregateID: String,
    from first: Int?,
    upTo last: Int?
  ) throws -> [ClosedRange<Int>] {
    let table = try eventsTable()
    var conditions: [SQL] = [table.isOf(aggregateID), "e.version IS NOT NULL"]
    if let last { conditions.append("e.version <= \(Int64(last))") }
    let beginning = table.firstVersion(ofStreamFrom: "e.version")
    let sql: SQL = """
      SELECT previous + 1 AS first, version - 1 AS last FROM (
        SELECT e.version::bigint AS version,
               lag(e.version::bigint, 1, \(raw: beginning) - 1::bigint) OVER (ORDER BY e.version) AS previous
        FROM \(raw: relation) e WHERE \(conditions.conjunction)
      ) AS versions
      WHERE version > previous + 1 AND version > \(first.map(Int64.init) ?? .min) ORDER BY version
      """
    return try connection.query(sql).map { Int($0.int64("first"))...Int($0.int64("last")) }
  }
}
