import EventStore
import TestSupport
import Testing

@Suite struct EvolutionCopyTests {
  private static let fingerprint = """
    SELECT count(*), sum(hash_record_extended(ROW(id, aggregate_id, event_type, event_data, version, timestamp, metadata, position), 0)::numeric)
    FROM
    """

  @Test func theCopyIsWhatReadersSeeThroughTheUpcasters() async throws {
    try await withStore { db, store in
      try await db.psql(
        "ALTER TABLE events ADD tenant text DEFAULT 'acme'; UPDATE events SET tenant = 'other' WHERE version = 2"
      )
      let before = try await db.psql("\(Self.fingerprint) events")
      let rules = UpcasterTests.rules.split(separator: "-- @event Noise")[0]
      let upcasters = try Upcasters([("orders.sql", Array(rules.utf8))])
      let plan = try await store.planEvolution(upcasters)
      #expect(
        plan.types.map { "\($0.type) \($0.events) \($0.changed)" }.sorted() == [
          "Paid 40 40", "Submitted 40 21",
        ]
      )
      let outcome = try await store.applyEvolution(try reread(plan), into: Self.copy)
      #expect(outcome.events == 120 && outcome.position == 120 && !outcome.isSwapped)
      let copy = try EventStore(connecting: db.conninfo, table: Self.copy)
      let copied = try await lines(of: copy)
      await store.use(upcasters)
      #expect(try await lines(of: store) == copied)
      #expect(try await db.psql("\(Self.fingerprint) events") == before)
      #expect(try await db.psql("SELECT count(*) FROM events JOIN events_v2 USING (id, tenant)") == "120")
      // New events go into the copy as well when it is run again.
      await store.use(.none)
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('order-1', 'Paid', '{\"value\": 1}', 4)"
      )
      #expect(try await store.applyEvolution(plan, into: Self.copy).events == 121)
      #expect(
        try await db.psql("SELECT event_type, event_data FROM events_v2 WHERE position = 121")
          == "PaymentReceived|{\"minor\": 100}"
      )
    }
  }

  @Test func aProjectionIsTheSameFromEither() async throws {
    let projection = Array(
      """
      -- @projection revenue
      -- @create
      CREATE TABLE revenue (id text PRIMARY KEY, minor numeric NOT NULL, currency text);
      -- @on Submitted
      INSERT INTO revenue VALUES (event.aggregate_id, 0, event.event_data->>'currency');
      -- @on PaymentReceived
      UPDATE revenue SET minor = minor + (event.event_data->>'minor')::numeric WHERE id = event.aggregate_id;
      """.utf8
    )
    try await withStore { db, store in
      let upcasters = try Upcasters([("orders.sql", Array(UpcasterTests.rules.utf8))])
      let plan = try await store.planEvolution(upcasters)
      #expect(plan.renumbersVersions && !plan.renumbersPositions)
      await store.use(upcasters)
      _ = try await store.rebuildProjection(try Projection(path: "revenue.sql", bytes: projection))
      let rows = "SELECT * FROM revenue ORDER BY id COLLATE \"C\""
      let throughUpcasters = try await db.rows(rows)
      await store.use(.none)
      _ = try await store.applyEvolution(plan, into: Self.copy, swap: true)
      _ = try await store.rebuildProjection(try Projection(path: "revenue.sql", bytes: projection))
      #expect(try await db.rows(rows) == throughUpcasters)
      #expect(throughUpcasters.contains("order-7|2150.0|EUR"))
    }
  }

  /// Dropped and split events leave no hole in the versions, whatever the size of the chunks.
  @Test(arguments: [1, 7, 1000])
  func versionsAreNumberedAnew(chunkSize: Int) async throws {
    let rules = """
      -- @upcaster split
      -- @event Submitted
      -- @split
      SELECT 'Opened', '{}'::jsonb UNION ALL SELECT 'ItemAdded', item FROM jsonb_array_elements(event.event_data->'items') AS item;
      -- @event ItemAdded
      -- @data
      SELECT event.event_data || '{"quantity": 1}';
      -- @event Noise
      -- @drop
      """
    try await withStore { db, store in
      let plan = try await store.planEvolution(try Upcasters([("split.sql", Array(rules.utf8))]))
      // Events are counted, not what they become.
      #expect(
        plan.types.map {
          "\($0.type) \($0.events) \($0.changed) \($0.becomes.map { "\($0.type) \($0.events)" })"
        }
        .sorted()
          == [
            #"Noise 40 40 []"#,
            #"Submitted 40 40 ["ItemAdded 80", "Opened 40"]"#,
          ]
      )
      let checked = try await store.check(try Upcasters([("split.sql", Array(rules.utf8))]))
      #expect(checked.events == 40 && checked.changed == 40)
      _ = try await store.applyEvolution(plan, into: Self.copy, chunkSize: Int64(chunkSize))
      let stream =
        "SELECT version, event_type, event_data FROM events_v2 WHERE aggregate_id = 'order-3' ORDER BY 1"
      #expect(
        try await db.rows(stream) == [
          "1|Opened|{}", #"2|ItemAdded|{"price": 1.5, "quantity": 1}"#,
          #"3|ItemAdded|{"price": 20, "quantity": 1}"#,
          #"4|Paid|{"value": 21.5}"#,
        ]
      )
      // The ids are the same in every run, the first part keeps the event's own; positions have no holes.
      #expect(
        try await db.psql(
          """
          SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id IN (SELECT id FROM events)), max(position) FROM events_v2
          """
        ) == "160|160|80|160"
      )
      let first = try await db.psql("SELECT id FROM events WHERE version = 1 AND aggregate_id = 'order-3'")
      #expect(
        try await db.psql("SELECT id FROM events_v2 WHERE version = 2 AND aggregate_id = 'order-3'")
          == EventID(namespace: try #require(EventID(first)), name: "2".utf8).description
      )
    }
  }

  @Test func aSwapCarriesWhatIsGrantedAndCanBeTakenBack() async throws {
    try await withStore { db, store in
      let role = "app_\(db.name)"
      try await db.psql(
        "CREATE ROLE \"\(role)\"; GRANT SELECT, INSERT ON events TO \"\(role)\"; COMMENT ON TABLE events IS 'ours'"
      )
      let before = try await db.psql("\(Self.fingerprint) events")
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @rename Paid PaymentReceived".utf8))])
      )
      var replay = ReplayOptions()
      replay.checkpoint = "mail"
      let met = try await store.replay(EventQuery(), replay) { _ in }.count
      #expect(try await db.psql("SELECT seen_events FROM annals.checkpoints") == "\(met)")
      let outcome = try await store.applyEvolution(plan, into: Self.copy, swap: true)
      #expect(outcome.isSwapped)
      #expect(try await db.psql("SELECT seen_hash IS NULL FROM annals.checkpoints") == "t")
      #expect(try await db.psql("\(Self.fingerprint) events_v2") == before)
      #expect(try await db.psql("SELECT count(*) FROM events WHERE event_type = 'PaymentReceived'") == "40")
      let rights = """
        SELECT has_table_privilege('\(role)', 'events', 'INSERT'), obj_description('events'::regclass),
          (SELECT count(*) FROM pg_index WHERE indrelid = 'events'::regclass)
        """
      #expect(try await db.psql(rights) == "t|ours|5")
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy) } throws: {
        ($0 as? EventStoreError)?.code == .failed
      }
      // Run again, it is done.
      let again = try await store.applyEvolution(plan, into: Self.copy, swap: true)
      #expect(again.isSwapped && again.isResumed && again.events == outcome.events)
      // Positions go on where they were, and what was appended is not lost by going back.
      try await db.psql(
        "SET ROLE \"\(role)\"; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('o-1', 'X', '{}', 1)"
      )
      #expect(try await db.psql("SELECT position FROM events WHERE aggregate_id = 'o-1'") == "121")
      await #expect { try await store.rollBackEvolution(Self.copy) } throws: {
        ($0 as? EventStoreError)?.message.hasPrefix("1 event was appended") == true
      }
      try await db.psql("DELETE FROM events WHERE aggregate_id = 'o-1'")
      try await store.rollBackEvolution(Self.copy)
      #expect(try await db.psql("\(Self.fingerprint) events") == before)
      #expect(try await db.psql(rights) == "t|ours|5")
      await #expect { try await store.rollBackEvolution(Self.copy) } throws: {
        ($0 as? EventStoreError)?.code == .notFound
      }
      #expect(try await store.applyEvolution(plan, into: Self.copy, swap: true).isSwapped)
      try await db.psql("DROP OWNED BY \"\(role)\"; DROP ROLE \"\(role)\"")
    }
  }

  @Test func whatTheSwapWouldBreakStopsItBeforeTheWork() async throws {
    try await withStore { db, store in
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @event Noise\n-- @drop".utf8))])
      )
      try await db.psql("CREATE VIEW noise AS SELECT * FROM events WHERE event_type = 'Noise'")
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy, swap: true) } throws: {
        ($0 as? EventStoreError)?.message.contains("view public.noise") == true
      }
      #expect(try await db.psql("SELECT to_regclass('events_v2') IS NULL") == "t")
      try await db.psql("CREATE TABLE events_v2 (x int)")
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy) } throws: {
        ($0 as? EventStoreError)?.message.contains("there is a table public.events_v2 already") == true
      }
    }
  }

  @Test func aCopyThatSomebodyWroteToIsFound() async throws {
    try await withStore { db, store in
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @rename Paid PaymentReceived".utf8))])
      )
      _ = try await store.applyEvolution(plan, into: Self.copy)
      try await db.psql("UPDATE events_v2 SET event_data = '{\"x\": 1}' WHERE position = 100")
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy) } throws: {
        ($0 as? EventStoreError)?.detail == "Noise: 40 expected, 40 found"
      }
    }
  }

  /// Chunks are of positions: such an event would be lost without a word.
  @Test func anEventWithoutAPositionIsNotLeftOut() async throws {
    try await withStore { db, store in
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @rename Paid PaymentReceived".utf8))])
      )
      try await db.psql(
        """
        ALTER TABLE events ALTER position DROP IDENTITY, ALTER position DROP NOT NULL;
        UPDATE events SET position = NULL WHERE aggregate_id = 'order-7' AND version = 2;
        """
      )
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy) } throws: {
        ($0 as? EventStoreError)?.message == "an event of order-7, version 2, has no position"
      }
      #expect(try await db.psql("SELECT to_regclass('events_v2') IS NULL") == "t")
    }
  }

  /// Its versions would be numbered anew in the order of positions.
  @Test func aStreamAgainstTheOrderOfPositionsIsNotRenumbered() async throws {
    try await withStore { db, store in
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @event Noise\n-- @drop".utf8))])
      )
      try await db.psql(
        """
        UPDATE events SET version = 1000 WHERE aggregate_id = 'order-7' AND version = 1;
        UPDATE events SET version = 1 WHERE aggregate_id = 'order-7' AND version = 2;
        UPDATE events SET version = 2 WHERE aggregate_id = 'order-7' AND version = 1000;
        """
      )
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy) } throws: {
        ($0 as? EventStoreError)?.message
          == "order-7 version 2 has a lower position than the version before it"
      }
    }
  }

  /// A split gives events other positions, which checkpoints do not know.
  @Test func aSplitIsNotSwappedInUnderReaders() async throws {
    try await withStore { db, store in
      let rules = """
        -- @upcaster split
        -- @event Submitted
        -- @split
        SELECT 'Opened', '{}'::jsonb UNION ALL SELECT 'Filled', '{}'::jsonb;
        """
      let plan = try await store.planEvolution(try Upcasters([("split.sql", Array(rules.utf8))]))
      var replay = ReplayOptions()
      replay.checkpoint = "mail"
      _ = try await store.replay(EventQuery(), replay) { _ in }
      await #expect { _ = try await store.applyEvolution(plan, into: Self.copy, swap: true) } throws: {
        ($0 as? EventStoreError)?.message.contains("checkpoint mail") == true
      }
    }
  }

  /// The parts of parts have their own ids, with a primary key and without, and the same in every copy. The ids of a
  /// single split do not change.
  @Test(arguments: [true, false])
  func partsOfPartsHaveIdsOfTheirOwn(hasKey: Bool) async throws {
    try await withStore { db, store in
      let rules = """
        -- @upcaster split
        -- @event Paid
        -- @split
        SELECT 'Settled', '{"n": 1}'::jsonb UNION ALL SELECT 'Booked', '{"n": 2}'::jsonb;
        -- @event Submitted
        -- @split
        SELECT 'Opened', '{"n": 1}'::jsonb UNION ALL SELECT 'Filled', '{"n": 2}'::jsonb;
        -- @event Opened, Filled
        -- @split
        SELECT event.event_type, event.event_data || '{"m": 1}' UNION ALL SELECT 'Noted', event.event_data || '{"m": 2}';
        """
      if !hasKey { try await db.psql("ALTER TABLE events DROP CONSTRAINT events_pkey") }
      let plan = try await store.planEvolution(try Upcasters([("split.sql", Array(rules.utf8))]))
      #expect(try await store.applyEvolution(plan, into: Self.copy).events == 280)
      #expect(try await db.psql("SELECT count(DISTINCT id) FROM events_v2") == "280")
      let again = QualifiedName(schema: "public", name: "events_v3")
      _ = try await store.applyEvolution(plan, into: again)
      #expect(
        try await db.psql("SELECT count(*) FROM events_v2 JOIN events_v3 USING (id, position)") == "280"
      )
      let booked = try await db.rows(
        "SELECT e.id, n.id FROM events e JOIN events_v2 n ON n.aggregate_id = e.aggregate_id WHERE e.event_type = 'Paid' AND n.event_type = 'Booked'"
      )
      #expect(booked.count == 40)
      for pair in booked.map({ $0.split(separator: "|") }) {
        let original = try #require(EventID(String(pair[0])))
        #expect(EventID(namespace: original, name: "2".utf8).description == pair[1])
      }
    }
  }

  @Test func aPlanThatWasChangedIsRefused() async throws {
    try await withStore { _, store in
      let plan = try await store.planEvolution(
        try Upcasters([("x.sql", Array("-- @upcaster x\n-- @rename Paid PaymentReceived".utf8))])
      )
      let json = try plan.json.split(separator: "PaymentReceived", omittingEmptySubsequences: false).joined(
        separator: "Payment"
      )
      #expect {
        _ = try EvolutionPlan(path: "x.plan", bytes: Array(json.utf8))
      } throws: {
        ($0 as? EventStoreError)?.message == "upcaster x.sql in x.plan was changed after the plan was made"
      }
      let other = try EventStore(connecting: "dbname=none", table: QualifiedName(schema: "a", name: "b"))
      #expect(plan.store == "public.events" && other.table.description == "a.b")
    }
  }

  private static let copy = QualifiedName(schema: "public", name: "events_v2")

  private func reread(_ plan: EvolutionPlan) throws -> EvolutionPlan {
    let read = try EvolutionPlan(path: "x.plan", bytes: Array(plan.json.utf8))
    #expect(read == plan)
    return read
  }

  private func lines(of store: EventStore) async throws -> [Event] {
    var events: [Event] = []
    for try await event in store.events(matching: EventQuery()) { events.append(event) }
    return events
  }

  private func withStore(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      try await db.psql(UpcasterTests.fill)
      try await body(db, store)
    }
  }
}
