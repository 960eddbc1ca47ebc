import EventStore
import Glibc
import PostgresSandbox
import Synchronization
import TestSupport
import Testing

/// Connections and servers that die while events are being appended.
@Suite struct AppendFailureTests {
  static let writers = 8
  static let eventsPerWriter = 400
  static let roundsOfHarm = 17

  /// A server that is killed again and again on a busy machine can be away longer than the 30 seconds of the default.
  static let patience = Duration.seconds(300)

  /// Half of the writers append one event after another, half a file in batches; nobody is told of the failures.
  @Test func whatWasAcknowledgedIsStoredOnce() async throws {
    try await TestCluster.withServer { sandbox, db in
      _ = try await EventStore(connecting: db.conninfo).initialize()
      let run = Run()
      async let harm: Void = Self.doHarm(to: sandbox, db, run)
      try await withThrowingTaskGroup { group in
        for writer in 0..<Self.writers { group.addTask { try await Self.append(writer, db, run) } }
        try await group.waitForAll()
      }
      run.isDone.store(true, ordering: .relaxed)
      try await harm
      // The last harm may have been done when the writers were; then the server is still recovering.
      try await until { (try? await db.psql("SELECT 1")) != nil }
      let acknowledged = run.acknowledged.withLock { $0 }
      let all = Self.writers * Self.eventsPerWriter
      #expect(acknowledged.count == all)
      #expect(
        try await db.psql("SELECT count(*), count(DISTINCT id), count(DISTINCT event_data) FROM events")
          == "\(all)|\(all)|\(all)"
      )
      let stored = Set(try await db.psql("SELECT id FROM events").split(separator: "\n").map(String.init))
      #expect(acknowledged == stored)
      #expect(try await db.streamsAreContiguous())

      // The whole input again, in both ways, adds nothing.
      for writer in 0..<Self.writers {
        let store = try EventStore(connecting: db.conninfo)
        try await #expect(store.append(text: Self.lines(writer)).existingCount == Self.eventsPerWriter)
      }
    }
  }

  /// The state that the writers share with the task that does the harm.
  private final class Run: Sendable {
    let acknowledged = Mutex<Set<String>>([])
    let isDone = Atomic(false)
    /// How often harm was done.
    let rounds = Atomic(0)

    func acknowledge(_ receipts: [AppendReceipt]) {
      acknowledged.withLock { $0.formUnion(receipts.map(\.id.description)) }
    }
  }

  private static func id(_ writer: Int, _ number: Int) -> EventID {
    EventID(namespace: EventID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")!, name: "\(writer)/\(number)".utf8)
  }

  private static func payload(_ writer: Int, _ number: Int) -> String {
    #"{"writer": \#(writer), "n": \#(number)}"#
  }

  private static func lines(_ writer: Int) -> String {
    (0..<eventsPerWriter).map {
      #"{"aggregate_id":"a\#($0 % 5)","event_type":"T","event_data":\#(payload(writer, $0)),"id":"\#(id(writer, $0))"}"#
    }.joined(separator: "\n")
  }

  private static func append(_ writer: Int, _ db: TestDatabase, _ run: Run) async throws {
    let store = try EventStore(connecting: db.conninfo)
    guard writer % 2 == 0 else {
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = writer == 1 ? (1, 3) : (20, 1)
      options.retryTimeout = patience
      options.onReceipts = { run.acknowledge($0) }
      _ = try await store.append(text: lines(writer), options: options)
      return
    }
    for number in 0..<eventsPerWriter {
      // Every kind of harm happens while the writers work, however fast or slow the machine is.
      while run.rounds.load(ordering: .relaxed) < number * roundsOfHarm / eventsPerWriter {
        try await Task.sleep(for: .milliseconds(10))
      }
      let event = NewEvent(id: id(writer, number), type: "T", data: payload(writer, number))
      run.acknowledge(try await store.append([event], to: "a\(number % 5)", retryTimeout: patience))
    }
  }

  /// Ends connections, kills server processes and restarts the server, in turn, until the writers are done.
  private static func doHarm(to sandbox: Sandbox, _ db: TestDatabase, _ run: Run) async throws {
    let others = "FROM pg_stat_activity WHERE application_name = 'annals' ORDER BY random() LIMIT 1"
    while !run.isDone.load(ordering: .relaxed) {
      let round = run.rounds.add(1, ordering: .relaxed).newValue
      try await Task.sleep(for: .milliseconds(50))
      switch round % 16 {
      case 5:
        guard let pid = try? await db.psql("SELECT pid \(others)"), let pid = Int32(pid) else { continue }
        kill(pid, SIGKILL)
      case 13:
        try await sandbox.stop(.immediate)
        try await sandbox.start()
      default:
        _ = try? await db.psql("SELECT pg_terminate_backend(pid) \(others)")
      }
    }
  }

  /// When the server stays away, the error says that the outcome is not known, and what to do.
  @Test func aServerThatStaysAwayIsReported() async throws {
    try await TestCluster.withServer { sandbox, db in
      _ = try await EventStore(connecting: db.conninfo).initialize()
      let store = try EventStore(connecting: db.conninfo)
      let event = NewEvent(type: "A")
      try await store.append([event], to: "a")
      try await sandbox.stop(.immediate)
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "B")], to: "a", retryTimeout: .milliseconds(500))
      }
      #expect(error.code == .connectionLost)
      #expect(error.hint?.description.contains("with the same id, ") == true, "\(error)")
      try await sandbox.start()
      #expect(try await store.append([event], to: "a").map(\.status) == [.existing])
    }
  }

  /// One connection's failed attempts are enough: the others do not wait again.
  @Test func aServerThatStaysAwayIsWaitedForOnce() async throws {
    try await TestCluster.withServer { sandbox, db in
      _ = try await EventStore(connecting: db.conninfo).initialize()
      let store = try EventStore(connecting: db.conninfo)
      let losses = Atomic(0)
      await store.onNotice { if $0.contains("was lost") { losses.add(1, ordering: .relaxed) } }
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (1, 8)
      options.retryTimeout = .milliseconds(500)
      let stored = Atomic(0)
      options.onReceipts = { stored.add($0.count, ordering: .relaxed) }
      async let stop: Void = {
        try await until { stored.load(ordering: .relaxed) >= 100 }
        try await sandbox.stop(.immediate)
      }()
      let number = Atomic(0)
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(
          lines: {
            let first = number.add(100, ordering: .relaxed).newValue
            let lines = (first..<first + 100).map {
              #"{"aggregate_id":"a\#($0)","event_type":"T","event_data":{}}"# + "\n"
            }
            return Array(lines.joined().utf8)
          },
          options: options
        )
      }
      try await stop
      #expect(error.code == .connectionLost, "\(error)")
      #expect(losses.load(ordering: .relaxed) == 1)
    }
  }

  /// A transaction of several chunks cannot be sent again: it fails, or turns out to be committed.
  @Test func aLongTransactionThatIsLostStoresNothing() async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      let pieces = Pieces(Array(BulkAppendTests.lines(25_000).joined(separator: "\n").utf8), size: 1 << 16)
      let count = Mutex(0)
      let terminate = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'annals' AND datname = current_database()
        """
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(
          lines: {
            let piece = count.withLock {
              $0 += 1
              return $0
            }
            if piece == 36 { try waitFor { _ = try await db.psql(terminate) } }
            return pieces.next()
          }
        )
      }
      #expect(error.code == .connectionLost, "\(error)")
      #expect(error.detail?.contains("Nothing was appended.") == true, "\(error)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }
}

/// Blocks this thread, which is a store's own, until the operation is done.
private func waitFor(_ operation: @escaping @Sendable () async throws -> Void) throws {
  let isDone = Mutex(false)
  Task {
    try? await operation()
    isDone.withLock { $0 = true }
  }
  while !isDone.withLock({ $0 }) { usleep(10_000) }
}
