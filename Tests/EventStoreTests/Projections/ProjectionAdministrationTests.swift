import EventStore
import LibPQ
import TestSupport
import Testing

@Suite struct ProjectionAdministrationTests {
  @Test func listsStatesAndLag() async throws {
    try await Shop.open(events: 10) { shop in
      #expect(try await shop.store().projections().isEmpty)
      try await shop.rebuild(sums)
      try await shop.append(15)
      try await shop.rebuild(sums + "-- again\n") { $0.swaps = false }
      let list = try await shop.store().projections()
      #expect(list.map(\.state) == [.live, .ready])
      #expect(list.map(\.lagEvents) == [15, 0])
      #expect(list.map(\.rows) == [10, 10])
      #expect(list[0].lagSeconds > 0 && list[1].lagSeconds == 0)
      try await shop.rebuild(sums + "-- again\n")
      #expect(try await shop.store().projections("sums").map(\.state) == [.live, .retired])
      let error = await #expect(throws: EventStoreError.self) { try await shop.store().projections("none") }
      #expect(error?.code == .notFound)
    }
  }

  @Test func rollsBackAndForth() async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.rebuild(sums)
      await #expect(throws: EventStoreError.self) { try await shop.store().rollBackProjection("sums") }
      try await shop.append(5)
      try await shop.rebuild(sums)
      try await shop.psql("GRANT SELECT ON sums TO PUBLIC")
      let outcome = try await shop.store().rollBackProjection("sums")
      #expect(outcome.generation == 1 && outcome.replaced == 2)
      #expect(outcome.position == 10 && outcome.eventsBehind == 5)
      #expect(try await shop.psql("SELECT sum(events) FROM sums") == "10")
      #expect(try await shop.psql("SELECT has_table_privilege('pg_monitor', 'sums', 'SELECT')") == "t")
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
      #expect(try await shop.store().rollBackProjection("sums").generation == 2)
    }
  }

  /// An operator who runs the new file every night must not undo a rollback by accident.
  @Test func theNewFileIsToldOfTheRollback() async throws {
    try await Shop.open(events: 10) { shop in
      let new = sums.replacing("-- @parallel", with: "-- @version 2\n-- @parallel")
      try await shop.rebuild(sums)
      var error = await #expect(throws: EventStoreError.self) { try await shop.project(new) }
      #expect(error?.hint?.description == "Rebuild with it: `rebuildProjections(_:)`.")
      try await shop.rebuild(new)
      let store = try shop.store()
      try await store.rollBackProjection("sums")
      #expect(try await store.projectionFile(of: "sums") == sums)
      #expect(try await store.projectionFile(of: "sums", generation: 2) == new)
      error = await #expect(throws: EventStoreError.self) {
        try await store.projectionFile(of: "sums", generation: 3)
      }
      #expect(error?.code == .notFound && error?.hint == "Name one that is kept: 2, 1.")

      let rollback = try await shop.psql(
        "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') || ' ' || role FROM annals.audit WHERE action = 'rollback'"
      ).split(separator: " ")
      for file in [new, sums + "-- a third\n"] {
        error = await #expect(throws: EventStoreError.self) { try await shop.project(file) }
        let detail = try #require(error?.detail)
        #expect(detail.hasPrefix("Generation 2 was rolled back to 1 at \(rollback[0])"), "\(detail)")
        #expect(detail.contains("by \(rollback[1]). The file is version"), "\(detail)")
        #expect(error?.hint?.description.contains("`projectionFile(of:generation:)`") == true)
      }
      try await shop.project(sums)
      // The rollback of a rollback is the other generation; a later build is not rolled back.
      try await store.rollBackProjection("sums")
      error = await #expect(throws: EventStoreError.self) { try await shop.project(sums) }
      #expect(error?.detail?.hasPrefix("Generation 1 was rolled back to 2 at ") == true)
      try await shop.rebuild(sums)
      error = await #expect(throws: EventStoreError.self) { try await shop.project(new) }
      #expect(error?.hint?.description == "Rebuild with it: `rebuildProjections(_:)`.")
    }
  }

  /// A forgotten transaction does not delay a run from cron without end.
  @Test func anOpenWriterIsWaitedForUpToTheLimit() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      let parameters = ConnectionParameters(database: shop.database.conninfo)
      let writer = try Connection(parameters, canceller: Canceller())
      try writer.execute(
        """
        BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('w', 'Added', '{"n": 1}', 1)
        """
      )
      let store = try shop.store()
      await store.limitWaiting(to: .milliseconds(50))
      let file = try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      var options = CatchUpOptions()
      options.once = true
      let waits: [() async throws -> Void] = [
        { _ = try await store.project(file, options: options) },
        { _ = try await store.rebuildProjection(file) },
      ]
      for wait in waits {
        let error = await #expect(throws: EventStoreError.self) { try await wait() }
        #expect(error?.code == .locked)
        #expect(
          error?.message.hasPrefix("a transaction writes to public.events and did not end in time: process ")
            == true
        )
      }
      #expect(try await store.projections("sums").map(\.state).first == .live, "nothing failed")
      try writer.execute("COMMIT")
      #expect(try await store.project(file, options: options).events == 1)
    }
  }

  @Test func dropLeavesNothing() async throws {
    try await Shop.open(events: 10) { shop in
      for _ in 1...2 { try await shop.rebuild(sums + "-- @drop\nDROP TABLE sums;\n") }
      try await shop.psql("CREATE VIEW v AS SELECT * FROM sums")
      await #expect(throws: EventStoreError.self) { try await shop.store().dropProjection("sums") }
      try await shop.psql("DROP VIEW v")
      try await shop.store().dropProjection("sums")
      let left = """
        SELECT to_regclass('sums') IS NULL, (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'annals\\_%'),
               (SELECT count(*) FROM annals.generations), (SELECT count(*) FROM annals.audit WHERE action = 'drop' AND subject = 'projection sums')
        """
      #expect(try await shop.psql(left) == "t|0|0|1")
    }
  }

  @Test func oneGenerationIsDiscarded() async throws {
    try await Shop.open(events: 10) { shop in
      for _ in 1...2 { try await shop.rebuild(sums) }
      try await shop.rebuild(sums + "-- another\n") { $0.swaps = false }
      let store = try shop.store()
      for (number, code, message) in [
        (2, EventStoreError.Code.failed, "generation 2 of projection sums is live"),
        (7, .notFound, "projection sums has no generation 7"),
        (.max, .notFound, "projection sums has no generation \(Int.max)"),
      ] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.discardGeneration(number, of: "sums")
        }
        #expect(error?.code == code && error?.message == message)
      }
      try await shop.psql("CREATE VIEW v AS SELECT * FROM annals_sums_1.sums")
      let error = await #expect(throws: EventStoreError.self) {
        try await store.discardGeneration(1, of: "sums")
      }
      #expect(
        error?.message
          == "other objects depend on the tables of generation 1 of projection sums: view public.v"
      )
      try await shop.psql("DROP VIEW v")
      for number in [1, 3] { try await store.discardGeneration(number, of: "sums") }
      let left = """
        SELECT (SELECT array_agg(number) FROM annals.generations), (SELECT count(*) FROM sums),
               to_regnamespace('annals_sums_1'), to_regnamespace('annals_sums_3'),
               (SELECT array_agg(detail->>'generation') FROM annals.audit WHERE action = 'drop')
        """
      #expect(try await shop.psql(left) == "{2}|10|||{1,3}")
    }
  }

  @Test func theCheckpointMovesOnlyFromWhereItWas() async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.rebuild(sums)
      let store = try shop.store()
      var error = await #expect(throws: EventStoreError.self) {
        try await store.setCheckpoint(of: "sums", to: 3, from: 9)
      }
      #expect(error?.code == .locked)
      error = await #expect(throws: EventStoreError.self) {
        try await store.setCheckpoint(of: "sums", to: 11, from: 10)
      }
      #expect(error?.code == .invalidInput)
      try await store.setCheckpoint(of: "sums", to: 8, from: 10)
      try await shop.project(sums)
      #expect(try await shop.psql("SELECT sum(events) FROM sums") == "12")
      let audit = "SELECT detail FROM annals.audit WHERE action = 'set-checkpoint'"
      #expect(try await shop.psql(audit) == #"{"to": 8, "from": 10}"#)
    }
  }

  @Test func checkingAFileLeavesNothing() async throws {
    try await Shop.open(events: 3) { shop in
      let checked = try await shop.store().checkProjection(
        try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      )
      #expect(checked.name == "sums" && checked.objects == ["TABLE sums"])
      let wrong = Array((sums + "-- @check c\nSELECT nothing FROM sums;\n").utf8)
      let error = await #expect(throws: EventStoreError.self) {
        try await shop.store().checkProjection(try Projection(path: "sums.sql", bytes: wrong))
      }
      #expect(error?.message == "sums.sql:10:8: column \"nothing\" does not exist")
      let left =
        "SELECT to_regclass('sums') IS NULL, (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'annals\\_%')"
      #expect(try await shop.psql(left) == "t|0")
    }
  }

  @Test func aPlanChangesNothing() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("GRANT SELECT ON sums TO PUBLIC; CREATE VIEW v AS SELECT * FROM sums")
      let plan = try await shop.store().planRebuild(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      #expect(plan.types.map(\.type) == ["Added"] && plan.types.map(\.events) == [30])
      #expect(plan.objects == ["TABLE sums"] && plan.resumesAt == nil && plan.estimatedSeconds != nil)
      #expect(plan.properties == ["GRANT SELECT ON TABLE annals_sums_2.sums TO PUBLIC"])
      #expect(plan.problems.count == 1 && plan.problems[0].hasSuffix("projection sums: view v"))
      #expect(try await shop.psql("SELECT count(*) FROM annals.generations") == "1")
    }
  }
}
