import EventStore
import Synchronization
import TestSupport
import Testing

/// The forms of SQL for a table that Citus distributes, on PostgreSQL without Citus. They are plain SQL, and must
/// return the same as the forms for other tables. This does not show whether Citus accepts them.
@Suite struct DistributedFormsTests {
  /// Runs the same on two equal stores, one of which counts as distributed; the results must be the same.
  private func expectSame(
    _ fill: String,
    _ prepare: (EventStore) async throws -> Void = { _ in },
    damage: String = "SELECT 1",
    _ look: (TestDatabase, EventStore) async throws -> [String]
  ) async throws -> [String] {
    var said: [[String]] = []
    for isDistributed in [false, true] {
      try await TestCluster.withDatabase { db in
        let store = try EventStore(connecting: db.conninfo)
        _ = try await store.initialize()
        try await db.psql(fill)
        try await prepare(store)
        try await db.psql(damage)
        if isDistributed { try await db.psql(citusStandIn) }
        said.append(try await look(db, try EventStore(connecting: db.conninfo)))
      }
    }
    #expect(said[0] == said[1])
    return said[0]
  }

  /// What an operation yields, or the message of its error.
  private func outcome<T>(_ body: () async throws -> T) async -> String {
    do { return String(describing: try await body()) } catch { return "error: \(error)" }
  }

  /// Random streams, all of whose events have a time and an id that are known.
  private func randomEvents(_ random: inout SplitMix64, tiedPositions: Bool = false) -> (
    sql: String, ids: [String]
  ) {
    let streams = Int.random(in: 1...25, using: &random)
    let ids = (0..<streams).map { number in
      let category = ["order", "cart", "é"].randomElement(using: &random) ?? ""
      return Int.random(in: 0..<8, using: &random) == 0 ? "solo\(number)" : "\(category)-\(number)"
    }
    var versions = [Int](repeating: 0, count: streams)
    var rows: [String] = []
    var position = 0
    for number in 0..<Int.random(in: 20...400, using: &random) {
      let stream = Int.random(in: 0..<streams, using: &random)
      versions[stream] += 1
      position +=
        tiedPositions ? Int.random(in: 0...2, using: &random) / 2 : Int.random(in: 1...3, using: &random)
      let type = ["Paid", "Shipped", "Noted", "Delivered"].randomElement(using: &random) ?? ""
      let id = "00000000-0000-4000-8000-" + String(String(1_000_000_000_000 + number).suffix(12))
      rows.append(
        """
        ('\(id)', '\(ids[stream])', '\(type)', '{"amount": \(number % 50), "f\(number % 4)": [\(number)]}', \(versions[stream]),
         '2026-01-01Z'::timestamptz + \(number) * interval '1 minute', \(position))
        """
      )
    }
    let insert = """
      INSERT INTO events (id, aggregate_id, event_type, event_data, version, timestamp, position) OVERRIDING SYSTEM VALUE
      VALUES \(rows.joined(separator: ",\n"));
      SELECT setval(pg_get_serial_sequence('events', 'position'), \(position + 1));
      """
    let withoutKey = tiedPositions ? "ALTER TABLE events DROP CONSTRAINT events_position_key;" : ""
    return (withoutKey + insert, ids.filter { id in versions[ids.firstIndex(of: id) ?? 0] > 0 })
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func headsAndNames(seed: UInt64) async throws {
    var random = SplitMix64(state: seed)
    let (fill, ids) = randomEvents(&random)
    let lines = (0..<300).map { number in
      let id = number % 3 == 0 ? "new-\(number % 20)" : ids[Int.random(in: 0..<ids.count, using: &random)]
      return #"{"aggregate_id":"\#(id)","event_type":"T","event_data":{"n":\#(number)}}"#
    }
    let named = ids.shuffled(using: &random).prefix(5)
    let said = try await expectSame(fill) { db, store in
      var said: [String] = []
      said.append(await outcome { try await store.append(text: lines.joined(separator: "\n")).appendedCount })
      said.append(
        try await db.psql("SELECT aggregate_id, version, event_data FROM events ORDER BY 1, 2")
      )
      for names in [Array(named), named + ["nobody", "none"], ["solo", "none"], []] {
        var check = VersionCheck()
        check.selection = .aggregates(names)
        said.append(await outcome { try await self.findings(store, check) })
        said.append(await outcome { try await store.listSnapshots(of: .aggregates(names)) { _ in } })
      }
      for category in ["order", "é", "new", "solo1", "none"] {
        said.append(await outcome { try await store.listSnapshots(of: .category(category)) { _ in } })
        var query = EventQuery()
        query.category = category
        said.append(await outcome { try await self.lines(store, query).count })
      }
      return said
    }
    #expect(
      said[0] == "300" && said.contains { $0.contains("nobody") } && said.contains { $0.contains("none") }
    )
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func foldsOfOneStream(seed: UInt64) async throws {
    var random = SplitMix64(state: seed)
    let (fill, ids) = randomEvents(&random)
    let reducer = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
    let failing = try Reducer(
      path: "f.sql",
      bytes: Array("-- @reducer f\n-- @on Noted\nSELECT to_jsonb(1 / (event.version - 3))\n".utf8)
    )
    let times = try [Timestamp(iso8601: "2026-01-01T01:00:00Z")]
    let said = try await expectSame(fill) { _, store in
      var said: [String] = []
      for id in ids + ["nobody"] {
        for point in [.head, .version(2), .version(99)] + times.map({ PointInStream.time($0) }) {
          for reducer in [reducer, .merge, failing] {
            said.append(await outcome { try await store.state(of: id, at: point, reducer: reducer) })
            said.append(await outcome { try await store.blame(id, at: point, reducer: reducer) })
          }
        }
        said.append(
          await outcome { try await store.changes(of: id, from: .version(1), to: .head, reducer: reducer) }
        )
      }
      return said
    }
    #expect(said.contains { $0.contains("payments") } && said.contains { $0.contains("division by zero") })
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func readersAndTypes(seed: UInt64) async throws {
    var random = SplitMix64(state: seed)
    let (fill, _) = randomEvents(&random)
    let checkpoints = (0..<6).map {
      "('c\($0)', 'public.events', '', \(Int.random(in: 0...900, using: &random)))"
    }
    let readers =
      "INSERT INTO annals.checkpoints (name, store, filter, position) VALUES \(checkpoints.joined(separator: ", "));"
    let said = try await expectSame(fill + readers) { _, store in
      var said: [String] = []
      var limits = StoreHealth.Limits()
      for lag in [0, 200_000] as [Int64] {
        limits.lagEvents = lag
        said.append(
          await outcome {
            let health = try await store.health(limits)
            return health.readers.map { reader in
              // Against the longest one: the two stores are looked at one after the other.
              let minutes = Int(((health.lagSeconds - reader.lagSeconds) / 60).rounded())
              return [reader.name, "\(reader.lagEvents)", reader.lagSeconds > 0 ? "\(minutes)" : "none"]
            }
          }
        )
      }
      said.append(await outcome { try await store.health().head })
      for category in [nil, "order", "none"] {
        said.append(await outcome { try await store.eventTypes(category: category, sample: nil) })
      }
      return said
    }
    #expect(said[0].contains("c5") && said.contains { $0.contains("Delivered") })
  }

  /// Positions that several events have: a page must not end between them.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func pages(seed: UInt64) async throws {
    var random = SplitMix64(state: seed)
    let (fill, _) = randomEvents(&random, tiedPositions: true)
    var queries: [EventQuery] = []
    for reversed in [false, true] {
      for (limit, last) in [(nil, nil), (7, nil), (nil, 9), (150, nil), (0, nil)] as [(Int?, Int?)] {
        var query = EventQuery()
        (query.reversed, query.limit, query.last) = (reversed, limit, last)
        query.afterPosition = Bool.random(using: &random) ? Int64.random(in: 0...40, using: &random) : nil
        query.types = Bool.random(using: &random) ? ["Paid", "Noted"] : []
        queries.append(query)
      }
    }
    let all = queries
    let said = try await expectSame(fill) { _, store in
      var said: [String] = []
      // Events of one position come in any order; with a limit between them, any of them.
      for query in all {
        said.append(await outcome { try await self.lines(store, query).map { $0.prefix { $0 != "," } } })
      }
      return said
    }
    #expect(said.contains { $0.utf8.count > 1000 })
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>) func findingsOfOtherKinds(seed: UInt64) async throws {
    var random = SplitMix64(state: seed)
    let (fill, ids) = randomEvents(&random)
    let damage = """
      ALTER TABLE events DROP CONSTRAINT events_position_key; ALTER TABLE events DROP CONSTRAINT events_pkey;
      ALTER TABLE events ALTER COLUMN id DROP NOT NULL;
      DELETE FROM events WHERE aggregate_id = '\(ids[0])' AND version > 1;
      UPDATE events SET id = NULL WHERE version = 2;
      UPDATE events SET id = ('00000000-0000-4000-8000-00000000000' || version % 3)::uuid WHERE version IN (3, 4, 5);
      INSERT INTO events (id, aggregate_id, event_type, event_data, version, timestamp, position) OVERRIDING SYSTEM VALUE
      SELECT id, 'copy-' || aggregate_id, event_type, event_data, version, timestamp, position FROM events WHERE version = 1;
      """
    let prepare: (EventStore) async throws -> Void = { try await $0.takeSnapshots(of: .all) }
    let said = try await expectSame(fill, prepare, damage: damage) { _, store in
      var said: [String] = []
      for selection in [.all, .category("copy"), .aggregates([ids[0]])] as [AggregateSelection] {
        var check = VersionCheck()
        check.selection = selection
        said.append(await outcome { try await self.findings(store, check) })
      }
      return said
    }
    #expect(
      ["duplicate_id", "duplicate_position", "no id in"].allSatisfy { said[0].contains($0) },
      "\(said[0])"
    )
  }

  private func findings(_ store: EventStore, _ check: VersionCheck) async throws -> [String] {
    var check = check
    // That is where the two stores differ.
    check.kinds.remove(.positionsNotFinal)
    let found = Mutex<[String]>([])
    let result = try await store.verifyVersions(check) { finding in
      found.withLock { $0.append("\(finding.kind.rawValue) \(finding)") }
    }
    return found.withLock { $0 } + ["\(result.events) \(result.aggregates) \(result.errors)"]
  }

  private func lines(_ store: EventStore, _ query: EventQuery) async throws -> [String] {
    let bytes = Mutex<[UInt8]>([])
    _ = try await store.writeNDJSON(query) { more in bytes.withLock { $0 += more } }
    return String(decoding: bytes.withLock { $0 }, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
