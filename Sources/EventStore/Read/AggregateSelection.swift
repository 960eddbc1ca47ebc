internal import LibPQ

/// Which aggregates an operation is about.
public enum AggregateSelection: Sendable, Hashable {
  /// Every aggregate.
  case all
  /// The aggregates whose id is this, or begins with it and a `-`.
  case category(String)
  /// These aggregates.
  case aggregates([String])
}

extension AggregateSelection {
  /// The condition on the rows `e` with the selected aggregates.
  var condition: SQL {
    switch self {
    case .all: "true"
    case .category(let category): .isOf(category: category)
    case .aggregates(let ids): "e.aggregate_id = ANY (\(Parameter.textArray(ids)))"
    }
  }
}

extension SQL {
  /// The rows `e` with the aggregates of a category: a range of the index, in the order of bytes, where "." follows "-".
  static func isOf(category: String) -> SQL {
    """
    (e.aggregate_id = \(category)
     OR e.aggregate_id COLLATE "C" >= \(category + "-") AND e.aggregate_id COLLATE "C" < \(category + "."))
    """
  }
}

extension [SQL] {
  /// All conditions as one.
  var conjunction: SQL { isEmpty ? "true" : joined(separator: " AND ") }
}
