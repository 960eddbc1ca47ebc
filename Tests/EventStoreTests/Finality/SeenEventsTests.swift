import EventStore
import Synchronization
import TestSupport
import Testing

/// It is known which events a reader has met up to its checkpoint, so an event that comes below it later is found.
@Suite struct SeenEventsTests {
  /// Takes its position in a statement of its own, when no lock on the table shows it, and inserts it later.
  @Test func aPositionTakenBeforeTheLockIsFoundAfterwards() async throws {
    try await Shop.open(events: 5) { shop in
      let store = try shop.store()
      try await shop.rebuild(sums)
      var options = ReplayOptions()
      options.checkpoint = "mail"
      let taken = try await shop.psql("SELECT nextval('events_position_seq')")
      try await shop.append(3)
      #expect(try await shop.project(sums).events == 3)
      #expect(try await store.replay(EventQuery(), options) { _ in }.count == 8)
      #expect(try await differences(in: store) == [])

      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
        VALUES ('late', 'Added', '{"n": 1}', 1, \(taken))
        """
      )
      #expect(try await shop.project(sums).events == 0)
      #expect(
        try await differences(in: store) == [
          "checkpoint 'mail' processed 8 events up to position 9, and the store has 9 there: "
            + "1 appeared below its checkpoint later",
          "projection sums processed 8 events up to position 9, and the store has 9 there: "
            + "1 appeared below its checkpoint later",
        ]
      )
      // The operator who sets the checkpoint is responsible for the events below, and a new build meets them.
      try await store.setCheckpoint(of: "sums", to: 5, from: 9)
      #expect(try await shop.project(sums).events == 4)
      #expect(try await differences(in: store).map { $0.prefix(17) } == ["checkpoint 'mail'"])
      try await shop.rebuild(sums)
      #expect(try await differences(in: store).count == 1)
    }
  }

  @Test(arguments: [
    ("DELETE FROM events WHERE position = 3", "has 4 there: 1 that it processed were removed"),
    (
      """
      DELETE FROM events WHERE position = 3;
      INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
      VALUES ('other', 'Added', '{"n": 1}', 1, 3)
      """, "has 5 there: they are not the same"
    ),
  ])
  func whatWasRemovedIsFound(change: String, words: String) async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        "\(change); INSERT INTO events (aggregate_id, event_type, event_data, version) "
          + "VALUES ('new', 'Added', '{\"n\": 1}', 1)"
      )
      let found = try await differences(in: try shop.store())
      #expect(found.count == 1 && found[0].contains(words), "\(found)")
    }
  }

  /// Handlers of every kind, with and without workers, and types that are nobody's.
  @Test(
    arguments: [
      sums,
      sums.replacing("-- @on Added", with: "-- @on Added, Other"),
      sums.replacing("-- @on Added", with: "-- @on *").replacing(
        "(event.event_data->>'n')::bigint",
        with: "1"
      ),
      """
      -- @projection sums
      -- @parallel aggregate
      -- @create
      CREATE TABLE sums (id text, n bigint);
      -- @batch Added
      INSERT INTO sums SELECT aggregate_id, count(*) FROM events GROUP BY 1;
      """,
      """
      -- @projection sums
      -- @parallel aggregate
      -- @create
      CREATE TABLE sums (id text, n bigint);
      -- @batch Added
      INSERT INTO sums SELECT aggregate_id, count(*) FROM events GROUP BY 1;
      -- @on Other
      INSERT INTO sums VALUES (event.aggregate_id, 1);
      """,
    ],
    [1, 3]
  )
  func whatWasMetIsWhatIsThere(file: String, workers: Int) async throws {
    try await Shop.open(events: 50) { shop in
      let others = """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'b-' || v % 3, CASE v % 2 WHEN 0 THEN 'Other' ELSE 'Nobody''s' END, '{"n": 1}',
               v + (SELECT coalesce(max(version), 0) FROM events WHERE aggregate_id LIKE 'b-%')
        FROM generate_series(1, 20) v
        """
      try await shop.psql(others)
      try await shop.rebuild(file) { ($0.workers, $0.chunkSize) = (workers, 7) }
      try await shop.append(30)
      try await shop.psql(others)
      _ = try await shop.project(file) { $0.chunkSize = 9 }
      #expect(try await shop.psql("SELECT seen_events = events FROM annals.generations") == "t")
      #expect(try await differences(in: try shop.store()) == [])
      try await shop.psql("UPDATE annals.generations SET seen_hash = seen_hash + 1")
      #expect(try await differences(in: try shop.store()).count == 1)
    }
  }

  /// A chunk that fails is rolled back with what it met, and a dead letter was met, applied or not.
  @Test func deadLettersWereMet() async throws {
    try await Shop.open(events: 5) { shop in
      let failing = sums + "SELECT 1 / (event.position - 7);\n"
      let store = try shop.store()
      try await shop.rebuild(failing)
      try await shop.append(5)
      #expect(try await shop.project(failing) { $0.attempts = 1 }.deadLetters == 1)
      #expect(try await shop.psql("SELECT events, seen_events FROM annals.generations") == "9|10")
      #expect(try await differences(in: store) == [])
      let mended = failing.replacing("/ (event.position - 7)", with: "").replacing(
        "-- @on Added",
        with: "-- @on *"
      )
      #expect(
        try await store.retryDeadLetters(
          of: "sums",
          with: Projection(path: "sums.sql", bytes: Array(mended.utf8))
        ).applied == 1
      )
      #expect(try await differences(in: store) == [])
    }
  }

  /// A consumer meets what it was done with, of its own selection.
  @Test func aCheckpointKnowsItsSelection() async throws {
    try await Shop.open(events: 20) { shop in
      let store = try shop.store()
      try await shop.psql(
        "UPDATE events SET event_type = CASE position % 3 WHEN 0 THEN 'A' WHEN 1 THEN E'B\\n\"' ELSE 'Ä' END"
      )
      var (options, query) = (ReplayOptions(), EventQuery())
      (options.checkpoint, options.batchSize) = ("some", 4)
      query.types = ["B\n\"", "Ä"]
      struct Failure: Error {}
      await #expect(throws: Failure.self) {
        try await store.replay(query, options) { batch in
          if batch.positions.contains(8) { throw PartlyDone(upTo: 8, cause: Failure()) }
        }
      }
      #expect(try await differences(in: store) == [])
      query.toPosition = 10
      _ = try await store.replay(query, options) { batch in
        if batch.positions.contains(10) {
          try await store.addDeadLetter(at: 10, to: "some", attempts: 1, message: "no")
        }
      }
      query.toPosition = nil
      #expect(
        try await shop.psql("SELECT position, seen_events FROM annals.checkpoints") == "10|7"
      )
      #expect(try await differences(in: store) == [])
      query.limit = 2
      _ = try await store.replay(query, options) { _ in }
      query.limit = nil
      _ = try await store.replay(query, options) { _ in }
      #expect(try await shop.psql("SELECT position, seen_events FROM annals.checkpoints") == "20|14")
      #expect(try await differences(in: store) == [])

      (options.checkpoint, query) = ("one", EventQuery())
      (query.aggregateID, query.category) = ("a-1", "a")
      _ = try await store.replay(query, options) { _ in }
      #expect(try await differences(in: store) == [])
      try await shop.psql(
        "UPDATE events SET id = gen_random_uuid() WHERE aggregate_id = 'a-1' AND version = 1"
      )
      #expect(try await differences(in: store).count == 2)
    }
  }

  /// If the consumer left something out on purpose, or it is not known what it met, nothing is reported.
  @Test func whatIsNotKnownIsNotGuessed() async throws {
    try await Shop.open(events: 9) { shop in
      let store = try shop.store()
      var (options, query) = (ReplayOptions(), EventQuery())
      options.checkpoint = "late"
      query.fromPosition = 4
      #expect(try await store.replay(query, options) { _ in }.count == 6)
      options.checkpoint = "since"
      query = EventQuery()
      query.since = try Timestamp(iso8601: "2000-01-01T00:00:00Z")
      #expect(try await store.replay(query, options) { _ in }.count == 9)
      #expect(try await shop.psql("SELECT count(*), count(seen_hash) FROM annals.checkpoints") == "2|0")
      try await shop.rebuild(sums)
      try await shop.psql("DELETE FROM events WHERE position = 2")
      #expect(try await differences(in: store).count == 1)
      // As of a reader from before it was kept.
      try await shop.psql("UPDATE annals.generations SET seen_events = NULL, seen_hash = NULL")
      #expect(try await differences(in: store) == [])
      try await shop.append(1)
      #expect(try await shop.project(sums).events == 1)
      #expect(try await shop.psql("SELECT seen_hash IS NULL FROM annals.generations") == "t")
    }
  }

  private func differences(in store: EventStore) async throws -> [String] {
    let found = Mutex<[String]>([])
    var check = VersionCheck()
    check.kinds = [.checkpointDiffers]
    _ = try await store.verifyVersions(check) { finding in
      #expect(finding.severity == .error)
      found.withLock { $0.append(finding.detail) }
    }
    return found.withLock { $0 }.sorted()
  }
}
