extension Connection {
  /// Runs a query and hands over its rows a page at a time, so that a result of any size takes constant memory.
  ///
  /// It must be called within a transaction, where nothing but this may use the connection until it returns. A server
  /// plans a cursor for its first rows unless told that all will be fetched, and without parallel workers.
  ///
  /// - Parameters:
  ///   - pageRows: the most rows in a page.
  ///   - body: is called for every page that is not empty.
  package func forEachPage(
    of sql: String,
    _ parameters: [Parameter] = [],
    pageRows: Int = 1000,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws {
    try execute("SET LOCAL cursor_tuple_fraction = 1")
    _ = try query("DECLARE annals_pages NO SCROLL CURSOR FOR \(sql)", parameters)
    while true {
      let page = try query("FETCH \(pageRows) FROM annals_pages")
      if !page.isEmpty { try body(page) }
      if page.rowCount < pageRows { break }
    }
    try execute("CLOSE annals_pages")
  }
}
