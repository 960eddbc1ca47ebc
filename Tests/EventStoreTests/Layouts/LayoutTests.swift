import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// The stores of other frameworks, made as their own sources make them, read through the shipped layouts.
@Suite struct LayoutTests {
  /// A framework: its tables as its own sources define them, and two events of order 1 with one of order 2 between.
  struct Framework: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where the layout looks for the tables unless told otherwise.
    var schema = "public"
    let tables: String
    let events: String
    var aggregateIDs = ["order-1", "order-2"]

    var testDescription: String { name }

    /// The store in a schema.
    func sql(in schema: String? = nil) -> String {
      let schema = quoteIdentifier(schema ?? self.schema)
      return "CREATE SCHEMA IF NOT EXISTS \(schema); SET search_path = \(schema);" + tables + events
    }
  }

  private static let uuids = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]

  static let frameworks = [
    Framework(
      name: "message-db",
      schema: "message_store",
      tables: """
        CREATE TABLE messages (
          global_position bigserial PRIMARY KEY, position bigint NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(),
          time timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc') NOT NULL,
          stream_name text NOT NULL, type text NOT NULL, data jsonb, metadata jsonb);
        CREATE UNIQUE INDEX messages_id ON messages (id);
        CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
        """,
      events: """
        INSERT INTO messages (stream_name, position, type, data, metadata) VALUES
          ('order-1', 0, 'Submitted', '{"n": 1}', '{"by": "x"}'), ('order-2', 0, 'Submitted', '{"n": 2}', NULL),
          ('order-1', 1, 'Paid', '{"n": 3}', NULL);
        """
    ),
    Framework(
      name: "marten",
      tables: """
        CREATE SEQUENCE mt_events_sequence;
        CREATE TABLE mt_streams (id uuid PRIMARY KEY, type varchar, version bigint,
          timestamp timestamptz DEFAULT now() NOT NULL, created timestamptz DEFAULT now() NOT NULL,
          tenant_id varchar DEFAULT '*DEFAULT*', is_archived boolean DEFAULT false);
        CREATE TABLE mt_events (seq_id bigint PRIMARY KEY, id uuid NOT NULL,
          stream_id uuid REFERENCES mt_streams ON DELETE CASCADE, version bigint NOT NULL, data jsonb NOT NULL,
          type varchar(500) NOT NULL, timestamp timestamptz DEFAULT now() NOT NULL, tenant_id varchar DEFAULT '*DEFAULT*',
          mt_dotnet_type varchar, correlation_id varchar, causation_id varchar, headers jsonb,
          is_archived boolean DEFAULT false);
        CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mt_events (stream_id, version);
        CREATE UNIQUE INDEX pk_mt_events_id_unique ON mt_events (id);
        """,
      events: """
        INSERT INTO mt_streams (id) VALUES ('\(uuids[0])'), ('\(uuids[1])');
        INSERT INTO mt_events (seq_id, id, stream_id, version, data, type, headers)
        SELECT nextval('mt_events_sequence'), gen_random_uuid(), stream::uuid, version, data::jsonb, type, headers::jsonb
        FROM (VALUES ('\(uuids[0])', 1, '{"n": 1}', 'Submitted', '{"by": "x"}'),
          ('\(uuids[1])', 1, '{"n": 2}', 'Submitted', NULL), ('\(uuids[0])', 2, '{"n": 3}', 'Paid', NULL))
          AS v (stream, version, data, type, headers);
        """,
      aggregateIDs: uuids
    ),
    Framework(
      name: "commanded",
      tables: """
        CREATE TABLE streams (stream_id bigserial PRIMARY KEY, stream_uuid text NOT NULL,
          stream_version bigint DEFAULT 0 NOT NULL, created_at timestamptz DEFAULT now() NOT NULL, deleted_at timestamptz);
        CREATE UNIQUE INDEX ix_streams_stream_uuid ON streams (stream_uuid);
        CREATE TABLE events (event_id uuid PRIMARY KEY, event_type text NOT NULL, causation_id uuid, correlation_id uuid,
          data jsonb NOT NULL, metadata jsonb, created_at timestamptz DEFAULT now() NOT NULL);
        CREATE TABLE stream_events (event_id uuid NOT NULL REFERENCES events, stream_id bigint NOT NULL REFERENCES streams,
          stream_version bigint NOT NULL, original_stream_id bigint REFERENCES streams, original_stream_version bigint,
          PRIMARY KEY (event_id, stream_id));
        CREATE UNIQUE INDEX ix_stream_events ON stream_events (stream_id, stream_version);
        INSERT INTO streams (stream_id, stream_uuid) VALUES (0, '$all');
        """,
      events: """
        INSERT INTO streams (stream_uuid) VALUES ('order-1'), ('order-2');
        INSERT INTO events (event_id, event_type, data, metadata, correlation_id)
        SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, CASE n WHEN 3 THEN 'Paid' ELSE 'Submitted' END,
          jsonb_build_object('n', n), CASE n WHEN 1 THEN '{"by": "x"}'::jsonb END, NULL FROM generate_series(1, 3) n;
        INSERT INTO stream_events SELECT event_id, s.stream, v, o, ov
        FROM (VALUES (1, 1, 1, 1, 1), (1, 0, 1, 1, 1), (2, 2, 1, 2, 1), (2, 0, 2, 2, 1), (3, 1, 2, 1, 2), (3, 0, 3, 1, 2))
          AS s (n, stream, v, o, ov)
        JOIN events ON event_id = ('00000000-0000-4000-8000-00000000000' || n)::uuid;
        """
    ),
    Framework(
      name: "emmett",
      tables: """
        CREATE SEQUENCE emt_global_message_position;
        CREATE TABLE emt_messages (stream_position bigint NOT NULL,
          global_position bigint DEFAULT nextval('emt_global_message_position'), transaction_id xid8 NOT NULL,
          created timestamptz NOT NULL DEFAULT now(), is_archived boolean NOT NULL DEFAULT false,
          message_kind varchar(1) NOT NULL DEFAULT 'E', stream_id text NOT NULL,
          partition text NOT NULL DEFAULT 'emt:default', message_schema_version text NOT NULL, message_id text NOT NULL,
          message_type text NOT NULL, message_data jsonb NOT NULL, message_metadata jsonb NOT NULL,
          PRIMARY KEY (stream_id, stream_position, partition, is_archived)) PARTITION BY LIST (partition);
        CREATE TABLE emt_messages_default PARTITION OF emt_messages FOR VALUES IN ('emt:default')
          PARTITION BY LIST (is_archived);
        CREATE TABLE emt_messages_active PARTITION OF emt_messages_default FOR VALUES IN (false);
        """,
      events: """
        INSERT INTO emt_messages (stream_id, stream_position, transaction_id, message_schema_version, message_id,
          message_type, message_data, message_metadata)
        SELECT stream, position, pg_current_xact_id(), '1', gen_random_uuid(), type, data::jsonb, meta::jsonb
        FROM (VALUES ('order-1', 1, 'Submitted', '{"n": 1}', '{"by": "x"}'), ('order-2', 1, 'Submitted', '{"n": 2}', '{}'),
          ('order-1', 2, 'Paid', '{"n": 3}', '{}')) AS v (stream, position, type, data, meta);
        """
    ),
    Framework(
      name: "patchlevel",
      tables: """
        CREATE TABLE event_store (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, stream varchar(255) NOT NULL,
          playhead integer, event_id varchar(255) NOT NULL UNIQUE, event_name varchar(255) NOT NULL,
          event_payload json NOT NULL, recorded_on timestamptz NOT NULL, archived boolean NOT NULL DEFAULT false,
          tags jsonb, custom_headers json NOT NULL);
        CREATE UNIQUE INDEX ON event_store (stream, playhead);
        """,
      events: """
        INSERT INTO event_store (stream, playhead, event_id, event_name, event_payload, recorded_on, custom_headers)
        SELECT stream, playhead, gen_random_uuid(), name, payload::json, now(), headers::json
        FROM (VALUES ('order-1', 1, 'Submitted', '{"n": 1}', '{"by": "x"}'), ('order-2', 1, 'Submitted', '{"n": 2}', '[]'),
          ('order-1', 2, 'Paid', '{"n": 3}', '[]')) AS v (stream, playhead, name, payload, headers);
        """
    ),
    Framework(
      name: "sequent",
      schema: "sequent_schema",
      tables: """
        CREATE TABLE event_types (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text UNIQUE NOT NULL);
        CREATE TABLE events (aggregate_id uuid NOT NULL, partition_key text NOT NULL DEFAULT '',
          sequence_number integer NOT NULL, created_at timestamptz NOT NULL, command_id bigint NOT NULL,
          event_type_id smallint NOT NULL, event_json jsonb NOT NULL, xact_id bigint) PARTITION BY RANGE (partition_key);
        CREATE TABLE events_default PARTITION OF events DEFAULT;
        ALTER TABLE events ADD PRIMARY KEY (partition_key, aggregate_id, sequence_number);
        """,
      events: """
        INSERT INTO event_types (type) VALUES ('Submitted'), ('Paid');
        INSERT INTO events (aggregate_id, sequence_number, created_at, command_id, event_type_id, event_json) VALUES
          ('\(uuids[0])', 1, now(), 1, 1, '{"n": 1}'), ('\(uuids[1])', 1, now(), 2, 1, '{"n": 2}'),
          ('\(uuids[0])', 2, now(), 3, 2, '{"n": 3}');
        """,
      aggregateIDs: uuids
    ),
  ]

  @Test func eachShippedLayoutIsTested() {
    #expect(Layout.shippedNames == (Self.frameworks.map(\.name) + ["commanded-links"]).sorted())
    for name in Layout.shippedNames { #expect(Layout(shipped: name)?.name == name) }
  }

  @Test(arguments: frameworks, [nil, #"A "shop""#])
  func everythingThatReads(_ framework: Framework, inSchema schema: String?) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql(in: schema))
      let layout = try #require(Layout(shipped: framework.name)).setting(
        schema.map { [LayoutParameter(name: "schema", value: $0)] } ?? []
      )
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      let id = framework.aggregateIDs[0]

      var stream: [Event] = []
      for try await event in store.events(matching: EventQuery(aggregateID: id)) { stream.append(event) }
      #expect(stream.map(\.version) == [1, 2])
      #expect(stream.map(\.type) == ["Submitted", "Paid"])
      #expect(stream.map(\.data) == [#"{"n": 1}"#, #"{"n": 3}"#])
      #expect(stream[0].metadata?.contains("x") ?? (framework.name == "sequent"))
      #expect(try await store.summary(ofStream: id)?.lastVersion == 2)

      var all: [String] = []
      for try await event in store.events(matching: EventQuery()) { all.append(event.data) }
      #expect(Set(all).count == 3)
      if framework.name != "sequent" { #expect(all == (1...3).map { #"{"n": \#($0)}"# }) }

      #expect(try await store.eventTypes().map(\.events) == [2, 1])
      #expect(try await store.shape(ofType: "Paid").events == 1)
      let checked = try await store.verifyVersions { if $0.severity == .error { Issue.record("\($0)") } }
      #expect(checked.events == 3)
      let names = try await store.names(
        of: .aggregate,
        beginningWith: String(id.dropLast()),
        limit: 9,
        timeoutMilliseconds: 0
      )
      #expect(names == framework.aggregateIDs)
      #expect(try await store.state(of: id).state == #"{"n": 3}"#)
    }
  }

  @Test(arguments: frameworks) func followingNeedsFinalPositions(_ framework: Framework) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: framework.name))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      if framework.name == "sequent" {
        await #expect(throws: EventStoreError.self) { try await store.watermark() }
      } else if ["commanded", "marten"].contains(framework.name) {
        #expect(try await store.watermark().position == 3)
      } else {
        #expect(try await store.watermark().position == 3)
        let writer = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
        // As an INSERT does.
        try writer.execute("BEGIN; LOCK TABLE \(layout.tables[0].sql) IN ROW EXCLUSIVE MODE")
        #expect(try await store.watermark().writers.count == 1)
        try writer.execute("ROLLBACK")
      }
    }
  }

  @Test func aProjectionOfSomebodyElsesStore() async throws {
    try await TestCluster.withDatabase { db in
      let framework = Self.frameworks[0]
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: framework.name))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      let made = try await store.initialize()
      #expect(made.steps.allSatisfy { $0.title.hasPrefix("Migrate schema annals") } && made.missing.isEmpty)
      let file = """
        -- @projection sums
        -- @create
        CREATE TABLE sums (id text PRIMARY KEY, n integer);
        -- @on *
        INSERT INTO sums VALUES (event.aggregate_id, (event.event_data->>'n')::integer)
        ON CONFLICT (id) DO UPDATE SET n = sums.n + excluded.n;
        """
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(file.utf8)))
      #expect(
        try await db.psql("SELECT string_agg(id || '=' || n, ' ' ORDER BY id) FROM sums")
          == "order-1=4 order-2=2"
      )
      #expect(try await db.psql("SELECT store FROM annals.projections") == "message_store.messages")

      let changed = try Layout(path: "mine.sql", bytes: layout.bytes + Array("-- another text\n".utf8))
      let other = try EventStore(connecting: db.conninfo, layout: changed)
      await #expect(throws: EventStoreError.self) {
        var options = CatchUpOptions()
        options.once = true
        _ = try await other.project(
          try Projection(path: "sums.sql", bytes: Array(file.utf8)),
          options: options
        )
      }
    }
  }

  @Test func nothingIsWritten() async throws {
    try await TestCluster.withDatabase { db in
      let framework = Self.frameworks[0]
      try await db.psql(framework.sql())
      let store = try EventStore(
        connecting: db.conninfo,
        layout: try #require(Layout(shipped: framework.name))
      )
      func expectRefusal(_ body: () async throws -> Void) async {
        let error = await #expect(throws: EventStoreError.self) { try await body() }
        #expect(
          error?.message.contains("would write to a store that is read through layout message-db") == true
        )
      }
      let event = NewEvent(type: "T", data: "{}")
      await expectRefusal { try await store.append([event], to: "a") }
      await expectRefusal { _ = try await store.previewAppend([event], to: "a") }
      await expectRefusal { _ = try await store.append(lines: { nil }) }
      await expectRefusal { _ = try await store.initialize(addPosition: true) }
      await expectRefusal { try await store.rollBackEvolution(QualifiedName(schema: "public", name: "x")) }
    }
  }

  /// The conditions of a page, and the order, reach the indexes of the table behind the layout.
  @Test(arguments: ["message-db", "marten", "commanded", "patchlevel"])
  func aPageUsesTheIndex(name: String) async throws {
    try await TestCluster.withDatabase { db in
      let framework = try #require(Self.frameworks.first { $0.name == name })
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: name))
      let plan = try await db.psql(
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; EXPLAIN SELECT * FROM \(layout.relation) e WHERE e.position > 5 ORDER BY e.position LIMIT 10"
      )
      #expect(plan.contains("Index Cond: "), "\(plan)")
      #expect(!plan.contains("Sort"), "\(plan)")
    }
  }

  /// Ids that are uuids are found as such; what is none finds nothing.
  @Test func aStreamUsesTheIndex() async throws {
    try await TestCluster.withDatabase { db in
      let framework = try #require(Self.frameworks.first { $0.name == "marten" })
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: "marten"))
      let connection = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      let table = try EventsTable.find(layout, connection)
      let id = "'\(Self.uuids[0])'"
      let condition = table.isOf(Self.uuids[0]).text(naming: [id, id])
      let plan = try await db.psql(
        "SET enable_seqscan = off; EXPLAIN SELECT * FROM \(table.source) e WHERE \(condition)"
      )
      #expect(plan.contains("Index Cond: (stream_id = "), "\(plan)")
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      #expect(try await store.summary(ofStream: "order-1") == nil)
    }
  }

  @Test(arguments: [
    ("SELECT 1", "layout.sql:1:1: SQL before the first section"),
    ("-- @layout x\nSELECT 1", "no @table section"),
    (
      "-- @layout x\n-- @table t\nSELECT 1",
      "layout.sql:2:11: \"t\" is not the name of a table with its schema"
    ),
    ("-- @layout x\n-- @table s.t\n", "a layout is one SELECT"),
    ("-- @layout x\n-- @table s.t\nDELETE FROM t", "layout.sql:3:1: a layout is one SELECT"),
    ("-- @layout x\n-- @table s.t\nSELECT 1; SELECT 2", "layout.sql:3:11: a layout is one SELECT"),
    (
      "-- @layout x\n-- @table s.t\n-- @positions soon\nSELECT 1",
      "layout.sql:3:15: @positions is final, late, dense or dense SECONDS"
    ),
  ])
  func aWrongFile(text: String, message: String) throws {
    let error = #expect(throws: EventStoreError.self) {
      try Layout(path: "layout.sql", bytes: Array(text.utf8))
    }
    #expect(error?.code == .invalidDefinition)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    ("SELECT 1 AS id", "column aggregate_id (character varying) is missing"),
    (
      "SELECT 1 AS id, 'a' AS aggregate_id, 't' AS event_type, '{}'::json AS event_data, 1::bigint AS version, now() AS timestamp",
      "column id is integer, not uuid; column event_data is json, not jsonb; column version is bigint, not integer"
    ),
    ("SELECT * FROM nonesuch", "relation \"nonesuch\" does not exist"),
    ("SELECT FROM WHERE", "syntax error"),
  ])
  func aQueryThatDoesNotFit(query: String, message: String) async throws {
    try await TestCluster.withDatabase { db in
      let layout = try Layout(path: "layout.sql", bytes: Array("-- @layout x\n-- @table s.t\n\(query)".utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      let error = await #expect(throws: EventStoreError.self) { _ = try await store.eventTypes() }
      #expect(error?.code == .invalidDefinition)
      let said = "\(error?.message ?? "") \(error?.detail ?? "")"
      #expect(said.contains(message), "\(said)")
    }
  }
}
