import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

/// Readers that continue from a position in a table that was replaced.
@Suite struct FollowedHistoryTests {
  /// What may happen to the table, with later events at positions that the reader has passed.
  static let replacements = [
    "TRUNCATE events RESTART IDENTITY",
    """
    TRUNCATE events RESTART IDENTITY;
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'b', 'Added', '{"n": 1}', v FROM generate_series(1, 9) v
    """,
    "ALTER TABLE events RENAME TO old",
    "DROP TABLE events",
    """
    BEGIN;
    ALTER TABLE events RENAME TO old; CREATE TABLE events (LIKE old INCLUDING ALL);
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'b', 'Added', '{"n": 1}', v FROM generate_series(1, 9) v;
    COMMIT;
    """,
    "DELETE FROM events; SELECT setval('events_position_seq', 1, false)",
  ]

  @Test(arguments: replacements) func aFollowerStops(replacement: String) async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(20))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { batch in
          if batch.positions.last == 3 { try await db.psql(replacement) }
        }
      }
      #expect(error?.code == .checkpointAhead)
      let message = try #require(error?.message)
      let isDropped = replacement.hasPrefix("DROP") || replacement.hasPrefix("ALTER TABLE")
      #expect(message.contains("public.events"))
      #expect(message.contains(isDropped ? "was dropped or renamed" : "gone"), "\(message)")
    }
  }

  @Test(arguments: replacements) func aCatchUpStops(replacement: String) async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.rebuild(sums)
      var options = CatchUpOptions()
      options.pollInterval = .milliseconds(20)
      let store = try shop.store()
      let task = Task { [options] in
        try await store.project(try Projection(path: "sums.sql", bytes: Array(sums.utf8)), options: options)
      }
      try await shop.append(2)
      try await until { try await shop.psql("SELECT position FROM annals.generations") == "5" }
      try await shop.psql(replacement)
      // If nobody notices, it runs without end.
      let limit = Task {
        try await Task.sleep(for: .seconds(20))
        task.cancel()
      }
      let result = await task.result
      limit.cancel()
      let error = #expect(throws: EventStoreError.self) { _ = try result.get() }
      #expect(error?.code == .checkpointAhead)
      #expect(try await shop.psql("SELECT position FROM annals.generations") == "5")
      #expect(try await shop.psql("SELECT error->>'code' FROM annals.generations") == "checkpoint_ahead")
    }
  }

  /// These lock the table and then its sequence; a reader that does it the other way round meets them in a deadlock.
  @Test(arguments: ["TRUNCATE events RESTART IDENTITY", "DROP TABLE events"])
  func aReaderAndAReplacementAreInNoDeadlock(replacement: String) async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      // After DROP TABLE there is no such table.
      let locks = "SELECT count(*) FROM pg_locks WHERE relation = to_regclass('events') AND"
      let replacing = Mutex<Task<String, any Error>?>(nil)
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(20))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { batch in
          guard batch.positions.last == 3 else { return }
          let task = Task {
            try await db.psql(
              """
              BEGIN; LOCK TABLE events;
              DO $$ BEGIN WHILE (\(locks) NOT granted) = 0 LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
              \(replacement); COMMIT;
              """
            )
          }
          replacing.withLock { $0 = task }
          let isDone = Flag()
          Task {
            _ = await task.result
            isDone.set()
          }
          // The next page was requested already: the replacement may be over before the first look at its lock.
          try await until {
            let isLocked = try await db.psql("\(locks) mode = 'AccessExclusiveLock'") != "0"
            return isLocked || isDone.isSet
          }
        }
      }
      _ = try await replacing.withLock(\.self)?.value
      #expect(error?.code == .checkpointAhead, "\(String(describing: error))")
    }
  }

  /// Any statement can be the first one after the table is gone, not only the look at the end of history.
  @Test(arguments: ["ALTER TABLE events RENAME TO old", "DROP TABLE events"], [true, false])
  func aTableThatGoesWithinARoundIsNamed(replacement: String, isFollowing: Bool) async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      var options = ReplayOptions()
      (options.isFollowing, options.batchSize, options.checkpoint) = (isFollowing, 1, "mail")
      options.timeLimit = .seconds(20)
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { batch in
          if batch.positions.last == 1 { try await db.psql(replacement) }
        }
      }
      #expect(error?.code == .checkpointAhead)
      #expect(error?.message.contains("public.events was dropped or renamed") == true)
    }
  }

  @Test(arguments: ["ALTER TABLE events RENAME TO old", "DROP TABLE events"])
  func aTableThatGoesBetweenChunksIsNamed(replacement: String) async throws {
    try await Shop.open(events: 3) { shop in
      let slow = sums + "DELETE FROM sums WHERE id = event.aggregate_id AND pg_sleep(0.05) IS NULL;\n"
      try await shop.rebuild(slow)
      try await shop.append(20)
      var options = CatchUpOptions()
      options.chunkSize = 1
      let store = try shop.store()
      let task = Task { [options] in
        try await store.project(try Projection(path: "sums.sql", bytes: Array(slow.utf8)), options: options)
      }
      try await until { try await shop.psql("SELECT position >= 6 FROM annals.generations") == "t" }
      try await shop.psql(replacement)
      let result = await task.result
      let error = #expect(throws: EventStoreError.self) { _ = try result.get() }
      #expect(error?.code == .checkpointAhead)
      #expect(error?.message.contains("public.events was dropped or renamed") == true)
    }
  }

  /// Between the page that was read and the end of its round.
  @Test func aRoundThatOutlivesTheTableMovesNoCheckpoint() async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      var options = ReplayOptions()
      (options.checkpoint, options.batchSize) = ("mail", 2)
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { batch in
          if batch.positions.last == 2 { try await db.psql("TRUNCATE events RESTART IDENTITY") }
        }
      }
      #expect(error?.code == .checkpointAhead)
      let position = try await db.psql("SELECT position FROM annals.checkpoints")
      #expect(position == "2")
    }
  }

  /// The same events in another file of the disk, or other ones gone.
  @Test(arguments: [
    "VACUUM FULL events", "CLUSTER events USING events_pkey", "DELETE FROM events WHERE position = 1",
    "ALTER TABLE events ALTER metadata TYPE jsonb USING metadata || '{}'",
  ])
  func whatLeavesTheEndIsNoReasonToStop(change: String) async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(20))
      var (query, seen) = (EventQuery(), [Int64]())
      query.limit = 4
      _ = try await store.replay(query, options) { batch in
        seen += batch.positions
        if batch.positions.last == 3 { try await db.psql("\(change); \(Self.insert(4...4))") }
      }
      #expect(seen == [1, 2, 3, 4])
    }
  }

  /// A store that was restored to an earlier state gives new events positions that were passed already.
  @Test func aCheckpointAboveTheHeadIsRefused() async throws {
    try await Shop.open(events: 9) { shop in
      let store = try shop.store()
      try await shop.rebuild(sums)
      var options = ReplayOptions()
      options.checkpoint = "mail"
      _ = try await store.replay(EventQuery(), options) { _ in }
      try await shop.rebuild(sums) { $0.swaps = false }
      try await shop.psql("UPDATE annals.generations SET state = 'building' WHERE state = 'ready'")
      try await shop.psql(
        "DELETE FROM events WHERE position > 4; SELECT setval('events_position_seq', 4)"
      )
      func refuses(_ subject: String, _ body: () async throws -> Void) async {
        await #expect("\(subject)") { try await body() } throws: { error in
          let error = error as? EventStoreError
          return error?.code == .checkpointAhead
            && error?.message == "\(subject) is at position 9, and public.events ends at 4"
        }
      }
      for _ in 1...2 {
        await refuses("projection sums") { try await shop.project(sums) }
        await refuses("the interrupted build of projection sums") { try await shop.rebuild(sums) }
        await refuses("checkpoint 'mail'") { _ = try await store.replay(EventQuery(), options) { _ in } }
        await refuses("checkpoint 'mail'") { _ = try await store.planReplay(EventQuery(), options) }
        // Until the new events have come that far, none of them is left out.
        try await shop.append(2)
        try await shop.psql("DELETE FROM events WHERE position > 4; SELECT setval('events_position_seq', 4)")
      }
      try await shop.rebuild(sums) { $0.restarts = true }
      try await shop.append(3)
      #expect(try await shop.project(sums).events == 3)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// The locks do not show a reader who sets a sequence back.
  @Test func aSequenceSetBackMeanwhileStopsAFollower() async throws {
    try await withStore(Self.insert(1...3)) { db, store in
      var options = ReplayOptions()
      (options.isFollowing, options.timeLimit) = (true, .seconds(20))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.replay(EventQuery(), options) { _ in
          try await db.psql("SELECT setval('events_position_seq', 1)")
        }
      }
      #expect(error?.code == .invalidDefinition)
    }
  }

  private static func insert(_ versions: ClosedRange<Int>) -> String {
    """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', 'Added', '{"n": 1}', v FROM generate_series(\(versions.lowerBound), \(versions.upperBound)) v
    """
  }
}

private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}
