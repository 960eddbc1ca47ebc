import TestSupport
import Testing

@testable import EventStore

/// What a layout says of its positions, and what the catalogue says.
@Suite struct LayoutPositionsTests {
  /// A store of Message DB with its events, through a layout whose position is an expression.
  private func withMessages(
    position: String = "m.global_position",
    _ positions: String,
    _ body: (TestDatabase, EventStore, Notices) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(try FrameworkStore.named("message-db").sql())
      let text = """
        -- @layout messages
        -- @table message_store.messages
        -- @positions \(positions)
        SELECT m.id, m.stream_name AS aggregate_id, m.type AS event_type, m.data AS event_data,
               m.position::integer + 1 AS version, m.time AS "timestamp", \(position) AS position
        FROM message_store.messages AS m
        """
      let layout = try Layout(path: "messages.sql", bytes: Array(text.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      _ = try await store.initialize()
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      try await body(db, store, notices)
    }
  }

  private static let text = """
    -- @projection counts
    -- @parallel aggregate
    -- @create
    CREATE TABLE counts (position bigint);
    -- @on *
    INSERT INTO counts VALUES (event.position);

    """

  private let projection: Projection

  init() throws { projection = try Projection(path: "counts.sql", bytes: Array(Self.text.utf8)) }

  private static func checkpoint() -> ReplayOptions {
    var options = ReplayOptions()
    options.checkpoint = "mail"
    return options
  }

  @Test func aSequenceProvesThem() async throws {
    try await withMessages("final") { _, store, notices in
      let watermark = try await store.watermark()
      #expect(watermark.position == 3 && notices.all.isEmpty)
    }
  }

  @Test(arguments: [
    ("CACHE 20", "sequence message_store.messages_global_position_seq hands out 20 positions at a time"),
    ("CYCLE", "sequence message_store.messages_global_position_seq starts again at its end"),
  ])
  func aSequenceThatLosesEventsIsRefused(change: String, words: String) async throws {
    for positions in ["final", "dense"] {
      try await withMessages(positions) { db, store, _ in
        try await db.psql("ALTER SEQUENCE message_store.messages_global_position_seq \(change)")
        let error = await #expect(throws: EventStoreError.self) { try await store.watermark() }
        #expect(error?.message == "positions of message_store.messages cannot be proved final: \(words)")
        await #expect(throws: EventStoreError.self) { try await store.rebuildProjection(projection) }
        #expect(try await db.psql("SELECT count(*) FROM annals.generations") == "0")
      }
    }
  }

  @Test(arguments: [
    ("m.global_position + 0", "", "position is not a column of message_store.messages"),
    (
      "m.global_position", "ALTER TABLE message_store.messages ALTER global_position DROP DEFAULT",
      "column global_position of message_store.messages has neither an identity nor a default of nextval"
    ),
  ])
  func whatIsNotProvedIsSaidOnce(position: String, change: String, words: String) async throws {
    try await withMessages(position: position, "final") { db, store, notices in
      if !change.isEmpty { try await db.psql(change) }
      _ = try await store.rebuildProjection(projection)
      #expect(try await store.replay(EventQuery(), Self.checkpoint()) { _ in }.count == 3)
      #expect(
        notices.all == ["positions of layout messages are assumed to be final: \(words)"]
      )
      let items = try await store.diagnose().filter { $0.name == "positions" }
      #expect(items.map(\.status) == [.problem])
      #expect(items.first?.value == "assumed to be final: \(words)")
    }
  }

  /// A reader that reads once, or names an end, does not continue from there.
  @Test func lateOnesCanBeReadOnce() async throws {
    try await withMessages("late") { db, store, _ in
      await #expect(throws: EventStoreError.self) { try await store.rebuildProjection(projection) }
      #expect(try await db.psql("SELECT count(*) FROM annals.generations") == "0")
      let replay = Self.checkpoint()
      await #expect(throws: EventStoreError.self) { try await store.replay(EventQuery(), replay) { _ in } }
      #expect(try await store.replay(EventQuery()) { _ in }.count == 3)
      #expect(try await store.buildReadModel(projection, from: EventQuery(), into: "aside").events == 3)
      #expect(try await store.planRebuild(projection).problems.count == 1)
      #expect(try await store.planRebuild(projection, upTo: 2).problems == [])
      for workers in [1, 2] {
        var options = RebuildOptions()
        (options.lastPosition, options.workers) = (2, workers)
        #expect(try await store.rebuildProjection(projection, options: options).events == 2)
      }
      let items = try await store.diagnose().filter { $0.name == "positions" }
      #expect(items.map(\.value) == ["late: readers cannot continue from a position"])
    }
  }
}
