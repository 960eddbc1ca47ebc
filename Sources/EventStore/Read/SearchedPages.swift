internal import LibPQ

/// Reading the events that a search found by two connections in turn, so that the server works with two processes.
///
/// Their places are known, so a page can be asked for before the one before it has come.
extension EventPages {
  /// Fewer places are read before a second connection is open and pays.
  private static let manyPlaces = 10_000

  /// Whether a second connection pays for what the search found.
  var haveManyPlaces: Bool {
    ties == .none && remaining == nil && !query.hasSQL && (search?.places.count ?? 0) >= Self.manyPlaces
  }

  /// Reads all that the search has found so far.
  ///
  /// - Parameter body: gets each page, and the pages as they are behind it.
  func readPlaces(
    _ connections: [Connection],
    _ body: (borrowing QueryResult, EventPages) throws -> Void
  ) throws {
    var ahead = self
    var waiting: [(connection: Connection, pages: EventPages)] = []
    // What was sent must be received before a connection can be used for anything else.
    defer { for (connection, _) in waiting { _ = try? connection.receive() } }
    func send(_ connection: Connection) throws {
      if ahead.search?.places.isEmpty ?? true { return }
      try ahead.send(connection)
      waiting.append((connection, ahead))
      let asked = ahead.rowsAsked
      ahead.search?.drop(asked)
    }
    for connection in connections { try send(connection) }
    while !waiting.isEmpty {
      var (connection, pages) = waiting.removeFirst()
      let page = try connection.receive()
      try Self.requireComplete(page)
      pages.advance(past: page)
      ahead.size = pages.size
      try send(connection)
      try body(page, pages)
    }
  }
}

extension StoreConnection {
  /// A second connection to the same server, for reading what the role may see; nil where that allows no more.
  ///
  /// Of several hosts in a connection string, or behind a balancer, each connection may get another server.
  func readingHelper() -> Connection? {
    guard !connection.isInTransaction, let helper = try? session.another().connection(seeing: .permitted),
      let start = try? connection.serverStart(), let other = try? helper.serverStart()
    else { return nil }
    return start == other ? helper : nil
  }
}

extension Connection {
  /// When the server was started, in microseconds since 2000.
  func serverStart() throws(PostgresError) -> Int64 {
    try query("SELECT pg_postmaster_start_time()").int64(0, 0)
  }
}
