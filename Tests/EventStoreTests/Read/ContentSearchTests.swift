import LibPQ
import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// Reads of what is rare in a store.
@Suite struct ContentSearchTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'order-' || n % 40, 'T', jsonb_build_object('n', n, 'kind', CASE WHEN n % 1000 = 7 THEN 'rare' ELSE 'x' END,
      'rest', repeat('x', 400)), (n - 1) / 40 + 1
    FROM generate_series(1, 20000) n;
    """
  private static let index = "CREATE INDEX ON events USING gin (event_data jsonb_path_ops);"
  private static let rare = (0..<20).map { $0 * 1000 + 7 }

  private func query(_ condition: String = "kind=rare") throws -> EventQuery {
    var query = EventQuery()
    query.contents = [.data(try FieldCondition(condition))]
    return query
  }

  private func positions(_ store: EventStore, _ query: EventQuery) async throws -> [Int] {
    var positions: [Int] = []
    for try await event in store.events(matching: query) { positions.append(Int(event.position ?? 0)) }
    return positions
  }

  @Test(arguments: [false, true]) func allAreFound(hasIndex: Bool) async throws {
    try await withStore(Self.fill + (hasIndex ? Self.index : "") + "VACUUM ANALYZE events;") { _, store in
      var query = try query()
      #expect(try await positions(store, query) == Self.rare)
      query.reversed = true
      #expect(try await positions(store, query) == Self.rare.reversed())
      query.limit = 3
      #expect(try await positions(store, query) == Self.rare.suffix(3).reversed())
      (query.reversed, query.limit, query.last) = (false, nil, 3)
      #expect(try await positions(store, query) == Self.rare.suffix(3))
      query.last = nil
      (query.fromPosition, query.toPosition, query.limit) = (1008, 9000, 5)
      #expect(try await positions(store, query) == Array(Self.rare[2...6]))
      query.contents.append(.sql(try SQLCondition("event.position > 3000")))
      #expect(try await positions(store, query) == Array(Self.rare[3...7]))
      var lines = 0
      let result = try await store.writeNDJSON(try self.query()) { bytes in
        #expect(bytes.last == UInt8(ascii: "\n"))
      }
      lines = result.count
      #expect(lines == Self.rare.count && result.lastPosition == 19_007)
    }
  }

  /// Frequent events are read page by page: the first ones come before the rest was read.
  @Test func whatIsFrequentComesAtOnce() async throws {
    try await withStore(Self.fill + "VACUUM ANALYZE events;") { db, _ in
      let cost = try await db.eventsRead { store in
        var query = try query("kind=x")
        query.limit = 3
        let found = try await positions(store, query)
        #expect(found == [1, 2, 3])
      }
      #expect(cost < 2000)
    }
  }

  @Test func anIndexFindsThem() async throws {
    try await withStore(Self.fill + Self.index + "VACUUM ANALYZE events;") { db, _ in
      let rare = try query()
      let cost = try await db.eventsRead { store in
        let found = try await positions(store, rare)
        #expect(found == Self.rare)
      }
      #expect(cost < 1000)
    }
  }

  /// Places are looked up in portions; what comes after a portion is not lost.
  @Test(arguments: [false, true]) func placesComeInPortions(reversed: Bool) async throws {
    try await withStore(Self.fill) { _, store in
      var query = try query()
      query.reversed = reversed
      let asked = query
      let found = try await store.perform { hand in
        var search = ContentSearch(portion: 7)
        var found: [Int64] = []
        repeat {
          try search.find(asked, in: try hand.eventsTable(for: asked), hand)
          found += search.places
          search.drop(search.places.count)
        } while !search.isComplete
        return found
      }
      let expected = Self.rare.map { Int64($0) }
      #expect(found == (reversed ? expected.reversed() : expected))
    }
  }

  /// Many places are read by two connections in turn; when the second one is lost, the first goes on alone.
  @Test(arguments: [false, true]) func manyPlacesAreReadByTwoConnections(isSecondLost: Bool) async throws {
    try await withStore(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT 'order-' || n % 40, 'T', jsonb_build_object('kind', CASE WHEN n % 10 = 7 THEN 'rare' ELSE 'x' END), n / 40 + 1
      FROM generate_series(1, 120000) n; ANALYZE events;
      """
    ) { db, store in
      let lines = Mutex<[UInt8]>([])
      let query = try query()
      let result = try await store.writeNDJSON(query) { bytes in
        let isFirst = lines.withLock { lines in
          defer { lines += bytes }
          return lines.isEmpty
        }
        guard isFirst else { return }
        let watcher = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
        let sql: SQL = """
          SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND application_name = 'annals' ORDER BY backend_start
          """
        let readers = try watcher.query(sql).map { $0.int32("pid") }
        #expect(readers.count == 2)
        if isSecondLost, let second = readers.last {
          _ = try watcher.query("SELECT pg_terminate_backend(\(second), 60000)")
        }
      }
      let positions = lines.withLock(\.self).split(separator: UInt8(ascii: "\n")).compactMap { line in
        Int(String(decoding: line.dropFirst(12).prefix { (48...57).contains($0) }, as: UTF8.self))
      }
      #expect(result.count == 12_000 && positions == (0..<12_000).map { $0 * 10 + 7 })
    }
  }

  @Test func aReaderGoesOnBehindThem() async throws {
    try await withStore(Self.fill) { db, store in
      let query = try query()
      var options = ReplayOptions()
      options.checkpoint = "mail"
      for (expected, end) in [(Self.rare, 20_000), ([20_005], 20_010)] {
        var positions: [Int] = []
        _ = try await store.replay(query, options) { positions += $0.positions.map { Int($0) } }
        #expect(positions == expected)
        #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "\(end)")
        try await db.psql(
          """
          INSERT INTO events (aggregate_id, event_type, event_data, version)
          SELECT 'late', 'T', jsonb_build_object('kind', CASE n WHEN 5 THEN 'rare' ELSE 'x' END), n
          FROM generate_series(1, 10) n ON CONFLICT DO NOTHING
          """
        )
      }
      // With other contents the checkpoint means something else.
      let other = try self.query("kind=x")
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(other, options) { _ in }
      }
      #expect(error?.detail?.contains("payload kind=rare") == true)
    }
  }

  /// Whether the operator is told to make an index.
  @Test func indexesAreKnown() async throws {
    let text = "((event_data)::text)"
    let cases: [(index: String, key: String, isKnown: Bool)] = [
      ("gin (event_data jsonb_path_ops)", "event_data", true), ("gin (event_data)", "event_data", true),
      ("gin (metadata, event_data)", "event_data", true), ("gin (metadata)", "event_data", false),
      ("gin ((event_data::text) gin_trgm_ops)", text, true), ("gin (event_data)", text, false),
      ("gin (event_data) WHERE version = 1", "event_data", false), ("hash (event_data)", "event_data", false),
    ]
    try await withStore("CREATE EXTENSION pg_trgm;") { db, store in
      for (index, key, isKnown) in cases {
        try await db.psql("CREATE INDEX content ON events USING \(index)")
        let found = try await store.perform { try $0.hasIndex(onAnyOf: [key], of: $0.eventsTable()) }
        #expect(found == isKnown, "\(index)")
        try await db.psql("DROP INDEX content")
      }
    }
  }
}
