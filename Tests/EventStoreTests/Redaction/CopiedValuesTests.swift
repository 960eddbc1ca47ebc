import EventStore
import FoundationEssentials
import TestSupport
import Testing

/// After a redaction the values are nowhere in the database.
@Suite struct CopiedValuesTests {
  private static let secret = "ann.secret@x.org"
  private static let people = """
    -- @projection people
    -- @create
    CREATE TABLE people (id text, email text);
    -- @on Named
    INSERT INTO people VALUES (event.aggregate_id, event.event_data->>'email');
    """
  private static let ages = """
    -- @projection ages
    -- @create
    CREATE TABLE ages (n integer);
    -- @on Named
    INSERT INTO ages VALUES ((event.event_data->>'email')::integer);
    """
  private static let trips = """
    -- @projection trips
    -- @create
    CREATE TABLE trips (n integer);
    -- @on Went
    INSERT INTO trips VALUES (event.version);
    """

  private func projection(_ text: String) throws -> Projection {
    try Projection(path: "file.sql", bytes: Array(text.utf8))
  }

  /// A store in which everything that annals keeps has the secret.
  private func withTraces(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await withStore { db, store in
      for text in [Self.ages, Self.people, Self.people, Self.trips] {
        var options = RebuildOptions()
        options.restarts = true
        _ = try await store.rebuildProjection(projection(text), options: options)
      }
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, metadata)
        SELECT 'p-' || n, 'Named', jsonb_build_object('email', '\(Self.secret)', 'n', n), 1,
          jsonb_build_object('user', jsonb_build_array('\(Self.secret)')) FROM generate_series(1, 7) n;
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('p-1', 'Went', '{"to": "rome"}', 2);
        INSERT INTO annals.checkpoints (name, store, filter) VALUES ('mail', 'public.events', '');
        INSERT INTO annals.parked_events (checkpoint, position, aggregate_id, version, event_type, attempts, message)
        VALUES ('mail', 1, 'p-1', 1, 'Named', 1, 'cannot write to \(Self.secret)');
        """
      )
      var once = CatchUpOptions()
      (once.once, once.attempts) = (true, 1)
      for text in [Self.people, Self.ages, Self.trips] {
        _ = try await store.project(projection(text), options: once)
      }
      // The generation that was live before, with the values.
      var options = RebuildOptions()
      options.restarts = true
      _ = try await store.rebuildProjection(projection(Self.people), options: options)
      try await store.takeSnapshots(of: .all)
      let rule = "-- @upcaster more\n-- @event Named\n-- @data\nSELECT event.event_data || '{\"m\": 1}';\n"
      let plan = try await store.planEvolution(Upcasters([("more.sql", Array(rule.utf8))]))
      #expect(plan.examples.contains { $0.before.contains(Self.secret) }, "the file has examples")
      _ = try await store.applyEvolution(plan, into: QualifiedName("events_v2")!)
      try await db.psql(
        """
        UPDATE annals.generations SET error = jsonb_build_object('code', 'failed', 'message', 'no \(Self.secret)',
          'detail', '\(Self.secret)', 'at', clock_timestamp()) WHERE projection = 'people' AND state = 'live'
        """
      )
      try await body(db, store)
    }
  }

  private static let redaction = { @Sendable in try Redaction.of(".email", metadata: [".user"]) }

  /// The tables of a dump that have the secret.
  private func traces(_ db: TestDatabase) async throws -> [String] {
    var (tables, table): ([String], String) = ([], "elsewhere")
    for line in try await db.dump().split(separator: "\n") {
      if line.hasPrefix("COPY ") { table = String(line.split(separator: " ")[1]) }
      if line.contains(Self.secret), tables.last != table { tables.append(table) }
    }
    return tables.sorted()
  }

  @Test func nothingIsLeft() async throws {
    try await withTraces { db, store in
      let before = try await traces(db)
      #expect(
        before == [
          "annals.dead_letters", "annals.generations", "annals.parked_events", "annals.snapshots",
        ] + before.filter { $0.hasPrefix("annals_people_") } + [
          "public.events", "public.events_v2", "public.people",
        ]
      )
      #expect(before.contains { $0.hasPrefix("annals_people_") }, "the generation that is kept")
      let plan = try await store.planRedaction(Self.redaction())
      #expect(plan.events == 7 && plan.snapshots == 7 && plan.messages == 8)
      #expect(plan.examples.count == 5 && plan.examples[0].aggregateID == "p-1")
      let kinds = plan.holders.map { "\($0.kind.rawValue) \($0.name)" }
      #expect(kinds.contains("copy public.events_v2") && kinds.contains("read_model people"))
      #expect(kinds.contains("generation people") && !kinds.contains("read_model trips"), "\(kinds)")
      #expect(try await traces(db) == before, "a plan changes nothing")

      var result = try await store.redact(for: "law", Self.redaction())
      #expect(result.events == 7 && result.snapshots == 7 && result.messages == 9)
      #expect(result.holders == plan.holders && result.dropped.isEmpty)
      #expect(
        try await traces(db) == before.filter { $0.hasPrefix("annals_people_") } + [
          "public.events_v2", "public.people",
        ]
      )
      try await store.dropProjection("ages")
      _ = try await store.rebuildProjection(projection(Self.people))
      result = try await store.redact(for: "law", Self.redaction(), dropsKept: true)
      #expect(result.events == 0 && result.holders.isEmpty, "\(result.holders)")
      #expect(
        result.dropped.contains { $0.kind == .copy } && result.dropped.contains { $0.kind == .generation }
      )
      #expect(try await traces(db) == [])
      #expect(
        try await db.psql("SELECT count(*), min(email), max(email) FROM people") == "7|[redacted]|[redacted]"
      )
      #expect(try await store.planRedaction(Self.redaction()).holders.isEmpty)
      // What is made afterwards has no old values.
      try await store.takeSnapshots(of: .all)
      #expect(try await store.redact(for: "law", Self.redaction()).holders.isEmpty)
      #expect(try await traces(db) == [])
    }
  }

  /// Each text in schema annals is in the list of CopiedValues.swift, as handled or as written by an operator.
  @Test func everyColumnIsKnown() async throws {
    try await withStore { db, _ in
      let columns = try await db.psql(
        """
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'annals' AND data_type IN ('text', 'jsonb', 'json', 'ARRAY', 'character varying')
        """
      ).split(separator: "\n").map(String.init)
      let handled: Set = [
        "snapshots.state", "dead_letters.message", "dead_letters.detail", "parked_events.message",
        "generations.error", "evolutions.plan",
      ]
      let written: Set = [
        "generations.definition", "generations.objects", "generations.upcasters", "checkpoints.filter",
        "audit.reason", "audit.detail", "checkpoints.done_ahead", "skipped_events.reason",
      ]
      // Names, ids and words of annals.
      let names: Set = [
        "name", "store", "aggregate_id", "event_type", "projection", "checkpoint", "copy", "identity",
        "state", "role",
        "action", "subject", "os_user", "os_host", "schema_name", "live_schema", "sqlstate", "category",
        "event_types", "archive",
      ]
      let unknown = columns.filter { column in
        !handled.contains(column) && !written.contains(column)
          && (column.hasPrefix("snapshots.state") || !names.contains(String(column.split(separator: ".")[1])))
      }
      #expect(unknown == [], "say in CopiedValues.swift how a redaction treats these")
      #expect(handled.union(written).subtracting(columns).isEmpty)
    }
  }

  /// Plans of earlier versions lose their payloads with the migration.
  @Test func oldPlansLoseTheirPayloads() async throws {
    try await withStore { db, store in
      try await db.psql(
        """
        DROP TABLE annals.archives, annals.redactions; DROP FUNCTION annals.replace_values;
        DROP TABLE annals.skipped_events; DROP FUNCTION annals.notify_followers; DELETE FROM annals.migrations WHERE number > 15;
        INSERT INTO annals.evolutions (copy, store, identity, plan, state) VALUES ('public.v2', 'public.events', 'i',
          '{"store": "public.events", "examples": [{"aggregateID": "a", "version": 1, "before": "{}", "after": "{}"}]}', 'copied')
        """
      )
      try await store.initialize()
      #expect(
        try await db.psql("SELECT plan FROM annals.evolutions")
          == #"{"store": "public.events", "examples": [{"version": 1, "aggregateID": "a"}]}"#
      )
    }
  }
}
