import EventStore
import TestSupport
import Testing

@Suite struct SnapshotChangesTests {
  @Test func diffNamesWhatIsAddedRemovedAndChanged() async throws {
    try await withStore { database, store in
      try await database.insertEvents(
        """
        ('a', 'T', '{"same": {"x": 1}, "n": null, "list": [1, {"p": 1}, 3], "odd key": 1, "o": {}, "t": 1}', 1, now()),
        ('a', 'T', '{"same": {"x": 1}, "n": false, "list": [1, {"p": 2, "q": []}], "odd key": 2, "o": {"in": {"a": 1}},
          "t": [1]}', 2, now())
        """
      )
      let changes = try await store.changes(of: "a", from: .version(1), to: .version(2))
      #expect(
        changes.map(line) == [
          #"changed ."odd key" 1 2"#, "changed .list[1].p 1 2", "added .list[1].q - []",
          "removed .list[2] 3 -",
          "changed .n null false", #"added .o.in - {"a": 1}"#, "changed .t 1 [1]",
        ]
      )
      let back = try await store.changes(of: "a", from: .version(2), to: .version(1))
      #expect(back.count { $0.kind == .added } == 1)
      #expect(try await store.changes(of: "a", from: .version(2), to: .head).isEmpty)
    }
  }

  /// The reducer saw that type, also where an earlier rule changed the event.
  @Test func blameNamesTheTypeThatUpcastersGave() async throws {
    try await withStore { database, store in
      try await database.insertEvents(
        "('a', 'Set', '{\"x\": 1}', 1, now()), ('a', 'Kept', '{\"y\": 1}', 2, now())"
      )
      let upcaster =
        "-- @upcaster u\n-- @rename Set Given\n-- @rename Given Assigned\n-- @data\nSELECT event.event_data"
      await store.use(try Upcasters([("u.sql", Array(upcaster.utf8))]))
      let blamed = try await store.blame("a")
      #expect(blamed.map { "\($0.path) \($0.event?.type ?? "-")" } == [".x Assigned", ".y Kept"])
    }
  }

  @Test func diffOfStatesThatAreNoObjects() async throws {
    try await withStore { database, store in
      let reducer = try Reducer(
        path: "list.sql",
        bytes: Array(
          "-- @reducer list\n-- @initial\nSELECT '[]'::jsonb\n-- @on *\nSELECT event.event_data".utf8
        )
      )
      try await database.insertEvents(
        "('a', 'T', '[1]', 1, now()), ('a', 'T', '[2, {\"a\": 1}]', 2, now()), ('a', 'T', '5', 3, now())"
      )
      let first = try await store.changes(of: "a", from: .version(1), to: .version(2), reducer: reducer)
      #expect(first.map(line) == ["changed .[0] 1 2", #"added .[1] - {"a": 1}"#])
      let second = try await store.changes(of: "a", from: .version(2), to: .version(3), reducer: reducer)
      #expect(second.map(line) == [#"changed . [2, {"a": 1}] 5"#])
      let blamed = try await store.blame("a", path: ".[1]", at: .version(2), reducer: reducer)
      #expect(blamed.map { "\($0.path) \($0.event?.version ?? 0)" } == [".[1].a 2"])
      #expect(try await store.blame("a", reducer: reducer).map(\.path) == ["."])
    }
  }

  @Test func blameNamesTheEventThatLastChangedAValue() async throws {
    try await withStore { database, store in
      let reducer = try Reducer(
        path: "doc.sql",
        bytes: Array(
          """
          -- @reducer doc
          -- @initial
          SELECT '{"kind": "doc", "count": 0}'::jsonb
          -- @on Set
          SELECT state || event.event_data
          -- @on Unset
          SELECT state - (event.event_data->>'key')
          """.utf8
        )
      )
      try await database.insertEvents(
        """
        ('a', 'Set', '{"x": 1, "gone": 1, "count": 0, "o": {"p": 1, "q": 1}, "list": [1, 2]}', 1, '2026-01-01Z'),
        ('a', 'Set', '{"x": 2, "o": {"p": 1, "q": 2}, "e": {}}', 2, '2026-01-02Z'),
        ('a', 'Unset', '{"key": "gone"}', 3, '2026-01-03Z'),
        ('a', 'Set', '{"x": 2, "list": [1, 3], "xy": 1}', 4, '2026-01-04Z'),
        ('a', 'Unset', '{"key": "e"}', 5, '2026-01-05Z'),
        ('a', 'Set', '{"e": {}}', 6, '2026-01-06Z')
        """
      )
      let blamed = try await store.blame("a", reducer: reducer)
      #expect(
        blamed.map { "\($0.path) \($0.value) \($0.event?.version ?? 0)" } == [
          ".count 0 0", ".e {} 6", #".kind "doc" 0"#, ".list[0] 1 1", ".list[1] 3 4", ".o.p 1 1", ".o.q 2 2",
          ".x 2 2", ".xy 1 4",
        ]
      )
      let value = try #require(try await store.blame("a", path: ".x", reducer: reducer).first?.event)
      #expect(value.type == "Set")
      #expect(value.timestamp == (try Timestamp(iso8601: "2026-01-02T00:00:00Z")))
      #expect(try await store.blame("a", path: "o", reducer: reducer).map(\.path) == [".o.p", ".o.q"])
      #expect(try await store.blame("a", path: ".x", at: .version(1), reducer: reducer).map(\.value) == ["1"])
      let error = await #expect(throws: EventStoreError.self) {
        try await store.blame("a", path: ".gone", reducer: reducer)
      }
      #expect(error?.code == .notFound)
    }
  }

  /// The rule, without SQL: fold, compare neighbours, remember.
  @Test func blameOfALongStreamAgreesWithTheNeighbours() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 1, events: 40)
      let reducer = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      for value in try await store.blame("order-1", reducer: reducer) {
        let version = try #require(value.event?.version)
        if version > 1 {
          let change = try await store.changes(
            of: "order-1",
            from: .version(version - 1),
            to: .version(version),
            reducer: reducer
          )
          #expect(change.contains { $0.path == value.path && $0.new == value.value })
        }
        let later = try await store.changes(
          of: "order-1",
          from: .version(version),
          to: .head,
          reducer: reducer
        )
        #expect(!later.contains { $0.path == value.path })
      }
    }
  }

  private func line(_ change: StateChange) -> String {
    "\(change.kind.rawValue) \(change.path) \(change.old ?? "-") \(change.new ?? "-")"
  }
}
