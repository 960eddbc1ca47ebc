internal import LibPQ

/// Checks of a layout, made by reading, since its columns may be computed from the rows.
extension StoreConnection {
  /// How long doctor counts rows.
  private static let countingLimit = "5s"

  func layoutItems(of events: EventsTable) throws -> [DiagnosisItem] {
    guard foreign != nil else { return [] }
    let ends = [(name: "first event", direction: ""), (name: "last event", direction: " DESC")]
    return try ends.map { try eventItem($0.name, $0.direction, in: events) } + [try leftOutItem()]
  }

  /// Reads one event as readers do.
  private func eventItem(_ name: String, _ direction: String, in events: EventsTable) throws -> DiagnosisItem
  {
    let order = events.hasPosition ? "e.position" : "e.\"timestamp\""
    let sql: SQL = """
      SELECT \(raw: events.columns) FROM \(raw: events.source) e ORDER BY \(raw: order + direction) NULLS LAST LIMIT 1
      """
    do {
      let page = try connection.query(sql)
      if page.isEmpty { return DiagnosisItem(.table, name, "none", .note) }
      try EventPages.requireComplete(page)
      let event = page.event(0)
      let place = event.position.map { "position \($0), " } ?? ""
      return DiagnosisItem(
        .table,
        name,
        "\(place)\(event.aggregateID) version \(event.version), \(event.type)"
      )
    } catch {
      let failure = error as? EventStoreError ?? (error as? PostgresError).map { EventStoreError($0) }
      guard let failure, ![.connectionLost, .cannotConnect, .timedOut].contains(failure.code) else {
        throw error
      }
      let advice: Hint? = failure.hint ?? "Change the SELECT of the layout; see \(.manual(.layoutFiles))."
      return DiagnosisItem(.table, name, "cannot be read: \(failure.message)", .problem, advice: advice)
    }
  }

  /// How many rows the query leaves out.
  private func leftOutItem() throws -> DiagnosisItem {
    let name = "rows left out"
    do {
      let (rows, events) = try connection.transaction(.repeatableReadOnly) {
        try connection.execute("SET LOCAL statement_timeout = '\(Self.countingLimit)'")
        let counts = try connection.query(
          "SELECT (SELECT count(*) FROM \(raw: table.sql)) AS rows, (SELECT count(*) FROM \(raw: relation) e) AS events"
        )
        return (counts[0].int64("rows"), counts[0].int64("events"))
      }
      return DiagnosisItem(.table, name, "\(max(0, rows - events)) of \(rows) of \(table)")
    } catch let error as PostgresError {
      guard error.sqlState == SQLState.queryCanceled, !canceller.isCancelled else {
        return DiagnosisItem(.table, name, "cannot be counted: \(error.message)", .note)
      }
      return DiagnosisItem(.table, name, "not counted, as it takes more than \(Self.countingLimit)", .note)
    }
  }
}
