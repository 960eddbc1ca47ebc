import TestSupport
import Testing

@testable import EventStore

/// What other frameworks keep among their events, and what a layout may lack.
@Suite struct UnusualLayoutTests {
  /// A tombstone has its number as version, which need not be an integer, and stands in a stream of its own.
  @Test(arguments: [false, true])
  func martenHasNoTombstonesAndSkipsNothing(hasColumn: Bool) async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("marten")
      try await db.psql(framework.sql())
      try await db.psql(
        """
        INSERT INTO mt_streams (id) VALUES ('00000000-0000-4000-8000-000000000009');
        INSERT INTO mt_events (seq_id, id, stream_id, version, data, type)
        SELECT n, gen_random_uuid(), '00000000-0000-4000-8000-000000000009', n, '{}', 'tombstone'
        FROM unnest('{4, 7, 3000000000}'::bigint[]) AS n
        """
      )
      if hasColumn {
        try await db.psql(
          "ALTER TABLE mt_events ADD is_skipped boolean DEFAULT false; UPDATE mt_events SET is_skipped = true WHERE type = 'Paid'"
        )
      }
      let store = try EventStore(connecting: db.conninfo, layout: try #require(Layout(shipped: "marten")))
      #expect(
        try await store.eventTypes().map(\.type) == (hasColumn ? ["Submitted"] : ["Submitted", "Paid"])
      )
      let result = try await store.verifyVersions { if $0.severity == .error { Issue.record("\($0)") } }
      #expect(result.aggregates == 2)
      var positions: [Int64?] = []
      var query = EventQuery()
      query.fromVersion = 1
      for try await event in store.events(matching: query) { positions.append(event.position) }
      #expect(positions == (hasColumn ? [1, 2] : [1, 2, 3]))
      #expect(
        try await store.state(of: "00000000-0000-4000-8000-000000000001").state
          == (hasColumn ? #"{"n": 1}"# : #"{"n": 3}"#)
      )
    }
  }

  /// A stream has the events that were linked into it as well, and the store each of them once.
  @Test func commandedLinksEventsIntoOtherStreams() async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("commanded")
      try await db.psql(framework.sql())
      // Stream 3 has events 1 and 2 by link, and then one of its own.
      try await db.psql(
        """
        INSERT INTO streams (stream_uuid) VALUES ('all-orders');
        INSERT INTO events (event_id, event_type, data) VALUES
          ('00000000-0000-4000-8000-000000000004', 'Closed', '{"closed": true}');
        INSERT INTO stream_events (event_id, stream_id, stream_version, original_stream_id, original_stream_version) VALUES
          ('00000000-0000-4000-8000-000000000001', 3, 1, 1, 1), ('00000000-0000-4000-8000-000000000002', 3, 2, 2, 1),
          ('00000000-0000-4000-8000-000000000004', 3, 3, 3, 3), ('00000000-0000-4000-8000-000000000004', 0, 4, 3, 3)
        """
      )
      let whole = try EventStore(connecting: db.conninfo, layout: try #require(Layout(shipped: "commanded")))
      #expect(try await whole.missingVersions(ofStream: "all-orders") == [1...2])
      #expect(try await whole.eventTypes().map(\.events) == [2, 1, 1])
      let linked = try EventStore(
        connecting: db.conninfo,
        layout: try #require(Layout(shipped: "commanded-links"))
      )
      #expect(try await linked.missingVersions(ofStream: "all-orders") == [])
      #expect(try await linked.state(of: "all-orders").state == #"{"n": 2, "closed": true}"#)
      var versions: [Int] = []
      for try await event in linked.events(matching: EventQuery(aggregateID: "all-orders")) {
        versions.append(event.version)
      }
      #expect(versions == [1, 2, 3])
      var check = VersionCheck()
      check.kinds = Finding.Kind.versions
      let result = try await linked.verifyVersions(check) { Issue.record("\($0)") }
      #expect(result.events == 6 && result.aggregates == 3)
      await #expect(throws: EventStoreError.self) { try await linked.watermark() }
    }
  }

  /// What is computed can fail for some rows only.
  @Test func doctorReadsAnEventOfEachEnd() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(try FrameworkStore.named("message-db").sql())
      let text = """
        -- @layout mine
        -- @table message_store.messages
        SELECT m.id, m.stream_name AS aggregate_id, m.type AS event_type, m.data AS event_data,
               (m.data->>'n')::integer AS version, m.time AS "timestamp", m.global_position AS position
        FROM message_store.messages AS m WHERE m.stream_name <> 'order-2'
        """
      let layout = try Layout(path: "mine.sql", bytes: Array(text.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      func items() async throws -> [String] {
        try await store.diagnose().filter {
          ["first event", "last event", "rows left out"].contains($0.name)
        }
        .map { "\($0.name): \($0.value)" }
      }
      #expect(
        try await items() == [
          "first event: position 1, order-1 version 1, Submitted",
          "last event: position 3, order-1 version 3, Paid",
          "rows left out: 1 of 3 of message_store.messages",
        ]
      )
      try await db.psql(#"UPDATE message_store.messages SET data = '{"n": "x"}' WHERE global_position = 3"#)
      #expect(
        try await items() == [
          "first event: position 1, order-1 version 1, Submitted",
          #"last event: cannot be read: invalid input syntax for type integer: "x""#,
          "rows left out: 1 of 3 of message_store.messages",
        ]
      )
      try await db.psql("DELETE FROM message_store.messages")
      #expect(try await items().prefix(2) == ["first event: none", "last event: none"])
    }
  }

  /// Doctor goes on, and says what to grant.
  @Test func aTableThatMayNotBeReadIsNamed() async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("commanded")
      try await db.psql("\(framework.sql()); GRANT SELECT ON stream_events, streams TO pg_monitor")
      let store = try EventStore(
        connecting: db.conninfo + " options='-c role=pg_monitor'",
        layout: try framework.layout()
      )
      let error = await #expect(throws: EventStoreError.self) { try await store.eventTypes() }
      #expect(error?.code == .permissionDenied)
      #expect(error?.message == "layout commanded: permission denied for table events")
      let grant = #"GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "pg_monitor";"#
      #expect(error?.hint?.description.contains(grant) == true)
      let items = try await store.diagnose()
      #expect(items.contains { $0.status == .problem && $0.advice?.description == error?.hint?.description })
      #expect(items.contains { $0.name == "schema annals" })
    }
  }

  @Test(arguments: ["message-db", "message-db-protean", "emmett"]) func tablesElsewhereAreFound(name: String)
    async throws
  {
    try await TestCluster.withDatabase { db in
      try await db.psql(try FrameworkStore.named(name).sql(in: "shop"))
      let store = try EventStore(connecting: db.conninfo, layout: try FrameworkStore.named(name).layout())
      let error = await #expect(throws: EventStoreError.self) { try await store.eventTypes() }
      #expect(error?.code == .invalidDefinition)
      #expect(error?.hint?.description.hasPrefix("This database has such a store under other names") == true)
    }
  }

  /// PostgreSQL before 16 wants a name for each query in FROM.
  @Test func aLayoutNeedsNoMetadata() async throws {
    try await TestCluster.withDatabase { db in
      let framework = try FrameworkStore.named("message-db")
      try await db.psql(framework.sql())
      let text = """
        -- @layout mine
        -- @table message_store.messages
        SELECT m.id, m.stream_name AS aggregate_id, m.type AS event_type, m.data AS event_data,
               m.position::integer + 1 AS version, m.time AS "timestamp", m.global_position AS position
        FROM message_store.messages AS m
        """
      let layout = try Layout(path: "mine.sql", bytes: Array(text.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      _ = try await store.initialize()
      let file = """
        -- @projection sums
        -- @create
        CREATE TABLE sums (n integer, by text);
        -- @on *
        INSERT INTO sums VALUES ((event.event_data->>'n')::integer, event.metadata->>'by');
        """
      let projection = try Projection(path: "sums.sql", bytes: Array(file.utf8))
      #expect(try await store.rebuildProjection(projection).events == 3)
      #expect(try await db.psql("SELECT count(*), count(by) FROM sums") == "3|0")
      await #expect {
        try await store.trace("x")
      } throws: {
        let hint = ($0 as? EventStoreError)?.hint?.description
        return hint?.contains("SELECT of the layout") == true
      }
    }
  }
}
