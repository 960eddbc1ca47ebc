import EventStore
import TestSupport
import Testing

@Suite struct ReducerTests {
  @Test(
    arguments: [
      ("-- @on T\nSELECT state", "r.sql:1:1: no @reducer section"),
      ("-- @reducer r", "r.sql:1:1: no @on section"),
      (
        "-- @reducer merge\n-- @on T\nSELECT state",
        "r.sql:1:1: \"merge\" is the name of the built-in reducer"
      ),
      (
        "-- @reducer r\n-- @on T\nDELETE FROM x",
        "r.sql:3:1: @on needs a query that yields the state, found DELETE"
      ),
      ("-- @reducer r\n-- @on T\nSELECT 1;\n  SELECT 2", "r.sql:4:3: @on has a second statement"),
      ("-- @reducer r\n-- @on T, U\nSELECT 1\n-- @on V U\nSELECT 2", "r.sql:4:8: U has a section already"),
      ("-- @reducer r\n-- @initial\n-- @on T\nSELECT 1", "r.sql:2:1: @initial has no SQL"),
      ("-- @reducer R-1\n-- @on T\nSELECT 1", "r.sql:1:13: \"R-1\" cannot name a reducer"),
    ]
  )
  func saysWhatIsWrongAndWhere(file: (text: String, message: String)) {
    let error = #expect(throws: EventStoreError.self) {
      try Reducer(path: "r.sql", bytes: Array(file.text.utf8))
    }
    #expect(error?.message == file.message)
    #expect(error?.code == .invalidDefinition)
  }

  /// What only the server can know is told with its place in the file, too.
  @Test(
    arguments: [
      ("-- @reducer r\n-- @on T\nSELECT state ||\n  event.evnt_data", "r.sql:4:3: "),
      ("-- @reducer r\n-- @on *\nSELECT 5", "r.sql:3:"),
      ("-- @reducer r\n-- @initial\n SELECT no_such_function()\n-- @on T\nSELECT state", "r.sql:3:9: "),
      ("-- @reducer r\n-- @on T\nSELECT state, state", "r.sql:3:1: "),
    ]
  )
  func placesTheServersErrors(file: (text: String, prefix: String)) async throws {
    try await withStore { database, store in
      try await database.insertEvents("('a', 'T', '{}', 1, now())")
      let reducer = try Reducer(path: "r.sql", bytes: Array(file.text.utf8))
      for take in [true, false] {
        let error = await #expect(throws: EventStoreError.self) {
          if take {
            _ = try await store.takeSnapshots(of: .all, reducer: reducer)
          } else {
            _ = try await store.state(of: "a", reducer: reducer)
          }
        }
        #expect(error?.message.hasPrefix(file.prefix) == true, "\(error?.message ?? "")")
        #expect(error?.code == .invalidDefinition)
      }
    }
  }

  @Test(
    arguments: [
      ("SELECT state || to_jsonb(1 / (event.event_data->>'n')::integer)", "division by zero"),
      ("SELECT CASE WHEN event.event_data->>'n' <> '0' THEN state END", "the state became NULL"),
      (
        "SELECT state FROM generate_series(0, 1) AS s WHERE event.event_data->>'n' = '0' OR s = 0",
        "more than one row returned by a subquery used as an expression"
      ),
    ]
  )
  func namesTheEventThatItFailsFor(section: (sql: String, cause: String)) async throws {
    try await withStore { database, store in
      try await database.insertEvents(
        "('b', 'T', '{\"n\": 1}', 1, now()),"
          + (1...20).map { "('a', 'T', '{\"n\": \($0 == 13 || $0 == 15 ? 0 : 1)}', \($0), now())" }
          .joined(separator: ",")
      )
      let text = "-- @reducer r\n-- @on Other\nSELECT state\n-- @on T\n\n\(section.sql)"
      let reducer = try Reducer(path: "r.sql", bytes: Array(text.utf8))
      let expected = "r.sql:6: the reducer failed for the event at version 13 of 'a' (T): \(section.cause)"
      for attempt in 0..<3 {
        let error = await #expect(throws: EventStoreError.self) {
          switch attempt {
          case 0: _ = try await store.state(of: "a", reducer: reducer)
          case 1: _ = try await store.blame("a", reducer: reducer)
          default: _ = try await store.takeSnapshots(of: .all, reducer: reducer)
          }
        }
        #expect(error?.message == expected)
        #expect(error?.code == .failed)
      }
      #expect(try await store.state(of: "a", at: .version(12), reducer: reducer).version == 12)
    }
  }

  @Test func seesTheWholeEvent() async throws {
    try await withStore { database, store in
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp, metadata)
        VALUES ('a', 'It''s', '{"x": 1}', 1, '2026-01-01Z', '{"by": "me"}')
        """
      )
      let text = """
        -- @reducer all
        -- @on It's
        SELECT to_jsonb(event) - 'id'
        """
      let state = try await store.state(
        of: "a",
        reducer: try Reducer(path: "all.sql", bytes: Array(text.utf8))
      )
      #expect(
        state.state == #"{"version": 1, "metadata": {"by": "me"}, "position": 1, "timestamp": "#
          + #""2026-01-01T00:00:00+00:00", "event_data": {"x": 1}, "event_type": "It's", "aggregate_id": "a"}"#
      )
    }
  }

  @Test func streamsMayBeginWithVersionZero() async throws {
    try await withStore { database, store in
      try await database.psql("ALTER TABLE events DROP CONSTRAINT events_version_check")
      try await database.insertEvents(
        "('a', 'T', '{\"a\": 1}', 0, now()), ('a', 'T', '{\"b\": 1}', 1, now())"
      )
      #expect(try await store.state(of: "a").state == #"{"a": 1, "b": 1}"#)
      #expect(try await store.takeSnapshots(of: .all).taken == 1)
      #expect(try await store.state(of: "a").state == #"{"a": 1, "b": 1}"#)
    }
  }
}
