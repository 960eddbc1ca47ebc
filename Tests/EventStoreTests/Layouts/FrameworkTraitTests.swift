import TestSupport
import Testing

@testable import EventStore

/// What one framework keeps and others do not, in the layout that reads it.
@Suite struct FrameworkTraitTests {
  /// The events of a store, a line each, after SQL that adds to it.
  private func events(
    of name: String,
    after sql: String,
    _ line: (Event) -> String = { "\($0.aggregateID) \($0.version) \($0.data)" }
  ) async throws -> [String] {
    let framework = try FrameworkStore.named(name)
    var lines: [String] = []
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(sql)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      for try await event in store.events(matching: EventQuery()) { lines.append(line(event)) }
    }
    return lines
  }

  @Test(arguments: ["marten", "marten-conjoined", "marten-tenant-partitions"])
  func martenHasBinaryPayloads(name: String) async throws {
    let lines = try await events(
      of: name,
      after:
        "ALTER TABLE mt_events ADD bdata bytea; UPDATE mt_events SET data = '{}', bdata = 'x' WHERE type = 'Paid'"
    ) { $0.data }
    #expect(lines.sorted() == [#"{"base64": "eA=="}"#, #"{"n": 1}"#, #"{"n": 2}"#])
  }

  @Test(arguments: ["marten-conjoined", "marten-tenant-partitions"])
  func tombstonesOfTenantsAreNoEvents(name: String) async throws {
    let lines = try await events(
      of: name,
      after: """
        INSERT INTO mt_events (seq_id, id, tenant_id, stream_id, version, data, type)
        VALUES (3000000000, gen_random_uuid(), 't-1', gen_random_uuid(), 3000000000, '{}', 'tombstone');
        ALTER TABLE mt_events ADD is_skipped boolean; UPDATE mt_events SET is_skipped = true WHERE type = 'Paid'
        """
    )
    #expect(lines.count == 2)
  }

  /// CBOR of the Jackson serializer, and JSON that it compressed.
  @Test func pekkoHasPayloadsThatAreNoJSON() async throws {
    let lines = try await events(
      of: "pekko-jdbc",
      after: """
        UPDATE event_journal SET event_ser_id = 33, event_payload = '\\xa1616e01' WHERE ordering = 1;
        UPDATE event_journal SET event_payload = '\\x1f8b08' WHERE ordering = 2;
        UPDATE event_journal SET event_ser_id = 32 WHERE ordering = 3;
        """
    ) { $0.data }
    #expect(
      lines == [
        #"{"base64": "oWFuAQ==", "serializer": 33}"#, #"{"base64": "H4sI", "serializer": 31}"#, #"{"n": 3}"#,
      ]
    )
  }

  /// Written with expected_version any, or to no stream at all.
  @Test func railsEventsNeedNeitherPositionNorStream() async throws {
    let lines = try await events(
      of: "rails-event-store",
      after: """
        INSERT INTO event_store_events (event_id, event_type, data, created_at)
        SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'T', '{}', now() FROM generate_series(4, 6) AS n;
        INSERT INTO event_store_events_in_streams (stream, event_id, created_at)
        SELECT 'any', ('00000000-0000-4000-8000-00000000000' || n)::uuid, now() FROM generate_series(4, 5) AS n;
        """
    )
    #expect(
      lines == [
        #"order-1 1 {"n": 1}"#, #"order-2 1 {"n": 2}"#, #"order-1 2 {"n": 3}"#, "any 1 {}", "any 2 {}",
        "all 1 {}",
      ]
    )
  }

  /// Events of no stream, or of no aggregate, are a stream of their own.
  @Test(arguments: [
    (
      "rails-event-store", "all",
      """
      INSERT INTO event_store_events (event_id, event_type, data, created_at)
      SELECT gen_random_uuid(), 'T', '{}', now() FROM generate_series(1, 2)
      """
    ),
    (
      "spatie", "none",
      """
      INSERT INTO stored_events (event_class, event_properties, meta_data, created_at)
      SELECT 'T', '{}', '{}', now() FROM generate_series(1, 2)
      """
    ),
  ])
  func theRestIsAStream(name: String, id: String, sql: String) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(sql)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      let upcaster = """
        -- @upcaster paid
        -- @event Paid
        -- @data
        SELECT event.event_data || '{"paid": true}';

        """
      for files in [[], [("u.sql", Array(upcaster.utf8))]] {
        await store.use(try Upcasters(files))
        for stream in [id, framework.aggregateIDs[0]] {
          var found: [Int] = []
          for try await event in store.events(matching: EventQuery(aggregateID: stream)) {
            #expect(event.aggregateID == stream)
            found.append(event.version)
          }
          #expect(found == [1, 2])
        }
      }
    }
  }

  /// Versions of some events are missing, as of those from before Spatie had them.
  @Test func spatieCountsWhatHasNoVersion() async throws {
    let lines = try await events(
      of: "spatie",
      after: "UPDATE stored_events SET aggregate_version = NULL WHERE id > 1"
    )
    let (first, second) = (FrameworkStore.uuids[0], FrameworkStore.uuids[1])
    #expect(lines == [#"\#(first) 1 {"n": 1}"#, #"\#(second) 1 {"n": 2}"#, #"\#(first) 2 {"n": 3}"#])
  }

  /// Subscriptions write them into holes, where readers have passed.
  @Test func eventuousTombstonesAreNoEvents() async throws {
    let lines = try await events(
      of: "eventuous",
      after: """
        INSERT INTO streams (stream_name, version) VALUES ('__tombstones__', 0);
        INSERT INTO messages (message_id, message_type, stream_id, stream_position, global_position, json_data, created)
        OVERRIDING SYSTEM VALUE VALUES
          (gen_random_uuid(), '$tombstone', 3, 0, 0, '{}', now()), (gen_random_uuid(), '$tombstone', 1, 2, 4, '{}', now());
        """
    ) { "\($0.aggregateID) \($0.type)" }
    #expect(lines == ["order-1 Submitted", "order-2 Submitted", "order-1 Paid", "order-1 $tombstone"])
  }

  /// A client may give any text as id.
  @Test(arguments: [
    ("emmett", "UPDATE emt_messages SET message_id = 'mail-1' WHERE global_position = 1"),
    ("patchlevel", "UPDATE event_store SET event_id = 'mail-1' WHERE id = 1"),
  ])
  func anIDMayBeAnyText(name: String, sql: String) async throws {
    let ids = try await events(of: name, after: sql) { "\($0.id)" }
    // MD5 of mail-1.
    #expect(ids.first == "5c6d7a0d-746d-0593-993b-30503f2a693e" && Set(ids).count == 3, "\(ids)")
  }

  /// Its first position is 0, and a reader that began in the empty store has not passed it.
  @Test func sqlStreamStoreBeginsWithZero() async throws {
    let framework = try FrameworkStore.named("sqlstreamstore")
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.tables)
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      _ = try await store.initialize()
      let file = """
        -- @projection seen
        -- @create
        CREATE TABLE seen (position bigint);
        -- @on *
        INSERT INTO seen VALUES (event.position);
        """
      let projection = try Projection(path: "seen.sql", bytes: Array(file.utf8))
      #expect(try await store.rebuildProjection(projection).events == 0)
      var replay = ReplayOptions()
      replay.checkpoint = "mail"
      #expect(try await store.replay(EventQuery(), replay) { _ in }.count == 0)
      try await db.psql(framework.events)
      var positions: [Int64] = []
      _ = try await store.replay(EventQuery(), replay) { positions += $0.positions }
      #expect(positions == [0, 1, 2])
      var options = CatchUpOptions()
      options.once = true
      #expect(try await store.project(projection, options: options).events == 3)
      // The sequence proves that positions are final.
      #expect(notices.all == [])
    }
  }

  @Test func spatieHasEventsOfNoAggregate() async throws {
    let lines = try await events(
      of: "spatie",
      after: """
        INSERT INTO stored_events (event_class, event_properties, meta_data, created_at)
        SELECT 'T', '{}', '{}', now() FROM generate_series(1, 2);
        """
    )
    #expect(lines.suffix(2) == ["none 1 {}", "none 2 {}"])
  }

  @Test func patchlevelHasStreamsWithoutPlayheads() async throws {
    let lines = try await events(
      of: "patchlevel-stream",
      after: """
        INSERT INTO event_store (stream, event, payload, recorded_on, custom_headers)
        SELECT 'order-2', 'T', '{}', now(), '[]' FROM generate_series(1, 2);
        """
    )
    #expect(lines.suffix(2) == ["order-2 2 {}", "order-2 3 {}"])
  }

  /// What caused an event is found by `trace`, however the framework names it.
  @Test(arguments: [
    (
      "message-db-eventide",
      "UPDATE messages SET metadata = '{\"causationMessageGlobalPosition\": 1}' WHERE global_position = 3"
    ),
    (
      "message-db-protean",
      """
      UPDATE messages SET metadata = '{"headers": {"id": "b"}, "domain": {"causation_id": "a"}}' WHERE global_position = 3
      """
    ),
    (
      "sequent",
      "UPDATE commands SET event_aggregate_id = '\(FrameworkStore.uuids[0])', event_sequence_number = 1 WHERE id = 3"
    ),
  ])
  func causesAreFound(name: String, sql: String) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(sql)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      var ids: [String] = []
      for try await event in store.events(matching: EventQuery(aggregateID: framework.aggregateIDs[0])) {
        ids.append("\(event.id)")
      }
      let traced = try await store.trace(ids[1])
      #expect(traced.map { "\($0.event.id)" }.contains(ids[0]), "\(traced)")
    }
  }

  /// A message that another client wrote has no id of Protean's.
  @Test func proteanIsNotAlone() async throws {
    let lines = try await events(of: "message-db-protean", after: "") { "\($0.id)" }
    #expect(Set(lines).count == 3)
  }
}
