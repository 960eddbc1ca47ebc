import EventStore
import TestSupport
import Testing

/// Redactions of tables of every kind, and what stops them.
@Suite struct RedactionTableTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 's-' || n % 5, 'T', jsonb_build_object('email', 'ann' || n || '@x.org', 'n', n), n / 5 + 1
    FROM generate_series(0, 49) n
    """
  private static let left = "SELECT count(*) FROM events WHERE event_data->>'email' <> '[redacted]'"

  @Test(arguments: ["plain", "partitioned", "immutable", "classic", "without a time zone"])
  func everyKindOfTable(kind: String) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      try await store.initialize(partitions: kind == "partitioned" ? 4 : nil)
      switch kind {
      case "classic": try await db.psql("ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata")
      case "without a time zone":
        try await db.psql("ALTER TABLE events ALTER \"timestamp\" TYPE timestamp, DROP COLUMN metadata")
      default: break
      }
      try await db.psql(Self.fill)
      if kind == "immutable" || kind == "partitioned" { try await store.protect(Protection(roles: false)) }
      let result = try await store.redact(for: "law", .of(".email"))
      #expect(result.events == 50)
      #expect(try await db.psql(Self.left) == "0")
      // Each chunk is a row of the audit, and each event a row with the hashes; today's is in the last.
      #expect(
        try await db.psql(
          """
          SELECT count(*), count(DISTINCT audit), bool_and(hash_before <> hash_after),
            (SELECT sum((detail->>'events')::int) FROM annals.audit WHERE action = 'redact'),
            (SELECT bool_and(reason = 'law' AND detail->>'paths' = '[".email"]') FROM annals.audit WHERE action = 'redact')
          FROM annals.redactions
          """
        ) == "50|17|t|50|t"
      )
      if kind.contains("metadata") || kind == "classic" {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.planRedaction(.of(metadata: [".a"]))
        }
        #expect(error?.code == .invalidDefinition)
      }
    }
  }

  @Test func whatWouldRunForEachEvent() async throws {
    try await withStore(Self.fill) { db, store in
      let keep = """
        CREATE TABLE old (n text); CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO public.old VALUES (OLD.event_data); RETURN NEW; END';
        """
      for (make, remove, name) in [
        (
          keep + "CREATE TRIGGER keeper AFTER UPDATE ON events FOR EACH ROW EXECUTE FUNCTION keep()",
          "ALTER TABLE events DISABLE TRIGGER keeper", "trigger keeper"
        ),
        (
          "CREATE RULE kept AS ON UPDATE TO events DO ALSO INSERT INTO old VALUES (OLD.event_data)",
          "DROP RULE kept ON events", "rule kept"
        ),
      ] {
        try await db.psql(make)
        let error = await #expect(throws: EventStoreError.self) {
          try await store.redact(for: "law", .of(".email"))
        }
        #expect(error?.message == "\(name) of public.events would run for each redacted event")
        #expect(error?.code == .invalidDefinition)
        try await db.psql(remove)
      }
      #expect(try await db.psql(Self.left + " UNION ALL SELECT count(*) FROM old") == "50\n0")
      #expect(try await store.redact(for: "law", .of(".email")).events == 50)
      #expect(try await db.psql("SELECT count(*) FROM old") == "0")
    }
  }

  @Test func whatCannotBeRedacted() async throws {
    try await withStore(Self.fill) { db, store in
      var error = await #expect(throws: EventStoreError.self) { try await store.redact(.of(".email")) }
      #expect(error?.code == .invalidInput, "without a reason")
      await store.giveReason("law")
      try await db.psql("ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key")
      error = await #expect(throws: EventStoreError.self) { try await store.redact(.of(".email")) }
      #expect(error?.code == .invalidDefinition)
      try await db.psql("ALTER TABLE events ADD UNIQUE (aggregate_id, version)")
      let foreign = try EventStore(connecting: db.conninfo, layout: #require(Layout(shipped: "message-db")))
      error = await #expect(throws: EventStoreError.self) { try await foreign.planRedaction(.of(".email")) }
      #expect(error?.code == .invalidDefinition)
      try await db.psql("DROP SCHEMA annals CASCADE")
      error = await #expect(throws: EventStoreError.self) { try await store.planRedaction(.of(".email")) }
      #expect(error?.code == .failed)
      #expect(try await db.psql(Self.left) == "50")
    }
  }

  /// Two stores of a database do not share redactions.
  @Test func anotherStoreIsNotTouched() async throws {
    try await withStore(Self.fill) { db, store in
      let other = try EventStore(connecting: db.conninfo, table: QualifiedName("sales.events")!)
      try await other.initialize()
      try await db.psql("INSERT INTO sales.events OVERRIDING SYSTEM VALUE SELECT * FROM events")
      try await other.takeSnapshots(of: .all)
      try await store.takeSnapshots(of: .all)
      #expect(try await store.redact(for: "law", .of(".email")).snapshots == 5)
      #expect(try await db.psql("SELECT count(*) FROM annals.snapshots") == "5")
      #expect(try await db.psql(Self.left.replacing("FROM events", with: "FROM sales.events")) == "50")
      #expect(try await other.planRedaction(.of(".email")).events == 50)
      #expect(try await store.planRedaction(.of(".email")).events == 0)
    }
  }
}
