internal import LibPQ

extension StoreConnection {
  func count(_ query: EventQuery) throws -> Int64 {
    try requireNames(in: query)
    try requireContents(of: query)
    if query.fromPosition != nil || query.toPosition != nil {
      try eventsTable().requirePosition(for: "a position")
    }
    try requireComplete(for: query)
    let table = try eventsTable(for: query)
    try warnOfPass(through: table, query)
    let sql: SQL = """
      SELECT count(*) FROM \(raw: table.source) e WHERE \(query.conditions(in: table).conjunction)
      """
    let count = try run(sql, for: query).int64(0, 0)
    return min(count, Int64(query.limit ?? .max), Int64(query.last ?? .max))
  }
}
