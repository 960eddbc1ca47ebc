internal import LibPQ

/// Finds the places of events by their contents, if such events are rare.
///
/// Pages walk along the positions. PostgreSQL, which knows little about the contents of payloads, would walk even if an
/// index finds the events at once. So the places are looked up first: by such an index, or else by one pass through the
/// table, which the server can share among its processes.
struct ContentSearch {
  /// The most places that are looked up at a time, of 8 bytes each.
  private let portion: Int

  /// Places that were found and not read yet.
  private(set) var places: ArraySlice<Int64> = []
  /// The place up to which places were looked up; nil before the first time.
  private(set) var end: Int64?
  /// Whether there are no further places.
  private(set) var isComplete = false

  init(portion: Int = 1_000_000) {
    self.portion = portion
  }

  /// Looks up the next places, unless some are left.
  mutating func find(_ query: EventQuery, in table: EventsTable, _ store: StoreConnection) throws {
    guard places.isEmpty, !isComplete else { return }
    var conditions = query.conditions(in: table)
    if let end { conditions.append(query.reversed ? "e.position < \(end)" : "e.position > \(end)") }
    let limit = min(portion, query.limit ?? .max)
    // "+ 0" keeps the planner from walking the positions. The places are one value, since rows take more memory.
    let sql: SQL = """
      SELECT string_agg(int8send(position), '') AS places FROM (
        SELECT e.position FROM \(raw: table.source) e WHERE \(conditions.conjunction)
        ORDER BY e.position + 0 \(raw: query.reversed ? "DESC" : "ASC") LIMIT \(Int64(limit))) AS found
      """
    let found = try store.run(sql, for: query)
    places = found.isNull(0, 0) ? [] : Self.numbers(found.bytes(0, 0))[...]
    isComplete = places.count < limit || limit < portion
    end = places.last
  }

  /// - Parameter bytes: numbers in the form of int8send().
  private static func numbers(_ bytes: RawSpan) -> [Int64] {
    stride(from: 0, to: bytes.byteCount, by: 8).map { Int64(bigEndian: bytes.load(at: $0, as: Int64.self)) }
  }

  /// Removes places that were read.
  mutating func drop(_ count: Int) { places = places.dropFirst(count) }
}

extension StoreConnection {
  /// The search for the events of a query, if it finds them sooner than pages do; otherwise nil.
  ///
  /// A sample of the events tells how frequent they are. Pages of a stream are read by its own index.
  func contentSearch(for query: EventQuery) throws -> ContentSearch? {
    guard !query.contents.isEmpty, query.aggregateID == nil, query.order == .position else { return nil }
    let table = try eventsTable(for: query)
    guard table.hasPosition, upcasters.isEmpty, try table.hasUniqueKey(["position"], connection) else {
      return nil
    }
    try warnOfPass(through: table, query)
    let sample = try sample(of: query.contentConditions(in: table), within: query)
    return sample.map { $0.matching < Self.frequent } ?? true ? ContentSearch() : nil
  }

  /// If at least this many of 64 events match, pages find the next ones close to each other.
  ///
  /// Against psql with the same WHERE, on 1,500,000 events without an index: with 5 of 100 matching a search took 1.1 times
  /// as long and pages 2.0, with 15 of 100 it was 1.1 and 0.9, with half of them 1.7 and 0.9 (Benchmarks/content.sh).
  private static let frequent = 8

  /// Tells the operator of a large table that all of it is read although an index could help.
  func warnOfPass(through table: EventsTable, _ query: EventQuery) throws {
    if query.aggregateID != nil || query.contents.isEmpty { return }
    let keys = Set(query.contents.compactMap(\.indexKey).map { ByteString($0) }).sorted().map(\.string)
    guard let key = keys.first, try isLarge(table), try !hasIndex(onAnyOf: keys, of: table) else { return }
    let operators = key.hasSameBytes(as: Self.payloadText) ? "gin_trgm_ops" : "jsonb_path_ops"
    notifyOnce(
      .pass,
      "no index supports this filter, so all of \(table.name) is read; "
        + "CREATE INDEX CONCURRENTLY ON \(table.name.sql) USING gin (\(key) \(operators)) would support it"
    )
  }

  private func isLarge(_ table: EventsTable) throws -> Bool {
    let sql: SQL = "SELECT pg_table_size(\(table.name.sql)::regclass) >= \(Self.largeTable)"
    return try connection.query(sql).bool(0, 0)
  }

  /// Whether a GIN index over all events has one of some keys, as the catalogue writes them.
  func hasIndex(onAnyOf keys: [String], of table: EventsTable) throws -> Bool {
    let sql: SQL = """
      SELECT EXISTS (
        SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
        CROSS JOIN generate_series(1, i.indnkeyatts) AS k (number)
        WHERE i.indrelid = \(table.name.sql)::regclass AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'gin'
          AND pg_get_indexdef(i.indexrelid, k.number, false) = ANY (\(Parameter.textArray(keys))))
      """
    return try connection.query(sql).bool(0, 0)
  }

  /// In bytes; a pass through a smaller table takes negligible time.
  private static let largeTable: Int64 = 256 << 20
  /// As the catalogue writes the expression.
  static let payloadText = "((event_data)::text)"
}

extension ContentCondition {
  /// The key of an index that finds the events; nil if there can be none.
  fileprivate var indexKey: String? {
    switch self {
    case .data(let condition): condition.isIndexable ? "event_data" : nil
    case .metadata(let condition): condition.isIndexable ? "metadata" : nil
    case .text: StoreConnection.payloadText
    case .sql: nil
    }
  }
}
