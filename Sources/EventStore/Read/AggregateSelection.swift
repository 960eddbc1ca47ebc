internal import LibPQ

/// Which aggregates an operation is about.
public enum AggregateSelection: Sendable, Hashable {
  /// Every aggregate.
  case all
  /// The aggregates whose id is this, or begins with it and a `-`; those of this category where a layout gives categories.
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

  /// The same on other rows `e` that have the id of an aggregate.
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

extension [SQL] {
  /// All conditions as one.
  var conjunction: SQL { isEmpty ? "true" : joined(separator: " AND ") }
}
