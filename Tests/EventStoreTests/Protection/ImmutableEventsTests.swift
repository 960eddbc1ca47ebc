import EventStore
import TestSupport
import Testing

/// Triggers refuse every change of events but one that is in the audit of its own transaction.
@Suite struct ImmutableEventsTests {
  private static let triggers = Protection(roles: false)
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT 'a', 'T', '{}', n FROM generate_series(1, 9) n
    """

  private static let changes = [
    "UPDATE events SET event_data = '{\"n\": 1}' WHERE version = 1", "DELETE FROM events", "TRUNCATE events",
    "TRUNCATE events, annals.audit", "UPDATE ONLY events SET version = version",
    "INSERT INTO events SELECT id, aggregate_id, event_type, event_data, version FROM events ON CONFLICT (id) DO UPDATE SET version = 1",
    "WITH gone AS (DELETE FROM events RETURNING *) SELECT count(*) FROM gone",
    "SET session_replication_role = replica; DELETE FROM events",
    "BEGIN ISOLATION LEVEL SERIALIZABLE; DELETE FROM events; COMMIT",
    "UPDATE annals.audit SET action = 'init'", "DELETE FROM annals.audit", "TRUNCATE annals.audit",
  ]

  private func expectRefusal(_ sql: String, _ db: TestDatabase) async throws {
    let error = await #expect(throws: PsqlError.self) { try await db.psql(sql) }
    #expect(error?.description.contains("is refused") == true, "\(sql): \(error?.description ?? "")")
  }

  /// As a superuser, whom no right stops.
  @Test(arguments: [nil, 3]) func nothingIsChanged(partitions: Int?) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      try await store.initialize(partitions: partitions)
      try await db.psql(Self.fill)
      #expect(try await store.protect(Self.triggers).count == 2)
      let before = try await db.psql("SELECT array_agg(e ORDER BY position) FROM events e")
      var changes = Self.changes.filter {
        partitions == nil || !$0.contains("ON CONFLICT (id)") && !$0.contains("ONLY")
      }
      for part in 0..<(partitions ?? 0) {
        changes += [
          "TRUNCATE events_p\(part)", "SET session_replication_role = replica; TRUNCATE events_p\(part)",
        ]
      }
      if partitions != nil {
        let part = try await db.psql("SELECT tableoid::regclass FROM events LIMIT 1")
        changes += [
          "UPDATE \(part) SET version = 1", "SET session_replication_role = replica; DELETE FROM \(part)",
        ]
        changes.append("UPDATE events SET aggregate_id = 'moves to another partition ' || version")
      }
      for change in changes { try await expectRefusal(change, db) }
      #expect(try await db.psql("SELECT array_agg(e ORDER BY position) FROM events e") == before)
      // What is appended later is protected as well, and appending goes on.
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('b', 'T', '{}', 1)"
      )
      try await expectRefusal("DELETE FROM events WHERE aggregate_id = 'b'", db)

      #expect(try await store.protect(Self.triggers).isEmpty, "nothing to do")
      try await db.psql("ALTER TABLE events DISABLE TRIGGER annals_not_truncated")
      #expect(try await store.protect(Self.triggers).count == 1)
      try await expectRefusal("TRUNCATE events", db)
      #expect(try await store.endProtection(Self.triggers).count == 1)
      try await db.psql("TRUNCATE events; DELETE FROM annals.audit")
      #expect(try await store.endProtection(Self.triggers).isEmpty)
      #expect(try await db.psql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'annals%'") == "0")
    }
  }

  /// The way of a redaction: its row in the audit, then the change.
  private static let row = """
    INSERT INTO annals.audit (action, subject, store) VALUES ('redact', 'store public.events', 'public.events');
    """
  private static let change = "UPDATE events SET event_data = '{\"n\": 1}' WHERE version = 1;"

  @Test func whatIsInTheAuditPasses() async throws {
    try await withStore(Self.fill) { db, store in
      try await store.protect(Self.triggers)
      try await db.psql("BEGIN; \(Self.row) SAVEPOINT s; \(Self.change) RELEASE s; COMMIT")
      try await db.psql(
        "BEGIN; SAVEPOINT s; \(Self.row.replacing("redact", with: "archive")) RELEASE s; DELETE FROM events WHERE version = 2; COMMIT"
      )
      let state =
        "SELECT (SELECT sum((event_data->>'n')::int) FROM events), (SELECT count(*) FROM events), (SELECT count(*) FROM annals.audit WHERE action IN ('redact', 'archive'))"
      #expect(try await db.psql(state) == "1|8|2")
      for sql in [
        // In a transaction before, or of another kind, or of another store; rolled back; and TRUNCATE never.
        Self.change, "BEGIN; \(Self.row.replacing("redact", with: "restore")) \(Self.change)",
        "BEGIN; \(Self.row.replacing("'public.events')", with: "'public.others')")) \(Self.change)",
        "BEGIN; SAVEPOINT s; \(Self.row) ROLLBACK TO s; \(Self.change)", "BEGIN; \(Self.row) TRUNCATE events",
        // A name of PostgreSQL's own that means something else to this session.
        """
        CREATE SCHEMA evil; CREATE TABLE evil.audit AS TABLE annals.audit;
        CREATE FUNCTION evil.always(xid8, xid8) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR evil.= (LEFTARG = xid8, RIGHTARG = xid8, FUNCTION = evil.always);
        CREATE FUNCTION evil.always(timestamptz, timestamptz) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR evil.= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.always);
        CREATE FUNCTION evil.transaction_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT max(at) FROM annals.audit';
        SET search_path = evil, pg_catalog, annals, public; \(Self.change)
        """,
      ] {
        try await expectRefusal(sql, db)
      }
      #expect(try await db.psql(state) == "1|8|2")
    }
  }

  /// A number of a transaction that a dump brought from another cluster says nothing here.
  @Test func aRestoredAuditAllowsNothing() async throws {
    try await withStore(Self.fill) { db, store in
      try await store.protect(Self.triggers)
      try await db.psql(
        """
        INSERT INTO annals.audit (at, action, subject, store, transaction)
        SELECT '2020-01-01', 'redact', 'store public.events', 'public.events', (pg_current_xact_id()::text::bigint + n)::text::xid8
        FROM generate_series(1, 100) n
        """
      )
      try await expectRefusal(Self.change, db)
    }
  }

  /// What would exchange the table, or write to its rows, says why it cannot.
  @Test func operationsThatNeedToChangeTheTable() async throws {
    try await withStore(Self.fill) { db, store in
      try await store.protect(Self.triggers)
      let rule = "-- @upcaster more\n-- @event T\n-- @data\nSELECT event.event_data || '{\"m\": 1}';\n"
      let plan = try await store.planEvolution(try Upcasters([("more.sql", Array(rule.utf8))]))
      let copy = QualifiedName("events_v2")!
      var error = await #expect(throws: EventStoreError.self) {
        try await store.applyEvolution(plan, into: copy, swap: true)
      }
      #expect(error?.message.contains("trigger annals_immutable") == true, "\(error?.message ?? "")")
      #expect(try await store.applyEvolution(plan, into: copy).events == 9)
      try await db.psql("ALTER TABLE events DROP COLUMN position")
      error = await #expect(throws: EventStoreError.self) { try await store.initialize(addPosition: true) }
      #expect(error?.message == "UPDATE of public.events is refused" && error?.code == .permissionDenied)
    }
  }

  /// Two stores share the audit, which stays protected for the other.
  @Test func anotherStoreStaysProtected() async throws {
    try await withStore(Self.fill) { db, store in
      let other = try EventStore(connecting: db.conninfo, table: QualifiedName("sales.events")!)
      try await other.initialize()
      #expect(try await store.protect(Self.triggers).count == 2)
      #expect(try await other.protect(Self.triggers).count == 1)
      try await store.endProtection(Self.triggers)
      try await expectRefusal("TRUNCATE sales.events", db)
      try await expectRefusal("TRUNCATE annals.audit", db)
      try await other.endProtection(Self.triggers)
      try await db.psql("TRUNCATE annals.audit, sales.events, events")
    }
  }

  @Test func whatCannotBeProtected() async throws {
    try await withStore { db, _ in
      try await db.psql("CREATE VIEW seen AS TABLE events")
      let view = try EventStore(connecting: db.conninfo, table: QualifiedName("seen")!)
      var error = await #expect(throws: EventStoreError.self) { try await view.protect(Self.triggers) }
      #expect(error?.code == .invalidDefinition)
      let none = try EventStore(connecting: db.conninfo, table: QualifiedName("none")!)
      error = await #expect(throws: EventStoreError.self) { try await none.protect(Self.triggers) }
      #expect(error?.code == .notFound)
      let store = try EventStore(connecting: db.conninfo)
      for prefix in ["", String(repeating: "x", count: 54)] {
        error = await #expect(throws: EventStoreError.self) {
          try await store.protect(Protection(immutability: false, prefix: prefix))
        }
        #expect(error?.code == .invalidInput)
      }
      try await db.psql("DROP SCHEMA annals CASCADE")
      error = await #expect(throws: EventStoreError.self) { try await store.protect(Self.triggers) }
      #expect(error?.message == "this database has no schema annals, which this command needs")
    }
  }
}
