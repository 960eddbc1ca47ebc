import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

/// Long work continues after its connection is lost, as long as it makes progress.
@Suite struct ReconnectingTests {
  /// Decides about COMMITs: the first few are lost, each in another way.
  private final class CommitLoss: Sendable {
    private let seen = Atomic(0)
    private let losses: Int

    init(losses: Int) { self.losses = losses }

    var count: Int { seen.load(ordering: .relaxed) }

    func decide(_ message: ServerProxy.Message) -> ServerProxy.Action {
      guard message.query == "COMMIT" else { return .pass }
      let number = seen.add(1, ordering: .relaxed).oldValue
      // Every second one, or nothing would ever be committed.
      guard number % 2 == 0, number / 2 < losses else { return .pass }
      return [.cut(.before), .cut(.after), .cut(.after, .client), .cut(.within)][number / 2 % 4]
    }
  }

  private final class Positions: Sendable {
    private let positions = Mutex<[Int64]>([])
    var all: [Int64] { positions.withLock(\.self) }
    func add(_ batch: EventBatch) { positions.withLock { $0 += batch.positions } }
  }

  private func withProxy<R>(
    _ shop: Shop,
    losses: Int,
    _ body: (EventStore) async throws -> R
  ) async throws -> R {
    let loss = CommitLoss(losses: losses)
    let proxy = try ServerProxy(to: shop.database) { loss.decide($0) }
    defer { proxy.stop() }
    let result = try await body(try EventStore(connecting: proxy.database.conninfo))
    #expect(loss.count >= 2 * losses - 1, "fewer commits than were to be lost")
    return result
  }

  @Test(arguments: [1, 2]) func aRebuildGoesOn(workers: Int) async throws {
    try await Shop.open(events: 200) { shop in
      let outcome = try await withProxy(shop, losses: 4) { store in
        var options = RebuildOptions()
        (options.chunkSize, options.workers, options.restarts) = (20, workers, true)
        return try await store.rebuildProjection(
          try Projection(path: "sums.sql", bytes: Array(sums.utf8)),
          options: options
        )
      }
      #expect(outcome.ending == .live && outcome.generation == 1)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.psql("SELECT count(*) FROM annals.generations") == "1")
    }
  }

  @Test func aCatchUpGoesOn() async throws {
    try await Shop.open(events: 50) { shop in
      try await shop.rebuild(sums)
      try await shop.append(100)
      let result = try await withProxy(shop, losses: 4) { store in
        var options = CatchUpOptions()
        (options.once, options.chunkSize) = (true, 10)
        return try await store.project(
          try Projection(path: "sums.sql", bytes: Array(sums.utf8)),
          options: options
        )
      }
      #expect(result.position == 150)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// The swap is committed, but the answer is lost: it must not build again.
  @Test func aSwapWithoutAnAnswerIsFound() async throws {
    try await Shop.open(events: 50) { shop in
      let swaps = Atomic(0)
      let proxy = try ServerProxy(to: shop.database) { message in
        if String(decoding: message.body, as: UTF8.self).contains("SET state = 'live'") {
          swaps.add(1, ordering: .relaxed)
        }
        guard message.query == "COMMIT", swaps.load(ordering: .relaxed) == 1 else { return .pass }
        swaps.add(1, ordering: .relaxed)
        return .cut(.after, .client)
      }
      defer { proxy.stop() }
      let store = try EventStore(connecting: proxy.database.conninfo)
      let outcome = try await store.rebuildProjection(
        try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      )
      #expect(swaps.load(ordering: .relaxed) == 2)
      #expect(outcome.ending == .live && outcome.generation == 1)
      #expect(try await shop.psql("SELECT string_agg(state, ',') FROM annals.generations") == "live")
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// If a handler ends the server's process each time, the rebuild gives up after a while.
  @Test func aRebuildThatComesNoFurtherEnds() async throws {
    try await Shop.open(events: 20) { shop in
      let fatal = sums + "SELECT pg_terminate_backend(pg_backend_pid()) WHERE event.position = 8;\n"
      let error = await #expect(throws: EventStoreError.self) {
        try await shop.rebuild(fatal) {
          $0.chunkSize = 5
          $0.retryTimeout = .seconds(1)
        }
      }
      #expect(error?.code == .connectionLost)
      let position = try await shop.psql("SELECT position FROM annals.generations")
      #expect(position == "5")
    }
  }

  @Test func aCopyOfTheStoreGoesOn() async throws {
    try await Shop.open(events: 100) { shop in
      let rules = """
        -- @upcaster doubled
        -- @event Added
        -- @when NOT event.event_data ? 'twice'
        -- @data
        SELECT event.event_data || jsonb_build_object('twice', 2 * (event.event_data->>'n')::int);
        """
      let copy = try #require(QualifiedName("public.copied"))
      let plan = try await shop.store().planEvolution(try Upcasters([("doubled.sql", Array(rules.utf8))]))
      let outcome = try await withProxy(shop, losses: 4) {
        try await $0.applyEvolution(plan, into: copy, chunkSize: 10)
      }
      #expect(outcome.events == 100)
      #expect(
        try await shop.psql("SELECT count(*), count(DISTINCT id), min(event_data->>'twice') FROM copied")
          == "100|100|0"
      )
    }
  }

  @Test func snapshotsAreTakenOn() async throws {
    try await Shop.open(events: 100) { shop in
      try await withProxy(shop, losses: 1) { _ = try await $0.takeSnapshots(of: .all) }
      #expect(try await shop.psql("SELECT count(*), sum(version) FROM annals.snapshots") == "10|100")
    }
  }

  /// A following replay passes every event on once, and takes its lock again on the new connection.
  @Test func aFollowingReplayGoesOn() async throws {
    try await Shop.open(events: 30) { shop in
      let proxy = try ServerProxy(to: shop.database)
      defer { proxy.stop() }
      let store = try EventStore(connecting: proxy.database.conninfo)
      let passed = Positions()
      let task = Task {
        var options = ReplayOptions()
        (options.isFollowing, options.checkpoint, options.batchSize) = (true, "mail", 7)
        try await store.replay(EventQuery(), options) { batch in
          passed.add(batch)
        }
      }
      func wait(for count: Int) async throws {
        try await until { passed.all.count >= count }
      }
      try await wait(for: 14)
      for round in 1...3 {
        proxy.cut()
        try await shop.append(30)
        try await wait(for: 30 + 30 * round)
      }
      #expect(passed.all == Array(1...120))
      try await until { try await shop.psql("SELECT position FROM annals.checkpoints") == "120" }
      let error = await #expect(throws: EventStoreError.self) {
        var options = ReplayOptions()
        options.checkpoint = "mail"
        try await shop.store().replay(EventQuery(), options) { _ in }
      }
      #expect(error?.code == .locked)
      task.cancel()
      _ = try? await task.value
    }
  }

  /// The checkpoint has moved, but the answer is lost.
  @Test func aCheckpointThatMovedWithoutAnAnswerIsFound() async throws {
    try await Shop.open(events: 30) { shop in
      let moves = Atomic(0)
      let proxy = try ServerProxy(to: shop.database) { message in
        let text = String(decoding: message.body, as: UTF8.self)
        guard message.direction == .toClient, message.type == UInt8(ascii: "C"), text.hasPrefix("UPDATE 1"),
          moves.add(1, ordering: .relaxed).oldValue == 0
        else { return .pass }
        return .cut(.before)
      }
      defer { proxy.stop() }
      let store = try EventStore(connecting: proxy.database.conninfo)
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", 10)
      let passed = Positions()
      try await store.replay(EventQuery(), options) { batch in passed.add(batch) }
      #expect(passed.all == Array(1...30))
      #expect(try await shop.psql("SELECT position FROM annals.checkpoints") == "30")
      #expect(moves.load(ordering: .relaxed) > 1)
    }
  }

  @Test func afterTheTimeoutTheLossIsAnError() async throws {
    try await Shop.open(events: 30) { shop in
      let proxy = try ServerProxy(to: shop.database)
      let store = try EventStore(connecting: proxy.database.conninfo)
      var options = ReplayOptions()
      (options.batchSize, options.retryTimeout) = (10, .milliseconds(500))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { _ in proxy.stop() }
      }
      #expect([.connectionLost, .cannotConnect].contains(error?.code))
    }
  }

  @Test func aStatementTimeoutOfTheRoleGetsAHint() async throws {
    try await Shop.open { shop in
      try await shop.psql("ALTER DATABASE \(shop.database.name) SET statement_timeout = '200ms'")
      let holder = try Connection(
        ConnectionParameters(database: shop.database.conninfo),
        canceller: Canceller()
      )
      try holder.execute("BEGIN; LOCK TABLE events")
      let error = await #expect(throws: EventStoreError.self) {
        try await shop.store().replay(EventQuery()) { _ in }
      }
      #expect(error?.sqlState == "57014")
      #expect(error?.hint?.description.contains("statement_timeout") == true)
    }
  }

  /// With this SQLSTATE a standby cancels a statement that conflicts with replay.
  @Test func whatYieldsOnAStandbyGetsAHint() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.psql(
        """
        CREATE FUNCTION conflict() RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '40001'; END $$
        """
      )
      let layout = """
        -- @layout conflicting
        -- @table public.events
        SELECT id, aggregate_id, event_type, event_data, version, timestamp, metadata, position FROM public.events
        WHERE public.conflict()
        """
      let store = try EventStore(
        connecting: shop.database.conninfo,
        layout: Layout(path: "conflicting.sql", bytes: Array(layout.utf8))
      )
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery()) { _ in }
      }
      #expect(error?.code == .failed && error?.sqlState == "40001", "\(String(describing: error))")
      #expect(error?.hint?.description.contains("max_standby_streaming_delay") == true)
    }
  }
}
