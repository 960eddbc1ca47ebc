import LibPQ
import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// Stores whose writers take a position before anything shows it, but leave no permanent hole.
@Suite struct DensePositionsTests {
  static func layout(_ positions: String) throws -> Layout {
    let text = """
      -- @layout log
      -- @table public.log
      -- @positions \(positions)
      SELECT l.id, l.stream AS aggregate_id, l.type AS event_type, l.data AS event_data, l.version,
             l.at AS "timestamp", l.number AS position
      FROM public.log AS l WHERE l.type <> 'Tombstone'
      """
    return try Layout(path: "log.sql", bytes: Array(text.utf8))
  }

  /// Runs the body with a table whose numbers the client takes from a sequence itself.
  private func withLog(
    _ positions: String = "dense 1",
    _ body: (TestDatabase, EventStore) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE SEQUENCE numbers;
        CREATE TABLE log (number bigint PRIMARY KEY, id uuid NOT NULL DEFAULT gen_random_uuid(), stream text NOT NULL,
          version integer NOT NULL, type text NOT NULL DEFAULT 'Added', data jsonb NOT NULL DEFAULT '{"n": 1}',
          at timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version));
        """
      )
      let store = try EventStore(connecting: db.conninfo, layout: try Self.layout(positions))
      _ = try await store.initialize()
      try await body(db, store)
    }
  }

  private static func insert(_ numbers: String, type: String = "Added") -> String {
    "INSERT INTO log (number, stream, version, type) SELECT n, 's', n, '\(type)' FROM \(numbers) AS n"
  }

  private func project(_ store: EventStore) async throws -> CatchUpResult {
    var options = CatchUpOptions()
    options.once = true
    return try await store.project(
      try Projection(path: "sums.sql", bytes: Array(sums.utf8)),
      options: options
    )
  }

  @Test func aHoleIsWaitedForWhileATransactionFromBeforeIsAlive() async throws {
    try await withLog { db, store in
      try await db.psql(Self.insert("generate_series(1, 3)"))
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      // It has neither a lock nor a snapshot, and shows no id.
      let writer = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      try writer.execute("BEGIN; SELECT 1")
      try await db.psql(Self.insert("generate_series(5, 7)"))

      let watermark = try await store.watermark()
      #expect(watermark.head == 7 && watermark.firstMissing == 4 && watermark.position == 3)
      #expect(watermark.writers.count == 1)
      await store.limitWaiting(to: .seconds(2))
      let error = await #expect(throws: EventStoreError.self) { try await project(store) }
      #expect(error?.code == .locked)
      #expect(error?.message.contains("a position of public.log is missing") == true)
      #expect(try await db.psql("SELECT position FROM annals.generations") == "3")

      try writer.execute("\(Self.insert("generate_series(4, 4)")); COMMIT")
      #expect(try await project(store).events == 4)
      #expect(try await db.psql("SELECT count(*) FROM annals.passed_holes") == "0")
      #expect(try await store.watermark().position == 7)
    }
  }

  /// A reader that comes back soon reads up to the hole, and later continues.
  @Test func aFollowerStopsBeforeTheHole() async throws {
    try await withLog("dense 1") { db, store in
      try await db.psql(Self.insert("unnest('{1, 2, 4}'::int[])"))
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(30))
      var (query, seen) = (EventQuery(), [Int64]())
      query.limit = 4
      _ = try await store.replay(query, options) { batch in
        seen += batch.positions
        if seen == [1, 2] { try await db.psql(Self.insert("unnest('{3}'::int[])")) }
      }
      #expect(seen == [1, 2, 3, 4])
    }
  }

  @Test func aHoleThatStaysIsPassedAndRemembered() async throws {
    try await withLog { db, store in
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      // Rows that the layout leaves out fill their places.
      try await db.psql(
        "\(Self.insert("unnest('{1, 2, 5, 6, 9, 11}'::int[])")); \(Self.insert("unnest('{10}'::int[])", type: "Tombstone"))"
      )
      let file = try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      #expect(try await store.rebuildProjection(file).events == 6)
      #expect(
        notices.all == [
          "2 holes in the positions of public.log, the first at 3 to 4, and no transaction from before is left: passed"
        ]
      )
      let holes = "SELECT string_agg(concat(first, '-', last), ' ' ORDER BY first) FROM annals.passed_holes"
      #expect(try await db.psql(holes) == "3-4 7-8")

      // Another reader does not wait for what one has passed.
      let second = try EventStore(connecting: db.conninfo, layout: try Self.layout("dense 86400"))
      #expect(try await second.watermark().position == 11)
      var options = ReplayOptions()
      options.checkpoint = "mail"
      #expect(try await second.replay(EventQuery(), options) { _ in }.count == 6)

      try await db.psql(Self.insert("unnest('{8}'::int[])"))
      #expect(try await project(store).events == 0)
      var check = VersionCheck()
      check.kinds = [.lateEvent]
      let found = Mutex<[Finding]>([])
      let result = try await store.verifyVersions(check) { finding in found.withLock { $0.append(finding) } }
      #expect(result.errors == 1)
      let findings = found.withLock { $0 }
      #expect(findings.map(\.position) == [8])
      #expect(findings.first?.detail.contains("after readers had passed its position") == true)
    }
  }

  /// Rows that the layout leaves out fill their places in a partitioned table as well, whose keys have more columns.
  @Test func whatIsLeftOutOfPartitionsIsNoHole() async throws {
    try await withLog("dense 86400") { db, store in
      try await db.psql(
        """
        DROP TABLE log;
        CREATE TABLE log (number bigint, id uuid NOT NULL DEFAULT gen_random_uuid(), stream text NOT NULL,
          version integer NOT NULL, type text NOT NULL DEFAULT 'Added', data jsonb NOT NULL DEFAULT '{"n": 1}',
          at timestamptz NOT NULL DEFAULT now(), archived boolean NOT NULL DEFAULT false,
          PRIMARY KEY (number, archived)) PARTITION BY LIST (archived);
        CREATE TABLE log_archived PARTITION OF log FOR VALUES IN (true);
        CREATE TABLE log_default PARTITION OF log DEFAULT;
        \(Self.insert("unnest('{1, 2, 4}'::int[])")); \(Self.insert("unnest('{3, 5}'::int[])", type: "Tombstone"));
        UPDATE log SET archived = true WHERE number = 2
        """
      )
      let watermark = try await store.watermark()
      #expect(watermark.firstMissing == nil && watermark.position == 4)
    }
  }

  /// A tenant's rows say nothing of the numbers of another.
  @Test func otherKeysMakeOtherNumbers() async throws {
    try await withLog("dense 86400") { db, store in
      try await db.psql(
        """
        ALTER TABLE log DROP CONSTRAINT log_pkey; ALTER TABLE log ADD tenant text NOT NULL DEFAULT 'a', ADD PRIMARY KEY (number, tenant);
        \(Self.insert("unnest('{1, 3}'::int[])")); \(Self.insert("unnest('{2}'::int[])", type: "Tombstone"))
        """
      )
      #expect(try await store.watermark().firstMissing == 2)
    }
  }

  @Test func aStoreThatBeganAgainIsLookedThroughFromItsBeginning() async throws {
    try await withLog("dense 0") { db, store in
      try await db.psql(Self.insert("unnest('{1, 2, 3, 4, 6, 7, 8, 9}'::int[])"))
      #expect(try await store.watermark().position == 4)
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      #expect(try await db.psql("SELECT position FROM annals.dense_positions") == "9")
      try await db.psql("TRUNCATE log; \(Self.insert("unnest('{1, 3, 5}'::int[])"))")
      #expect(try await store.watermark().firstMissing == 2)
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      #expect(try await db.psql("SELECT position FROM annals.dense_positions") == "5")
      // A hole of the store as it was says nothing of the events that came since.
      var check = VersionCheck()
      check.kinds = [.lateEvent]
      _ = try await store.verifyVersions(check) { Issue.record("\($0)") }
    }
  }

  @Test func positionsThatLeaveNumbersOutAreNotDense() async throws {
    try await withLog("dense 0") { db, store in
      try await db.psql(Self.insert("generate_series(1, 200003, 2)"))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      }
      #expect(error?.code == .invalidDefinition)
      #expect(error?.message == "positions of public.log are not dense: 100001 runs of them have no event")
      #expect(try await db.psql("SELECT count(*) FROM annals.generations") == "0")
    }
  }

  /// The first position of all can be missing as any other.
  @Test func theFirstEventMayComeLate() async throws {
    try await withLog("dense 60") { db, store in
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(30))
      var (query, seen) = (EventQuery(), [Int64]())
      query.limit = 3
      let writer = Task {
        try await db.psql(Self.insert("unnest('{2}'::int[])"))
        try await Task.sleep(for: .milliseconds(500))
        try await db.psql(Self.insert("unnest('{1, 3}'::int[])"))
      }
      _ = try await store.replay(query, options) { seen += $0.positions }
      try await writer.value
      #expect(seen == [1, 2, 3])
    }
  }

  /// Positions that are taken in a separate transaction, as Marten's rich appends do; some of these fail.
  @Test func nothingIsMissedUnderWriters() async throws {
    try await withLog("dense 2") { db, store in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask { try await Self.write(150, "w\(writer)", db) }
        }
        group.addTask {
          var options = ReplayOptions()
          (options.checkpoint, options.isFollowing, options.timeLimit) = ("mail", true, .seconds(60))
          var (query, seen) = (EventQuery(), Set<Int64>())
          query.limit = 4 * 150 - 4 * 10
          _ = try await store.replay(query, options) { seen.formUnion($0.positions) }
          #expect(seen.count == query.limit)
        }
        try await group.waitForAll()
      }
      var check = VersionCheck()
      check.kinds = [.lateEvent, .checkpointDiffers]
      _ = try await store.verifyVersions(check) { Issue.record("\($0)") }
    }
  }

  /// Appends events one by one, of which every fifteenth fails with its number.
  private static func write(_ count: Int, _ stream: String, _ db: TestDatabase) async throws {
    let connection = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
    for version in 1...count {
      let number = try connection.query("SELECT nextval('numbers')").int64(0, 0)
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
      let end = version % 15 == 0 ? "ROLLBACK" : "COMMIT"
      try connection.execute(
        """
        BEGIN; INSERT INTO log (number, stream, version) VALUES (\(number), '\(stream)', \(version));
        SELECT pg_sleep(\(Double.random(in: 0...0.01))); \(end)
        """
      )
    }
  }
}
