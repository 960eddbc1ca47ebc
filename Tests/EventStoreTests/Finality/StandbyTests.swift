import EventStore
import Synchronization
import TestSupport
import Testing

/// Readers on a standby: how far they read, and what they do when it ends their statements or becomes the primary.
@Suite struct StandbyTests {
  private static func insert(_ aggregate: String, versions: ClosedRange<Int> = 1...1) -> String {
    """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT '\(aggregate)', CASE n % 2 WHEN 0 THEN 'Even' ELSE 'Odd' END, jsonb_build_object('n', n), n
    FROM generate_series(\(versions.lowerBound), \(versions.upperBound)) AS n;
    """
  }

  /// A transaction that has inserted, and commits when table `released` has a row.
  private static func slowInsert(_ aggregate: String) -> String {
    """
    BEGIN;
    \(insert(aggregate))
    DO 'BEGIN
      WHILE NOT EXISTS (SELECT FROM released) AND clock_timestamp() < now() + interval ''3 min'' LOOP
        PERFORM pg_sleep(0.02);
      END LOOP; END';
    COMMIT;
    """
  }

  private static let released = "CREATE TABLE released ();"

  private static func awaitReplay(of primary: TestDatabase, on standby: TestDatabase) async throws {
    let position = try await primary.psql("SELECT pg_current_wal_lsn()")
    try await until { try await standby.psql("SELECT pg_last_wal_replay_lsn() >= '\(position)'") == "t" }
  }

  private final class Seen: Sendable {
    private let positions = Mutex<[Int64]>([])
    private let texts = Mutex<[String]>([])
    var all: [Int64] { positions.withLock(\.self) }
    var notices: [String] { texts.withLock(\.self) }
    func add(_ new: [Int64]) { positions.withLock { $0 += new } }
    func note(_ text: String) { texts.withLock { $0.append(text) } }
  }

  private static func positions(_ store: EventStore) async throws -> [Int64] {
    var found: [Int64] = []
    for try await event in store.events(matching: EventQuery()) { found.append(event.position ?? 0) }
    return found
  }

  @Test func aReadEndsBeforeWhatIsInFlightOnThePrimary() async throws {
    try await withStore(Self.released + Self.insert("a", versions: 1...2), replicated: true) { db, store in
      let published = try await store.publishWatermark()
      #expect(published.position == 2)
      async let slow = db.psql(Self.slowInsert("slow"))
      try await until { try await !store.watermark().writers.isEmpty }
      try await db.psql(Self.insert("fast"))
      let standby = try await TestCluster.standby(of: db)
      let reader = try EventStore(connecting: standby.conninfo)
      #expect(try await reader.watermark().position == 2)
      #expect(try await reader.watermark().head == 4)
      #expect(try await Self.positions(reader) == [1, 2])
      let written = try await reader.writeNDJSON(EventQuery()) { _ in }
      #expect(written.count == 2)

      let seen = Seen()
      let following = Task {
        var options = ReplayOptions()
        options.isFollowing = true
        _ = try await EventStore(connecting: standby.conninfo).replay(EventQuery(), options) {
          seen.add($0.positions)
        }
      }
      try await until { seen.all == [1, 2] }
      try await db.psql("INSERT INTO released DEFAULT VALUES")
      _ = try await slow
      try await store.publishWatermark()
      try await until { seen.all.count >= 4 }
      #expect(seen.all == [1, 2, 3, 4])
      following.cancel()
      _ = await following.result
    }
  }

  /// Two publishers at once: what was final stays final.
  @Test func aPublishedWatermarkDoesNotGoBack() async throws {
    try await withStore(Self.insert("a", versions: 1...3), replicated: true) { db, store in
      try await store.publishWatermark()
      try await db.psql(
        "UPDATE annals.watermarks SET position = 2, event_id = (SELECT id FROM events WHERE position = 2)"
      )
      #expect(try await store.publishWatermark().position == 3)
      // A store that begins again has another last event.
      try await db.psql("TRUNCATE events RESTART IDENTITY; \(Self.insert("b"))")
      #expect(try await store.watermark().published == nil)
      let reader = try await EventStore(connecting: TestCluster.standby(of: db).conninfo)
      let error = await #expect(throws: EventStoreError.self) { try await Self.positions(reader) }
      #expect(error?.code == .checkpointAhead, "\(String(describing: error))")
      #expect(try await store.publishWatermark().position == 1)
      try await db.psql("DELETE FROM events")
      #expect(try await store.publishWatermark().position == nil)
    }
  }

  @Test func withoutAWatermarkAReadSaysWhatMayBeMissing() async throws {
    try await withStore(Self.released + Self.insert("a", versions: 1...2), replicated: true) { db, store in
      async let slow = db.psql(Self.slowInsert("slow"))
      try await until { try await !store.watermark().writers.isEmpty }
      try await db.psql(Self.insert("fast"))
      let reader = try await EventStore(connecting: TestCluster.standby(of: db).conninfo)
      let seen = Seen()
      await reader.onNotice { seen.note($0) }
      #expect(try await Self.positions(reader) == [1, 2, 4])
      #expect(seen.notices.count == 1 && seen.notices[0].contains("below position 4"), "\(seen.notices)")
      let error = await #expect(throws: EventStoreError.self) {
        for try await _ in reader.events(matching: EventQuery(), following: true) {}
      }
      #expect(error?.code == .permissionDenied)
      #expect(error?.hint?.remedies == [.publishWatermark])
      try await db.psql("INSERT INTO released DEFAULT VALUES")
      _ = try await slow
    }
  }

  @Test func whoMayReadTheRowMayFollow() async throws {
    try await withStore(Self.insert("a"), replicated: true) { db, store in
      try await store.publishWatermark()
      let role = "reader_\(db.name)"
      try await db.psql(
        "CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA public, annals TO \(role); GRANT SELECT ON events TO \(role)"
      )
      let conninfo = try await TestCluster.standby(of: db).conninfo + " user=\(role)"
      var events = try EventStore(connecting: conninfo).events(matching: EventQuery(), following: true)
        .makeAsyncIterator()
      await #expect(throws: EventStoreError.self) { try await events.next() }
      try await db.psql("GRANT SELECT ON annals.watermarks TO \(role)")
      _ = try await TestCluster.standby(of: db)
      events = try EventStore(connecting: conninfo).events(matching: EventQuery(), following: true)
        .makeAsyncIterator()
      #expect(try await events.next()?.aggregateID == "a")
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  @Test func aStandbyThatIsTooFarBehindIsRefused() async throws {
    try await TestCluster.withStandby { primary, standby in
      let store = try EventStore(connecting: primary.conninfo)
      try await store.initialize()
      try await primary.psql(Self.insert("a", versions: 1...3))
      try await Self.awaitReplay(of: primary, on: standby)
      let reader = try EventStore(connecting: standby.conninfo)
      await reader.limitStaleness(to: .seconds(60))
      #expect(try await Self.positions(reader) == [1, 2, 3])
      try await standby.psql("SELECT pg_wal_replay_pause()")
      try await until { try await standby.psql("SELECT pg_get_wal_replay_pause_state()") == "paused" }
      for read in [{ _ = try await Self.positions(reader) }, { _ = try await reader.eventTypes() }] {
        let error = await #expect(throws: EventStoreError.self) { try await read() }
        #expect(error?.code == .stale && error?.message.contains("paused") == true)
      }
      await reader.limitStaleness(to: nil)
      #expect(try await Self.positions(reader) == [1, 2, 3])
      await store.limitStaleness(to: .zero)
      #expect(try await Self.positions(store) == [1, 2, 3])
      try await standby.psql("SELECT pg_wal_replay_resume()")
    }
  }

  /// The primary locks the table and ends sessions again and again while the standby is read.
  @Test func whatTheStandbyEndsIsReadAgain() async throws {
    try await TestCluster.withStandby(settings: ["max_standby_streaming_delay": "0"]) { primary, standby in
      try await EventStore(connecting: primary.conninfo).initialize()
      try await primary.psql(Self.insert("a", versions: 1...60_000) + "VACUUM ANALYZE events")
      try await Self.awaitReplay(of: primary, on: standby)
      // Ever more slowly, so that a statement gets through on a busy machine, too.
      func disturb() async throws {
        for pause in 1...20 {
          try await primary.psql(
            "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; COMMIT; SELECT pg_sleep(0.02 * \(pause))"
          )
          guard pause % 5 == 0 else { continue }
          try await standby.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reader'"
          )
        }
      }
      let seen = Seen()
      let conninfo = standby.conninfo + " application_name=reader"
      let store = try EventStore(connecting: conninfo)
      await store.onNotice { seen.note($0) }
      let expected = Array(Int64(1)...60_000)
      var even = EventQuery()
      even.types = ["Even"]
      func met(_ words: String) -> Bool { seen.notices.contains { $0.contains(words) } }
      var (rounds, hasMetBoth) = (0, false)
      // On a busy machine it is chance whether a statement meets a lock.
      while rounds < 3 || !hasMetBoth && rounds < 12 {
        async let disturbance: Void = disturb()
        let lines = Mutex<[UInt8]>([])
        #expect(
          try await store.writeNDJSON(EventQuery()) { new in lines.withLock { $0 += new } }.count == 60_000
        )
        #expect(Self.positions(in: lines.withLock(\.self)) == expected)
        lines.withLock { $0 = [] }
        #expect(try await store.writeNDJSON(even) { new in lines.withLock { $0 += new } }.count == 30_000)
        #expect(Self.positions(in: lines.withLock(\.self)) == expected.filter { $0 % 2 == 0 })
        #expect(try await store.eventTypes().map(\.events) == [30_000, 30_000])
        #expect(try await store.verifyVersions { _ in }.events == 60_000)
        #expect(try await Self.positions(store) == expected)
        try await disturbance
        rounds += 1
        hasMetBoth = met("the standby ended a statement") && met("the connection was lost")
      }
      #expect(hasMetBoth, "\(seen.notices)")
    }
  }

  /// What begins a line is its position.
  private static func positions(in lines: [UInt8]) -> [Int64] {
    lines.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let digits = line.drop { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        .prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      return Int64(String(decoding: digits, as: UTF8.self))
    }
  }

  @Test func aFollowerGoesOnWhereTheStandbyIsPromoted() async throws {
    try await TestCluster.withStandby { primary, standby in
      let store = try EventStore(connecting: primary.conninfo)
      try await store.initialize()
      try await primary.psql(Self.released + Self.insert("a", versions: 1...100))
      try await store.publishWatermark()
      // Not published: what comes next is seen only when the standby is none any more.
      try await primary.psql(Self.insert("b", versions: 1...50))
      try await Self.awaitReplay(of: primary, on: standby)
      let seen = Seen()
      let following = Task {
        var options = ReplayOptions()
        options.isFollowing = true
        _ = try await EventStore(connecting: standby.conninfo).replay(EventQuery(), options) {
          seen.add($0.positions)
        }
      }
      try await until { seen.all.count >= 100 }
      #expect(seen.all == Array(1...100))
      try await standby.psql("SELECT pg_promote()")
      try await until { seen.all.count >= 150 }
      // From here on it waits for writers, as on every primary.
      async let slow = standby.psql(Self.slowInsert("slow"))
      let promoted = try EventStore(connecting: standby.conninfo)
      try await until { try await !promoted.watermark().writers.isEmpty }
      try await standby.psql(Self.insert("fast"))
      try await Task.sleep(for: .milliseconds(1500))
      #expect(seen.all.count == 150)
      try await standby.psql("INSERT INTO released DEFAULT VALUES")
      _ = try await slow
      try await until { seen.all.count >= 152 }
      let committed = try await standby.psql(
        "SELECT string_agg(position::text, ',' ORDER BY position) FROM events"
      )
      #expect(seen.all.map(String.init).joined(separator: ",") == committed)
      following.cancel()
      _ = await following.result
    }
  }
}
