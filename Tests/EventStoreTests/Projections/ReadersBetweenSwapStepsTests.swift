import Dispatch
import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

/// Readers that take their only snapshot between two steps of a swap, and read after the swap.
///
/// A table moves for all of them at once, since names are looked up in the current catalogue; its rows are seen as they
/// were at the snapshot (manual, 13.2.2 and 13.5).
@Suite struct ReadersBetweenSwapStepsTests {
  /// What one snapshot shows: the checkpoint of the live generation, that of the newest, and the events in the table.
  private static let seen = """
    SELECT (SELECT position FROM annals.generations WHERE state = 'live'),
           (SELECT position FROM annals.generations ORDER BY number DESC LIMIT 1),
           (SELECT sum(events)::bigint FROM sums)
    """

  @Test(arguments: SwapStep.allCases.filter { $0 != .again })
  func ofARebuildSeeTheOldOrTheNewModel(step: SwapStep) async throws {
    try await Shop.open(events: 2000) { shop in
      try await shop.rebuild(sums)
      try await shop.append(500)
      try await shop.project(sums)
      let reader = try SnapshotReader(shop, Self.seen)
      let catchUps = Mutex<[Task<CatchUpResult, any Error>]>([])
      let store = try shop.store()
      await store.onSwapStep { now in
        // Whoever waits for the reader waits until it has read.
        if now == .again { return reader.finish() }
        blocking { try await shop.append(5) }
        switch now {
        case .begun, .waited: blocking { try await shop.project(sums) }
        // Here it has to wait, or the new model would be behind what readers have seen.
        case .current, .settled, .moved, .again, .swapped:
          catchUps.withLock { $0.append(Task { try await shop.project(sums) }) }
        }
        if now == step { reader.open() }
      }
      await store.onNotice { _ in reader.finish() }
      let outcome = try await store.rebuildProjection(
        try Projection(path: "sums.sql", bytes: Array(sums.utf8))
      )
      #expect(outcome.ending == .live)
      reader.finish()
      let (live, newest, total) = try #require(reader.row)
      #expect(total == live || total == newest && total > live, "at \(step): \(live), \(newest), \(total)")
      for catchUp in catchUps.withLock(\.self) { _ = await catchUp.result }
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test(arguments: [SwapStep.begun, .moved, .swapped])
  func ofARollbackSeeTheOldOrTheNewModel(step: SwapStep) async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      try await shop.append(5)
      try await shop.rebuild(sums)
      try await shop.append(5)
      try await shop.project(sums)
      let reader = try SnapshotReader(
        shop,
        "SELECT 0::bigint, 0::bigint, (SELECT sum(events)::bigint FROM sums)"
      )
      let store = try shop.store()
      await store.onSwapStep { if $0 == step { reader.open() } }
      try await store.rollBackProjection("sums")
      reader.finish()
      #expect(try #require(reader.row).2 == 20)
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test(arguments: SwapStep.allCases.filter { $0 != .again })
  func ofAnEvolutionSeeAllEvents(step: SwapStep) async throws {
    try await Shop.open(events: 100) { shop in
      let store = try shop.store()
      let upcaster =
        "-- @upcaster more\n-- @event Added\n-- @data\nSELECT event.event_data || '{\"more\": 1}';\n"
      let plan = try await store.planEvolution(Upcasters([("more.sql", Array(upcaster.utf8))]))
      let reader = try SnapshotReader(shop, "SELECT 0::bigint, 0::bigint, count(*) FROM events")
      let counts = Mutex((events: Int64(100), atSnapshot: Int64(0), steps: Set<SwapStep>()))
      await store.onSwapStep { now in
        if now == .again { return reader.finish() }
        guard counts.withLock({ $0.steps.insert(now).inserted }) else { return }
        if [.begun, .waited].contains(now) {
          blocking { try await shop.append(5) }
          counts.withLock { $0.events += 5 }
        }
        if now == step {
          reader.open()
          counts.withLock { $0.atSnapshot = $0.events }
        }
      }
      await store.onNotice { _ in reader.finish() }
      let copy = QualifiedName(schema: "public", name: "events_v2")
      #expect(try await store.applyEvolution(plan, into: copy, swap: true).isSwapped)
      reader.finish()
      #expect(try #require(reader.row).2 == counts.withLock(\.atSnapshot))
      let whole = "SELECT count(*), count(*) FILTER (WHERE event_data ? 'more') FROM events"
      #expect(try await shop.psql(whole) == "110|110")
    }
  }

  /// A role without pg_read_all_stats does not see what others run, so it waits for each of their transactions.
  @Test func ofAnotherRoleAreWaitedForByOneWithFewRights() async throws {
    try await Shop.open { shop in
      let role = "r_\(shop.database.name)"
      try await shop.psql(
        """
        DROP SCHEMA annals CASCADE; DROP TABLE events;
        CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \(shop.database.name) TO \(role);
        GRANT ALL ON SCHEMA public TO \(role);
        """
      )
      let store = try EventStore(connecting: "\(shop.database.conninfo) user=\(role)")
      _ = try await store.initialize()
      try await shop.append(5)
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      let reader = try SnapshotReader(shop, "SELECT 0::bigint, 0::bigint, count(*) FROM sums")
      reader.open()
      await store.onNotice { _ in reader.finish() }
      _ = try await store.rebuildProjection(try Projection(path: "sums.sql", bytes: Array(sums.utf8)))
      #expect(reader.row?.2 == 5)
      try await shop.psql("DROP OWNED BY \(role) CASCADE; DROP ROLE \(role)")
    }
  }
}

/// Waits on the store's thread, which is not one of the pool that the task runs on.
func blocking<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) {
  let isDone = DispatchSemaphore(value: 0)
  Task {
    do { _ = try await body() } catch { Issue.record(error) }
    isDone.signal()
  }
  isDone.wait()
}

/// A transaction of REPEATABLE READ: what it reads at its end is as it was when it was opened.
///
/// It is used by the store's thread during the swap, and by the test after it, never by both at a time.
private final class SnapshotReader: @unchecked Sendable {
  private let connection: Connection
  private let sql: String
  private var isOpen = false
  private(set) var row: (Int64, Int64, Int64)?

  init(_ shop: Shop, _ sql: String) throws {
    self.sql = sql
    connection = try Connection(
      ConnectionParameters(database: shop.database.conninfo),
      canceller: Canceller()
    )
  }

  func open() {
    guard row == nil, !isOpen else { return }
    isOpen = true
    attempt { try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1") }
  }

  /// Reads, and lets its snapshot go.
  func finish() {
    guard isOpen else { return }
    isOpen = false
    attempt {
      let result = try connection.query(sql, [])
      row = (result.int64(0, 0), result.int64(0, 1), result.int64(0, 2))
      try connection.execute("COMMIT")
    }
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch { Issue.record(error) }
  }
}
