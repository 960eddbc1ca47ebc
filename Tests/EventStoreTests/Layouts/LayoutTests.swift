import LibPQ
import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// The stores of other frameworks, made as their own sources make them, read through the shipped layouts.
@Suite struct LayoutTests {
  @Test func eachShippedLayoutIsTested() throws {
    #expect(Layout.shippedNames == FrameworkStore.all.filter { !$0.isExample }.map(\.name).sorted())
    let examples = try SourceTree.list("Examples/layouts")
    #expect(examples == FrameworkStore.all.filter(\.isExample).map { $0.name + ".sql" }.sorted())
    for name in Layout.shippedNames { #expect(Layout(shipped: name)?.name == name) }
  }

  @Test(arguments: FrameworkStore.all, [nil, #"A "shop""#])
  func itIsDetectedAndRead(_ framework: FrameworkStore, inSchema schema: String?) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql(in: schema))
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout(inSchema: schema))
      let (id, payloads) = (framework.aggregateIDs[0], framework.payloads)

      var stream: [Event] = []
      for try await event in store.events(matching: EventQuery(aggregateID: id)) { stream.append(event) }
      #expect(stream.map(\.version) == [1, 2])
      #expect(stream.map(\.type) == ["Submitted", "Paid"])
      #expect(stream.map(\.data) == [payloads[0], payloads[2]])
      let metadata = stream[0].metadata
      #expect(
        framework.metadata.map { metadata?.contains($0) == true } ?? (metadata == nil),
        "\(metadata ?? "")"
      )
      #expect(try await store.summary(ofStream: id)?.lastVersion == 2)

      var all: [String] = []
      for try await event in store.events(matching: EventQuery()) { all.append(event.data) }
      #expect(framework.positions == .none ? all.sorted() == payloads.sorted() : all == payloads)

      #expect(try await store.eventTypes().map(\.events) == [2, 1])
      #expect(try await store.shape(ofType: "Paid").events == 1)
      let names = try await store.names(of: .aggregate, beginningWith: "", limit: 9, timeoutMilliseconds: 0)
      #expect(names == framework.aggregateIDs)
      let state = try await store.state(of: id).state
      #expect(state == payloads[2], "\(state)")

      let checked = try await store.verifyVersions { if $0.severity == .error { Issue.record("\($0)") } }
      #expect(checked.events == 3)
      try await db.psql(
        "SET search_path = \(quoteIdentifier(schema ?? framework.schema)); \(framework.damage)"
      )
      let findings = Mutex<[Finding]>([])
      _ = try await store.verifyVersions { finding in
        if finding.severity == .error { findings.withLock { $0.append(finding) } }
      }
      let expected = try framework.layout().mayBeginLater ? [] : ["wrongFirstVersion \(id)"]
      #expect(findings.withLock { $0.map { "\($0.kind) \($0.aggregateID ?? "")" } } == expected)
      if !framework.isExample { try await expectDetected(framework, inSchema: schema, db) }
    }
  }

  /// The layout is found by what the catalogue says of the tables, alone or among those of another framework.
  private func expectDetected(_ framework: FrameworkStore, inSchema schema: String?, _ db: TestDatabase)
    async throws
  {
    let store = try EventStore(connecting: db.conninfo)
    let matches = try await store.findLayouts()
    #expect(matches.count == 1)
    let match = try #require(matches.first)
    #expect(([match.layout] + match.others).contains(framework.name), "\(match)")
    #expect(match.parameters == (schema.map { [LayoutParameter(name: "schema", value: $0)] } ?? []))
    for name in [match.layout] + match.others {
      let layout = try #require(Layout(shipped: name)).setting(match.parameters)
      #expect(layout.tables == (try framework.layout(inSchema: schema).tables) || name.hasPrefix("sequent"))
    }
    let other = framework.name.hasPrefix("emmett") ? "marten" : "emmett"
    try await db.psql(try FrameworkStore.named(other).sql(in: "other"))
    #expect(try await store.findLayouts().count == 2)
  }

  /// A table that an application names is found by its columns; what has other columns is nobody's.
  @Test func aTableOfAnotherNameIsDetected() async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      #expect(try await store.findLayouts().isEmpty)
      try await db.psql(
        """
        \(try FrameworkStore.named("pyeventsourcing").sql()); ALTER TABLE stored_events RENAME TO shop_events;
        CREATE TABLE messages (id uuid, stream_name text, position bigint); CREATE TABLE mt_events ();
        """
      )
      let match = try #require(try await store.findLayouts().first)
      #expect(match.layout == "pyeventsourcing" && match.others == ["pyeventsourcing-opaque"])
      #expect(match.parameters == [LayoutParameter(name: "table", value: "shop_events")])
      #expect(try await store.findLayouts().count == 1)
    }
  }

  /// A read model needs positions that are final.
  @Test(arguments: FrameworkStore.all) func followingNeedsFinalPositions(_ framework: FrameworkStore)
    async throws
  {
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql())
      let layout = try framework.layout()
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      _ = try await store.initialize()
      let file = """
        -- @projection counts
        -- @create
        CREATE TABLE counts (id text PRIMARY KEY, events integer);
        -- @on *
        INSERT INTO counts VALUES (event.aggregate_id, 1) ON CONFLICT (id) DO UPDATE SET events = counts.events + 1;
        """
      let projection = try Projection(path: "counts.sql", bytes: Array(file.utf8))
      let (head, isFinal): (Int64, Bool)
      switch framework.positions {
      case .final(let position): (head, isFinal) = (position, true)
      case .dense(let position): (head, isFinal) = (position, false)
      case .late, .none:
        await #expect(throws: EventStoreError.self) { try await store.watermark() }
        await #expect(throws: EventStoreError.self) { try await store.rebuildProjection(projection) }
        return
      }
      #expect(try await store.watermark().position == head)
      #expect(try await store.rebuildProjection(projection).events == 3)
      let counts = try await db.psql("SELECT string_agg(id || '=' || events, ' ' ORDER BY id) FROM counts")
      #expect(counts == "\(framework.aggregateIDs[0])=2 \(framework.aggregateIDs[1])=1")
      var options = CatchUpOptions()
      options.once = true
      #expect(try await store.project(projection, options: options).events == 0)

      let writer = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      for table in layout.tables where isFinal {
        // As an INSERT does.
        try writer.execute("BEGIN; LOCK TABLE \(table.sql) IN ROW EXCLUSIVE MODE")
        #expect(try await store.watermark().writers.count == 1)
        try writer.execute("ROLLBACK")
      }
    }
  }

  /// Reading a large object locks as changing one does, which a handler must not do.
  @Test(arguments: ["event.event_data", "to_jsonb(lo_from_bytea(0, 'x'))"])
  func largeObjectsAreReadAndNotWritten(value: String) async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("axon-jpa")
      try await db.psql(framework.sql())
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      let file = """
        -- @projection copies
        -- @create
        CREATE TABLE copies (data jsonb);
        -- @on *
        INSERT INTO copies VALUES (\(value));
        """
      let projection = try Projection(path: "copies.sql", bytes: Array(file.utf8))
      if value.hasPrefix("event") {
        #expect(try await store.buildReadModel(projection, from: EventQuery(), into: "aside").events == 3)
      } else {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.buildReadModel(projection, from: EventQuery(), into: "aside")
        }
        #expect(error?.message.contains("pg_largeobject") == true, "\(String(describing: error))")
      }
    }
  }

  @Test func aProjectionOfSomebodyElsesStore() async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("message-db")
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
      let framework = try FrameworkStore.named("message-db")
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
  @Test(arguments: [
    "message-db", "message-db-eventide", "message-db-protean", "marten", "marten-conjoined", "commanded",
    "commanded-bytea", "patchlevel", "patchlevel-aggregate", "eventuous", "eventsauce", "pekko-jdbc",
    "pyeventsourcing", "spatie", "sqlstreamstore",
  ])
  func aPageUsesTheIndex(name: String) async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named(name)
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: name))
      let plan = try await db.psql(
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; EXPLAIN SELECT * FROM \(layout.relation) e WHERE e.position > 5 ORDER BY e.position LIMIT 10"
      )
      #expect(plan.contains("Index Cond: "), "\(plan)")
      #expect(!plan.contains("Sort"), "\(plan)")
    }
  }

  /// Ids that are uuids are found, also if the store has no ids or counts its versions. Other texts find nothing.
  @Test(arguments: [
    ("marten", "(stream_id = '"), ("spatie", "(aggregate_uuid = '"), ("sequent-ordered", "(aggregate_id = '"),
    ("patchlevel-stream", "(stream)::text = 'order-1'"), ("rails-event-store", "(stream)::text = 'order-1'"),
    ("rails-event-store-bytea", "(stream)::text = 'order-1'"),
    ("rails-event-store-yaml", "(stream)::text = 'order-1'"),
  ])
  func aStreamUsesTheIndex(name: String, condition: String) async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named(name)
      try await db.psql(framework.sql())
      let layout = try #require(Layout(shipped: name))
      let connection = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      let table = try EventsTable.find(layout, connection)
      let id = "'\(framework.aggregateIDs[0])'"
      let isOf = table.isOf(framework.aggregateIDs[0]).text(naming: [id, id])
      let plan = try await db.psql(
        "SET enable_seqscan = off; EXPLAIN SELECT * FROM \(table.source) e WHERE \(isOf)"
      )
      let lines = plan.split(separator: "\n")
      #expect(lines.contains { $0.contains("Index Cond: ") && $0.contains(condition) }, "\(plan)")
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      #expect(try await store.summary(ofStream: "order-3") == nil)
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
