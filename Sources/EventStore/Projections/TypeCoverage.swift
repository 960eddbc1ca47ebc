internal import LibPQ

/// How the event types of a projection's handlers, or of a reducer's sections, match the types in the store.
public struct TypeCoverage: Sendable, Hashable {
  /// A type that a handler takes and no event has.
  public struct UnknownType: Sendable, Hashable {
    /// The type as it is written in the file.
    public let type: String
    /// The line of its handler in the file.
    public let line: Int
    /// A type of the store with nearly the same name.
    public let nearest: String?
  }

  /// The types of handlers that no event has, in the order of the file; none while the store has no events.
  public let unknown: [UnknownType]
  /// The types of events that no handler takes.
  public let unhandled: [String]
}

/// A section for events of some types: a handler of a projection, or a section of a reducer.
protocol TypedSection {
  /// ``SectionFile/anyType`` alone means every type that no other section takes.
  var types: [ByteString] { get }
  var location: SQLLocation { get }
}

extension Projection.Handler: TypedSection {}
extension Reducer.Handler: TypedSection {}

extension StoreConnection {
  /// Compares the types of sections with those of all events, as upcasters show them.
  ///
  /// - Parameter byIndexAlone: finds nothing if no index has the types, instead of reading all events.
  func typeCoverage(of sections: [some TypedSection], byIndexAlone: Bool) throws -> TypeCoverage {
    let none = TypeCoverage(of: sections, [])
    if sections.allSatisfy({ $0.types == [SectionFile.anyType] }) { return none }
    let events = try eventsTable()
    let hasIndex = try events.hasTypeIndex(connection)
    if byIndexAlone, !hasIndex { return none }
    let stored = try connection.strings(hasIndex ? events.typesByIndex : events.typesOfAll)
    return TypeCoverage(of: sections, upcasters.types(of: Set(stored.map { ByteString($0) })))
  }
}

extension EventsTable {
  fileprivate var typesOfAll: SQL { "SELECT DISTINCT event_type::text FROM \(raw: relation) AS e" }

  /// Each step searches the index for the type after the last one (PostgreSQL wiki, "Loose indexscan").
  fileprivate var typesByIndex: SQL {
    """
    WITH RECURSIVE types (type) AS (
      (SELECT e.event_type::text FROM \(raw: relation) e ORDER BY e.event_type LIMIT 1)
      UNION ALL
      SELECT (SELECT e.event_type::text FROM \(raw: relation) e WHERE e.event_type > t.type ORDER BY e.event_type LIMIT 1)
      FROM types t WHERE t.type IS NOT NULL
    )
    SELECT type FROM types WHERE type IS NOT NULL
    """
  }

  /// Whether an index of the table begins with the type, and has all events.
  fileprivate func hasTypeIndex(_ connection: Connection) throws -> Bool {
    guard relation.hasSameBytes(as: name.sql) else { return false }
    let sql: SQL = """
      SELECT EXISTS (
        SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = \(name.sql)::regclass AND a.attname = 'event_type' AND m.amname = 'btree' AND i.indisvalid
          AND i.indpred IS NULL)
      """
    return try connection.query(sql).bool(0, 0)
  }
}

extension Upcasters {
  /// The types that events have after the rules. The rules alone tell it, without reading events: a rename with a
  /// condition may leave both types.
  fileprivate func types(of stored: Set<ByteString>) -> Set<ByteString> {
    var types = stored
    for rule in rules where rule.newType != nil || rule.isDropped {
      let affected = rule.isForEveryType ? types : types.intersection(rule.types)
      if rule.conditions.isEmpty { types.subtract(affected) }
      if let newType = rule.newType, !affected.isEmpty { types.insert(newType) }
    }
    return types
  }
}

extension TypeCoverage {
  /// - Parameter known: the types of the store's events.
  fileprivate init(of sections: [some TypedSection], _ known: Set<ByteString>) {
    let handled = Set(sections.flatMap(\.types))
    let others = known.subtracting(handled).sorted().map(\.string)
    var unknown: [UnknownType] = []
    var seen: Set<ByteString> = [SectionFile.anyType]
    for section in sections where !known.isEmpty {
      for type in section.types where !known.contains(type) && seen.insert(type).inserted {
        // A name that another handler has is not the one that is missing here.
        let nearest = SectionFile.nearest(to: type.string, among: others)
        unknown.append(UnknownType(type: type.string, line: section.location.line, nearest: nearest))
      }
    }
    self.unknown = unknown
    unhandled = handled.contains(SectionFile.anyType) ? [] : others
  }
}
