import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// What is restored is what was exported, byte by byte.
@Suite struct RestoreTests {
  /// Events whose values are hard to keep, with holes between the positions.
  private static let hardEvents = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp, metadata) VALUES
    ('a-1', 'T', '{"n": 1.10, "e": 1e400, "t": "tab\\tquote\\"\\u0001é😀"}', 1, '2024-01-01 10:00:00.000001Z', NULL),
    ('a-1', 'T', 'null', 2, 'infinity', 'null'),
    ('a-1', E'quo"te\\n', '[1.0, 1.00, 0.000]', 3, '-infinity', '{"c": [null]}'),
    ('b "x"\\', 'T', '"text"', 1, '4714-11-24 00:00:00 BC', '{}'),
    (repeat('é', 255), repeat('t', 100), '{"": {}, "b": 1, "aa": 1e-5}', 2147483647, '294276-12-31 23:59:59.999999Z', '1');
    SELECT nextval(pg_get_serial_sequence('events', 'position')) FROM generate_series(1, 100);
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'c-' || v % 7, 'T', jsonb_build_object('n', v), 1 + v / 7 FROM generate_series(0, 200) v;
    SELECT nextval(pg_get_serial_sequence('events', 'position')) FROM generate_series(1, 10);
    """

  @Test func aRestoredStoreIsTheSame() async throws {
    try await withStore(Self.hardEvents) { db, store in
      let export = try await store.exported()
      let manifest = try await store.manifestText()
      let events = try await db.allEvents()
      #expect(export.result.events == 206 && export.files.count == 1)
      try await withStore { other, copy in
        let result = try await copy.restore(export.sources())
        #expect(result.events == 206 && result.restored == 206 && result.existing == 0)
        #expect(try await other.allEvents() == events)
        #expect(try await copy.manifestText() == manifest)
        // The next event gets the next position.
        let receipts = try await copy.append([NewEvent(type: "T", data: "{}")], to: "next")
        let last = try #require(export.result.lastPosition)
        #expect(receipts[0].position == last + 1)
        // Once more: everything is there. The new event is not in the way.
        let again = try await copy.restore(export.sources())
        #expect(again.restored == 0 && again.existing == 206)
        // As a pipe into another table, and out again.
        try await other.psql("TRUNCATE events")
        let pieces = Pieces(export.files[0])
        #expect(try await copy.restore([ExportFile("pipe") { pieces.next() }]).restored == 206)
        #expect(try await other.allEvents() == events)
        let second = try await copy.exported()
        #expect(second.result.root == export.result.root)
      }
    }
  }

  /// Only with its last line is a file complete, wherever it is cut, and nothing is stored before that is checked.
  @Test func aFileThatIsCutOffIsRefused() async throws {
    try await withStore(Self.hardEvents) { db, store in
      let export = try await store.exported()
      let bytes = export.files[0]
      let before = try await db.allEvents()
      try await db.psql("DELETE FROM events")
      // The last line without its line feed is whole.
      for end in Array(stride(from: 0, to: bytes.count - 1, by: 1000)) + [bytes.count - 2] {
        let cut = Array(bytes[..<end])
        let pieces = Pieces(cut)
        for source in [file(cut, named: "cut"), ExportFile("cut") { pieces.next() }] {
          let error = await #expect(throws: EventStoreError.self) { try await store.restore([source]) }
          #expect(error?.code == .invalidInput)
          #expect(error?.message.contains("cut is cut off at byte \(end), in line ") == true, "\(error!)")
        }
      }
      #expect(try await db.allEvents() == "")
      for (change, word) in Self.damages {
        let damaged = change(bytes)
        let pieces = Pieces(damaged)
        for source in [file(damaged, named: "bad"), ExportFile("bad") { pieces.next() }] {
          let error = await #expect(throws: EventStoreError.self) { try await store.restore([source]) }
          #expect(error?.code == .invalidInput && "\(error!)".contains(word), "\(error!)")
        }
      }
      #expect(try await db.allEvents() == "")
      #expect(try await store.restore(export.sources()).restored == 206)
      #expect(try await db.allEvents() == before)
    }
  }

  private static let damages: [(change: @Sendable ([UInt8]) -> [UInt8], word: String)] = [
    (
      { String(decoding: $0, as: UTF8.self).replacing(#""n": 7}"#, with: #""n": 8}"#).utf8.map(\.self) },
      "The root of its events differs"
    ),
    ({ $0 + $0 }, "There are lines after its last line"),
    (
      {
        Array(
          String(decoding: $0, as: UTF8.self).split(separator: "\n").dropFirst(1).joined(separator: "\n").utf8
        )
      },
      "is not an export"
    ),
    (
      {
        Array(
          String(decoding: $0, as: UTF8.self).split(separator: "\n").filter { !$0.contains("a-1") }.joined(
            separator: "\n"
          ).utf8
        )
      },
      "its last line says 206"
    ),
    ({ _ in Array("\u{1F}".utf8) + [0x8B] }, "compressed with gzip"),
    (
      {
        Array(
          String(decoding: $0, as: UTF8.self).replacing(#""annals_export":1,"#, with: #""annals_export":2,"#)
            .utf8
        )
      }, "format 2"
    ),
  ]

  /// An event in the place of another is refused by each kind of place, and nothing is changed.
  @Test func otherEventsInTheirPlacesAreRefused() async throws {
    try await withStore(Self.hardEvents) { db, store in
      let export = try await store.exported()
      let changes = [
        ("UPDATE events SET id = gen_random_uuid() WHERE aggregate_id = 'c-3' AND version = 2", "id"),
        (
          "UPDATE events SET aggregate_id = 'else' WHERE aggregate_id = 'c-3' AND version = 2", "aggregate_id"
        ),
        (
          "UPDATE events SET event_data = '{\"n\": 10.0}' WHERE aggregate_id = 'c-3' AND version = 2",
          "event_data"
        ),
        ("UPDATE events SET metadata = 'null' WHERE aggregate_id = 'c-3' AND version = 2", "metadata"),
        ("UPDATE events SET event_type = 'U' WHERE aggregate_id = 'c-3' AND version = 2", "event_type"),
        (
          "UPDATE events SET \"timestamp\" = \"timestamp\" + interval '1 us' WHERE aggregate_id = 'c-3' AND version = 2",
          "timestamp"
        ),
        (
          """
          UPDATE events SET id = gen_random_uuid(), aggregate_id = 'else' WHERE aggregate_id = 'c-3' AND version = 2
          """, "id, aggregate_id"
        ),
      ]
      try await db.psql("CREATE TABLE kept AS SELECT * FROM events")
      for (change, columns) in changes {
        // Half of the events are to be restored, and must not be.
        try await db.psql("DELETE FROM events WHERE position > 150; \(change)")
        let before = try await db.allEvents()
        let pieces = Pieces(export.files[0])
        for source in [file(export.files[0]), ExportFile("file 1") { pieces.next() }] {
          let error = await #expect(throws: EventStoreError.self, "\(change)") {
            try await store.restore([source])
          }
          #expect(error?.code == .versionConflict)
          #expect(error?.detail?.contains("They differ in \(columns).") == true, "\(error!)")
          #expect(
            error?.message.contains(
              "file 1, line 17: the store has another event in the place of c-3 version 2"
            ) == true,
            "\(error!)"
          )
        }
        #expect(try await db.allEvents() == before)
        try await db.psql("TRUNCATE events; INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM kept")
      }
    }
  }

  /// Events lost below the store's last one are restored only on request, and their readers are named.
  @Test func lostEventsComeBack() async throws {
    try await withStore(Self.hardEvents) { db, store in
      let export = try await store.exported()
      let events = try await db.allEvents()
      var options = ReplayOptions()
      options.checkpoint = "mail"
      _ = try await store.replay(EventQuery(), options) { _ in }
      try await db.psql("DELETE FROM events WHERE aggregate_id IN ('a-1', 'c-5') AND version <> 4")
      let error = await #expect(throws: EventStoreError.self) { try await store.restore(export.sources()) }
      #expect(
        error?.code == .failed && error?.message.contains("lacks the event at position 1,") == true,
        "\(error!)"
      )
      #expect(error?.hint?.description.contains("RestoreOptions.restoresMissing") == true)
      var missing = RestoreOptions()
      (missing.restoresMissing, missing.isDryRun) = (true, true)
      let dry = try await store.restore(export.sources(), missing)
      let lost = Int64(3 + 27)
      #expect(dry.restored == lost)
      #expect(try await db.allEvents() != events)
      missing.isDryRun = false
      let result = try await store.restore(export.sources(), missing)
      #expect(result.restored == lost && result.existing == 206 - lost && result.lowestRestored == 1)
      #expect(result.passedReaders.map(\.name) == ["mail"])
      #expect(try await db.allEvents() == events)
      // Lost at the end: no reader of a position before has passed them.
      try await db.psql("DELETE FROM events WHERE position > 200")
      #expect(try await store.restore(export.sources()).restored == 106)
      #expect(try await db.allEvents() == events)
    }
  }
}
