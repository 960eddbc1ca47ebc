import EventStore
import FoundationEssentials
import TestSupport
import Testing

@Suite struct FollowingTests {
  /// Writers roll back, pause inside transactions and write batches, while a reader follows: it sees every committed
  /// event once and in order. A reader that simply continues after the last position that it saw does not.
  ///
  /// ANNALS_STRESS_SECONDS lets it run longer.
  @Test func nothingIsSkipped() async throws {
    let seconds = ProcessInfo.processInfo.environment["ANNALS_STRESS_SECONDS"].flatMap { Int($0) } ?? 6
    try await withStore { db, store in
      async let followed = positions(from: store)
      async let naive = naivePositions(in: db)
      try await withThrowingTaskGroup { group in
        for writer in 1...8 {
          group.addTask { _ = try await db.psql(Self.writer(writer, seconds: seconds)) }
        }
        try await group.waitForAll()
      }
      try await db.psql(Self.insert("end", version: 1))
      let committed = try await db.rows("SELECT position FROM events ORDER BY position").compactMap {
        Int64($0)
      }
      let (seen, seenByNaive) = try await (followed, naive)
      #expect(seen == committed)
      #expect(seenByNaive.count < committed.count, "the writers do not put a reader to the test")
      #expect(committed.count > 8 * seconds)
      #expect(
        try await db.psql("SELECT max(position) > count(*) FROM events") == "t",
        "no rollback left a hole"
      )
    }
  }

  /// A transaction took its position first and commits last, and the reader says that it waits for it.
  @Test func aReaderWaitsForAnOpenWriter() async throws {
    try await withStore { db, store in
      try await db.psql("CREATE TABLE released ()")
      async let slow = db.psql(
        """
        SET application_name = 'slow one';
        BEGIN;
        \(Self.insert("slow", version: 1))
        DO 'BEGIN WHILE NOT EXISTS (SELECT FROM released) LOOP PERFORM pg_sleep(0.02); END LOOP; END';
        COMMIT;
        """
      )
      try await until { try await !store.watermark().writers.isEmpty }
      try await db.psql(Self.insert("fast", version: 1))
      let watermark = try await store.watermark()
      #expect(watermark.head == 2)
      #expect(watermark.writers.map(\.application) == ["slow one"])

      let (notices, continuation) = AsyncStream.makeStream(of: String.self)
      await store.onNotice { continuation.yield($0) }
      async let release: Void = {
        for await notice in notices {
          #expect(notice.contains("waiting for a transaction that writes to public.events"))
          #expect(notice.contains("application slow one"))
          try await db.psql("INSERT INTO released DEFAULT VALUES")
          return
        }
      }()
      var ids: [String] = []
      for try await event in store.events(matching: EventQuery()) { ids.append(event.aggregateID) }
      #expect(ids == ["slow", "fast"])
      _ = try await (slow, release)
    }
  }

  @Test func aCheckpointGoesOnWhereItWas() async throws {
    try await withStore { db, store in
      for version in 1...10 { try await db.psql(Self.insert("a-1", version: version)) }
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", 3)
      // The sink fails at the third batch: the first two are done.
      struct Failure: Error {}
      var batches = 0
      await #expect(throws: Failure.self) {
        _ = try await store.replay(EventQuery(), options) { _ in
          batches += 1
          if batches == 3 { throw Failure() }
        }
      }
      #expect(try await db.psql("SELECT position FROM annals.checkpoints WHERE name = 'mail'") == "6")
      var summary = try await store.replay(EventQuery(), options) { _ in }
      #expect(summary.count == 4)
      summary = try await store.replay(EventQuery(), options) { _ in }
      #expect(summary.count == 0)

      // With another filter the position would mean something else.
      var query = EventQuery()
      query.types = ["t"]
      await #expect { _ = try await store.replay(query, options) { _ in } } throws: {
        ($0 as? EventStoreError)?.message.contains("belongs to another replay") == true
      }
    }
  }

  /// Events that a bound leaves out belong to a later run.
  @Test func aCheckpointDoesNotPassABound() async throws {
    try await withStore { db, store in
      for version in 1...10 { try await db.psql(Self.insert("a-1", version: version)) }
      try await db.psql(
        "UPDATE events SET timestamp = '2026-01-01T00:00:00Z'::timestamptz + position * interval '1 h'"
      )
      var options = ReplayOptions()
      options.checkpoint = "mail"
      var query = EventQuery()
      query.toPosition = 3
      #expect(try await store.replay(query, options) { _ in }.count == 3)
      query = EventQuery()
      query.until = try Timestamp(iso8601: "2026-01-01T05:00:00Z")
      #expect(try await store.replay(query, options) { _ in }.count == 2)
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 5)
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "10")
    }
  }

  /// Times need not rise with positions, so a bound in time is not one in position: the events left out come later.
  @Test(arguments: [1, 2, 100])
  func aCheckpointDoesNotPassALaterEvent(batchSize: Int) async throws {
    try await withStore { db, store in
      for version in 1...6 { try await db.psql(Self.insert("a-1", version: version)) }
      try await db.psql(
        """
        UPDATE events SET timestamp = '2026-01-01T00:00:00Z'::timestamptz + hours * interval '1 h'
        FROM (VALUES (1, 1), (2, 9), (3, 2), (4, 3), (5, 20), (6, 4)) AS t (at, hours) WHERE position = at
        """
      )
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", batchSize)
      var seen: [Int64] = []
      func run(_ bound: (inout EventQuery) -> Void, following: Bool = false) async throws -> String {
        var query = EventQuery()
        bound(&query)
        options.isFollowing = following
        _ = try await store.replay(query, options) { seen += $0.positions }
        return try await db.psql("SELECT position FROM annals.checkpoints")
      }
      let five = try Timestamp(iso8601: "2026-01-01T05:00:00Z")
      #expect(try await run { $0.until = five } == "1")
      #expect(try await run { $0.until = five } == "1")
      let ten = try Timestamp(iso8601: "2026-01-01T10:00:00Z")
      // Following ends where nothing more can come.
      #expect(try await run({ $0.before = ten }, following: true) == "4")
      #expect(try await run { $0.before = try! Timestamp(iso8601: "2026-01-01T20:00:00Z") } == "4")
      #expect(try await run { $0.until = try! Timestamp(iso8601: "2026-01-01T20:00:00Z") } == "6")
      #expect(seen == [1, 2, 3, 4, 5, 6])
      #expect(try await db.psql("SELECT seen_events FROM annals.checkpoints") == "6")
    }
  }

  /// It would have the wrong filters, and block the right ones.
  @Test func aRefusedReplayLeavesNoCheckpoint() async throws {
    try await withStore { db, store in
      try await db.psql(Self.insert("a-1", version: 1))
      var options = ReplayOptions()
      options.checkpoint = "mail"
      var query = EventQuery()
      query.types = ["mistyped"]
      await #expect(throws: EventStoreError.self) { _ = try await store.replay(query, options) { _ in } }
      #expect(try await db.psql("SELECT count(*) FROM annals.checkpoints") == "0")
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 1)
    }
  }

  /// All filters that decide which events a consumer gets, and in which form, belong to its checkpoint.
  @Test func aCheckpointBelongsToAllItsFilters() async throws {
    try await withStore { db, store in
      for version in 1...4 { try await db.psql(Self.insert("a-1", version: version)) }
      var options = ReplayOptions()
      func fails(_ part: String, _ change: (inout EventQuery) -> Void = { _ in }) async throws {
        var query = EventQuery()
        change(&query)
        for plans in [false, true] {
          await #expect {
            if plans {
              _ = try await store.planReplay(query, options)
            } else {
              _ = try await store.replay(query, options) { _ in }
            }
          } throws: {
            let error = $0 as? EventStoreError
            return "\(error?.message ?? "") \(error?.detail ?? "")".contains(part)
          }
        }
      }
      let since = try Timestamp(iso8601: "2020-01-01T00:00:00Z")
      options.checkpoint = "plain"
      _ = try await store.replay(EventQuery(), options) { _ in }
      try await fails("with no filter, and this is public.events with since 2020-01-01T00:00:00Z") {
        $0.since = since
      }
      try await fails("from version 2") { $0.fromVersion = 2 }
      try await fails("is at position 4, and the replay would begin at 9") { $0.fromPosition = 9 }
      var query = EventQuery()
      query.fromPosition = 5
      #expect(try await store.replay(query, options) { _ in }.count == 0)

      options.checkpoint = "since"
      query = EventQuery()
      query.since = since
      #expect(try await store.replay(query, options) { _ in }.count == 4)
      #expect(try await store.replay(query, options) { _ in }.count == 0)
      try await fails("with since 2020-01-01T00:00:00Z, and this is")

      // A checkpoint that is new may begin anywhere.
      options.checkpoint = "late"
      query = EventQuery()
      query.fromPosition = 3
      #expect(try await store.replay(query, options) { _ in }.count == 2)

      options.checkpoint = "plain"
      let upcaster = "-- @upcaster u\n-- @event Added\n-- @drop"
      try await store.use(Upcasters([("u.sql", Array(upcaster.utf8))]))
      try await fails("and this is public.events with upcasters ")
    }
  }

  /// The server would let in a second one: the two share the session that has the lock.
  @Test func aCheckpointHasOneUserAlsoWithinAStore() async throws {
    try await withStore { db, store in
      try await db.psql(Self.insert("a-1", version: 1))
      var options = ReplayOptions()
      options.checkpoint = "mail"
      let summary = try await store.replay(EventQuery(), options) { [options] _ in
        let error = await #expect(throws: EventStoreError.self) {
          _ = try await store.replay(EventQuery(), options) { _ in }
        }
        #expect(error?.code == .locked && error?.message.contains("another operation of this store") == true)
      }
      #expect(summary.count == 1)
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 0)
    }
  }

  @Test func aCheckpointHasOneUser() async throws {
    try await withStore { db, store in
      try await db.psql(Self.insert("a-1", version: 1))
      var options = ReplayOptions()
      options.checkpoint = "mail"
      let conninfo = db.conninfo
      _ = try await store.replay(EventQuery(), options) { [options] _ in
        let other = try EventStore(connecting: conninfo)
        await #expect { _ = try await other.replay(EventQuery(), options) { _ in } } throws: {
          let error = $0 as? EventStoreError
          return error?.code == .locked && error?.detail?.contains("process") == true
        }
      }
    }
  }

  /// The lock can be lost with the session; then the fence finds that another session continued.
  @Test func aMovedCheckpointIsNoticed() async throws {
    try await withStore { db, store in
      for version in 1...4 { try await db.psql(Self.insert("a-1", version: version)) }
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", 2)
      await #expect {
        _ = try await store.replay(EventQuery(), options) { _ in
          try await db.psql("UPDATE annals.checkpoints SET position = 1")
        }
      } throws: {
        ($0 as? EventStoreError)?.message.contains("another session moved it") == true
      }
    }
  }

  @Test func followingEndsAtItsLimits() async throws {
    try await withStore { db, store in
      for version in 1...5 { try await db.psql(Self.insert("a-1", version: version)) }
      var query = EventQuery()
      query.limit = 3
      var count = 0
      for try await _ in store.events(matching: query, following: true) { count += 1 }
      #expect(count == 3)
      query = EventQuery()
      query.toPosition = 5
      for try await _ in store.events(matching: query, following: true) { count += 1 }
      #expect(count == 8)
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .milliseconds(300))
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 5)
    }
  }

  private struct EndSeen: Error {}

  private func positions(from store: EventStore) async throws -> [Int64] {
    var options = ReplayOptions()
    options.isFollowing = true
    var positions: [Int64] = []
    do {
      _ = try await store.replay(EventQuery(), options) { batch in
        for line in batch.lines.split(separator: UInt8(ascii: "\n")) {
          let text = String(decoding: line, as: UTF8.self)
          positions.append(Int64(text.dropFirst(#"{"position":"#.count).prefix { $0.isNumber }) ?? 0)
          if text.contains(#""aggregate_id":"end""#) { throw EndSeen() }
        }
      }
    } catch is EndSeen {}
    return positions
  }

  private func naivePositions(in db: TestDatabase) async throws -> [Int64] {
    let store = try EventStore(connecting: db.conninfo)
    var (query, positions) = (EventQuery(), [Int64]())
    query.waitsForWriters = false
    while true {
      for try await event in store.events(matching: query) {
        positions.append(event.position ?? 0)
        if event.aggregateID == "end" { return positions }
      }
      query.fromPosition = (positions.last ?? 0) + 1
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private static func insert(_ aggregateID: String, version: Int) -> String {
    "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('\(aggregateID)', 't', '{}', \(version));"
  }

  private static func writer(_ number: Int, seconds: Int) -> String {
    """
    DO $$
    DECLARE stop timestamptz := clock_timestamp() + interval '\(seconds) s'; done int := 0; n int;
    BEGIN
      WHILE clock_timestamp() < stop LOOP
        n := CASE WHEN random() < 0.2 THEN 20 ELSE 1 END;
        FOR i IN 1..n LOOP
          INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('w-\(number)', 't', '{}', done + i);
          IF random() < 0.05 THEN PERFORM pg_sleep(random() * 0.05); END IF;
        END LOOP;
        IF random() < 0.2 THEN ROLLBACK; ELSE done := done + n; COMMIT; END IF;
      END LOOP;
    END $$
    """
  }

  private func withStore(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      try await body(db, store)
    }
  }
}
