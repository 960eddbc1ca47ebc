internal import LibPQ

/// A place that differs between two versions of a state.
public struct StateChange: Sendable, Hashable {
  /// How a value changed.
  public enum Kind: String, Sendable, Hashable {
    /// The value is there only afterwards, only before, or is another one.
    case added, removed, changed
  }

  /// How it changed.
  public let kind: Kind
  /// In jq's notation, for example `.items[0].price` or `."a key"`; `.` is the whole state.
  public let path: String
  /// JSON text; nil if the value was added.
  public let old: String?
  /// JSON text; nil if the value was removed.
  public let new: String?
}

extension StoreConnection {
  func changes(
    of aggregateID: String,
    from first: PointInStream,
    to second: PointInStream,
    reducer: Reducer,
    usingSnapshots: Bool
  ) throws -> [StateChange] {
    try namingPoison(of: reducer, suspects: [aggregateID]) {
      try connection.transaction(.repeatableReadOnly) {
        let known = usingSnapshots ? try usableReducer(reducer) : nil
        let states = try [first, second].map { try fold(aggregateID, to: $0, reducer, from: known).state }
        return try changes(from: states[0], to: states[1])
      }
    }
  }

  /// The differences between two states, as JSON.
  func changes(from first: String, to second: String) throws -> [StateChange] {
    let states = [first, second].map { Parameter.jsonb(Array($0.utf8)) }
    let result = try connection.query(
      """
      WITH RECURSIVE annals_pairs (key, old, new) AS (SELECT 0::bigint, \(states[0]), \(states[1])),
      \(raw: Self.changes(.differing))
      SELECT \(raw: Self.pathForPeople) AS path, old::text AS old, new::text AS new FROM annals_changes
      WHERE \(raw: Self.isWhole) ORDER BY path COLLATE "C"
      """
    )
    return result.map { StateChange($0) }
  }

  /// How deep ``changes(_:)`` goes.
  enum Descent: String {
    /// Into objects and arrays that are on both sides; a value on one side only stays whole.
    case differing =
      "jsonb_typeof(c.old) = jsonb_typeof(c.new) AND jsonb_typeof(c.old) IN ('object', 'array')"
    /// To the last member on either side.
    case everything =
      "jsonb_typeof(c.old) IN ('object', 'array') OR jsonb_typeof(c.new) IN ('object', 'array')"
  }

  /// The common table expression `annals_changes` over `annals_pairs` (key, old, new).
  static func changes(_ descent: Descent) -> String {
    SQLTemplate.changes.filled(["descends": descent.rawValue])
  }

  /// Whether ``Descent/differing`` stops at a row.
  static let isWhole =
    "(jsonb_typeof(old) = jsonb_typeof(new) AND jsonb_typeof(old) IN ('object', 'array')) IS NOT TRUE"

  static let pathForPeople = "CASE WHEN starts_with(path, '.') THEN path ELSE '.' || path END"
}

extension StateChange {
  fileprivate init(_ row: borrowing Row) {
    path = row.string("path")
    (old, new) = (row.optionalString("old"), row.optionalString("new"))
    kind = old == nil ? .added : new == nil ? .removed : .changed
  }
}
