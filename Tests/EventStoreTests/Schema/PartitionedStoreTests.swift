import EventStore
import Synchronization
import TestSupport
import Testing

/// Stores whose table of events is partitioned, by each kind of key that operators choose.
@Suite struct PartitionedStoreTests {
  enum Kind: String, CaseIterable, Sendable {
    case aggregate, timestamp, position

    func create(_ db: TestDatabase) async throws -> EventStore {
      let store = try EventStore(connecting: db.conninfo)
      guard self != .aggregate else {
        _ = try await store.initialize(partitions: 4)
        return store
      }
      let bounds = self == .timestamp ? ["'-infinity'", "now()", "'infinity'"] : ["0", "150", "1000000"]
      try await db.psql(
        """
        CREATE TABLE events (id uuid NOT NULL, aggregate_id varchar(255) COLLATE "C" NOT NULL, event_type varchar(100) NOT NULL,
          event_data jsonb NOT NULL, version integer NOT NULL, "timestamp" timestamptz NOT NULL DEFAULT current_timestamp,
          metadata jsonb, position bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1)
        ) PARTITION BY RANGE ("\(rawValue)");
        CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (\(bounds[0])) TO (\(bounds[1]));
        CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (\(bounds[1])) TO (\(bounds[2]));
        CREATE INDEX ON events (aggregate_id, version); CREATE INDEX ON events (position); CREATE INDEX ON events (id)
        """
      )
      _ = try await store.initialize()
      return store
    }
  }

  /// 100 events of ten streams of an earlier year, and 100 that writers append at the same time to ten others.
  private func withPartitions(
    _ kind: Kind,
    _ body: (TestDatabase, EventStore) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let store = try await kind.create(db)
      let early = (0..<100).map {
        #"{"aggregate_id":"old-\#($0 % 10)","event_type":"Added","event_data":{"n":1},"timestamp":"2020-01-01T00:00:00Z"}"#
      }
      _ = try await store.append(text: early.joined(separator: "\n"))
      try await withThrowingTaskGroup { group in
        for _ in 0..<5 {
          group.addTask {
            let store = try EventStore(connecting: db.conninfo)
            for number in 0..<20 {
              try await store.append([NewEvent(type: "Added", data: #"{"n": 1}"#)], to: "new-\(number % 10)")
            }
          }
        }
        try await group.waitForAll()
      }
      try await body(db, store)
    }
  }

  private func findings(_ store: EventStore) async throws -> [Finding] {
    let found = Mutex<[Finding]>([])
    _ = try await store.verifyVersions { finding in found.withLock { $0.append(finding) } }
    return found.withLock(\.self)
  }

  @Test(arguments: Kind.allCases) func isWrittenReadAndVerified(_ kind: Kind) async throws {
    try await withPartitions(kind) { db, store in
      #expect(try await db.psql("SELECT count(DISTINCT tableoid) > 1 FROM events") == "t")
      #expect(
        try await db.psql("SELECT count(*), count(DISTINCT (aggregate_id, version)) FROM events") == "200|200"
      )
      let none = try await findings(store)
      #expect(none.isEmpty, "\(none)")
      var query = EventQuery()
      query.aggregateID = "new-3"
      #expect(try await store.writeNDJSON(query) { _ in }.count == 10)

      var positions: [Int64] = []
      var options = ReplayOptions()
      options.batchSize = 7
      _ = try await store.replay(EventQuery(), options) { positions += $0.positions }
      #expect(positions.count == 200 && positions == positions.sorted())

      // What is wrong is found in every partition.
      try await db.psql(
        """
        DELETE FROM events WHERE (aggregate_id, version) IN (('old-1', 3), ('new-1', 4));
        INSERT INTO events (id, aggregate_id, event_type, event_data, version)
        SELECT id, 'copy-' || aggregate_id, event_type, event_data, 1 FROM events
        WHERE (aggregate_id, version) IN (('old-2', 1), ('new-2', 1))
        """
      )
      let findings = try await findings(store)
      #expect(findings.filter { $0.kind == .gap }.compactMap(\.aggregateID).sorted() == ["new-1", "old-1"])
      #expect(findings.filter { $0.kind == .duplicateID }.count == 2)
    }
  }

  @Test(arguments: Kind.allCases) func aReadModelIsBuilt(_ kind: Kind) async throws {
    try await withPartitions(kind) { db, _ in
      let shop = Shop(database: db)
      try await shop.rebuild(sums)
      #expect(try await shop.sums() == shop.expectedSums())
      try await EventStore(connecting: db.conninfo).append(
        [NewEvent(type: "Added", data: #"{"n": 5}"#)],
        to: "old-1"
      )
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// An id is there once in its stream, and each stream in one partition.
  @Test func anIDBelongsToItsStream() async throws {
    try await TestCluster.withDatabase { db in
      let store = try await Kind.aggregate.create(db)
      let event = NewEvent(type: "A")
      #expect(try await store.append([event], to: "a").map(\.status) == [.appended])
      #expect(try await store.append([event], to: "a").map(\.status) == [.existing])
      #expect(try await store.append([event], to: "b").map(\.status) == [.appended])
      try await db.psql("ANALYZE events")
      let items = try await store.diagnose()
      #expect(items.filter { $0.status == .problem }.isEmpty, "\(items)")
    }
  }

  @Test func aTableThatIsThereMustHaveThem() async throws {
    try await TestCluster.withDatabase { db in
      let store = try await Kind.aggregate.create(db)
      #expect(try await store.initialize(partitions: 4).steps.isEmpty)
      #expect(try await store.initialize().steps.isEmpty)
      let error = await #expect(throws: EventStoreError.self) { try await store.initialize(partitions: 5) }
      #expect(
        error?.message
          == "public.events exists already, and it is partitioned by HASH (aggregate_id), into 4"
      )
    }
    try await withStore { _, store in
      let error = await #expect(throws: EventStoreError.self) { try await store.initialize(partitions: 4) }
      #expect(error?.message == "public.events exists already, and it is not partitioned")
    }
  }

  @Test func namesAndNumbersAreChecked() async throws {
    try await TestCluster.withDatabase { db in
      let long = String(repeating: "é", count: 31)
      let store = try EventStore(
        connecting: db.conninfo,
        table: try #require(QualifiedName("public.\(long)"))
      )
      for count in [0, 1025, 4] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.initialize(partitions: count)
        }
        #expect(error?.code == .invalidInput)
      }
      #expect(try await db.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'é%'") == "0")
    }
    // A copy names its partitions as well.
    try await withPartitions(.timestamp) { db, store in
      let long = try #require(QualifiedName("public." + String(repeating: "v", count: 60)))
      let file = "-- @upcaster same\n-- @event Added\n-- @data\nSELECT event.event_data;\n"
      let plan = try await store.planEvolution(try Upcasters([("same.sql", Array(file.utf8))]))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.applyEvolution(plan, into: long)
      }
      #expect(error?.message.hasSuffix(" has more than 63 bytes") == true)
      #expect(try await db.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'vvv%'") == "0")
    }
  }

  /// A copy that upcasters make is partitioned as the store is.
  @Test(arguments: Kind.allCases) func aCopyHasThem(_ kind: Kind) async throws {
    try await withPartitions(kind) { db, store in
      let file = "-- @upcaster plus\n-- @event Added\n-- @data\nSELECT '{\"n\": 2}'::jsonb;\n"
      let upcasters = try Upcasters([("plus.sql", Array(file.utf8))])
      let plan = try await store.planEvolution(upcasters)
      _ = try await store.applyEvolution(plan, into: try #require(QualifiedName("public.events_v2")))
      let shape =
        "SELECT pg_get_partkeydef(oid), (SELECT string_agg(pg_get_expr(c.relpartbound, c.oid), ',' ORDER BY c.oid)"
        + " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = p.oid) FROM pg_class p WHERE relname ="
      #expect(try await db.psql("\(shape) 'events_v2'") == db.psql("\(shape) 'events'"))
      let counts = "SELECT count(*), count(*) FILTER (WHERE event_data = '{\"n\": 2}') FROM"
      #expect(try await db.psql("\(counts) events_v2") == "200|200")
      #expect(try await db.psql("SELECT count(DISTINCT tableoid) > 1 FROM events_v2") == "t")
    }
  }
}
