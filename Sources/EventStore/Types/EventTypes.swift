internal import LibPQ

/// A summary of an event type in a store.
public struct EventTypeSummary: Sendable, Hashable {
  /// The event type.
  public let type: String
  /// Events of the type.
  public let events: Int64
  /// Whether that number is an estimate from PostgreSQL's statistics.
  public let isEstimate: Bool
  /// Their share of the selected events, from 0 to 1.
  public let share: Double
  /// The time of the first event, in the order of the store.
  public let firstSeen: Timestamp
  /// The time of the last event, in the order of the store.
  public let lastSeen: Timestamp
  /// The average size of a payload, in bytes of JSON text, among the events that were examined.
  public let averageBytes: Double
  /// The size of the largest payload that was examined.
  public let largestBytes: Int64
  /// Distinct shapes among the events that were examined.
  public let shapes: Int64
  /// Events that were examined for bytes and shapes: all, or a sample.
  public let examined: Int64

  /// Whether not all events were examined.
  public var isSampled: Bool { examined < events }
}

extension StoreConnection {
  func eventTypes(category: String?, sample: Int?, exact: Bool) throws -> [EventTypeSummary] {
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      let estimated = exact || category != nil ? nil : try TypeHistory.estimated(in: table, connection)
      let types = try estimated ?? TypeHistory.all(in: table, category: category, connection)
      if types.isEmpty, let category {
        throw NamedEvents.category(category).missing(in: table.name)
      }
      let total = types.reduce(0) { $0 + $1.count.events }
      return try types.map { type in
        let sample = EventSample(of: type.count, limit: sample, category: category, in: table)
        return try summary(of: type, total: total, sample)
      }
    }
  }

  private func summary(
    of type: TypeHistory,
    total: Int64,
    _ sample: EventSample
  ) throws -> EventTypeSummary {
    let sql: SQL = """
      SELECT count(*) AS examined, coalesce(avg(octet_length(e.event_data::text)), 0)::float8 AS average_bytes,
             coalesce(max(octet_length(e.event_data::text)), 0)::bigint AS largest_bytes,
             count(DISTINCT s.shape) AS shapes
      FROM \(sample.sql) CROSS JOIN LATERAL (\(raw: Self.shapeOfEvent)) AS s
      """
    let result = try connection.query(sql)
    let row = result[0]
    return EventTypeSummary(
      type: type.count.type.string,
      events: type.count.events,
      isEstimate: type.count.isEstimate,
      share: Double(type.count.events) / Double(total),
      firstSeen: type.firstSeen,
      lastSeen: type.lastSeen,
      averageBytes: row.float64("average_bytes"),
      largestBytes: row.int64("largest_bytes"),
      shapes: row.int64("shapes"),
      examined: row.int64("examined")
    )
  }

  /// A query of one row, the shape of the event `e`: a line for each path with its type, in the order of bytes.
  static var shapeOfEvent: String {
    """
    \(nodes(of: "e.event_data"))
    SELECT string_agg(DISTINCT path || ' ' || jsonb_typeof(value), E'\\n'
                      ORDER BY path || ' ' || jsonb_typeof(value)) AS shape
    FROM (SELECT path COLLATE "C" AS path, value FROM node) AS node
    """
  }

  /// A WITH clause that names the values inside a payload: node (path, value).
  static func nodes(of payload: String) -> String {
    SQLTemplate.nodesOfPayload.filled(["payload": payload, "step": stepToMember])
  }

  /// The step of a path to the member `m.key`, as jq writes it.
  static let stepToMember =
    "CASE WHEN m.key ~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN '.' || m.key ELSE '.' || to_json(m.key) END"
}
