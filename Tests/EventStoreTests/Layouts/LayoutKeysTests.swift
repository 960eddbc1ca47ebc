import LibPQ
import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// What a layout says of the streams' keys and categories.
@Suite struct LayoutKeysTests {
  /// The category stands behind the stream's number.
  private static let layout = """
    -- @layout log
    -- @table public.log
    SELECT md5(number::text)::uuid AS id, stream AS aggregate_id, split_part(stream, '.', 2) AS category,
           'Set' AS event_type, body AS event_data, revision AS version, '2026-01-01Z'::timestamptz AS "timestamp",
           number AS position
    FROM public.log
    """

  @Test func aCategoryOfItsOwn() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE log (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text, revision int, body jsonb);
        INSERT INTO log (stream, revision, body) VALUES
          ('1.order', 1, '{"n": 1}'), ('2.cart', 1, '{"n": 2}'), ('1.order', 2, '{"n": 3}'), ('order-1', 2, '{"n": 4}');
        """
      )
      let store = try EventStore(
        connecting: db.conninfo,
        layout: try Layout(path: "log.sql", bytes: Array(Self.layout.utf8))
      )
      _ = try await store.initialize()
      func versions(of query: EventQuery) async throws -> [String] {
        var found: [String] = []
        for try await event in store.events(matching: query) {
          found.append("\(event.aggregateID) \(event.version)")
        }
        return found
      }
      var query = EventQuery()
      query.category = "order"
      #expect(try await versions(of: query) == ["1.order 1", "1.order 2"])
      let upcaster = "-- @upcaster u\n-- @event Set\n-- @data\nSELECT event.event_data || '{\"up\": true}'\n"
      let upcast = try await store.sibling()
      await upcast.use(try Upcasters([(path: "u.sql", bytes: Array(upcaster.utf8))]))
      #expect(try await upcast.writeNDJSON(query) { _ in }.count == 2)
      query.category = "1.order"
      await #expect(throws: EventStoreError.self) { try await versions(of: query) }

      #expect(try await store.eventTypes(category: "cart").map(\.events) == [1])
      let names = try await store.names(of: .category, beginningWith: "o", limit: 9, timeoutMilliseconds: 0)
      #expect(names == ["order"])
      var check = VersionCheck()
      check.selection = .category("order")
      #expect(try await store.verifyVersions(check) { Issue.record("\($0)") }.events == 2)

      #expect(try await store.takeSnapshots(of: .category("order")).taken == 1)
      #expect(try await store.takeSnapshots(of: .category("cart")).taken == 1)
      #expect(
        try await store.verifySnapshots(of: .category("order"), reducer: .merge) { Issue.record("\($0)") }
          == 1
      )
      let listed = Mutex<[String]>([])
      try await store.listSnapshots(of: .category("cart")) { snapshot in
        listed.withLock { $0.append(snapshot.aggregateID) }
      }
      #expect(listed.withLock { $0 } == ["2.cart"])
      let shown = try await store.pruneSnapshots(of: .category("cart"), keeping: 0, dryRun: true)
      #expect(shown.snapshots == 1)
      try await db.psql(shown.sql)
      #expect(try await db.psql("SELECT string_agg(aggregate_id, ' ') FROM annals.snapshots") == "1.order")
      #expect(try await store.pruneSnapshots(of: .category("order"), keeping: 0).snapshots == 1)
    }
  }

  /// An entity type of Pekko stands before a |, and a tenant of Marten before a slash.
  @Test(arguments: [
    ("pekko-jdbc", "UPDATE event_journal SET persistence_id = replace(persistence_id, '-', '|')", "order", 3),
    (
      "patchlevel-aggregate",
      "UPDATE eventstore SET aggregate = 'pre-order' WHERE aggregate_id = '\(FrameworkStore.uuids[0])'",
      "pre-order", 2
    ),
    ("marten-conjoined", "", "t-1", 2),
  ])
  func frameworksHaveCategories(name: String, sql: String, category: String, count: Int) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(sql)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      var query = EventQuery()
      query.category = category
      #expect(try await store.writeNDJSON(query) { _ in }.count == count)
    }
  }

  /// The key of a stream that is unique within its tenant only, as a uuid or a text.
  @Test(arguments: ["marten-conjoined", "marten-tenant-partitions"], [false, true])
  func aStreamOfATenantUsesTheIndex(name: String, hasTextKeys: Bool) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql())
      if hasTextKeys { try await db.psql("ALTER TABLE mt_events ALTER stream_id TYPE varchar") }
      let layout = try framework.layout()
      let connection = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      let table = try EventsTable.find(layout, connection)
      let condition = table.isOf(framework.aggregateIDs[0])
      let id = framework.aggregateIDs[0]
      let slash = try #require(id.firstIndex(of: "/"))
      let values = [id, String(id[..<slash]), String(id[id.index(after: slash)...])].map { "'\($0)'" }
      let plan = try await db.psql(
        "SET enable_seqscan = off; EXPLAIN SELECT * FROM \(table.source) e WHERE \(condition.text(naming: values))"
      )
      #expect(plan.contains("Index Cond: "), "\(plan)")
      #expect(
        plan.contains("tenant_id") && plan.contains("stream_id)") || plan.contains("(stream_id = "),
        "\(plan)"
      )
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      #expect(try await store.summary(ofStream: id)?.count == 2)
      #expect(try await store.summary(ofStream: "order-1") == nil)
    }
  }
}
