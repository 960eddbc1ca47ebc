import EventStore
import LibPQ
import TestSupport
import Testing

/// The trigger that tells followers about new events.
@Suite struct NotificationTests {
  private static let triggers = """
    SELECT count(*), (SELECT count(*) FROM annals.audit WHERE action = 'init') FROM pg_trigger WHERE tgname = 'annals_notify'
    """

  @Test(arguments: [nil, 4]) func isAddedAndTakenAwayOnce(partitions: Int?) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      let notify = "Notify followers of public.events"
      let titles = try await store.initialize(partitions: partitions, notifies: true).steps.map(\.title)
      #expect(titles.first == "Create table public.events" && titles.last == notify)
      #expect(try await db.psql(Self.triggers) == "1|1")
      #expect(try await store.initialize(notifies: true).steps.isEmpty)
      #expect(try await store.initialize().steps.isEmpty)
      #expect(
        try await store.initialize(notifies: false).steps.map(\.title)
          == ["Do not notify followers of public.events"]
      )
      #expect(try await store.initialize(notifies: false).steps.isEmpty)
      #expect(try await store.initialize(notifies: true, dryRun: true).steps.map(\.title) == [notify])
      #expect(try await db.psql(Self.triggers) == "0|2")
      #expect(try await store.initialize(notifies: true).steps.map(\.title) == [notify])
      #expect(try await db.psql(Self.triggers) == "1|3")
    }
  }

  /// Once it listens it looks again only after an hour, or when it is told.
  @Test(arguments: [nil, 4]) func aFollowerIsWoken(partitions: Int?) async throws {
    try await TestCluster.withDatabase { db in
      let shop = Shop(database: db)
      let store = try shop.store()
      try await store.initialize(partitions: partitions, notifies: true)
      try await shop.append(5)
      try await shop.rebuild(sums)
      let service = Task {
        var options = CatchUpOptions()
        options.pollInterval = .seconds(3600)
        return try await store.project(store.liveProjection("sums"), options: options)
      }
      let following = try shop.store()
      let follower = Task {
        var types: Set<String> = []
        for try await event in following.events(matching: EventQuery(), following: true) {
          types.insert(event.type)
          if event.type == "Last" { break }
        }
        return types
      }
      for _ in 1...5 {
        try await shop.append(3)
        try await until { try await shop.sums() == shop.expectedSums() }
      }
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('end', 'Last', '{}', 1)"
      )
      #expect(try await follower.value == ["Added", "Last"])
      service.cancel()
      _ = await service.result
    }
  }
}
