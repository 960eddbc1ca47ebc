import EventStore
import TestSupport
import Testing

/// Reports and refusals for a table that Citus distributes, with a stand-in for Citus's catalogue.
@Suite struct DistributionTests {
  @Test func theDiagnosisTellsOfTheShards() async throws {
    try await withStore(citusStandIn) { db, _ in
      let items = try await EventStore(connecting: db.conninfo).diagnose()
      let distribution = try #require(items.first { $0.name == "distribution" })
      #expect(distribution.value == "by aggregate_id, 32 shards" && distribution.status == .ok)
      #expect(items.filter { $0.name == "rows" }.map(\.value) == ["about 224, 4 MiB"])
      try await db.psql("UPDATE pg_catalog.pg_dist_partition SET partkey = 'id'")
      let other = try await EventStore(connecting: db.conninfo).diagnose()
      #expect(
        other.contains { $0.name == "distribution" && $0.status == .problem && $0.value.contains("by id") }
      )
    }
  }

  @Test func snapshotsOfADistributedTableAreRefused() async throws {
    try await withStore(citusStandIn) { db, _ in
      let store = try EventStore(connecting: db.conninfo)
      try await store.append([NewEvent(type: "T", data: #"{"a": 1}"#)], to: "order-1")
      let error = await #expect(throws: EventStoreError.self) { try await store.takeSnapshots(of: .all) }
      #expect(error?.code == .invalidDefinition && error?.message.contains("Citus distributes it") == true)
      #expect(try await store.state(of: "order-1").state == #"{"a": 1}"#)
    }
  }

  /// The events are in a plain table, and Citus distributes what is built from them.
  @Test func aRebuildPutsNoPlainTableInThePlaceOfADistributedOne() async throws {
    try await withStore { db, store in
      try await store.append([NewEvent(type: "T", data: "{}")], to: "order-1")
      let file = """
        -- @projection orders
        -- @create
        CREATE TABLE orders (id text PRIMARY KEY)
        -- @on T
        INSERT INTO orders VALUES (event.aggregate_id)
        """
      let projection = try Projection(path: "orders.sql", bytes: Array(file.utf8))
      _ = try await store.rebuildProjection(projection)
      try await db.psql(citusStandIn)
      try await db.psql("UPDATE pg_catalog.pg_dist_partition SET logicalrelid = 'public.orders'")
      let error = await #expect(throws: EventStoreError.self) {
        try await store.rebuildProjection(projection)
      }
      #expect(
        error?.code == .invalidDefinition && error?.message.contains("not those that were built") == true
      )
      #expect(
        try await db.psql("SELECT logicalrelid FROM pg_catalog.pg_dist_partition; SELECT id FROM orders")
          == "orders\norder-1"
      )
    }
  }

  @Test func aTableThatIsThereMustBeDistributed() async throws {
    try await withStore { db, store in
      let error = await #expect(throws: EventStoreError.self) {
        try await store.initialize(distributed: true, dryRun: true)
      }
      #expect(error?.message.contains("Citus does not distribute it") == true)
      try await db.psql(citusStandIn)
      let plan = try await EventStore(connecting: db.conninfo).initialize(distributed: true, dryRun: true)
      #expect(plan.steps.isEmpty)
    }
  }
}
