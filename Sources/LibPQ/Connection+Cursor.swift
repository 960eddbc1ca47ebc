extension Connection {
  /// Runs a query and passes on its rows a page at a time, so that a result of any size takes constant memory.
  ///
  /// It must be called within a transaction; `body` may use the connection, also for another such query. A server plans
  /// a cursor for its first rows unless told that all will be fetched, and without parallel workers.
  ///
  /// - Parameters:
  ///   - pageRows: the most rows in a page.
  ///   - body: is called for every page that is not empty.
  package func forEachPage(
    of sql: SQL,
    pageRows: Int = 1000,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws {
    try execute("SET LOCAL cursor_tuple_fraction = 1")
    openCursors += 1
    defer { openCursors -= 1 }
    let cursor = "annals_pages_\(openCursors)"
    _ = try query("DECLARE \(raw: cursor) NO SCROLL CURSOR FOR \(sql)")
    while true {
      let page = try query("FETCH \(raw: String(pageRows)) FROM \(raw: cursor)")
      if !page.isEmpty { try body(page) }
      if page.rowCount < pageRows { break }
    }
    try execute("CLOSE \(cursor)")
  }
}
