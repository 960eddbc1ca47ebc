/// Which aggregates an operation is about.
public enum AggregateSelection: Sendable, Hashable {
  case all
  /// The aggregates whose id is this up to the first `-`.
  case category(String)
  case aggregates([String])
}
