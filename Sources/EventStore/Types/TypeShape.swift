internal import LibPQ

/// The shape of an event type's payloads, inferred from the events.
public struct TypeShape: Sendable, Hashable {
  /// A place in the payload, in jq's notation: `.items[].price`, `.` for the whole payload.
  public struct Path: Sendable, Hashable {
    /// The place in the payload.
    public let path: String
    /// The JSON types of its values, and how many events have one of that type.
    public internal(set) var types: [String: Int64] = [:]  // ASCII
    /// Events in which it is present.
    public internal(set) var events: Int64 = 0
    /// The earliest time of an event in which it is present.
    public internal(set) var firstSeen: Timestamp
    /// The latest time of an event in which it is present.
    public internal(set) var lastSeen: Timestamp
    /// The JSON text of one of its values; nil for objects and arrays.
    public internal(set) var example: String?
    /// Whether every object that could have this member has it; nil unless that was requested.
    public internal(set) var isRequired: Bool?
  }

  /// A set of paths with their types that events have in common.
  public struct Variant: Sendable, Hashable {
    /// How many events have this shape.
    public let events: Int64
    /// The earliest time of such an event.
    public let firstSeen: Timestamp
    /// The latest time of such an event.
    public let lastSeen: Timestamp
    /// `path type`, in the order of bytes.
    public let members: [String]
    /// A cursor to its first event; nil when no event has one.
    let firstEvent: String?
  }

  /// The event type.
  public let type: String
  /// How many events of it there are.
  public let events: Int64
  /// Whether that number is an estimate: a sample of a large table does not wait until all events are counted.
  public internal(set) var isEstimate = false
  /// Events that were examined: all, or a sample.
  public internal(set) var examined: Int64 = 0
  /// In the order of bytes.
  public internal(set) var paths: [Path] = []
  /// The most frequent ones, in this order.
  public internal(set) var variants: [Variant] = []
  /// How many there are, including those that ``variants`` leaves out.
  public internal(set) var variantCount = 0

  /// Whether not all events were examined.
  public var isSampled: Bool { isEstimate || examined < events }

  /// How many variants are kept: if payloads have data as keys, each has its own shape.
  static let variantLimit = 100
}

extension StoreConnection {
  func shape(ofType type: String, sample: Int?, findingRequired: Bool) throws -> TypeShape {
    let table = try eventsTable()
    return try connection.transaction(.repeatableReadOnly) {
      try connection.execute("SET LOCAL jit = off")
      let estimated = try sample.flatMap { _ in try TypeHistory.estimated(in: table, connection) }
      let known =
        try estimated?.map(\.count) ?? TypeCount.all(in: table, types: [ByteString(type)], connection)
      guard let count = known.first(where: { $0.type == ByteString(type) }) else {
        throw NamedEvents.type(type).missing(in: table.name)
      }
      let sample = EventSample(of: count, limit: sample, in: table)
      var shape = try inferShape(of: count, from: sample, table)
      try addExamples(to: &shape, table)
      if findingRequired { try findRequired(in: &shape, sample) }
      return shape
    }
  }

  private func inferShape(
    of count: TypeCount,
    from sample: EventSample,
    _ table: EventsTable
  ) throws -> TypeShape {
    let first = table.hasPosition ? "min(e.position)" : "min(e.id::text)"
    let sql: SQL = """
      SELECT s.shape, count(*) AS events, min(e."timestamp") AS first_seen, max(e."timestamp") AS last_seen,
             \(raw: first)::text AS first_event
      FROM \(sample.sql) CROSS JOIN LATERAL (\(raw: Self.shapeOfEvent)) AS s
      GROUP BY s.shape ORDER BY count(*) DESC, s.shape
      """
    var shape = TypeShape(type: count.type.string, events: count.events)
    shape.isEstimate = count.isEstimate
    var paths: [ByteString: TypeShape.Path] = [:]
    try connection.forEachPage(of: sql) { page in
      try page.forEachRow { row in
        let variant = try TypeShape.Variant(row, ofType: count.type.string)
        shape.examined += variant.events
        shape.variantCount += 1
        if shape.variants.count < TypeShape.variantLimit { shape.variants.append(variant) }
        for (path, types) in variant.paths {
          paths[path, default: TypeShape.Path(path.string, in: variant)].add(types, of: variant)
        }
      }
    }
    shape.paths = paths.sorted { $0.key < $1.key }.map(\.value)
    return shape
  }

  /// Takes examples from the first event of each variant.
  private func addExamples(to shape: inout TypeShape, _ table: EventsTable) throws {
    let key = table.hasPosition ? ("position", "bigint") : ("id", "uuid")
    let cursors = Parameter.textArray(shape.variants.compactMap(\.firstEvent))
    let sql: SQL = """
      SELECT s.path, s.example
      FROM \(raw: table.source) AS e CROSS JOIN LATERAL (
        \(raw: Self.nodes(of: "e.event_data"))
        SELECT path, min(value::text COLLATE "C") AS example FROM node
        WHERE jsonb_typeof(value) NOT IN ('object', 'array', 'null') GROUP BY path
      ) AS s
      WHERE e.\(raw: key.0) = ANY (\(cursors)::\(raw: key.1)[]) ORDER BY e.\(raw: key.0)
      """
    var examples: [ByteString: String] = [:]
    try connection.query(sql).forEachRow { row in
      let path = ByteString(row.string("path"))
      if examples[path] == nil { examples[path] = row.string("example") }
    }
    for index in shape.paths.indices {
      shape.paths[index].example = examples[ByteString(shape.paths[index].path)]
    }
  }

  /// A member is required when there are as many of it as of the object around it.
  private func findRequired(in shape: inout TypeShape, _ sample: EventSample) throws {
    let nodes = Self.nodes(of: "e.event_data")
    let sql: SQL = """
      SELECT s.path, count(*) AS all, count(*) FILTER (WHERE jsonb_typeof(s.value) = 'object') AS objects
      FROM \(sample.sql) CROSS JOIN LATERAL (\(raw: nodes) SELECT path, value FROM node) AS s
      GROUP BY s.path
      """
    var values: [ByteString: (all: Int64, objects: Int64)] = [:]
    try connection.query(sql).forEachRow { row in
      values[ByteString(row.string("path"))] = (row.int64("all"), row.int64("objects"))
    }
    for index in shape.paths.indices {
      let steps = JSONPathSteps(shape.paths[index].path)
      guard let parent = steps.parent, steps.last?.isMember == true else { continue }
      let all = values[ByteString(shape.paths[index].path)]?.all
      shape.paths[index].isRequired = all == values[ByteString(parent)]?.objects
    }
  }
}

extension TypeShape.Path {
  fileprivate init(_ path: String, in variant: TypeShape.Variant) {
    (self.path, firstSeen, lastSeen) = (path, variant.firstSeen, variant.lastSeen)
  }

  fileprivate mutating func add(_ types: [String], of variant: TypeShape.Variant) {
    for type in types { self.types[type, default: 0] += variant.events }
    events += variant.events
    firstSeen = min(firstSeen, variant.firstSeen)
    lastSeen = max(lastSeen, variant.lastSeen)
  }
}

extension TypeShape.Variant {
  fileprivate init(_ row: borrowing Row, ofType type: String) throws {
    members = row.string("shape").unicodeScalars.split(separator: "\n").map(String.init)
    events = row.int64("events")
    firstSeen = try row.time("first_seen", ofType: type)
    lastSeen = try row.time("last_seen", ofType: type)
    firstEvent = row.optionalString("first_event")
  }

  /// The members that it has (`+`) and lacks (`-`) compared with another one, each in the order of bytes.
  package func difference(from other: TypeShape.Variant) -> [String] {
    let (own, others) = (Set(members.map { ByteString($0) }), Set(other.members.map { ByteString($0) }))
    return own.subtracting(others).sorted().map { "+\($0)" }
      + others.subtracting(own).sorted().map { "-\($0)" }
  }

  /// Each path with the types of its values in an event of this variant.
  fileprivate var paths: [ByteString: [String]] {
    var paths: [ByteString: [String]] = [:]
    for member in members {
      // A type has no blank, a path may have some.
      guard let blank = member.unicodeScalars.lastIndex(of: " ") else { continue }
      paths[ByteString(member[..<blank]), default: []].append(
        String(member[member.unicodeScalars.index(after: blank)...])
      )
    }
    return paths
  }
}
