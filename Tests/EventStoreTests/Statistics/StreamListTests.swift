import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// Lists of streams against SQL by hand, in tables of every kind.
@Suite struct StreamListTests {
  /// 60 streams of three categories, with some versions missing, and times that are not in the order of the versions.
  static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT (ARRAY['order-', 'cart-', 'order'])[1 + n % 3] || n % 60, 'T' || n % 7, jsonb_build_object('n', repeat('x', n % 11)),
           n / 60 + 1 + CASE WHEN n > 200 THEN 1 ELSE 0 END, '2026-01-01'::timestamptz + (n * 37 % 500) * interval '1 hour'
    FROM generate_series(0, 419) n WHERE n % 60 < 50 OR n < 120;
    """

  enum Kind: CaseIterable, Sendable {
    /// The planner reads small tables whole; with the second, as large ones.
    case plain, indexed, classic, otherCollation, hashed, layout

    func prepare(_ db: TestDatabase) async throws -> EventStore {
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize(partitions: self == .hashed ? 3 : nil)
      try await db.psql(StreamListTests.fill)
      switch self {
      case .classic:
        try await db.psql(
          """
          ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata;
          ALTER TABLE events ALTER timestamp TYPE timestamp USING timestamp AT TIME ZONE 'UTC'
          """
        )
      case .otherCollation:
        let alter = "ALTER TABLE events ALTER aggregate_id TYPE text COLLATE"
        // Not each server is built with ICU.
        do { try await db.psql(#"\#(alter) "und-x-icu""#) } catch { try await db.psql(#"\#(alter) "POSIX""#) }
      default: break
      }
      if self != .plain {
        try await db.psql(
          "ALTER DATABASE \(db.name) SET enable_seqscan = off; ALTER DATABASE \(db.name) SET enable_sort = off"
        )
      }
      try await db.psql("VACUUM ANALYZE events")
      guard self == .layout else { return try EventStore(connecting: db.conninfo) }
      let file = """
        -- @layout other
        -- @table public.events
        SELECT id, aggregate_id || '' AS aggregate_id, event_type, event_data, version, "timestamp", position FROM public.events
        """
      return try EventStore(
        connecting: db.conninfo,
        layout: try Layout(path: "other.sql", bytes: Array(file.utf8))
      )
    }
  }

  private static let summary = """
    aggregate_id, count(*), min(version), max(version), extract(epoch FROM min(timestamp))::bigint,
    extract(epoch FROM max(timestamp))::bigint, sum(pg_column_size(event_data))
    """

  /// What a query asks for, and the rest of a SELECT by hand that says the same.
  private static let cases: [(rest: String, change: @Sendable (inout StreamQuery) -> Void)] = [
    ("GROUP BY 1 ORDER BY 1", { _ in }),
    ("GROUP BY 1 ORDER BY 1 LIMIT 7", { $0.limit = 7 }),
    (
      "WHERE starts_with(aggregate_id, 'order-1') GROUP BY 1 ORDER BY 1 LIMIT 50",
      { ($0.prefix, $0.limit) = ("order-1", 50) }
    ),
    ("WHERE starts_with(aggregate_id, 'order') GROUP BY 1 ORDER BY 1", { $0.prefix = "order" }),
    (
      "WHERE aggregate_id LIKE 'cart-%' GROUP BY 1 ORDER BY 1 LIMIT 100",
      { ($0.category, $0.limit) = ("cart", 100) }
    ),
    (
      "WHERE aggregate_id LIKE 'cart-%' AND starts_with(aggregate_id, 'cart-4') GROUP BY 1 ORDER BY 1 LIMIT 100",
      { ($0.category, $0.prefix, $0.limit) = ("cart", "cart-4", 100) }
    ),
    ("GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 9", { ($0.order, $0.limit) = (.events, 9) }),
    ("GROUP BY 1 ORDER BY 7 DESC, 1 LIMIT 9", { ($0.order, $0.limit) = (.bytes, 9) }),
    ("GROUP BY 1 ORDER BY 6 DESC, 1", { $0.order = .last }),
    ("GROUP BY 1 ORDER BY 6 DESC, 1 LIMIT 9", { ($0.order, $0.limit) = (.last, 9) }),
    ("GROUP BY 1 HAVING count(*) > 5 ORDER BY 1 LIMIT 99", { ($0.longerThan, $0.limit) = (5, 99) }),
    (
      "GROUP BY 1 HAVING max(timestamp) >= '2026-01-20' ORDER BY 1 LIMIT 99",
      { ($0.since, $0.limit) = (time("2026-01-20"), 99) }
    ),
    (
      "GROUP BY 1 HAVING max(timestamp) >= '2026-01-15' AND max(timestamp) <= '2026-01-20' ORDER BY 6 DESC, 1 LIMIT 99",
      { ($0.since, $0.until, $0.order, $0.limit) = (time("2026-01-15"), time("2026-01-20"), .last, 99) }
    ),
    (
      "GROUP BY 1 HAVING max(timestamp) >= '2026-01-19' AND count(*) > 3 ORDER BY 2 DESC, 1 LIMIT 99",
      { ($0.since, $0.longerThan, $0.order, $0.limit) = (time("2026-01-19"), 3, .events, 99) }
    ),
    (
      "GROUP BY 1 HAVING bool_or(event_type = 'T3') ORDER BY 1 LIMIT 99",
      { ($0.events.types, $0.limit) = (["T3"], 99) }
    ),
    ("GROUP BY 1 HAVING bool_or(event_type IN ('T3', 'T5')) ORDER BY 1", { $0.events.types = ["T3", "T5"] }),
    (
      """
      WHERE starts_with(aggregate_id, 'o') GROUP BY 1
      HAVING bool_or(event_type = 'T2') AND max(timestamp) >= '2026-01-18' ORDER BY 1 LIMIT 99
      """,
      { ($0.events.types, $0.since, $0.prefix, $0.limit) = (["T2"], time("2026-01-18"), "o", 99) }
    ),
    (
      "GROUP BY 1 HAVING bool_or(event_type = 'T2') AND max(timestamp) < '2026-01-18' AND count(*) > 1 ORDER BY 7 DESC, 1 LIMIT 99",
      {
        ($0.events.types, $0.until, $0.longerThan, $0.order, $0.limit) = (
          ["T2"], time("2026-01-18", -1), 1, .bytes, 99
        )
      }
    ),
  ]

  private static func time(_ day: String, _ offset: Int64 = 0) -> Timestamp {
    let number = Int64(day.suffix(2))!
    return Timestamp(microseconds: (9497 + number - 1) * 86_400_000_000 + offset)
  }

  @Test(arguments: Kind.allCases) func equalsSQLByHand(_ kind: Kind) async throws {
    try await TestCluster.withDatabase { db in
      let store = try await kind.prepare(db)
      for (rest, change) in Self.cases {
        for isExact in [false, true] {
          var query = StreamQuery()
          change(&query)
          query.isExact = isExact
          // A number alone orders by the column's own collation.
          let bytewise = rest.replacing(/ORDER BY (.*)\b1\b/) {
            #"ORDER BY \#($0.1)aggregate_id COLLATE "C""#
          }
          let expected = try await db.psql(
            "SET timezone = 'UTC'; SELECT \(Self.summary) FROM events \(bytewise)"
          ).replacing(/^SET\n/, with: "")
          // Without a range, names come in the order of the table's index.
          let isSorted = kind != .otherCollation || query.limit != 7
          let found = try await list(store, query).map(Self.line)
          let lines = expected.split(separator: "\n").map(String.init)
          if isSorted {
            #expect(found == lines, "\(rest)")
          } else {
            #expect(found.count == lines.count)
          }
        }
      }
    }
  }

  private static func line(_ stream: ListedStream) -> String {
    func seconds(_ time: Timestamp?) -> Int64 { time.map { $0.microseconds / 1_000_000 + 946_684_800 } ?? 0 }
    let numbers: [Int64] = [
      stream.events, Int64(stream.firstVersion ?? 0), Int64(stream.lastVersion ?? 0),
      seconds(stream.firstTime),
      seconds(stream.lastTime), stream.bytes ?? -1,
    ]
    return ([stream.aggregateID] + numbers.map(String.init)).joined(separator: "|")
  }

  @Test func saysWhetherThereAreMore() async throws {
    try await withStore(Self.fill) { _, store in
      for (limit, hasMore) in [(0, true), (59, true), (60, false), (nil, false), (Int.max, false)]
        as [(Int?, Bool)]
      {
        var query = StreamQuery()
        query.limit = limit
        let count = Mutex(0)
        let saysMore = try await store.listStreams(query) { _ in count.withLock { $0 += 1 } }
        #expect(saysMore == hasMore)
        #expect(count.withLock(\.self) == min(limit ?? 60, 60))
      }
    }
  }

  @Test func anUnknownNameIsAMistake() async throws {
    try await withStore(Self.fill) { _, store in
      let changes: [(String, @Sendable (inout StreamQuery) -> Void)] = [
        ("category 'nobody'", { $0.category = "nobody" }), ("type 'T9'", { $0.events.types = ["T9"] }),
        ("an aggregate whose id begins with 'x'", { $0.prefix = "x" }),
      ]
      for (what, change) in changes {
        var query = StreamQuery()
        change(&query)
        let asked = query
        let error = await #expect(throws: EventStoreError.self) {
          try await store.listStreams(asked) { _ in }
        }
        #expect(error?.code == .notFound)
        #expect(error?.message == "public.events has no event of \(what)")
      }
      // There are such streams, but not with such events.
      var query = StreamQuery()
      (query.prefix, query.longerThan) = ("order", 1000)
      let none = try await list(store, query)
      #expect(none.isEmpty)
    }
  }

  /// Of a long stream only the two ends are read, unless all events are requested.
  @Test func aLongStreamIsEstimated() async throws {
    let fill = """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      SELECT 'long', 'T', '{}'::jsonb, n + n / 1500, '2026-01-02'::timestamptz + CASE n WHEN 700 THEN -1 ELSE 1 END * n * interval '1 minute'
      FROM generate_series(1, 2000) n UNION ALL SELECT 'other-' || n, 'T', '{}', 1, now() FROM generate_series(1, 20000) n;
      ANALYZE events
      """
    try await withStore(fill) { db, store in
      var query = StreamQuery()
      (query.prefix, query.limit) = ("l", 5)
      let estimated = try await list(store, query)[0]
      #expect(estimated.events == 2001 && estimated.isEstimate && estimated.hasEstimatedTimes)
      #expect(estimated.firstVersion == 1 && estimated.lastVersion == 2001 && estimated.bytes == nil)
      #expect(estimated.firstTime?.description == "2026-01-02T00:01:00Z")
      query.isExact = true
      let exact = try await list(store, query)[0]
      #expect(exact.events == 2000 && !exact.isEstimate && !exact.hasEstimatedTimes && exact.bytes != nil)
      #expect(exact.firstTime?.description == "2026-01-01T12:20:00Z")
      // What was counted to find the first ones is no estimate.
      (query.prefix, query.isExact, query.order) = ("", false, .events)
      let longest = try await list(store, query)[0]
      #expect(longest.events == 2000 && !longest.isEstimate && longest.hasEstimatedTimes)
      query.order = .bytes
      let largest = try await list(store, query)[0]
      #expect(largest.bytes == exact.bytes)
    }
  }

  /// Names that try to end a string, or to be a pattern, and those at the edges of an order of bytes.
  @Test(arguments: [false, true]) func namesAreData(isIndexed: Bool) async throws {
    try await withStore { db, store in
      var random = Seeded(state: 0x5EED)
      var names: Set<[UInt8]> = []
      while names.count < 300 { names.insert(Array(Self.name(&random).utf8)) }
      let hex = names.map { "'" + Self.hex($0) + "'" }.joined(separator: ", ")
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT convert_from(decode(h, 'hex'), 'UTF8'), 'T', '{}', v FROM unnest(ARRAY[\(hex)]) AS h, generate_series(1, 2) AS v
        """
      )
      if isIndexed {
        try await db.psql(
          "ALTER DATABASE \(db.name) SET enable_seqscan = off; ALTER DATABASE \(db.name) SET enable_sort = off"
        )
      }
      let reader = try EventStore(connecting: db.conninfo)
      let ordered = names.sorted { $0.lexicographicallyPrecedes($1) }
      let others = (0..<40).map { _ in Array(Self.name(&random).utf8) }
      for prefix in ordered.filter({ _ in UInt8.random(in: 0..<4, using: &random) == 0 }) + others {
        let text = String(decoding: prefix, as: UTF8.self)
        var query = StreamQuery()
        (query.prefix, query.limit) = (text, 1000)
        let expected = ordered.filter { $0.starts(with: prefix) }
        let found = try await listOrNone(reader, query)
        #expect(
          found.map { Self.hex(Array($0.aggregateID.utf8)) } == expected.map(Self.hex),
          "\(Self.hex(prefix))"
        )
        #expect(found.allSatisfy { $0.events == 2 })
        guard
          let category = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            .first, !category.isEmpty
        else { continue }
        query.prefix = ""
        query.category = String(decoding: Array(category), as: UTF8.self)
        let ofCategory = ordered.filter { $0.prefix { $0 != UInt8(ascii: "-") }.elementsEqual(category) }
        #expect(try await listOrNone(reader, query).map { Array($0.aggregateID.utf8) } == ofCategory)
      }
      // Each category once, whatever lies between the ids of one.
      let categories = Set(ordered.map { Array($0.prefix { $0 != UInt8(ascii: "-") }) })
      let listed = Mutex<[[UInt8]]>([])
      try await reader.listCategories(limit: 1000) { category in
        listed.withLock { $0.append(Array(category.category.utf8)) }
      }
      #expect(listed.withLock(\.count) == categories.count && listed.withLock { Set($0) } == categories)
    }
  }

  private func listOrNone(_ store: EventStore, _ query: StreamQuery) async throws -> [ListedStream] {
    do { return try await list(store, query) } catch let error as EventStoreError {
      guard error.code == .notFound else { throw error }
      return []
    }
  }

  private static let alphabet = [
    "-", "-", "%", "_", "'", "\"", "\\", " ", "!", "a", "b", "é", "e\u{301}", "\u{10FFFF}", "\u{D7FF}",
    "\u{E000}", "🧾",
    "\n", "\u{202E}", "$1", "{range}", ";--", ".", "\u{7F}", "\u{1}",
  ]

  private static func name(_ random: inout Seeded) -> String {
    (0..<Int.random(in: 1...4, using: &random)).map { _ in alphabet.randomElement(using: &random)! }.joined()
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the same numbers in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The streams of a list.
func list(_ store: EventStore, _ query: StreamQuery) async throws -> [ListedStream] {
  let found = Mutex<[ListedStream]>([])
  try await store.listStreams(query) { stream in found.withLock { $0.append(stream) } }
  return found.withLock(\.self)
}
