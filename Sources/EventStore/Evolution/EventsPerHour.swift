internal import LibPQ

extension StoreConnection {
  func eventsPerHour(category: String?, hours: Int) throws -> [(
    type: String, counts: [Int64]
  )] {
    let table = try eventsTable()
    var conditions = Conditions()
    if let category { conditions.add(category: category) }
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    conditions.add("e.\"timestamp\" > (now() - interval '\(hours) hours')\(zone)")
    let sql = """
      SELECT e.event_type, floor(extract(epoch FROM now() - \(table.time)) / 3600)::integer, count(*)
      FROM \(table.relation) e \(conditions.clause(and: "e.\"timestamp\" <= now()\(zone)")) GROUP BY 1, 2
      """
    let result = try connection.query(sql, conditions.parameters)
    var counts: [ByteString: [Int64]] = [:]
    for row in 0..<result.rowCount {
      let hoursAgo = Int(result.int32(row, 1))
      guard (0..<hours).contains(hoursAgo) else { continue }
      let type = ByteString(result.string(row, 0))
      counts[type, default: Array(repeating: 0, count: hours)][hours - 1 - hoursAgo] = result.int64(row, 2)
    }
    return counts.map { ($0.string, $1) }
  }
}
