import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

@Suite struct RebuildTests {
  @Test(arguments: [1, 7, 50, 1000])
  func chunksMakeNoDifference(chunk: Int64) async throws {
    try await Shop.open(events: 50) { shop in
      let outcome = try await shop.rebuild(sums) { $0.chunkSize = chunk }
      #expect(outcome.ending == .live && outcome.events == 50 && outcome.position == 50)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func anEmptyStoreHasAnEmptyReadModel() async throws {
    try await Shop.open { shop in
      let outcome = try await shop.rebuild(sums)
      #expect(outcome.ending == .live && outcome.position == 0)
      #expect(try await shop.psql("SELECT count(*) FROM sums") == "0")
    }
  }

  @Test func aSecondRebuildReplacesTheFirstAndKeepsIt() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.append(12)
      #expect(try await shop.rebuild(sums).generation == 2)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.psql("SELECT sum(events) FROM annals_sums_1.sums") == "30")
      try await shop.rebuild(sums)
      #expect(
        try await shop.psql("SELECT number, state FROM annals.generations ORDER BY 1") == "2|retired\n3|live"
      )
      #expect(try await shop.psql("SELECT to_regnamespace('annals_sums_1') IS NULL") == "t")
    }
  }

  @Test func aCancelledRebuildGoesOnWhereItWas() async throws {
    try await Shop.open(events: 100) { shop in
      let (started, signal) = AsyncStream.makeStream(of: Void.self)
      let gate = try Gate(shop)
      let task = Task {
        try await shop.rebuild(
          gated,
          { $0.chunkSize = 5 },
          progress: { if $0.done > 0 { signal.yield() } }
        )
      }
      for await _ in started { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      let reached = try await shop.psql("SELECT position, state FROM annals.generations")
      #expect(reached.hasSuffix("|building") && reached != "0|building")
      try gate.open()
      let outcome = try await shop.rebuild(gated)
      #expect(outcome.isResumed && outcome.generation == 1 && outcome.events == 100)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func aTerminatedSessionLosesAChunkAtMost() async throws {
    try await Shop.open(events: 100) { shop in
      let (started, signal) = AsyncStream.makeStream(of: Void.self)
      let gate = try Gate(shop)
      let task = Task {
        try await shop.rebuild(
          gated,
          {
            $0.chunkSize = 5
            $0.retryTimeout = .zero
          },
          progress: { if $0.done > 0 { signal.yield() } }
        )
      }
      for await _ in started { break }
      // Within a statement: between two of them, the next one may meet a closed connection, without the server's message.
      try await until {
        try await shop.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        ) == "1"
      }
      try await shop.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'annals' AND datname = current_database()"
      )
      let error = await #expect(throws: EventStoreError.self) { try await task.value }
      #expect(error?.code == .connectionLost)
      #expect(error?.message == "terminating connection due to administrator command")
      try gate.open()
      #expect(try await shop.rebuild(gated).isResumed)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func anotherFileBeginsAnew() async throws {
    try await Shop.open(events: 40) { shop in
      #expect(try await shop.rebuild(sums) { $0.swaps = false }.ending == .ready)
      let outcome = try await shop.rebuild(sums + "\n-- changed\n")
      #expect(!outcome.isResumed && outcome.generation == 1 && outcome.ending == .live)
      #expect(try await shop.psql("SELECT to_regnamespace('annals_sums_2') IS NULL") == "t")
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func aRebuildWithoutSwapIsFinishedByTheNext() async throws {
    try await Shop.open(events: 40) { shop in
      let first = try await shop.rebuild(sums) { $0.swaps = false }
      #expect(first.ending == .ready && first.schema == "annals_sums_1")
      #expect(try await shop.psql("SELECT to_regclass('sums') IS NULL") == "t")
      try await shop.append(5)
      let second = try await shop.rebuild(sums)
      #expect(second.ending == .live && second.isResumed && second.generation == 1)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.rebuild(sums) { $0.swaps = false }.generation == 2)
      let again = try await shop.rebuild(sums) { $0.restarts = true }
      #expect(!again.isResumed && again.generation == 2)
    }
  }

  @Test func stopsAtAPositionAndAtTheTimeLimit() async throws {
    try await Shop.open(events: 40) { shop in
      let early = try await shop.rebuild(sums) { $0.timeLimit = .zero }
      #expect(early.ending == .outOfTime && early.position == 0)
      let part = try await shop.rebuild(sums) { $0.lastPosition = 25 }
      #expect(part.ending == .live && part.position == 25 && part.isResumed)
      #expect(try await shop.psql("SELECT sum(events) FROM sums") == "25")
    }
  }

  @Test func aFailedCheckLeavesTheLiveOneAlone() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      let checked = sums + "-- @check small\nSELECT id, total FROM sums WHERE total > 26 ORDER BY id;\n"
      let outcome = try await shop.rebuild(checked)
      #expect(outcome.ending == .checksFailed)
      #expect(outcome.failedChecks.map(\.check) == ["small"])
      #expect(outcome.failedChecks.first?.rows == [#"{"id": "a-9", "total": 28}"#])
      #expect(
        try await shop.psql("SELECT number, state FROM annals.generations ORDER BY 1") == "1|live\n2|building"
      )
      #expect(try await shop.psql("SELECT count(*) FROM \(outcome.schema).sums") == "10")
    }
  }

  @Test func aPoisonEventIsNamed() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('bad-1', 'Added', '{\"n\": \"x\"}', 7)"
      )
      let error = try #require(await shop.failure(of: sums))
      #expect(error.code == .failed && error.sqlState == "22P02")
      #expect(
        error.message
          == "sums.sql:7: the handler failed for the event at position 21 (bad-1, version 7, Added): "
          + "invalid input syntax for type bigint: \"x\""
      )
      #expect(error.detail == "SQLSTATE 22P02.")
      let stored = "SELECT state, error->>'message' LIKE 'sums.sql:7:%' FROM annals.generations"
      #expect(try await shop.psql(stored) == "building|t")
    }
  }

  @Test func namesInTheWayAreRefused() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.psql(
        "CREATE TABLE other (n int); CREATE INDEX sums_total ON other (n); CREATE VIEW sums AS SELECT 1"
      )
      let error = await shop.failure(of: sums)
      #expect(error?.code == .invalidDefinition)
      #expect(error?.message == "schema public already has index sums_total, view sums")
      #expect(try await shop.psql("SELECT count(*) FROM annals.projections") == "0")
    }
  }

  @Test func dependentsOfTheLiveTablesAreFoundFirst() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        CREATE VIEW top AS SELECT id FROM sums;
        CREATE TABLE notes (id text REFERENCES sums, model sums);
        CREATE FUNCTION best() RETURNS bigint BEGIN ATOMIC SELECT max(total) FROM sums; END;
        """
      )
      let error = await shop.failure(of: sums)
      #expect(error?.code == .invalidDefinition)
      #expect(
        error?.message
          == "other objects depend on the live tables of projection sums: column model of table notes, "
          + "constraint notes_id_fkey on table notes, function best(), view top"
      )
    }
  }

  @Test func onlyOneRebuildAtATime() async throws {
    try await Shop.open(events: 20) { shop in
      let (started, signal) = AsyncStream.makeStream(of: Void.self)
      let gate = try Gate(shop)
      let task = Task {
        try await shop.rebuild(
          gated,
          { $0.chunkSize = 5 },
          progress: { if $0.done > 0 { signal.yield() } }
        )
      }
      for await _ in started { break }
      let error = await shop.failure(of: gated)
      task.cancel()
      #expect(error?.code == .locked)
      #expect(error?.message == "another session works on the rebuild of projection sums")
      #expect(error?.detail?.contains("application annals") == true)
      _ = await task.result
      try gate.open()
    }
  }

  @Test(arguments: [
    ("SELECT x FROM sums;", "sums.sql:9:8: column \"x\" does not exist"),
    ("INSERT INTO nowhere VALUES (1);", "sums.sql:9:13: relation \"nowhere\" does not exist"),
    ("UPDATE sums SET", "sums.sql:9:16: syntax error at end of input"),
  ])
  func wrongFilesAreRefusedBeforeTheFirstEvent(statement: String, message: String) async throws {
    try await Shop.open { shop in
      let error = await shop.failure(of: sums + statement)
      #expect(error?.code == .invalidDefinition)
      #expect(error?.message == message)
      let generations = try await shop.psql("SELECT count(*) FROM annals.generations")
      #expect(generations == "0")
    }
  }

  @Test func placesThatCannotBeLiveAreRefused() async throws {
    try await Shop.open { shop in
      let elsewhere =
        "-- @projection sums\n-- @schema reports\n-- @create\nCREATE TABLE sums (n int);\n-- @on A\nSELECT 1;\n"
      let error = await shop.failure(of: elsewhere)
      #expect(error?.code == .invalidDefinition && error?.hint == "Create it: CREATE SCHEMA \"reports\";")
      try await shop.psql("CREATE SCHEMA reports")
      try await shop.rebuild(elsewhere)
      #expect(try await shop.psql("SELECT count(*) FROM reports.sums") == "0")
      let qualified = "-- @projection p\n-- @create\nCREATE TABLE public.p (n int);\n-- @on A\nSELECT 1;\n"
      #expect(await shop.failure(of: qualified)?.message.contains("public.p") == true)
    }
  }

  @Test func aClassicTableIsRefusedWithTheWayOut() async throws {
    try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        CREATE TABLE events (id uuid, aggregate_id varchar(255), event_type varchar(100), event_data jsonb,
          version int, "timestamp" timestamp)
        """
      )
      let error = await Shop(database: database).failure(of: sums)
      #expect(error?.code == .invalidDefinition)
      #expect(error?.hint?.remedies.contains(.addPosition) == true)
    }
  }

  @Test(arguments: [2, 3])
  func workersShareTheAggregates(workers: Int) async throws {
    try await Shop.open(events: 500) { shop in
      let outcome = try await shop.rebuild(sums) {
        $0.workers = workers
        $0.chunkSize = 30
      }
      #expect(outcome.ending == .live && outcome.events == 500)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.psql("SELECT count(*) FROM annals.shards") == "0")
      let alone = sums.split(separator: "\n").filter { !$0.contains("@parallel") }.joined(separator: "\n")
      #expect(
        await shop.failure(of: alone) { $0.workers = 2 }?.message == "workers cannot share projection sums"
      )
    }
  }

  @Test func interruptedWorkersGoOnWithTheirCheckpoints() async throws {
    try await Shop.open(events: 300) { shop in
      let count = Mutex(0)
      let (started, signal) = AsyncStream.makeStream(of: Void.self)
      let gate = try Gate(shop)
      let task = Task {
        try await shop.rebuild(
          gated,
          {
            $0.workers = 3
            $0.chunkSize = 10
          },
          progress: { _ in
            // Each shard tells where it begins, and the end of its first chunk.
            let calls = count.withLock { count in
              count += 1
              return count
            }
            if calls == 6 { signal.yield() }
          }
        )
      }
      for await _ in started { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(try await shop.psql("SELECT count(*) FROM annals.shards WHERE position = 10") == "3")
      let status = try await shop.store().projections("sums")
      #expect(status.map(\.position) == [10] && status.map(\.events) == [10])
      try gate.open()
      let outcome = try await shop.rebuild(gated)
      #expect(outcome.isResumed && outcome.events == 300)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func theDifferenceDecides() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        "DELETE FROM sums WHERE id = 'a-1'; UPDATE sums SET total = 0 WHERE id = 'a-2'; INSERT INTO sums VALUES ('x', 1, 1)"
      )
      let refused = try await shop.rebuild(sums) { $0.differenceLimit = .rows(2) }
      #expect(refused.ending == .tooDifferent)
      let table = try #require(refused.differences.first)
      #expect(table.table == "sums" && table.liveRows == 10)
      #expect(table.added == 1 && table.removed == 1 && table.changed == 1)
      #expect(
        table.samples.contains(
          #"{"new": {"id": "a-2", "total": 14, "events": 2}, "live": {"id": "a-2", "total": 0, "events": 2}, "change": "changed"}"#
        ),
        "\(table.samples)"
      )
      #expect(try await shop.rebuild(sums) { $0.differenceLimit = .percent(29) }.ending == .tooDifferent)
      #expect(try await shop.rebuild(sums) { $0.differenceLimit = .percent(30) }.ending == .live)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func tablesWithoutAKeyAreComparedAsWholes() async throws {
    try await Shop.open(events: 4) { shop in
      let file =
        "-- @projection p\n-- @create\nCREATE TABLE log (n int, j json);\n-- @on Added\nINSERT INTO log VALUES (event.version, '{}');\n"
      try await shop.rebuild(file)
      try await shop.psql("DELETE FROM log WHERE ctid = '(0,1)'; INSERT INTO log VALUES (9, '1')")
      let outcome = try await shop.rebuild(file) { $0.compares = true }
      #expect(outcome.ending == .live)
      #expect(outcome.differences.map { [$0.added, $0.removed, $0.changed] } == [[1, 1, 0]])
    }
  }

  /// It says nothing of the event, so it is told in the server's own words.
  @Test(arguments: [("53100", EventStoreError.Code.failed), ("42501", .permissionDenied), ("55P03", .locked)])
  func anErrorThatIsNotTheEventsIsToldAsItIs(state: String, code: EventStoreError.Code) async throws {
    let file =
      sums.replacing(
        "-- @on",
        with: """
          CREATE FUNCTION full_disk() RETURNS void LANGUAGE plpgsql AS $$
          BEGIN
            RAISE EXCEPTION 'could not extend file' USING ERRCODE = '\(state)', DETAIL = 'the detail', HINT = 'Free some.';
          END $$;
          -- @on
          """
      ) + "SELECT full_disk() WHERE event.position = 3;\n"
    try await Shop.open(events: 5) { shop in
      let error = await shop.failure(of: file)
      #expect(error?.code == code && error?.sqlState == state)
      #expect(error?.message == "could not extend file")
      #expect(error?.detail == "the detail" && error?.hint == "Free some.")
    }
  }
}
