import EventStore
import TestSupport
import Testing

@Suite struct AppendTests {
  @Test func theDocumentedExample() async throws {
    try await withStore { db, store in
      try await store.append([NewEvent(type: "OrderSubmitted")], to: "order-42", expecting: .noStream)

      let paid = NewEvent(type: "PaymentProcessed", data: #"{"amount": 12.5}"#)
      let receipts = try await store.append([paid], to: "order-42", expecting: .version(1))

      #expect(receipts.map(\.version) == [2])
      let stored = "version, event_type, event_data, id, position"
      #expect(
        try await db.psql("SELECT \(stored) FROM events WHERE version = 2")
          == "2|PaymentProcessed|{\"amount\": 12.5}|\(paid.id)|\(receipts[0].position ?? 0)"
      )
    }
  }

  @Test func severalEventsStandInOrder() async throws {
    try await withStore { db, store in
      let time = try Timestamp(iso8601: "2016-09-04T21:15:19.25Z")
      let events = [
        NewEvent(type: "A", data: "[1, 2]", metadata: #"{"user": "é"}"#, timestamp: time),
        NewEvent(type: "B", data: "12e3"),
        NewEvent(type: "C", data: #""text""#),
      ]
      let receipts = try await store.append(events, to: "it's 日本")
      #expect(receipts.map(\.version) == [1, 2, 3])
      #expect(receipts.map(\.id) == events.map(\.id))
      #expect(receipts.allSatisfy { $0.status == .appended && $0.aggregateID == "it's 日本" })
      #expect(
        try await db.psql("SELECT version, event_type, event_data, metadata FROM events ORDER BY version")
          == "1|A|[1, 2]|{\"user\": \"é\"}\n2|B|12000|\n3|C|\"text\"|"
      )
      let times = "timestamp = '2016-09-04T21:15:19.25Z', timestamp > now() - interval '1 minute'"
      #expect(try await db.psql("SELECT \(times) FROM events ORDER BY version") == "t|f\nf|t\nf|t")
      #expect(try await store.append([], to: "it's 日本").isEmpty)
    }
  }

  /// What a stream of so many events answers to an expectation: the version of the new event, or nil for a conflict.
  static let expectationCases: [(Int, ExpectedVersion, Int?)] = [
    (0, .any, 1), (0, .noStream, 1), (0, .exists, nil), (0, .version(1), nil), (0, .version(0), 1),
    (2, .any, 3), (2, .noStream, nil), (2, .exists, 3), (2, .version(1), nil), (2, .version(2), 3),
    (2, .version(3), nil), (2, .version(-1), nil), (2, .version(.max), nil),
  ]

  @Test(arguments: expectationCases)
  func expectations(count: Int, expected: ExpectedVersion, version: Int?) async throws {
    try await withStore { db, store in
      if count > 0 {
        try await store.append((0..<count).map { NewEvent(type: "Old\($0)") }, to: "a")
      }
      try await store.append([NewEvent(type: "Elsewhere")], to: "b")
      do {
        let receipts = try await store.append([NewEvent(type: "New")], to: "a", expecting: expected)
        #expect(receipts.map { Optional($0.version) } == [version])
      } catch let error as EventStoreError {
        #expect(version == nil)
        #expect(error.code == .versionConflict)
        #expect(error.message.contains(count == 0 ? "has no events" : "is at version \(count)"))
        if count > 0 { #expect(error.detail?.contains("version 2, Old1, of 2") == true) }
        #expect(error.actualVersion == count)
        #expect(error.hint?.remedies.contains(.stream(aggregateID: "a")) == true)
        #expect(try await db.psql("SELECT count(*) FROM events WHERE event_type = 'New'") == "0")
      }
    }
  }

  /// One of KurrentDB's tests of idempotent appends (AppendTests, "sequence_…"): each step appends some of the events
  /// 0 to 5, expecting a version. KurrentDB counts from 0; `em1` in its names is "no stream", `e0` is our version 1.
  struct Sequence: CustomTestStringConvertible, Sendable {
    enum Outcome { case appended, existing, conflict }

    let name: String
    let steps: [(events: [Int], expected: ExpectedVersion, outcome: Outcome)]
    var testDescription: String { name }

    static let first = (0...5).map { index in
      (
        events: [index], expected: index == 0 ? ExpectedVersion.noStream : .version(index),
        outcome: Outcome.appended
      )
    }

    init(_ name: String, _ steps: [(events: [Int], expected: ExpectedVersion, outcome: Outcome)]) {
      (self.name, self.steps) = (name, steps)
    }
  }

  static let pair = (events: [0, 1], expected: ExpectedVersion.noStream, outcome: Sequence.Outcome.appended)

  static let sequences = [
    Sequence("0em1_1e0_2e1_3e2_4e3_5e4_0em1", Sequence.first + [([0], .noStream, .existing)]),
    Sequence("0em1_1e0_2e1_3e2_4e3_5e4_0any", Sequence.first + [([0], .any, .existing)]),
    // In these three, and in 0em1_0e0, KurrentDB looks at the expected place only: it stores the event a second time or
    // reports a conflict. Here an id is in the store once, so that a retry is a success whatever it expects by then.
    Sequence("0em1_1e0_2e1_3e2_4e3_5e4_0e5", Sequence.first + [([0], .version(6), .existing)]),
    Sequence("0em1_1e0_2e1_3e2_4e3_5e4_0e6", Sequence.first + [([0], .version(7), .existing)]),
    Sequence("0em1_1e0_2e1_3e2_4e3_5e4_0e4", Sequence.first + [([0], .version(5), .existing)]),
    Sequence("0em1_0e0", [Sequence.first[0], ([0], .version(1), .existing)]),
    Sequence("0em1_0any", [Sequence.first[0], ([0], .any, .existing)]),
    Sequence("0em1_0em1", [Sequence.first[0], ([0], .noStream, .existing)]),
    Sequence(
      "0em1_1e0_2e1_1any_1any",
      Sequence.first.prefix(3) + [([1], .any, .existing), ([1], .any, .existing)]
    ),
    Sequence("S_0em1_1em1_E_S_0em1_E", [pair, ([0], .noStream, .existing)]),
    Sequence("S_0em1_1em1_E_S_0any_E", [pair, ([0], .any, .existing)]),
    Sequence("S_0em1_1em1_E_S_1e0_E", [pair, ([1], .version(1), .existing)]),
    Sequence("S_0em1_1em1_E_S_1any_E", [pair, ([1], .any, .existing)]),
    Sequence("S_0em1_1em1_E_S_0em1_1em1_E", [pair, ([0, 1], .noStream, .existing)]),
    Sequence("S_0em1_1em1_E_S_0em1_1em1_2em1_E", [pair, ([0, 1, 2], .noStream, .conflict)]),
  ]

  @Test(arguments: sequences)
  func idempotency(_ sequence: Sequence) async throws {
    try await withStore { db, store in
      let events = (0...5).map { NewEvent(type: "T\($0)", data: "{\"n\": \($0)}") }
      for (step, (indexes, expected, outcome)) in sequence.steps.enumerated() {
        let before = try await db.psql("SELECT count(*) FROM events")
        do {
          let receipts = try await store.append(indexes.map { events[$0] }, to: "s", expecting: expected)
          let status: AppendReceipt.Status = outcome == .existing ? .existing : .appended
          #expect(outcome != .conflict, "step \(step)")
          #expect(receipts.map(\.status) == indexes.map { _ in status }, "step \(step)")
          // Each event n was stored as version n + 1.
          #expect(receipts.map(\.version) == indexes.map { $0 + 1 }, "step \(step)")
        } catch let error as EventStoreError where error.code == .versionConflict {
          #expect(outcome == .conflict, "step \(step)")
        }
        let after = try await db.psql("SELECT count(*) FROM events")
        if outcome != .appended { #expect(after == before, "step \(step) stored something") }
      }
      let gaps = "SELECT count(*) = max(version) FROM events"
      #expect(try await db.psql(gaps) == "t")
    }
  }

  @Test func anIDBelongsToOneContent() async throws {
    try await withStore { db, store in
      let time = try Timestamp(iso8601: "2020-01-01T00:00:00Z")
      let event = NewEvent(type: "A", data: #"{"x": 1.0, "y": 2}"#, metadata: "{}", timestamp: time)
      try await store.append([event], to: "a")

      var same = event
      same.data = #"{"y":2,"x":1.00}"#
      #expect(try await store.append([same], to: "a").map(\.status) == [.existing])
      same.timestamp = nil
      #expect(try await store.append([same], to: "a").map(\.status) == [.existing], "the store gave the time")

      let others: [(column: String, aggregateID: String, change: (inout NewEvent) -> Void)] = [
        ("event_type", "a", { $0.type = "B" }), ("event_data", "a", { $0.data = "{}" }),
        ("metadata", "a", { $0.metadata = nil }), ("timestamp", "a", { $0.timestamp = .infinity }),
        ("aggregate_id", "b", { _ in }),
      ]
      for (column, aggregateID, change) in others {
        var other = event
        change(&other)
        for expected in [ExpectedVersion.any, .noStream] {
          let error = try await #require(throws: EventStoreError.self) {
            try await store.append([other], to: aggregateID, expecting: expected)
          }
          #expect(error.code == .versionConflict)
          #expect(error.detail?.contains("They differ in \(column).") == true, "\(error)")
          #expect(error.detail?.contains("Stored is a version 1, A, of 2020-01-01T00:00:00Z") == true)
        }
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }

  @Test func badEventsAreRefusedBeforeAnythingIsSent() async throws {
    let long = String(repeating: "é", count: 256)
    let cases: [(String, NewEvent, String)] = [
      ("", NewEvent(type: "A"), "aggregate_id must not be empty"),
      (long, NewEvent(type: "A"), "aggregate_id is longer than 255 characters: it has 256"),
      ("a\0b", NewEvent(type: "A"), "aggregate_id contains the NUL character"),
      ("a", NewEvent(type: ""), "event_type must not be empty"),
      ("a", NewEvent(type: String(long.prefix(101))), "event_type is longer than 100 characters: it has 101"),
      ("a", NewEvent(type: "\0"), "event_type contains the NUL character"),
      ("a", NewEvent(type: "A", data: ""), "event_data, line 1, column 1: "),
      ("a", NewEvent(type: "A", data: "null"), "event_data, line 1, column 1: must not be null"),
      ("a", NewEvent(type: "A", data: "{\n  \"é\": x}"), "event_data, line 2, column 8: "),
      ("a", NewEvent(type: "A", data: #"{"a": "\u0000"}"#), "event_data, line 1, column 8: \\u0000"),
      ("a", NewEvent(type: "A", data: "{} {}"), "event_data, line 1, column 4: text after the value"),
      ("a", NewEvent(type: "A", metadata: "["), "metadata, line 1, column 2: "),
    ]
    try await withStore { db, store in
      for (aggregateID, event, message) in cases {
        let error = try await #require(throws: EventStoreError.self) {
          try await store.append([event], to: aggregateID)
        }
        #expect(error.code == .invalidInput)
        #expect(error.message.hasPrefix(message), "\(error.message)")
      }
      let twice = NewEvent(type: "A")
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "B"), twice, twice], to: "a")
      }
      #expect(error.message == "events 2 and 3 have the same id, \(twice.id)")
      let second = try await #require(throws: EventStoreError.self) {
        try await store.append([twice, NewEvent(type: "")], to: "a")
      }
      #expect(second.message == "event 2 of 2: event_type must not be empty")
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  @Test func aFullStreamTakesNoMore() async throws {
    try await withStore { db, store in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 2147483647)"
      )
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "A")], to: "a")
      }
      #expect(error.code == .invalidInput)
      #expect(error.message.hasPrefix("a is full"), "\(error)")
    }
  }

  @Test func previewSaysWhatAppendWouldDo() async throws {
    try await withStore { db, store in
      let old = NewEvent(type: "A")
      try await store.append([old], to: "a")
      let preview = try await store.previewAppend([old], to: "a", expecting: .noStream)
      #expect(preview.map(\.status) == [.existing])
      let two = [NewEvent(type: "B"), NewEvent(type: "C")]
      #expect(try await store.previewAppend(two, to: "a", expecting: .version(1)).map(\.version) == [2, 3])
      let error = try await #require(throws: EventStoreError.self) {
        try await store.previewAppend(two, to: "a", expecting: .version(2))
      }
      #expect(error.code == .versionConflict)
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }

  /// The statement itself runs and is rolled back, so that the refusals of the table's own rules are known before.
  @Test(arguments: ["CHECK (event_type <> 'B')", "UNIQUE (event_type)"])
  func previewMeetsTheConstraintsOfTheTable(constraint: String) async throws {
    try await withStore { db, store in
      try await store.append([NewEvent(type: "A")], to: "a")
      try await db.psql("ALTER TABLE events ADD CONSTRAINT own \(constraint)")
      let events = [NewEvent(type: "B"), NewEvent(type: "B")]
      let error = try await #require(throws: EventStoreError.self) {
        try await store.previewAppend(events, to: "b")
      }
      #expect(error.code == .invalidInput && error.message.contains("own"), "\(error)")
      #expect(try await store.previewAppend([NewEvent(type: "C")], to: "c").map(\.position) == [nil])
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }
}
