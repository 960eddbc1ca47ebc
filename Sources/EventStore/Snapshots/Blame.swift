internal import LibPQ

/// Which event gave a member of a state its value.
public struct BlamedValue: Sendable, Hashable {
  /// In jq's notation, for example `.items[0].price` or `."a key"`; `.` is the whole state.
  public let path: String
  /// JSON text: a string, number, boolean or null, or an empty object or array.
  public let value: String
  /// The event; nil for a value that the reducer's `@initial` set and no event changed.
  public let event: Event?

  /// The event that set a value.
  public struct Event: Sendable, Hashable {
    /// The event's identity.
    public let id: EventID
    /// Its place in its stream.
    public let version: Int
    /// Its type after the upcasters, as the reducer saw it.
    public let type: String
    /// When it happened.
    public let timestamp: Timestamp
  }
}

extension StoreConnection {
  func blame(
    _ aggregateID: String,
    path: String,
    at point: PointInStream,
    reducer: Reducer
  ) throws -> [BlamedValue] {
    try namingPoison(of: reducer, to: point, suspects: [aggregateID]) {
      try connection.transaction(.repeatableReadOnly) {
        try connection.execute("SET LOCAL jit = off")
        let values = try blamedValues(aggregateID, path, point, reducer)
        if values.isEmpty {
          // Reports what is wrong with the aggregate, the point or the reducer.
          _ = try fold(aggregateID, to: point, reducer, from: nil)
          throw EventStoreError(
            .notFound,
            "the state of '\(aggregateID)' has nothing at \(path)",
            hint: "Paths are those of jq, for example .items[0].price; without one, all are listed."
          )
        }
        return values
      }
    }
  }

  private func blamedValues(
    _ aggregateID: String,
    _ path: String,
    _ point: PointInStream,
    _ reducer: Reducer
  ) throws -> [BlamedValue] {
    let events = try eventsTable()
    let prefix = Self.normalized(path)
    let query = Fold(reducer, of: events, stream: aggregateID).query(
      base: base(of: aggregateID, to: point, from: nil, in: events),
      result: """
        , annals_pairs (key, old, new) AS (
          SELECT version::bigint, lag(state) OVER (ORDER BY version), state FROM annals_fold
        ), \(raw: Self.changes(.everything)), annals_last AS (
          SELECT DISTINCT ON (path) path, key, new FROM annals_changes ORDER BY path, key DESC
        )
        SELECT \(raw: Self.pathForPeople) AS path, l.new::text AS value, e.id, e.version, e.event_type,
               \(raw: events.time) AS "timestamp"
        FROM annals_last AS l CROSS JOIN annals_base AS b
        LEFT JOIN \(raw: events.source) AS e ON \(events.isOf(aggregateID)) AND e.version = l.key
        WHERE (jsonb_typeof(l.new) NOT IN ('object', 'array') OR l.new IN ('{}', '[]'))
          AND (path = \(prefix) OR starts_with(path, \(prefix + ".")) OR starts_with(path, \(prefix + "[")))
        ORDER BY path COLLATE "C"
        """
    )
    return try connection.run(query).map { try BlamedValue($0, of: aggregateID) }
  }

  /// The form of paths in `annals_changes`: the whole state is empty, and an element of it begins with a bracket.
  private static func normalized(_ path: String) -> String {
    let bytes = path.utf8
    if path == "." || bytes.starts(with: ".[".utf8) { return String(path.unicodeScalars.dropFirst()) }
    return path.isEmpty || bytes.first == UInt8(ascii: ".") || bytes.first == UInt8(ascii: "[")
      ? path : "." + path
  }
}

extension BlamedValue {
  fileprivate init(_ row: borrowing Row, of aggregateID: String) throws(EventStoreError) {
    if !row.isNull("id"), row.isNull("timestamp") {
      throw .incomplete("an event of \(aggregateID), version \(row.int32("version")),", without: "timestamp")
    }
    path = row.string("path")
    value = row.string("value")
    event =
      row.isNull("id")
      ? nil
      : Event(
        id: row.eventID("id"),
        version: Int(row.int32("version")),
        type: row.string("event_type"),
        timestamp: row.timestamp("timestamp")
      )
  }
}
