import EventStore
import TestSupport
import Testing

/// Several projections that are built in one pass over history.
@Suite struct SeveralRebuildsTests {
  /// Notes at each event how far the other build is, by the checkpoints that are committed.
  private static func watcher(_ name: String, of other: String) -> String {
    """
    -- @projection \(name)
    -- @parallel aggregate
    -- @create
    CREATE TABLE \(name) (position bigint PRIMARY KEY, other bigint);
    -- @on Added
    INSERT INTO \(name) SELECT event.position, coalesce(
      (SELECT position FROM annals.shards
       WHERE projection = '\(other)' AND number = (hashtext(event.aggregate_id) & 2147483647) % 2),
      (SELECT position FROM annals.generations WHERE projection = '\(other)' AND state = 'building'));

    """
  }

  private static let alpha = watcher("alpha", of: "beta")
  private static let beta = watcher("beta", of: "alpha")

  /// The furthest that the two were apart, in positions.
  private static let distance = """
    SELECT max(greatest(abs(a.position - a.other), abs(b.position - b.other)))
    FROM alpha a FULL JOIN beta b USING (position)
    """

  @Test(arguments: [1, 2])
  func theyGoThroughHistoryTogether(workers: Int) async throws {
    try await Shop.open(events: 400) { shop in
      let results = try await shop.rebuild([Self.alpha, Self.beta, sums]) {
        $0.chunkSize = 20
        $0.workers = workers
      }
      let outcomes = try results.map { try $0.get() }
      #expect(outcomes.map(\.projection) == ["alpha", "beta", "sums"])
      #expect(outcomes.allSatisfy { $0.ending == .live && $0.events == 400 && $0.position == 400 })
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.psql(Self.distance) == "20")
    }
  }

  @Test func theOneFurthestBehindGoesFirst() async throws {
    try await Shop.open(events: 200) { shop in
      try await shop.rebuild(Self.alpha) {
        $0.lastPosition = 100
        $0.swaps = false
      }
      let results = try await shop.rebuild([Self.alpha, Self.beta]) { $0.chunkSize = 10 }
      #expect(try results.map { try $0.get().isResumed } == [true, false])
      // While the second caught up, the first stood still.
      let waiting = "SELECT count(*), min(other), max(other) FROM beta WHERE position <= 100"
      #expect(try await shop.psql(waiting) == "100||")
      #expect(try await shop.psql("SELECT min(other) >= 100 FROM alpha WHERE position > 100") == "t")
    }
  }

  @Test(arguments: [1, 2])
  func oneThatFailsStopsAlone(workers: Int) async throws {
    try await Shop.open(events: 100) { shop in
      let poisoned = Self.alpha + "SELECT 1 / (50 - event.position);\n"
      let run = {
        try await shop.rebuild([poisoned, sums]) {
          $0.chunkSize = 10
          $0.workers = workers
        }
      }
      let results = try await run()
      guard case .failure(let error) = results[0] else { return #expect(Bool(false), "it went through") }
      #expect(error.message.contains("the handler failed for the event at position 50"))
      #expect(error.sqlState == "22012")
      #expect(try results[1].get().ending == .live)
      #expect(try await shop.sums() == shop.expectedSums())
      let stopped = "SELECT state, error->>'sqlstate' FROM annals.generations WHERE projection = 'alpha'"
      #expect(try await shop.psql(stopped) == "building|22012")
      try await shop.psql("DELETE FROM events WHERE position = 50")
      let again = try await run()
      #expect(try again[0].get().isResumed && again[0].get().ending == .live)
      #expect(try await shop.psql("SELECT count(*) FROM alpha") == "99")
    }
  }

  @Test func theTimeLimitIsOfAll() async throws {
    try await Shop.open(events: 30) { shop in
      let results = try await shop.rebuild([Self.alpha, sums]) { $0.timeLimit = .zero }
      #expect(try results.map { try $0.get().ending } == [.outOfTime, .outOfTime])
      let finished = try await shop.rebuild([Self.alpha, sums])
      #expect(try finished.map { try $0.get().isResumed } == [true, true])
    }
  }

  @Test func whatStopsOneBeforeTheFirstEventStopsAll() async throws {
    try await Shop.open(events: 3) { shop in
      let error = await #expect(throws: EventStoreError.self) { try await shop.rebuild([sums, sums]) }
      #expect(error?.message == "0.sql and 1.sql are both projection sums")
      try await shop.psql("CREATE VIEW alpha AS SELECT 1")
      let clash = await #expect(throws: EventStoreError.self) { try await shop.rebuild([sums, Self.alpha]) }
      #expect(clash?.message == "schema public already has view alpha")
      #expect(try await shop.psql("SELECT to_regclass('sums') IS NULL") == "t")
      let locks = """
        SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND d.datname = current_database()
        """
      #expect(try await shop.psql(locks) == "0")
    }
  }
}
