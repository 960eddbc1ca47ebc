internal import LibPQ

/// The aggregates of an operation.
public enum AggregateSelection: Sendable, Hashable {
  /// Every aggregate.
  case all
  /// The aggregates whose id is this, or begins with it and a `-`; with a layout's categories, those of this category.
  case category(String)
  /// These aggregates.
  case aggregates([String])
}

extension AggregateSelection {
  /// The condition on the events `e` of the selected aggregates.
  func condition(in table: EventsTable) -> SQL {
    switch self {
    case .all: "true"
    case .category(let category): table.isOf(category: category)
    case .aggregates(let ids): "e.aggregate_id = ANY (\(Parameter.textArray(ids)))"
    }
  }

  /// The same for other rows `e` that have the id of an aggregate.
  func conditionOnIDs(in table: EventsTable) -> SQL {
    guard case .category(let category) = self, table.hasCategory else { return condition(in: table) }
    return
      "e.aggregate_id IN (SELECT c.aggregate_id FROM \(raw: table.relation) AS c WHERE c.category = \(category))"
  }
}

extension EventsTable {
  /// The condition that event `e` is of a category: a range of the index, in the order of bytes, where "." follows "-".
  func isOf(category: String) -> SQL {
    if hasCategory { return "e.category = \(category)" }
    return """
      (e.aggregate_id = \(category)
       OR e.aggregate_id COLLATE "C" >= \(category + "-") AND e.aggregate_id COLLATE "C" < \(category + "."))
      """
  }
}

extension EventsTable {
  /// The given aggregates that have no event, in their order.
  func withoutEvents(_ ids: [String], _ connection: Connection) throws(PostgresError) -> [String] {
    let names = Parameter.textArray(ids)
    guard isDistributed else {
      // One search of the index for each, however long the streams are.
      return try connection.strings(
        """
        SELECT a.name FROM unnest(\(names)) WITH ORDINALITY AS a (name, place)
        WHERE NOT EXISTS (SELECT FROM \(raw: relation) e WHERE e.aggregate_id = a.name) ORDER BY place
        """
      )
    }
    // Citus refuses a correlated subquery to a set that a function returns.
    let found = try connection.strings(
      "SELECT e.aggregate_id::text FROM \(raw: relation) e WHERE e.aggregate_id = ANY (\(names)) GROUP BY e.aggregate_id"
    )
    let known = Set(found.map { ByteString($0) })
    return ids.filter { !known.contains(ByteString($0)) }
  }
}

extension Connection {
  /// Whether there is an event `e` for which a condition holds. Citus accepts LIMIT 1, but not EXISTS; PostgreSQL plans
  /// both for the first row.
  func hasEvent(in source: String, where condition: SQL) throws(PostgresError) -> Bool {
    let first = try query("SELECT 1 FROM \(raw: source) e WHERE \(condition) LIMIT 1")
    return !first.isEmpty
  }
}

extension [SQL] {
  /// All conditions as one.
  var conjunction: SQL { isEmpty ? "true" : joined(separator: " AND ") }
}
