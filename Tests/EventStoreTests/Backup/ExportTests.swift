import LibPQ
import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// What an export holds.
@Suite struct ExportTests {
  private static let events = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT (ARRAY['a', 'a-1', 'a-2', 'ab-1'])[1 + v % 4], 'T', '{}', 1 + v / 4, '2024-01-01'::timestamptz + v * interval '1 day'
    FROM generate_series(0, 399) v
    """

  private func positions(_ export: ExportedFiles) -> [Int64] {
    export.files.flatMap { file in
      String(decoding: file, as: UTF8.self).split(separator: "\n").dropFirst().dropLast().compactMap { line in
        line.dropFirst(#"{"position":"#.count).prefix { $0 != "," }.description
      }.compactMap { Int64($0) }
    }
  }

  @Test func whatIsSelected() async throws {
    try await withStore(Self.events) { db, store in
      func expect(_ condition: String, _ set: (inout ExportOptions) -> Void) async throws {
        var options = ExportOptions()
        set(&options)
        let expected = try await db.psql(
          "SELECT string_agg(position::text, ' ' ORDER BY position) FROM events WHERE \(condition)"
        )
        let export = try await store.exported(options)
        #expect(positions(export).map { "\($0)" }.joined(separator: " ") == expected, "\(condition)")
      }
      try await expect("true") { _ in }
      try await expect("aggregate_id IN ('a', 'ab-1')") { $0.selection = .aggregates(["ab-1", "a"]) }
      try await expect("aggregate_id <> 'ab-1'") { $0.selection = .category("a") }
      let march = try await store.times("2024-03")
      try await expect("timestamp >= '2024-03-01' AND timestamp < '2024-04-01'") {
        ($0.since, $0.until) = (march.lowerBound, march.upperBound)
      }
      try await expect("timestamp < '2024-03-01' AND aggregate_id = 'a-1'") {
        ($0.before, $0.selection) = (march.lowerBound, .aggregates(["a-1"]))
      }
      for selection in [AggregateSelection.aggregates(["a", "none"]), .category("none")] {
        var options = ExportOptions()
        options.selection = selection
        let error = await #expect(throws: EventStoreError.self) { try await store.exported(options) }
        #expect(error?.code == .notFound)
      }
    }
  }

  /// An incremental export has the selection of the export before, and both together have all its events.
  @Test func exportsThatGoOn() async throws {
    try await withStore(Self.events) { db, store in
      let later = """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT (ARRAY['a-1', 'ab-1'])[v], 'T', '{"new": true}', 101 FROM generate_series(1, 2) v
        """
      var options = ExportOptions()
      options.selection = .category("a")
      let first = try await store.exported(options)
      try await db.psql(later)
      options = ExportOptions()
      let rest = Pieces(first.files[0])
      options.previous = { rest.next() }
      options.eventsPerFile = 1
      let second = try await store.exported(options)
      #expect(positions(second) == [401] && second.files.count == 1)
      // Nothing more is new; the file still says what it continues.
      let last = Pieces(second.files[0])
      options.previous = { last.next() }
      let third = try await store.exported(options)
      #expect(third.result.events == 0 && third.result.lastPosition == 401)
      try await withStore { other, copy in
        let files = (first.files + second.files + third.files).enumerated().map {
          file($1, named: "file \($0)")
        }
        let error = await #expect(throws: EventStoreError.self) {
          try await copy.restore([files[1], files[2]])
        }
        #expect(
          error?.message.contains("continues from position 399, where public.events has no event") == true,
          "\(error!)"
        )
        let disorder = await #expect(throws: EventStoreError.self) {
          try await copy.restore([files[0], files[2]])
        }
        #expect(disorder?.message == "file 2 does not continue file 0")
        #expect(try await copy.restore(files).restored == 301)
        let events = try await db.psql(
          "SELECT e::text FROM events e WHERE aggregate_id <> 'ab-1' ORDER BY position"
        )
        #expect(try await other.allEvents() == events)
      }
      // The store of before has lost what was exported.
      try await db.psql("DELETE FROM events WHERE position > 300")
      let again = Pieces(first.files[0])
      options.previous = { again.next() }
      let error = await #expect(throws: EventStoreError.self) { try await store.exported(options) }
      #expect(error?.code == .checkpointAhead)
      let cut = Pieces(Array(first.files[0].dropLast(1000)))
      options.previous = { cut.next() }
      let damaged = await #expect(throws: EventStoreError.self) { try await store.exported(options) }
      #expect(damaged?.message.contains("the export before is cut off") == true, "\(damaged!)")
    }
  }

  /// Files of a number of events: the last one may have fewer, and none is empty but the only one.
  @Test func filesOfABoundedSize() async throws {
    try await withStore(Self.events) { db, store in
      for (most, counts) in [
        (100, [100, 100, 100, 100]), (399, [399, 1]), (150, [150, 150, 100]), (400, [400]),
      ] {
        var options = ExportOptions()
        options.eventsPerFile = most
        let export = try await store.exported(options)
        let found = export.files.map { $0.count { $0 == UInt8(ascii: "\n") } - 2 }
        #expect(found == counts && export.result.files == counts.count)
        #expect(positions(export) == Array(1...400))
      }
      try await db.psql("TRUNCATE events")
      let empty = try await store.exported()
      #expect(empty.files.count == 1 && empty.result.events == 0)
      #expect(try await store.restore(empty.sources()) == .init(files: 1))
    }
  }

  /// One snapshot: events removed meanwhile are included, and events that come meanwhile are not.
  @Test func oneSnapshot() async throws {
    try await withStore(Self.events) { db, store in
      let calls = Atomic(0)
      let count = Atomic(0)
      let result = try await store.export { _, bytes in
        count.add(bytes.count { $0 == UInt8(ascii: "\n") }, ordering: .relaxed)
        // The second call has the first page.
        guard calls.add(1, ordering: .relaxed).newValue == 2 else { return }
        try db.execute(
          "DELETE FROM events; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('n', 'T', '{}', 1)"
        )
      }
      #expect(result.events == 400 && result.lastPosition == 400)
      #expect(count.load(ordering: .relaxed) == 402)
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }

  /// A transaction that writes may still add events below the last one.
  @Test func whoWritesIsWaitedFor() async throws {
    try await withStore(Self.events) { db, store in
      let insert = "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES"
      let writer = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      try writer.execute("BEGIN; \(insert) ('w', 'T', '{}', 1)")
      try await db.psql("\(insert) ('n', 'T', '{}', 1)")
      await store.limitWaiting(to: .milliseconds(10))
      let error = await #expect(throws: EventStoreError.self) { try await store.exported() }
      #expect(error?.code == .locked)
      try writer.execute("COMMIT")
      #expect(try await store.exported().result.events == 402)
    }
  }

  /// A store of somebody else's is exported as its layout reads it.
  @Test func throughALayout() async throws {
    try await withStore { db, store in
      try await db.psql(
        """
        CREATE TABLE log (n bigserial, data json);
        INSERT INTO log (data) SELECT json_build_object('n', v) FROM generate_series(1, 3) v;
        """
      )
      let text = """
        -- @layout log
        -- @table public.log
        SELECT gen_random_uuid() AS id, 'a-' || n AS aggregate_id, 'T' AS event_type, data::jsonb AS event_data, 1 AS version,
          '2024-01-01'::timestamptz AS "timestamp", NULL::jsonb AS metadata, n AS position FROM public.log
        """
      let layout = try Layout(path: "log.sql", bytes: Array(text.utf8))
      let log = try EventStore(connecting: db.conninfo, layout: layout)
      let export = try await log.exported()
      #expect(try await store.restore(export.sources()).restored == 3)
      #expect(
        try await db.psql(
          "SELECT string_agg(position || event_data::text, ',' ORDER BY position) FROM events"
        ) == #"1{"n": 1},2{"n": 2},3{"n": 3}"#
      )
    }
  }
}
