internal import LibPQ

/// Which aggregates an operation is about.
public enum AggregateSelection: Sendable, Hashable {
  /// Every aggregate.
  case all
  /// The aggregates whose id is this up to the first `-`.
  case category(String)
  /// These aggregates.
  case aggregates([String])
}

extension Conditions {
  /// The rows `e` with the selected aggregates.
  mutating func add(_ selection: AggregateSelection) {
    switch selection {
    case .all: break
    case .category(let category): add(category: category)
    case .aggregates(let ids): add("e.aggregate_id = ANY (\(bind(.textArray(ids))))")
    }
  }
}
