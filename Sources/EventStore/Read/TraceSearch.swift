internal import LibPQ

/// How the events of a trace are found: by the members of their metadata that name a correlation or a cause.
///
/// A search for one member without an index goes through the table, whatever indexes the others have. So each member
/// with an index is looked up in it, and one pass searches for the others, unless they do not seem to occur.
struct TraceSearch {
  /// The spellings of correlation_id.
  static let correlations = ["correlation_id", "correlationId", "$correlationId"]
  /// The spellings of causation_id.
  static let causations = ["causation_id", "causationId", "$causationId"]

  /// Members with an index.
  fileprivate(set) var indexed: [String] = []
  /// Members that need a pass through the table.
  fileprivate(set) var scanned = correlations + causations
  /// Members without an index that no event of a sample has.
  fileprivate(set) var skipped: [String] = []

  /// A search for all members.
  var complete: TraceSearch {
    var search = self
    (search.scanned, search.skipped) = (scanned + skipped, [])
    return search
  }

  /// The conditions on events `e` that together find those of a correlation, those with one of some causes, and those
  /// with one of some ids.
  func conditions(correlationID: String?, causes: [String], ids: Parameter?) -> [SQL] {
    func condition(_ member: String) -> SQL? {
      let value: SQL = "e.metadata ->> \(raw: quoteLiteral(member))"
      guard Self.correlations.contains(where: { $0.utf8.elementsEqual(member.utf8) }) else {
        return causes.isEmpty ? nil : "\(value) = ANY (\(Parameter.textArray(causes)))"
      }
      return correlationID.map { "\(value) = \($0)" }
    }
    let byID: SQL? = ids.map { "e.id = ANY (\($0))" }
    let inPass = scanned.compactMap(condition)
    if inPass.isEmpty { return indexed.compactMap(condition) + [byID].compactMap(\.self) }
    return indexed.compactMap(condition) + [(inPass + [byID].compactMap(\.self)).joined(separator: " OR ")]
  }
}

extension StoreConnection {
  /// In a store of fewer events a pass takes negligible time.
  private static let fewEvents: Int64 = 100_000

  /// Finds which members have an index and, if some have none, whether these occur in a sample of a large table.
  func traceSearch() throws -> TraceSearch {
    var search = TraceSearch()
    // The catalogue says nothing about the rows of a layout.
    guard try eventsTable().relation.hasSameBytes(as: table.sql) else { return search }
    let members = try indexedMembers()
    (search.indexed, search.scanned) = (members.with, members.without)
    guard !members.with.isEmpty, !members.without.isEmpty, members.events > Self.fewEvents else {
      return search
    }
    search.scanned = try membersOfSample(members.without, events: members.events)
    search.skipped = members.without.filter { name in
      !search.scanned.contains { $0.utf8.elementsEqual(name.utf8) }
    }
    return search
  }

  /// The members with an index and those without, and about how many events there are.
  func indexedMembers() throws -> (with: [String], without: [String], events: Int64) {
    let members = Parameter.textArray(TraceSearch.correlations + TraceSearch.causations)
    let found = try connection.query(SQLTemplate.traceIndexes.sql, [.text(table.sql), members])
    let names = found.map { (name: $0.string("name"), isIndexed: $0.bool("is_indexed")) }
    let events = found[0].optionalInt64("events") ?? 0
    return (names.filter(\.isIndexed).map(\.name), names.filter { !$0.isIndexed }.map(\.name), events)
  }

  /// The members that some events have: about 10,000 in random blocks, and the last 1,000.
  func membersOfSample(_ members: [String], events: Int64) throws -> [String] {
    let percent = min(100, 1_000_000 / Double(max(events, 1)))
    let last: SQL = """
      UNION ALL (SELECT e.metadata FROM \(raw: relation) e ORDER BY e.position DESC LIMIT 1000)
      """
    let sql: SQL = """
      WITH sample AS MATERIALIZED (
        SELECT e.metadata FROM \(raw: relation) e TABLESAMPLE SYSTEM (\(raw: "\(percent)"))
        \(try eventsTable().hasPosition ? last : "")
      )
      SELECT k.name FROM unnest(\(Parameter.textArray(members))) AS k (name)
      WHERE EXISTS (SELECT FROM sample s WHERE s.metadata ? k.name)
      """
    return try connection.query(sql).map { $0.string("name") }
  }
}
