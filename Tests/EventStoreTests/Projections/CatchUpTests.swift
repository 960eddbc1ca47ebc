import EventStore
import FoundationEssentials
import LibPQ
import TestSupport
import Testing

@Suite struct CatchUpTests {
  @Test func appliesWhatCameSince() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.append(25)
      let outcome = try await shop.project(sums) { $0.chunkSize = 7 }
      #expect(outcome.events == 25 && outcome.position == 55 && outcome.deadLetters == 0)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.project(sums).events == 0)
    }
  }

  /// A run from cron must end, also if the server stops at every attempt.
  @Test func anEventThatEndsEverySessionEndsTheRun() async throws {
    try await Shop.open(events: 5) { shop in
      let ending = sums + "SELECT pg_terminate_backend(pg_backend_pid()) WHERE event.position = 8;\n"
      try await shop.rebuild(ending)
      try await shop.append(5)
      let error = await #expect(throws: EventStoreError.self) {
        try await shop.project(ending) { $0.chunkSize = 1 }
      }
      #expect(error?.code == .connectionLost)
      #expect(try await shop.psql("SELECT position FROM annals.generations") == "7")
    }
  }

  @Test func aChunkMayBeLargerThanAllPositions() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums) { $0.lastPosition = 2 }
      #expect(try await shop.project(sums) { $0.chunkSize = .max }.events == 3)
      #expect(try await shop.rebuild(sums) { $0.chunkSize = .max }.position == 5)
    }
  }

  /// Settings that a role or database has for applications.
  @Test func settingsOfTheDatabaseAreNoObstacle() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.psql(
        [
          "statement_timeout = 100", "idle_in_transaction_session_timeout = 100",
          "quote_all_identifiers = on",
          "standard_conforming_strings = off", "search_path = nowhere, public", "DateStyle = 'SQL, DMY'",
          "default_transaction_isolation = serializable", "bytea_output = escape", "client_encoding = LATIN1",
        ].map { "ALTER DATABASE \(shop.database.name) SET \($0);" }.joined()
      )
      let slow = sums + "SELECT pg_sleep(0.3) WHERE event.position % 5 = 0;\n"
      try await shop.rebuild(slow)
      try await shop.append(5)
      #expect(try await shop.project(slow).events == 5)
      #expect(try await shop.psql("SELECT sum(events) FROM public.sums") == "10")
    }
  }

  @Test func stopsBeforeAnOpenWriter() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      let writer = try Connection(
        ConnectionParameters(database: shop.database.conninfo),
        canceller: Canceller()
      )
      let insert =
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('w', 'Added', '{\"n\": 1}', 1)"
      try writer.execute("BEGIN; \(insert)")
      try await shop.append(5)
      let task = Task { try await shop.project(sums) }
      try await Task.sleep(for: .milliseconds(300))
      #expect(try await shop.psql("SELECT position FROM annals.generations") == "5")
      try writer.execute("COMMIT")
      #expect(try await task.value.events == 6)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func refusesWhatItDidNotBuild() async throws {
    try await Shop.open(events: 5) { shop in
      var error = await #expect(throws: EventStoreError.self) { try await shop.project(sums) }
      #expect(error?.code == .notFound)
      try await shop.rebuild(sums)
      error = await #expect(throws: EventStoreError.self) { try await shop.project(sums + "-- other\n") }
      #expect(error?.code == .invalidDefinition)
      #expect(error?.hint == "Rebuild with it: \(.rebuild(path: "sums.sql")).")
      let status = try #require(try await shop.store().projections().first)
      #expect(status.state == .stale)
      try await shop.append(1)
      try await shop.project(sums)
      #expect(try await shop.store().projections().first?.state == .live)
    }
  }

  /// A service that has only the name survives a rebuild with another file.
  @Test func goesOnWithAnotherGeneration() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      let store = try shop.store()
      let service = Task {
        var options = CatchUpOptions()
        (options.followsGenerations, options.pollInterval) = (true, .milliseconds(5))
        return try await store.project(store.liveProjection("sums"), options: options)
      }
      for file in ["-- another\n", "-- a third\n"] {
        try await shop.append(5)
        try await until { try await shop.sums() == shop.expectedSums() }
        try await shop.rebuild(sums + file)
      }
      try await shop.append(5)
      try await until { try await shop.sums() == shop.expectedSums() }
      #expect(try await shop.store().projections().first?.state == .live)
      service.cancel()
      await #expect(throws: CancellationError.self) { _ = try await service.value }
    }
  }

  /// `@on` meets a bad event alone; `@batch` has to search for it in its run.
  @Test(arguments: ["on", "batch"], [3, 64])
  func parksPoisonEventsAndGoesOn(mode: String, chunk: Int64) async throws {
    let file = """
      -- @projection sums
      -- @create
      CREATE TABLE sums (position bigint PRIMARY KEY, n bigint);
      -- @\(mode) Added
      INSERT INTO sums \(mode == "on" ? "VALUES (event.position, (event.event_data->>'n')::bigint)"
        : "SELECT position, (event_data->>'n')::bigint FROM events");
      """
    try await Shop.open { shop in
      try await shop.rebuild(file)
      try await shop.append(100)
      try await shop.psql(
        "UPDATE events SET event_data = '{\"n\": \"bad\"}' WHERE position IN (1, 50, 51, 100)"
      )
      let outcome = try await shop.project(file) { $0.chunkSize = chunk }
      #expect(outcome.deadLetters == 4 && outcome.position == 100 && outcome.events == 96)
      #expect(try await shop.psql("SELECT count(*) FROM sums") == "96")
      let letters = try await shop.store().deadLetters()
      #expect(letters.map(\.position) == [1, 50, 51, 100])
      #expect(letters[1].aggregateID == "a-9" && letters[1].version == 5 && letters[1].eventType == "Added")
      #expect(letters[1].sqlState == "22P02" && letters[1].attempts == 4)
      #expect(letters[1].message == "invalid input syntax for type bigint: \"bad\"")

      let mended = file.replacing("(event", with: "(0 || event").replacing(
        "(0 || event.position",
        with: "(event.position"
      )
      #expect(mended != file)
      let retried = try await shop.store().retryDeadLetters(of: "sums", at: [50])
      #expect(retried.applied == 0 && retried.failed == 1)
    }
  }

  @Test func aMendedFileAppliesTheDeadLetters() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      try await shop.append(100)
      try await shop.psql("UPDATE events SET event_data = '{\"n\": \"x7\"}' WHERE position IN (30, 40, 110)")
      #expect(try await shop.project(sums).deadLetters == 3)

      let mended = sums.replacing("event.event_data->>'n'", with: "ltrim(event.event_data->>'n', 'x')")
      let store = try shop.store()
      let retried = try await store.retryDeadLetters(
        of: "sums",
        with: Projection(path: "mended.sql", bytes: Array(mended.utf8))
      )
      #expect(retried.applied == 3 && retried.failed == 0)
      try await shop.psql("UPDATE events SET event_data = '{\"n\": 7}' WHERE position IN (30, 40, 110)")
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await store.deadLetters().isEmpty)
      #expect(try await store.deadLetters(all: true).map(\.state) == [.applied, .applied, .applied])
      try await shop.append(5)
      #expect(try await shop.project(mended).events == 5)

      let other = Array(mended.replacing("total bigint", with: "total numeric").utf8)
      let error = await #expect(throws: EventStoreError.self) {
        _ = try await store.retryDeadLetters(of: "sums", with: Projection(path: "other.sql", bytes: other))
      }
      #expect(error?.code == .invalidDefinition)
    }
  }

  @Test func anEventThatSucceedsOnRetryIsNoDeadLetter() async throws {
    let file =
      sums + "INSERT INTO public.tries SELECT 1; SELECT 1 / (SELECT limit_hit FROM public.gate);\n"
      + "-- @writes public.tries\n"
    try await Shop.open { shop in
      try await shop.psql(
        "CREATE TABLE tries (n int); CREATE TABLE gate (limit_hit int); INSERT INTO gate VALUES (0)"
      )
      try await shop.rebuild(file)
      try await shop.append(1)
      let task = Task { try await shop.project(file) { $0.attempts = 1_000_000 } }
      try await shop.psql("UPDATE gate SET limit_hit = 1")
      let outcome = try await task.value
      #expect(outcome.events == 1 && outcome.deadLetters == 0)
      #expect(try await shop.psql("SELECT count(*) FROM tries") == "1")
    }
  }

  @Test func aFaultOfTheTablesParksNothing() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      try await shop.append(5)
      try await shop.psql("ALTER TABLE sums RENAME TO gone")
      let error = await #expect(throws: EventStoreError.self) { try await shop.project(sums) }
      #expect(error?.sqlState == "42P01")
      #expect(try await shop.store().deadLetters().isEmpty)
      let status = try #require(try await shop.store().projections().first)
      #expect(status.state == .failed && status.error?.contains("sums.sql:7") == true)
    }
  }

  @Test func aPausedProjectionWaits() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      try await shop.append(5)
      try await shop.store().pauseProjection("sums")
      let outcome = try await shop.project(sums)
      #expect(outcome.isPaused && outcome.events == 0)
      #expect(try await shop.store().projections().first?.state == .paused)
      try await shop.store().resumeProjection("sums")
      #expect(try await shop.project(sums).events == 5)
    }
  }

  @Test func theLiveOneIsKeptCurrentDuringARebuild() async throws {
    try await Shop.open(events: 60) { shop in
      try await shop.rebuild(sums)
      let (started, signal) = AsyncStream.makeStream(of: Void.self)
      let gate = try Gate(shop)
      let task = Task {
        try await shop.rebuild(gated, { $0.chunkSize = 5 }, progress: { _ in signal.yield() })
      }
      for await _ in started { break }
      try await shop.append(10)
      #expect(try await shop.project(sums).events == 10)
      try gate.open()
      let outcome = try await task.value
      #expect(outcome.position == 70)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// A counter whose session is ended again and again, while a second instance waits to take over.
  @Test func aCounterCountsRightWhateverHappens() async throws {
    let seconds = Double(ProcessInfo.processInfo.environment["ANNALS_TEST_SECONDS"] ?? "") ?? 3
    try await Shop.open { shop in
      try await shop.rebuild(sums)
      let instance = { @Sendable () async -> EventStoreError? in
        do {
          _ = try await shop.project(sums) {
            $0.once = false
            $0.chunkSize = 20
            $0.pollInterval = .milliseconds(10)
          }
          return nil
        } catch {
          return error as? EventStoreError
        }
      }
      let first = Task(operation: instance)
      let second = Task(operation: instance)
      let end = ContinuousClock.now + .seconds(seconds)
      while ContinuousClock.now < end {
        try await shop.append(100)
        try await shop.psql(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'annals' AND datname = current_database()
          """
        )
        try await Task.sleep(for: .milliseconds(150))
      }
      try await Task.sleep(for: .milliseconds(500))
      first.cancel()
      second.cancel()
      let refusals = [await first.value, await second.value].compactMap(\.self)
      #expect(refusals.count <= 1 && refusals.allSatisfy { $0.code == .locked })
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// Otherwise one of them would report that the other's events could not be applied.
  @Test func oneRetryOfDeadLettersAtATime() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      try await shop.append(1)
      try await shop.psql("UPDATE events SET event_data = '{\"n\": \"bad\"}' WHERE position = 21")
      #expect(try await shop.project(sums).deadLetters == 1)
      try await shop.psql("UPDATE events SET event_data = '{\"n\": 20}' WHERE position = 21")
      let gate = try Gate(shop)
      let first = Task {
        let repaired = try Projection(path: "gated.sql", bytes: Array(gated.utf8))
        return try await shop.store().retryDeadLetters(of: "sums", with: repaired)
      }
      let isAtGate =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted)"
      try await until { try await shop.psql(isAtGate) == "t" }
      let opening = Task {
        try await Task.sleep(for: .seconds(6))
        try gate.open()
      }
      let store = try shop.store()
      let error = await #expect(throws: EventStoreError.self) { try await store.retryDeadLetters(of: "sums") }
      #expect(error?.code == .locked)
      #expect(error?.message == "another session works on the dead letters of sums")
      #expect(error?.detail?.contains("process ") == true)
      try await opening.value
      #expect(try await first.value.applied == 1)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func oneRetryOfACheckpointsDeadLettersAtATime() async throws {
    try await Shop.open(events: 3) { shop in
      let store = try shop.store()
      var options = ReplayOptions()
      options.checkpoint = "mail"
      _ = try await store.replay(EventQuery(), options) { _ in
        try await store.addDeadLetter(at: 1, to: "mail", attempts: 1, message: "no")
      }
      let other = try shop.store()
      let retry = try await store.retryDeadLetters(ofCheckpoint: "mail") { _ in
        let error = await #expect(throws: EventStoreError.self) {
          try await other.retryDeadLetters(ofCheckpoint: "mail") { _ in nil }
        }
        #expect(error?.code == .locked)
        #expect(error?.message == "another session works on the dead letters of mail")
        return nil
      }
      #expect(retry.applied == 1)
      await #expect(throws: EventStoreError.self) {
        try await store.retryDeadLetters(ofCheckpoint: "mail") { _ in nil }
      }
    }
  }
}
