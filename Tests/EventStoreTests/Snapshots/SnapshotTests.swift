import EventStore
import FoundationEssentials
import TestSupport
import Testing

@Suite struct SnapshotTests {
  @Test func showsTheMergedPayloadsAtAnyPoint() async throws {
    try await withStore { database, store in
      try await database.insertEvents(
        """
        ('a', 'Opened', '{"status": "open", "tags": ["x"], "owner": {"name": "n"}}', 1, '2026-01-01Z'),
        ('a', 'Noted', '"not an object"', 2, '2026-01-03Z'),
        ('a', 'Listed', '[1, 2]', 3, '2026-01-02Z'),
        ('a', 'Closed', '{"status": "closed", "owner": {"id": 1}, "tags": null}', 4, '2026-01-04Z')
        """
      )
      let head = try await store.state(of: "a")
      #expect(head.state == #"{"tags": null, "owner": {"id": 1}, "status": "closed"}"#)
      #expect(head.version == 4)
      #expect(head.position == 4)
      #expect(head.snapshotVersion == nil)
      let opened = #"{"tags": ["x"], "owner": {"name": "n"}, "status": "open"}"#
      #expect(try await store.state(of: "a", at: .version(3)).state == opened)
      // The last event by version that is not later, although the one before it is.
      let time = try Timestamp(iso8601: "2026-01-02T12:00:00Z")
      #expect(try await store.state(of: "a", at: .time(time)).version == 3)
    }
  }

  @Test func namesWhatIsNotThere() async throws {
    try await withStore { database, store in
      try await database.insertEvents("('a', 'T', '{}', 1, '2026-01-01Z')")
      let points: [PointInStream] = [.version(2), .time(try Timestamp(iso8601: "2025-12-31T00:00:00Z"))]
      for point in points {
        let error = await #expect(throws: EventStoreError.self) { try await store.state(of: "a", at: point) }
        #expect(error?.code == .notFound)
      }
      for selection in [AggregateSelection.aggregates(["a", "b"]), .category("b")] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.takeSnapshots(of: selection)
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("'b'") == true)
      }
    }
  }

  /// Whatever snapshots there are, the state is the fold from the beginning, for both ways to compute it.
  @Test(arguments: [true, false])
  func stateFromSnapshotAndTailIsTheFold(isMerge: Bool) async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 30, events: 12)
      let reducer = isMerge ? Reducer.merge : try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      for upTo in [3, 7, 12] {
        try await database.hideEvents(after: upTo)
        let tally = try await store.takeSnapshots(of: .all, reducer: reducer, workers: 2)
        #expect(tally.taken == 30)
        #expect(try await store.takeSnapshots(of: .all, reducer: reducer).taken == 0)
        try await database.showEvents()
      }
      for aggregate in ["order-1", "order-17", "order-30"] {
        for version in 1...12 {
          let folded = try await store.state(
            of: aggregate,
            at: .version(version),
            reducer: reducer,
            usingSnapshots: false
          )
          let resumed = try await store.state(of: aggregate, at: .version(version), reducer: reducer)
          #expect(folded.state == resumed.state)
          #expect(resumed.snapshotVersion == [12, 7, 3].first { $0 <= version })
        }
      }
    }
  }

  @Test func takesOnlyWhereEnoughCame() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 4, events: 5)
      #expect(try await store.takeSnapshots(of: .aggregates(["order-1", "order-2"])).taken == 2)
      try await database.insertEvents("('order-1', 'T', '{}', 6, now()), ('other-1', 'T', '{}', 1, now())")
      #expect(try await store.takeSnapshots(of: .all, every: 5).taken == 2)
      #expect(try await store.takeSnapshots(of: .category("order"), every: 1).taken == 1)
      #expect(try await store.takeSnapshots(of: .category("other")).taken == 1)
    }
  }

  @Test func passesOverStreamsThatLackAVersion() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 3, events: 5)
      try await database.psql("DELETE FROM events WHERE aggregate_id = 'order-2' AND version = 3")
      for reducer in [Reducer.merge, try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))] {
        let tally = try await store.takeSnapshots(of: .all, reducer: reducer)
        #expect(tally.taken == 2)
        #expect(tally.incomplete == 1)
        #expect(tally.firstIncomplete == "order-2")
        #expect(try await store.state(of: "order-2", reducer: reducer).version == 5)
      }
    }
  }

  @Test func aChangedReducerNeverUsesOldSnapshots() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 1, events: 5)
      let old = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      let new = try Reducer(path: "order.sql", bytes: Array((orderReducer + "\n-- another text\n").utf8))
      _ = try await store.takeSnapshots(of: .all, reducer: old)
      try await database.psql("UPDATE annals.snapshots SET state = '\"wrong\"'")
      #expect(try await store.state(of: "order-1", reducer: old).state == #""wrong""#, "it is used")
      let notices = Notices()
      await store.onNotice { notices.add($0) }
      let state = try await store.state(of: "order-1", reducer: new)
      #expect(state.snapshotVersion == nil)
      #expect(state.state.contains("wrong") == false)
      #expect(notices.all.contains { $0.contains("1 stale snapshot of 'order-1'") })
      #expect(try await store.takeSnapshots(of: .all, reducer: new).taken == 1)
      #expect(try await store.state(of: "order-1", reducer: new).snapshotVersion == 5)
    }
  }

  @Test func aSnapshotOfAnotherHistoryIsNotUsed() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 1, events: 5)
      _ = try await store.takeSnapshots(of: .all)
      try await database.psql("UPDATE annals.snapshots SET state = '\"wrong\"'")
      try await database.psql("UPDATE events SET id = gen_random_uuid() WHERE version = 5")
      let state = try await store.state(of: "order-1")
      #expect(state.snapshotVersion == nil)
      #expect(try await store.takeSnapshots(of: .all).taken == 1, "it is replaced")
      #expect(try await store.state(of: "order-1").state == state.state)
    }
  }

  @Test func needsSelectOnTheEventsAlone() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 1, events: 5)
      _ = try await store.takeSnapshots(of: .all)
      let role = "r\(database.name)"
      try await database.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role)")
      try await database.psql("REVOKE TEMP ON DATABASE \(database.name) FROM PUBLIC")
      let reader = try EventStore(connecting: database.conninfo + " user=\(role)")
      let states = [try await store.state(of: "order-1"), try await reader.state(of: "order-1")]
      #expect(states.map(\.snapshotVersion) == [5, nil])
      #expect(states[0].state == states[1].state)
      try await database.psql("DROP OWNED BY \(role)")
    }
  }

  @Test func worksOnAClassicTable() async throws {
    try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id varchar(255) NOT NULL,
          event_type varchar(100) NOT NULL, event_data jsonb NOT NULL, version integer NOT NULL,
          timestamp timestamp NOT NULL DEFAULT now(), UNIQUE (aggregate_id, version))
        """
      )
      try await database.insertSeries(aggregates: 20, events: 5)
      let store = try EventStore(connecting: database.conninfo)
      let folded = try await store.state(of: "order-20")
      #expect(folded.position == nil)
      _ = try await store.initialize()
      #expect(try await store.takeSnapshots(of: .all).taken == 20)
      let resumed = try await store.state(of: "order-20")
      #expect(resumed.snapshotVersion == 5)
      #expect(resumed.state == folded.state)
    }
  }
}
