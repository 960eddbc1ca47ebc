import EventStore
import Synchronization
import TestSupport
import Testing

@Suite struct SnapshotUpkeepTests {
  @Test(arguments: [true, false])
  func verifyFindsWhatIsWrong(isMerge: Bool) async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 5, events: 6)
      let reducer = isMerge ? Reducer.merge : try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      _ = try await store.takeSnapshots(of: .all, reducer: reducer)
      #expect(try await findings(store, reducer) == ["5 compared"])
      try await database.psql(
        """
        UPDATE annals.snapshots SET state = state || '{"extra": [1]}' WHERE aggregate_id = 'order-1';
        UPDATE annals.snapshots SET version = 9 WHERE aggregate_id = 'order-2';
        UPDATE annals.snapshots SET event_id = gen_random_uuid() WHERE aggregate_id = 'order-3';
        UPDATE annals.snapshots SET aggregate_id = 'gone-1' WHERE aggregate_id = 'order-4';
        """
      )
      #expect(
        try await findings(store, reducer) == [
          "ahead gone-1 6 -", "differs order-1 6 .extra [1]", "ahead order-2 9 -", "replaced order-3 6 -",
          "5 compared",
        ]
      )
      #expect(
        try await findings(store, reducer, of: .category("gone")) == ["ahead gone-1 6 -", "1 compared"]
      )
      #expect(try await findings(store, reducer, of: .aggregates(["order-5"])) == ["1 compared"])
    }
  }

  @Test func verifyReportsStaleSnapshots() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 3, events: 2)
      let old = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      let new = try Reducer(path: "order.sql", bytes: Array((orderReducer + "\n").utf8))
      _ = try await store.takeSnapshots(of: .all, reducer: old)
      #expect(try await findings(store, new) == ["stale 3", "0 compared"])
      _ = try await store.takeSnapshots(of: .aggregates(["order-1"]), reducer: new)
      #expect(try await findings(store, new) == ["stale 3", "1 compared"])
      let error = await #expect(throws: EventStoreError.self) { try await findings(store, .merge) }
      #expect(error?.code == .notFound)
    }
  }

  @Test func snapshotsBelongToTheUpcastersThatTheyWereTakenThrough() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 3, events: 2)
      let reducer = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      let rule = "-- @upcaster free\n-- @event Paid\n-- @data\nSELECT event.event_data || '{\"amount\": 0}';"
      await store.use(try Upcasters([("free.sql", Array(rule.utf8))]))
      _ = try await store.takeSnapshots(of: .all, reducer: reducer)
      #expect(try await findings(store, reducer) == ["3 compared"])
      await store.use(.none)
      #expect(try await findings(store, reducer) == ["stale 3", "0 compared"])
    }
  }

  @Test func listAndPrune() async throws {
    try await withStore { database, store in
      try await database.insertSeries(aggregates: 2, events: 9)
      let old = try Reducer(path: "order.sql", bytes: Array(orderReducer.utf8))
      let new = try Reducer(path: "order.sql", bytes: Array((orderReducer + "\n").utf8))
      for upTo in [3, 6, 9] {
        try await database.hideEvents(after: upTo)
        _ = try await store.takeSnapshots(of: .all, reducer: old)
        try await database.showEvents()
      }
      _ = try await store.takeSnapshots(of: .aggregates(["order-2"]), reducer: new)
      #expect(
        try await list(store) == [
          "order-1 3 stale", "order-1 6 stale", "order-1 9 stale", "order-2 3 stale", "order-2 6 stale",
          "order-2 9 stale", "order-2 9",
        ]
      )
      let plan = try await store.pruneSnapshots(keeping: 2, dryRun: true)
      #expect(plan.snapshots == 2)
      #expect(try await list(store).count == 7)
      // What the dry run prints is what would be done.
      try await database.psql(
        "BEGIN; \(plan.sql); SELECT 1/(count(*) = 5)::int FROM annals.snapshots; ROLLBACK"
      )
      await #expect(throws: EventStoreError.self) {
        try await store.pruneSnapshots(of: .category("other"), keeping: 0)
      }
      #expect(try await store.pruneSnapshots(of: .aggregates(["order-1"]), keeping: 2).snapshots == 1)
      try await database.psql("UPDATE annals.snapshots SET version = 99 WHERE version = 3")
      #expect(try await store.pruneSnapshots(keeping: 2).snapshots == 1, "what lies ahead goes first")
      #expect(try await store.pruneSnapshots(keeping: 1, stale: true).snapshots == 4)
      #expect(try await list(store) == ["order-2 9"])
      let audit = "SELECT count(*) FROM annals.audit WHERE action = 'prune-snapshots'"
      #expect(try await database.psql(audit) == "3")
    }
  }

  private func findings(
    _ store: EventStore,
    _ reducer: Reducer,
    of selection: AggregateSelection = .all
  ) async throws -> [String] {
    let found = Mutex<[String]>([])
    let count = try await store.verifySnapshots(of: selection, reducer: reducer) { finding in
      let line =
        if finding.kind == .stale {
          "stale \(finding.snapshots)"
        } else {
          "\(finding.kind.rawValue) \(finding.aggregateID ?? "") \(finding.version ?? 0) "
            + (finding.path.map { "\($0) \(finding.stored ?? "")" } ?? "-")
        }
      found.withLock { $0.append(line) }
    }
    return found.withLock { $0 } + ["\(count) compared"]
  }

  private func list(_ store: EventStore) async throws -> [String] {
    let lines = Mutex<[String]>([])
    try await store.listSnapshots { snapshot in
      lines.withLock {
        $0.append("\(snapshot.aggregateID) \(snapshot.version)" + (snapshot.isStale ? " stale" : ""))
      }
    }
    return lines.withLock { $0 }
  }
}
