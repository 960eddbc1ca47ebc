import EventStore
import Synchronization
import TestSupport
import Testing

/// Events that an operator has readers leave out.
@Suite struct SkippingTests {
  /// Ten sound events, one that no handler takes, and five more.
  private func withBadEvent(_ body: (Shop, EventStore) async throws -> Void) async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('bad', 'Added', '{"n": "x"}', 1)
        """
      )
      try await shop.append(5)
      let store = try shop.store()
      await store.giveReason("not a number")
      try await body(shop, store)
    }
  }

  private static let rightSums = """
    SELECT count(*) FROM (SELECT aggregate_id COLLATE "default" AS id, count(*) AS events,
                                 sum((event_data->>'n')::bigint)::bigint AS total
                          FROM events WHERE position <> 11 GROUP BY 1) AS e
    FULL JOIN sums USING (id, events, total) WHERE (e.*) IS NULL OR (sums.*) IS NULL
    """

  /// The same read model, from runs of events.
  private static let inRuns = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
    -- @batch Added
    INSERT INTO sums SELECT aggregate_id, count(*), sum((event_data->>'n')::bigint) FROM events GROUP BY 1
    ON CONFLICT (id) DO UPDATE SET events = sums.events + excluded.events, total = sums.total + excluded.total;

    """

  /// The kinds of finding; a reader that has met other events than the store has would be among them.
  private func findings(_ store: EventStore) async throws -> [String] {
    let found = Mutex<[String]>([])
    let result = try await store.verifyVersions(VersionCheck()) { finding in
      found.withLock {
        $0.append("\(finding.kind.rawValue) \(finding.severity.rawValue) \(finding.position ?? 0)")
      }
    }
    #expect(result.errors == 0)
    return found.withLock(\.self)
  }

  @Test func aDeadLetterIsSettled() async throws {
    try await withBadEvent { shop, store in
      #expect(try await shop.project(sums) { $0.attempts = 0 }.deadLetters == 1)
      let result = try await store.skip(.position(11))
      #expect(result.deadLetters == 1 && !result.wasSkipped && result.event.reason == "not a number")
      #expect(try await store.skip(.id(result.event.id)).wasSkipped)
      #expect(try await store.deadLetters().isEmpty)
      #expect(try await store.deadLetters(all: true).map(\.state) == [.discarded])
      #expect(try await findings(store) == ["event_skipped info 11"])

      #expect(try await store.unskip(.id(result.event.id)) == result.event)
      #expect(try await store.skippedEvents() == [])
      #expect(try await findings(store) == [])
      let audit = try await shop.psql(
        "SELECT action, reason, detail->>'position', detail->>'dead_letters' FROM annals.audit WHERE action LIKE '%skip' ORDER BY id"
      )
      #expect(audit == "skip|not a number|11|1\nunskip|not a number|11|")
      for mistake in [EventReference.position(11), .id(result.event.id)] {
        let error = await #expect(throws: EventStoreError.self) { try await store.unskip(mistake) }
        #expect(
          error?.code == .notFound && error?.message.contains("is not skipped in public.events") == true
        )
      }
      let error = await #expect(throws: EventStoreError.self) { try await store.skip(.position(99)) }
      #expect(error?.code == .notFound)
      await store.giveReason(nil)
      await #expect(throws: EventStoreError.self) { try await store.skip(.position(11)) }
    }
  }

  @Test func readModelsAreBuiltWithoutIt() async throws {
    try await withBadEvent { shop, store in
      #expect(await shop.failure(of: sums) { $0.restarts = true } != nil)
      try await store.skip(.position(11))
      try await shop.project(sums)
      #expect(try await shop.psql(Self.rightSums) == "0")
      for (file, workers) in [(sums, 1), (sums, 3), (Self.inRuns, 1)] {
        try await shop.rebuild(file) { ($0.restarts, $0.workers, $0.chunkSize) = (true, workers, 4) }
        #expect(try await shop.psql(Self.rightSums) == "0", "\(workers)")
        #expect(try await findings(store) == ["event_skipped info 11"])
      }
      let file = try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      #expect(try await store.buildReadModel(file, from: EventQuery(), into: "aside").events == 15)
      // What has passed the event does not come back to it.
      try await store.unskip(.position(11))
      #expect(try await findings(store).isEmpty)
      #expect(await shop.failure(of: sums) { $0.restarts = true } != nil)
    }
  }

  /// It is noticed between two attempts, without a new start.
  @Test func aCatchUpThatFailsAtTheEventGoesOn() async throws {
    try await withBadEvent { shop, store in
      let other = try shop.store()
      let service = Task {
        var options = CatchUpOptions()
        (options.attempts, options.retryDelay) = (.max, .milliseconds(5))
        options.pollInterval = .milliseconds(5)
        let file = try Projection(path: "sums.sql", bytes: Array(sums.utf8))
        return try await other.project(file, options: options)
      }
      try await until { try await shop.psql("SELECT position FROM annals.generations") == "10" }
      try await store.skip(.position(11))
      try await until { try await shop.psql("SELECT position FROM annals.generations") == "16" }
      #expect(try await shop.psql(Self.rightSums) == "0")
      #expect(try await store.deadLetters(all: true).isEmpty)
      service.cancel()
      _ = await service.result
    }
  }

  @Test func replaysLeaveItOut() async throws {
    try await withBadEvent { shop, store in
      try await store.skip(.position(11))
      func positions(_ change: (inout ReplayOptions) -> Void) async throws -> [Int64] {
        var (options, positions) = (ReplayOptions(), [Int64]())
        change(&options)
        try await store.replay(EventQuery(), options) { batch in
          #expect(batch.lines.count { $0 == UInt8(ascii: "\n") } == batch.count)
          positions += batch.positions
        }
        return positions
      }
      let all = Array(Int64(1)...16)
      #expect(try await positions { _ in } == all.filter { $0 != 11 })
      #expect(try await positions { $0.includesSkipped = true } == all)
      #expect(
        try await positions { ($0.checkpoint, $0.batchSize) = ("mail", 1) } == all.filter { $0 != 11 }
      )
      #expect(try await shop.psql("SELECT position, seen_events FROM annals.checkpoints") == "16|16")
      #expect(try await findings(store) == ["event_skipped info 11"])
    }
  }
}
