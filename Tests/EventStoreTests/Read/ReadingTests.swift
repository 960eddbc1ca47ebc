import EventStore
import Synchronization
import TestSupport
import Testing

@Suite struct ReadingTests {
  /// Payloads from 1 byte to some kilobytes, so that pages have many sizes.
  static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT (ARRAY['order-', 'order', 'orders-', 'cart-'])[n % 4 + 1] || n % 40, 'T' || n % 3,
           to_jsonb(repeat('x', n % 17 * n % 1999)), (n - 1) / 40 + 1,
           '2026-01-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, 5000) n;
    """

  @Test(arguments: ["position", "version"], [false, true])
  func allOfItOnceInOrder(order: String, reversed: Bool) async throws {
    try await withStore { db, store in
      var query = EventQuery()
      query.order = order == "position" ? .position : .version
      query.reversed = reversed
      var found: [String] = []
      for try await event in store.events(matching: query) { found.append(event.id.description) }
      let direction = reversed ? "DESC" : "ASC"
      let columns = order == "position" ? ["position"] : ["aggregate_id", "version"]
      let ordering = columns.map { "\($0) \(direction)" }.joined(separator: ", ")
      let expected = try await db.rows("SELECT id FROM events ORDER BY \(ordering)")
      #expect(found == expected)
      #expect(found.count == 5000)
    }
  }

  /// Each filter beside the condition in SQL that it stands for.
  static let filters: [(String, @Sendable (inout EventQuery) -> Void)] = [
    ("event_type = 'T1'", { $0.types = ["T1"] }),
    ("event_type IN ('T0', 'T2') AND position > 30", { ($0.types, $0.fromPosition) = (["T0", "T2"], 31) }),
    ("split_part(aggregate_id, '-', 1) = 'order'", { $0.category = "order" }),
    ("aggregate_id = 'order-4'", { $0.aggregateID = "order-4" }),
    (
      "aggregate_id = 'order-4' AND version BETWEEN 3 AND 100 AND event_type IN ('T0', 'T1')",
      {
        $0 = EventQuery(aggregateID: "order-4")
        ($0.fromVersion, $0.toVersion, $0.types) = (3, 100, ["T0", "T1"])
      }
    ),
    ("position BETWEEN 100 AND 4000", { ($0.fromPosition, $0.toPosition) = (100, 4000) }),
    (
      "timestamp >= '2026-01-03T00:00:00Z' AND timestamp <= '2026-01-03T10:00:00Z'",
      {
        $0.since = try? Timestamp(iso8601: "2026-01-03T00:00:00Z")
        $0.until = try? Timestamp(iso8601: "2026-01-03T10:00:00Z")
      }
    ),
    ("position <= 777", { $0.limit = 777 }),
    ("false", { $0.limit = 0 }),
    ("false", { $0.fromPosition = 5001 }),
  ]

  @Test(arguments: filters.indices)
  func filtersMeanWhatTheySay(index: Int) async throws {
    let (condition, set) = ReadingTests.filters[index]
    try await withStore { db, store in
      var query = EventQuery()
      set(&query)
      var found: [String] = []
      for try await event in store.events(matching: query) { found.append(String(event.position ?? 0)) }
      let expected = try await db.rows("SELECT position FROM events WHERE \(condition) ORDER BY position")
      #expect(found == expected)
      #expect(expected.isEmpty == (condition == "false"))
    }
  }

  @Test func aClassicTableIsReadByAggregate() async throws {
    try await withStore { db, store in
      try await db.psql("ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata")
      try await db.psql("ALTER TABLE events ALTER timestamp TYPE timestamp")
      var found: [String] = []
      for try await event in store.events(matching: EventQuery()) {
        #expect(event.position == nil && event.metadata == nil)
        found.append("\(event.aggregateID)|\(event.version)|\(event.timestamp)")
      }
      let columns = #"aggregate_id, version, to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#
      let expected = try await db.rows("SELECT \(columns) FROM events ORDER BY 1, 2")
      #expect(found == expected)
      var query = EventQuery()
      query.fromPosition = 1
      await #expect { for try await _ in store.events(matching: query) {} } throws: {
        ($0 as? EventStoreError)?.code == .invalidDefinition
      }
    }
  }

  /// Long enough for two connections at a time, with a hole that ends that, and a role that may have only one.
  @Test(arguments: [-1, 1]) func aLongHistoryComesOnceInOrder(connectionLimit: Int) async throws {
    try await withStore { db, store in
      let role = "reader_\(db.name)"
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
        SELECT 'long-' || n % 7, 't', to_jsonb(n), n, 10000 + n + n / 50000 * 10000000000
        FROM generate_series(1, 60000) n;
        CREATE ROLE \(role) LOGIN CONNECTION LIMIT \(connectionLimit);
        GRANT SELECT ON events TO \(role)
        """
      )
      let reader = try EventStore(connecting: db.conninfo + " user=\(role)")
      for range in ["true", "position BETWEEN 4000 AND 69000"] {
        var query = EventQuery()
        if range != "true" { (query.fromPosition, query.toPosition) = (4000, 69000) }
        let found = Mutex<[Int64]>([])
        let summary = try await reader.writeNDJSON(query) { lines in
          found.withLock { $0 += lines.split(separator: UInt8(ascii: "\n")).map(Self.position(ofLine:)) }
        }
        let expected = try await db.rows("SELECT position FROM events WHERE \(range) ORDER BY 1").map {
          Int64($0)
        }
        #expect(found.withLock { $0 } == expected)
        #expect(summary.count == expected.count)
        #expect(summary.lastPosition == expected.last)
      }
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  /// Three events at each place, and pages whose ends fall between them.
  static let ties = """
    ALTER TABLE events DROP CONSTRAINT events_position_key, DROP CONSTRAINT events_aggregate_id_version_key;
    INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
    SELECT aggregate_id, event_type, event_data, version, position FROM events, generate_series(1, 2);
    """

  @Test(arguments: ["position", "version"], [false, true])
  func eventsAtOnePlaceAreNotLeftOut(order: String, reversed: Bool) async throws {
    try await withStore { db, store in
      try await db.psql(Self.ties)
      var query = EventQuery()
      query.order = order == "position" ? .position : .version
      query.reversed = reversed
      var found: [String] = []
      for try await event in store.events(matching: query) { found.append(event.id.description) }
      #expect(Set(found).count == 15_000)
      #expect(found.count == 15_000)
      for limit in [1, 128, 129, 130, 700] {
        query.limit = limit
        var limited: [String] = []
        for try await event in store.events(matching: query) { limited.append(event.id.description) }
        #expect(Set(limited).count == limit && limited.count == limit)
        let places = try await db.rows(
          "SELECT count(*) FROM events WHERE id = ANY ('{\(limited.joined(separator: ","))}') GROUP BY aggregate_id, version"
        )
        // Whole places, but for the last.
        #expect(places.filter { $0 != "3" }.count <= 1)
      }
    }
  }

  @Test(arguments: ["", "order-4"], [1, 2, 3, 4, 130, 200])
  func theLastOnesAreAsManyAsAskedFor(aggregateID: String, last: Int) async throws {
    try await withStore { db, store in
      try await db.psql(Self.ties)
      var query = aggregateID.isEmpty ? EventQuery() : EventQuery(aggregateID: aggregateID)
      var places: [String: [String]] = [:]
      for reversed in [false, true] {
        (query.last, query.reversed) = (last, reversed)
        var found: [Event] = []
        for try await event in store.events(matching: query) { found.append(event) }
        #expect(found.count == last && Set(found.map(\.id)).count == last)
        places["\(reversed)"] = found.map { "\($0.aggregateID) \($0.version)" }
      }
      #expect(places["false"] == places["true"]?.reversed())
      let condition = aggregateID.isEmpty ? "true" : "aggregate_id = '\(aggregateID)'"
      let expected = try await db.rows(
        "SELECT aggregate_id || ' ' || version FROM events WHERE \(condition) ORDER BY position DESC LIMIT \(last)"
      )
      #expect(places["true"] == expected)
    }
  }

  /// A checkpoint lies between positions: what comes next begins behind it.
  @Test func aCheckpointKeepsTheEventsOfAPositionTogether() async throws {
    try await withStore { db, store in
      try await db.psql(Self.ties + "DELETE FROM events WHERE position > 200")
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", 2)
      var query = EventQuery()
      query.limit = 100
      var counts: [Int] = []
      var positions: [Int64] = []
      repeat {
        let before = positions.count
        _ = try await store.replay(query, options) { positions += $0.positions }
        counts.append(positions.count - before)
      } while counts.last != 0
      #expect(positions == (1...200).flatMap { [$0, $0, $0] })
      #expect(counts == [102, 102, 102, 102, 102, 90, 0])
    }
  }

  private static func position(ofLine line: ArraySlice<UInt8>) -> Int64 {
    let digits = line.dropFirst(#"{"position":"#.utf8.count).prefix { $0 != UInt8(ascii: ",") }
    return Int64(String(decoding: digits, as: UTF8.self)) ?? 0
  }

  @Test(arguments: ["type", "aggregate", "category"])
  func whatTheStoreDoesNotHaveIsNotFound(what: String) async throws {
    try await withStore { _, store in
      var query = EventQuery()
      switch what {
      case "type": query.types = ["T0", "T"]
      case "aggregate": query.aggregateID = "order"
      default: query.category = "ord_r"
      }
      await #expect { try await store.writeNDJSON(query) { _ in } } throws: {
        ($0 as? EventStoreError)?.code == .notFound
      }
    }
  }

  /// The connection can be used again after the reader of a page has failed.
  @Test func aFailedWriterLeavesTheStoreUsable() async throws {
    struct Full: Error {}
    try await withStore { _, store in
      await #expect(throws: Full.self) { try await store.writeNDJSON(EventQuery()) { _ in throw Full() } }
      let summary = try await store.writeNDJSON(EventQuery()) { _ in }
      #expect(summary.count == 5000)
    }
  }

  @Test(arguments: [
    ("2026-11-23", "'2026-11-23T00:00:00Z'"), ("yesterday", "date_trunc('day', now()) - interval '1 day'"),
    ("2026-11-23T10:00:00+02:00", "'2026-11-23T08:00:00Z'"), ("2 hours ago", "now() - interval '2 hours'"),
  ])
  func timesOfPeople(text: String, sql: String) async throws {
    try await withStore { db, store in
      let time = try await store.time(text)
      #expect(try await store.times(text).lowerBound == time || text.contains("ago"))
      let distance = try await db.psql("SELECT extract(epoch FROM '\(time)'::timestamptz - (\(sql)))::int")
      // A day or an hour off would be an error; the seconds that a busy machine takes are not.
      #expect(abs(Int(distance) ?? .max) < 600)
      await #expect { try await store.time(text + " noon?") } throws: {
        ($0 as? EventStoreError)?.code == .invalidInput
      }
    }
  }

  /// A day, week, month or year is all of it; whatever has a time of day, or is one, is a moment.
  @Test(arguments: [
    ("2017-01-31", "2017-01-31T00:00:00Z", "2017-01-31T23:59:59.999999Z"),
    ("20170131", "2017-01-31T00:00:00Z", "2017-01-31T23:59:59.999999Z"),
    ("31 Jan 2017", "2017-01-31T00:00:00Z", "2017-01-31T23:59:59.999999Z"),
    ("2017-01-31+02", "2017-01-30T22:00:00Z", "2017-01-31T21:59:59.999999Z"),
    ("2016-02", "2016-02-01T00:00:00Z", "2016-02-29T23:59:59.999999Z"),
    ("2017", "2017-01-01T00:00:00Z", "2017-12-31T23:59:59.999999Z"),
    ("2020-W53", "2020-12-28T00:00:00Z", "2021-01-03T23:59:59.999999Z"),
    ("2017-01-31 00:00", "2017-01-31T00:00:00Z", "2017-01-31T00:00:00Z"),
    ("20170131T1000", "2017-01-31T10:00:00Z", "2017-01-31T10:00:00Z"),
    ("epoch", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("infinity", "infinity", "infinity"),
  ])
  func aDateIsAllOfIt(text: String, first: String, last: String) async throws {
    try await withStore { _, store in
      let times = try await store.times(text)
      #expect(times.lowerBound.description == first)
      #expect(times.upperBound.description == last)
    }
  }

  @Test(arguments: ["2017-13", "2017-W54", "2019-W53", "0000", "2017-02-29", "201701", "", "2017-1"])
  func noSuchDate(text: String) async throws {
    try await withStore { _, store in
      await #expect { try await store.times(text) } throws: {
        ($0 as? EventStoreError)?.message == "'\(text)' is not a time"
      }
    }
  }

  private func withStore(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      try await db.psql(ReadingTests.fill + "ANALYZE events")
      try await body(db, store)
    }
  }
}

extension TestDatabase {
  func rows(_ sql: String) async throws -> [String] {
    try await psql(sql).split(separator: "\n").map(String.init)
  }
}
