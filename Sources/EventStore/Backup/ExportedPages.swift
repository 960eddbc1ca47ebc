internal import LibPQ

/// Reading for an export, in the transaction whose snapshot it has.
extension StoreConnection {
  /// Reads the events up to a position that is known to be final.
  func forEachExportedPage(
    of query: EventQuery,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws {
    var query = query
    query.waitsForWriters = false
    if let history = try longExport(query), let helper = try snapshotHelper() {
      let rest = try readRuns(of: history, with: helper, body)
      guard let rest else { return }
      query.fromPosition = rest.lowerBound
    }
    var reader = EventReader(query)
    try reader.readRound(self, body)
  }

  /// The positions of a query without a selection, if there are many.
  private func longExport(_ query: EventQuery) throws -> ClosedRange<Int64>? {
    var unselected = EventQuery()
    (unselected.afterPosition, unselected.toPosition) = (query.afterPosition, query.toPosition)
    unselected.waitsForWriters = false
    guard query == unselected, foreign == nil, let end = query.toPosition else { return nil }
    return try longHistory(from: query.afterPosition.map { $0.saturatingAdd(1) }, to: end)
  }

  /// A second connection that sees the same snapshot; nil if the server does not allow it, or is another one.
  private func snapshotHelper() throws -> Connection? {
    let snapshot = try connection.query("SELECT pg_export_snapshot()").string(0, 0)
    guard let helper = try? session.another().connection(seeing: .all) else { return nil }
    do {
      try helper.beginReading(snapshot: snapshot)
      return helper
    } catch {
      if error.kind == .statement { return nil }
      throw error
    }
  }

  /// Reads history by two connections in turn, as far as its positions are close together: two server processes work.
  ///
  /// - Returns: the remaining positions; nil for none.
  private func readRuns(
    of history: ClosedRange<Int64>,
    with helper: Connection,
    _ body: (borrowing QueryResult) throws -> Void
  ) throws -> ClosedRange<Int64>? {
    let table = try eventsTable()
    var runs = PositionRuns(history)
    var waiting: [(connection: Connection, run: ClosedRange<Int64>)] = []
    func send(_ connection: Connection) throws {
      guard let run = runs.next() else { return }
      var query = EventQuery()
      (query.fromPosition, query.toPosition) = (run.lowerBound, run.upperBound)
      try EventPages(query, in: table, size: runs.size).send(connection)
      waiting.append((connection, run))
    }
    do {
      try send(connection)
      try send(helper)
      while let (connection, run) = waiting.first {
        waiting.removeFirst()
        let page = try connection.receive()
        try EventPages.requireComplete(page)
        runs.learn(rows: page.rowCount, bytes: page.memoryBytes, of: run)
        try send(connection)
        if !page.isEmpty { try body(page) }
      }
      return runs.rest
    } catch {
      // Everything that was sent must be received before the transaction can end.
      for (connection, _) in waiting where connection === self.connection { _ = try? connection.receive() }
      throw error
    }
  }
}

extension Connection {
  /// Starts to read what another transaction sees.
  fileprivate func beginReading(snapshot: String) throws(PostgresError) {
    try execute(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT \(quoteLiteral(snapshot))"
    )
  }
}
