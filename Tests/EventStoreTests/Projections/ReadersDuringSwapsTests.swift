import EventStore
import FoundationEssentials
import LibPQ
import Synchronization
import TestSupport
import Testing

@Suite struct ReadersDuringSwapsTests {
  private static let swaps = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_SWAPS"] ?? "") ?? 3

  private static let checksum =
    "SELECT md5(coalesce(string_agg(s::text, ',' ORDER BY id), '')) FROM sums AS s"

  /// Reads again and again, and returns how many reads saw something else than the one right read model.
  private static func read(
    _ shop: Shop,
    _ begin: String,
    expected: String,
    until isDone: Flag
  ) async throws -> (reads: Int, wrong: Int) {
    let connection = try Connection(
      ConnectionParameters(database: shop.database.conninfo),
      canceller: Canceller()
    )
    var (reads, wrong) = (0, 0)
    while !isDone.isSet {
      // The snapshot is taken first, so that a swap may come between it and the read.
      try connection.execute("\(begin); SELECT 1")
      for _ in 1...2 {
        await Task.yield()
        if try connection.query(checksum, []).string(0, 0) != expected { wrong += 1 }
        reads += 1
      }
      try connection.execute("COMMIT")
      await Task.yield()
    }
    return (reads, wrong)
  }

  @Test(arguments: ["READ COMMITTED", "REPEATABLE READ"])
  func seeAWholeReadModelAtEveryMoment(isolation: String) async throws {
    try await Shop.open(events: 2000) { shop in
      try await shop.rebuild(sums)
      let expected = try await shop.psql(Self.checksum)
      let isDone = Flag()
      let reader = Task {
        try await Self.read(shop, "BEGIN ISOLATION LEVEL \(isolation)", expected: expected, until: isDone)
      }
      for _ in 1...Self.swaps { try await shop.rebuild(sums) { $0.chunkSize = 500 } }
      isDone.set()
      let (reads, wrong) = try await reader.value
      #expect(reads > Self.swaps && wrong == 0)
    }
  }

  /// In one snapshot: the live checkpoint, that of the newest generation, and the events that the table has.
  private static let seen = """
    SELECT (SELECT position FROM annals.generations WHERE state = 'live'),
           (SELECT position FROM annals.generations ORDER BY number DESC LIMIT 1),
           (SELECT sum(events)::bigint FROM sums)
    """

  /// The model never goes back: a snapshot shows the state of the live generation at that time, or a newer one.
  @Test func seeNoModelThatIsBehindWhileEventsComeAndAreCaughtUpWith() async throws {
    try await Shop.open(events: 500) { shop in
      try await shop.rebuild(sums)
      let isDone = Flag()
      let writer = Task { while !isDone.isSet { try await shop.append(3) } }
      let follower = Task { while !isDone.isSet { try await shop.project(sums) } }
      let readers = (1...2).map { _ in
        Task {
          let connection = try Connection(
            ConnectionParameters(database: shop.database.conninfo),
            canceller: Canceller()
          )
          var (reads, wrong) = (0, [String]())
          while !isDone.isSet {
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
            try await Task.sleep(for: .milliseconds(.random(in: 0...20)))
            let row = try connection.query(Self.seen, [])
            let (live, newest, total) = (row.int64(0, 0), row.int64(0, 1), row.int64(0, 2))
            if total != live, !(total == newest && total > live) {
              wrong.append("\(live) \(newest) \(total)")
            }
            reads += 1
            try connection.execute("COMMIT")
          }
          return (reads, wrong)
        }
      }
      for _ in 1...Self.swaps { #expect(try await shop.rebuild(sums).ending == .live) }
      isDone.set()
      for reader in readers {
        let (reads, wrong) = try await reader.value
        #expect(reads > Self.swaps && wrong.isEmpty)
      }
      _ = try await (writer.value, follower.value)
      try await shop.project(sums)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }
}

/// Says that a task is to end.
private final class Flag: Sendable {
  private let state = Mutex(false)
  var isSet: Bool { state.withLock(\.self) }
  func set() { state.withLock { $0 = true } }
}
