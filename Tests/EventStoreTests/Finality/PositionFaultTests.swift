import EventStore
import Synchronization
import TestSupport
import Testing

/// All readers that continue from a position refuse a fault, and all checks report it in the same way.
@Suite struct PositionFaultTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let sql: String
    var table = "events"
    let kind: PositionFault.Kind
    let words: String

    var testDescription: String { words }
  }

  static let cases = [
    Case(sql: citusStandIn, kind: .distributed, words: "Citus distributes public.events"),
    Case(
      sql: "CREATE VIEW v AS SELECT * FROM events",
      table: "v",
      kind: .notATable,
      words: "public.v is a view"
    ),
    Case(
      sql: "CREATE MATERIALIZED VIEW m AS SELECT * FROM events",
      table: "m",
      kind: .notATable,
      words: "public.m is a materialized view"
    ),
    Case(
      sql: "ALTER TABLE events ALTER position DROP IDENTITY",
      kind: .noSequence,
      words: "column position of public.events has neither an identity nor a default of nextval"
    ),
    Case(
      sql: """
        CREATE SEQUENCE halves; ALTER TABLE events ALTER position DROP IDENTITY;
        ALTER TABLE events ALTER position SET DEFAULT nextval('halves') / 2
        """,
      kind: .noSequence,
      words: "column position of public.events has neither an identity nor a default of nextval"
    ),
    Case(
      sql: "CREATE TABLE child () INHERITS (events)",
      kind: .noSequence,
      words: "column position of public.child has neither an identity nor a default of nextval"
    ),
    Case(
      sql: """
        CREATE TABLE child () INHERITS (events); CREATE SEQUENCE "Other's";
        ALTER TABLE child ALTER position SET DEFAULT nextval('"Other''s"')
        """,
      kind: .severalSequences,
      words: "several sequences hand out its positions: public.\"Other's\", public.events_position_seq"
    ),
    Case(
      sql: "ALTER SEQUENCE events_position_seq CACHE 20",
      kind: .sequenceCache,
      words: "sequence public.events_position_seq hands out 20 positions at a time"
    ),
    Case(
      sql: "ALTER SEQUENCE events_position_seq INCREMENT -1 MINVALUE -1000",
      kind: .sequenceOrder,
      words: "sequence public.events_position_seq counts down"
    ),
    Case(
      sql: "ALTER SEQUENCE events_position_seq CYCLE",
      kind: .sequenceOrder,
      words: "sequence public.events_position_seq starts again at its end"
    ),
    Case(
      sql: "SELECT setval('events_position_seq', 1)",
      kind: .sequenceBehind,
      words: "sequence public.events_position_seq is at 1, and the highest position is 3"
    ),
    Case(
      sql: "SELECT setval('events_position_seq', 3, false)",
      kind: .sequenceBehind,
      words: "sequence public.events_position_seq is at 3, and the highest position is 3"
    ),
  ]

  @Test(arguments: cases) func goingOnIsRefused(_ fault: Case) async throws {
    try await withStore(Self.insert(3)) { db, store in
      try await db.psql(fault.sql)
      let store = try EventStore(
        connecting: db.conninfo,
        table: try #require(QualifiedName("public.\(fault.table)"))
      )
      try await expectRefusals(by: store, of: fault.kind, fault.words)
      // It can be read if nobody continues from there.
      #expect(try await store.writeNDJSON(EventQuery()) { _ in }.count == 3)
    }
  }

  /// The events are on another server, and so are the locks.
  @Test func aForeignTableIsRefused() async throws {
    try await withStore(Self.insert(3)) { db, _ in
      try await db.psql(
        """
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
          host '\(db.environment["PGHOST"] ?? "")', port '\(db.environment["PGPORT"] ?? "")', dbname '\(db.name)');
        CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user '\(db.environment["PGUSER"] ?? "")');
        CREATE SCHEMA far;
        IMPORT FOREIGN SCHEMA public LIMIT TO (events) FROM SERVER here INTO far;
        """
      )
      let store = try EventStore(
        connecting: db.conninfo,
        table: try #require(QualifiedName("far.events"))
      )
      try await expectRefusals(by: store, of: .notATable, "far.events is a foreign table")
      #expect(try await store.writeNDJSON(EventQuery()) { _ in }.count == 3)
    }
  }

  /// Changes arrive in the order of commits, whatever their positions are, and the writers' locks are elsewhere.
  @Test func theTargetOfASubscriptionIsRefused() async throws {
    try await TestCluster.withServer(settings: ["wal_level": "logical"]) { _, source in
      try await initialize(source)
      try await source.psql("CREATE DATABASE target")
      let target = source.sibling("target")
      try await initialize(target, events: 0)
      let slot = "SELECT pg_create_logical_replication_slot('events', 'pgoutput')"
      try await source.psql("CREATE PUBLICATION events FOR TABLE events; \(slot)")
      try await target.psql(
        """
        CREATE SUBSCRIPTION events CONNECTION '\(source.conninfo)' PUBLICATION events
        WITH (create_slot = false, copy_data = true)
        """
      )
      let deadline = ContinuousClock.now + .seconds(60)
      while try await target.psql("SELECT count(*) FROM events") != "3", .now < deadline {
        try await Task.sleep(for: .milliseconds(50))
      }
      let store = try EventStore(connecting: target.conninfo)
      try await expectRefusals(
        by: store,
        of: .subscription,
        "public.events is the target of a logical replication subscription"
      )
      #expect(try await store.writeNDJSON(EventQuery()) { _ in }.count == 3)
      try await target.psql("DROP SUBSCRIPTION events")
    }
  }

  /// Tables that are as they should be, whatever made them.
  @Test(arguments: [
    "CREATE TABLE t (LIKE events INCLUDING ALL)",
    "CREATE TABLE t (LIKE events INCLUDING DEFAULTS); ALTER TABLE t ALTER position ADD GENERATED BY DEFAULT AS IDENTITY",
    """
    CREATE SEQUENCE "It's"; CREATE TABLE t (LIKE events INCLUDING DEFAULTS);
    ALTER TABLE t ALTER position SET DEFAULT nextval('"It''s"')
    """,
    """
    CREATE TABLE t (LIKE events INCLUDING DEFAULTS); ALTER TABLE t DROP position; ALTER TABLE t ADD position bigserial;
    CREATE TABLE child () INHERITS (t)
    """,
    """
    CREATE TABLE t (LIKE events INCLUDING DEFAULTS INCLUDING IDENTITY) PARTITION BY HASH (aggregate_id);
    CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)
    """,
    "CREATE TABLE t (LIKE events INCLUDING ALL); SELECT setval('t_position_seq', 1, false)",
  ])
  func aSoundTableHasNone(sql: String) async throws {
    try await withStore(Self.insert(3)) { db, _ in
      try await db.psql(sql)
      try await db.psql(Self.insert(3).replacing("INTO events", with: "INTO t"))
      let store = try EventStore(connecting: db.conninfo, table: try #require(QualifiedName("public.t")))
      #expect(try await store.health().positionFaults == [])
      #expect(try await store.watermark().position == 3)
      var options = ReplayOptions()
      options.checkpoint = "t"
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 3)
    }
  }

  /// The sequence is looked at only where the role may; it takes no right beyond those that the readers need.
  @Test func aSequenceThatMayNotBeReadIsNoObstacle() async throws {
    try await withStore(Self.insert(3)) { db, _ in
      let role = "sequence_\(db.name)"
      try await db.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role)")
      let store = try EventStore(connecting: db.conninfo.replacing(/user=\w+/, with: "user=\(role)"))
      #expect(try await store.watermark().position == 3)
      try await db.psql("SELECT setval('events_position_seq', 1)")
      #expect(try await store.watermark().position == 3)
      try await db.psql("ALTER SEQUENCE events_position_seq CACHE 20")
      await #expect(throws: EventStoreError.self) { try await store.watermark() }
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  // MARK: - All that go on from a position, and all that look

  private func expectRefusals(by store: EventStore, of kind: PositionFault.Kind, _ words: String) async throws
  {
    func refuses(_ what: String, _ body: () async throws -> Void) async {
      await #expect("\(what)") { try await body() } throws: { error in
        let error = error as? EventStoreError
        return error?.code == .invalidDefinition && error?.message.hasSuffix(": \(words)") == true
          && error?.detail != nil && error?.hint != nil
      }
    }
    let file = Array(sums.utf8)
    await refuses("watermark") { _ = try await store.watermark() }
    await refuses("rebuild") {
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: file))
    }
    await refuses("project") {
      var options = CatchUpOptions()
      options.once = true
      _ = try await store.project(try Projection(path: "sums.sql", bytes: file), options: options)
    }
    await refuses("replay with a checkpoint") {
      var options = ReplayOptions()
      options.checkpoint = "mail"
      _ = try await store.replay(EventQuery(), options) { _ in }
    }
    await refuses("plan of a replay with a checkpoint") {
      var options = ReplayOptions()
      options.checkpoint = "mail"
      _ = try await store.planReplay(EventQuery(), options)
    }
    await refuses("following replay") {
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .milliseconds(100))
      _ = try await store.replay(EventQuery(), options) { _ in }
    }
    await refuses("following events") {
      for try await _ in store.events(matching: EventQuery(), following: true) { break }
    }
    await refuses("read model aside") {
      _ = try await store.buildReadModel(
        try Projection(path: "sums.sql", bytes: file),
        from: EventQuery(),
        into: "aside"
      )
    }
    await refuses("incremental check") {
      var check = VersionCheck()
      check.isIncremental = true
      _ = try await store.verifyVersions(check) { _ in }
    }
    #expect(
      try await store.planRebuild(try Projection(path: "sums.sql", bytes: file)).problems.contains {
        $0.hasSuffix(words)
      }
    )

    #expect(try await store.health().positionFaults.map(\.kind) == [kind])
    #expect(try await store.health().problems(StoreHealth.Limits()) == [words])
    let found = Mutex<[Finding]>([])
    _ = try await store.verifyVersions { finding in found.withLock { $0.append(finding) } }
    let findings = found.withLock { $0 }
    let expected: Finding.Kind = kind == .sequenceBehind ? .sequenceBehind : .positionsNotFinal
    #expect(findings.contains { $0.kind == expected && $0.detail.hasPrefix("\(words). ") })
  }

  private static func insert(_ count: Int) -> String {
    """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', 'Added', '{"n": 1}', v FROM generate_series(1, \(count)) v
    """
  }

  private func initialize(_ db: TestDatabase, events: Int = 3) async throws {
    _ = try await EventStore(connecting: db.conninfo).initialize()
    if events > 0 { try await db.psql(Self.insert(events)) }
  }
}
