internal import LibPQ

extension StoreConnection {
  func eventsPerHour(category: String?, hours: Int) throws -> [(
    type: String, counts: [Int64]
  )] {
    let table = try eventsTable()
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    var conditions: [SQL] = [
      "e.\"timestamp\" > (now() - make_interval(hours => \(Int32(clamping: hours))))\(raw: zone)",
      "e.\"timestamp\" <= now()\(raw: zone)",
    ]
    if let category { conditions.append(table.isOf(category: category)) }
    let sql: SQL = """
      SELECT e.event_type, floor(extract(epoch FROM now() - \(raw: table.time)) / 3600)::integer AS hours_ago,
             count(*) AS events
      FROM \(raw: table.relation) e WHERE \(conditions.conjunction) GROUP BY 1, 2
      """
    var counts: [ByteString: [Int64]] = [:]
    try connection.query(sql).forEachRow { row in
      let hoursAgo = Int(row.int32("hours_ago"))
      guard (0..<hours).contains(hoursAgo) else { return }
      let type = ByteString(row.string("event_type"))
      counts[type, default: Array(repeating: 0, count: hours)][hours - 1 - hoursAgo] = row.int64("events")
    }
    return counts.map { ($0.string, $1) }
  }
}
