internal import LibPQ

extension StoreConnection {
  /// - Returns: whether there are more than the limit.
  func listCategories(
    prefix: String,
    order: ListedCategory.Order,
    limit: Int?,
    isExact: Bool,
    _ body: @Sendable (ListedCategory) throws -> Void
  ) throws -> Bool {
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      let list = CategoryList(prefix: prefix, limit: limit, table: table, hand: self)
      let names = isExact || order != .name ? nil : try list.namesOfLargeStore()
      if let names {
        for name in names.prefix(limit ?? names.count) { try body(try list.estimate(name)) }
      }
      let count =
        try names?.count
        ?? rows(of: try list.counted(by: order), limit: limit) { try body(ListedCategory($0)) }
      if count == 0, !prefix.isEmpty { throw NamedEvents.categoryPrefix(prefix).missing(in: self.table) }
      return limit.map { count > $0 } ?? false
    }
  }
}

/// How a list of categories is made: if there are many events, by single names and estimates; otherwise by counting.
private struct CategoryList {
  /// Fewer events are counted in negligible time.
  static let fewEvents: Int64 = 100_000

  let prefix: String
  let limit: Int?
  let table: EventsTable
  let hand: StoreConnection

  private var events: SQL { "\(raw: table.relation)" }
  private var limitOfRows: SQL { limit.map { "\(Int64($0).saturatingAdd(1))" } ?? "ALL" }

  /// The names, if counting would take long and an index has them; otherwise nil.
  func namesOfLargeStore() throws -> [String]? {
    guard let limit, limit <= StreamList.indexedLimit else { return nil }
    let column = table.hasCategory ? "category" : "aggregate_id"
    guard try hand.isInByteOrder(column) else { return nil }
    let range = NameRange(prefix: prefix, category: nil, column: column, order: "", in: table)
    let conditions = range.conditions.conjunction
    let all = try hand.connection.plan(of: "SELECT FROM \(events) e WHERE \(conditions)")
    guard all.rows > Self.fewEvents else { return nil }
    let first: SQL = """
      SELECT FROM \(events) e WHERE \(conditions) ORDER BY e.\(raw: column) LIMIT 1
      """
    guard try hand.connection.plan(of: first).goesByIndex else { return nil }
    // No category contains the character that ends it.
    if !table.hasCategory, prefix.utf8.contains(UInt8(ascii: "-")) { return [] }
    let template = table.hasCategory ? SQLTemplate.nextNames : .nextCategories
    var places: [String: SQL] = [  // ASCII
      "events": events, "range": conditions, "order": "", "limit": limitOfRows,
    ]
    if table.hasCategory { places["column"] = "category" }
    return try hand.connection.query(template.statement(places)).map { $0.string("name") }
  }

  /// The planner's estimate for a category, unless the category is small enough to count.
  func estimate(_ category: String) throws -> ListedCategory {
    let most = StreamList.countedEvents
    // Each part is a range of an index, which ends when enough events were counted.
    let parts: [SQL] =
      table.hasCategory
      ? [table.isOf(category: category)]
      : [
        "e.aggregate_id = \(category)",
        "e.aggregate_id >= \(category + "-") AND e.aggregate_id < \(category + ".")",
      ]
    let limit: SQL = "LIMIT \(most + 1)"
    let few = parts.map { part -> SQL in
      "(SELECT e.aggregate_id FROM \(events) e WHERE \(part) \(limit))"
    }.joined(separator: " UNION ALL ")
    let sql: SQL = "SELECT count(*) AS events, count(DISTINCT f.aggregate_id) AS streams FROM (\(few)) AS f"
    let counted = try hand.connection.query(sql)
    let found = (events: counted[0].int64("events"), streams: counted[0].int64("streams"))
    guard found.events > most else {
      return ListedCategory(
        category: category,
        streams: found.streams,
        events: found.events,
        isEstimate: false
      )
    }
    let condition = table.isOf(category: category)
    let all = try hand.connection.plan(of: "SELECT FROM \(events) e WHERE \(condition)")
    // The planner assumes that a category's events are of any stream. The counted events tell how long its streams are.
    let number = max(all.rows, found.events)
    let streams = Double(number) * Double(found.streams) / Double(found.events)
    return ListedCategory(
      category: category,
      streams: Int64(streams.rounded()),
      events: number,
      isEstimate: true
    )
  }

  func counted(by order: ListedCategory.Order) throws -> SQL {
    let column = table.hasCategory ? "category" : "aggregate_id"
    let byteOrder = try hand.isInByteOrder(column) ? "" : StoreConnection.byteOrder
    let range = NameRange(prefix: prefix, category: nil, column: column, order: byteOrder, in: table)
    return SQLTemplate.countedCategories.statement([
      "events": events, "category": SQL(raw: table.categoryOfEvent),
      "conditions": (["e.aggregate_id IS NOT NULL"] + range.conditions).conjunction,
      "named": "starts_with(s.category, \(prefix))",
      "order": """
      \(raw: order == .events ? "2 DESC, " : "")s.category COLLATE "C" LIMIT \(limitOfRows)
      """,
    ])
  }
}

extension EventsTable {
  /// The category of event `e`.
  var categoryOfEvent: String {
    hasCategory ? "e.category::text" : "split_part(e.aggregate_id, '-', 1)"
  }
}

extension ListedCategory {
  fileprivate init(_ row: borrowing Row) {
    category = row.string("category")
    streams = row.int64("streams")
    events = row.int64("events")
    isEstimate = row.bool("is_estimate")
  }
}
