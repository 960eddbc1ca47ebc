import EventStore
import Glibc
import Synchronization
import TestSupport
import Testing

/// The report of an append is true, also if the append fails.
@Suite struct AppendOutcomeTests {
  /// Lines of a megabyte: the first five of them are a chunk, which is sent before the next is read.
  static func longLines(_ numbers: Range<Int>, withIDs: Bool) -> String {
    let payload = String(repeating: "x", count: 1_000_000)
    return numbers.map { n in
      let id = withIDs ? #""id":"\#(BulkAppendTests.id(n))","# : ""
      return #"{\#(id)"aggregate_id":"a\#(n)","event_type":"T","event_data":{"n":\#(n),"x":"\#(payload)"}}"#
    }.joined(separator: "\n")
  }

  /// If the last chunk is stored, the others may be missing: it may have been stored before.
  @Test func aLostTransactionIsNotTakenForStored() async throws {
    try await withStore { db, store in
      _ = try await store.append(text: Self.longLines(5..<8, withIDs: true))
      let proxy = try ServerProxy(to: db) { $0.query == "COMMIT" ? .cut(.before) : .pass }
      defer { proxy.stop() }
      let error = try await #require(throws: EventStoreError.self) {
        try await EventStore(connecting: proxy.database.conninfo).append(
          text: Self.longLines(0..<8, withIDs: true)
        )
      }
      #expect(error.code == .connectionLost)
      #expect(error.detail?.contains("Nothing was appended.") == true, "\(error)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "3")
    }
  }

  /// The answer to a COMMIT that took place is lost: nothing is stored twice, and nothing is said to be missing.
  @Test(arguments: [true, false])
  func aCommittedTransactionIsRecognized(withIDs: Bool) async throws {
    try await withStore { db, _ in
      let proxy = try ServerProxy(to: db) { $0.query == "COMMIT" ? .cut(.after, .client) : .pass }
      defer { proxy.stop() }
      let result = try await EventStore(connecting: proxy.database.conninfo).append(
        text: Self.longLines(0..<8, withIDs: withIDs)
      )
      #expect((result.appendedCount, result.existingCount, result.lastCommittedLine) == (8, 0, 8))
      #expect(try await db.psql("SELECT count(*) FROM events") == "8")
    }
  }

  /// A commit that waits for its synchronous standby may still happen, so the outcome is not known.
  @Test(arguments: [1, 8])
  func aCommitThatWaitsIsNotDeniedAndNotRepeated(count: Int) async throws {
    try await TestCluster.withServer { _, db in
      _ = try await EventStore(connecting: db.conninfo).initialize()
      let setting = "ALTER SYSTEM SET synchronous_standby_names = "
      try await db.psql(setting + "'away'")
      try await db.psql("SELECT pg_reload_conf()")
      try await until { try await db.psql("SHOW synchronous_standby_names") == "away" }
      let proxy = try ServerProxy(to: db) { $0.query == "COMMIT" ? .cut(.after, .client) : .pass }
      defer { proxy.stop() }
      let text = Self.longLines(0..<count, withIDs: false)
      var options = BulkAppendOptions()
      options.retryTimeout = .seconds(2)
      let error = try await #require(throws: EventStoreError.self) {
        try await EventStore(connecting: proxy.database.conninfo).append(text: text, options: options)
      }
      #expect(error.code == .connectionLost)
      #expect(error.message.contains("it is not known whether"), "\(error)")
      #expect(!"\(error)".contains("Nothing was appended"), "\(error)")
      try await db.psql(setting + "''")
      try await db.psql("SELECT pg_reload_conf()")
      try await until { try await db.psql("SELECT count(*) FROM events") == "\(count)" }
      try await Self.doWhatIsSaid(error, db, text, options)
      #expect(try await db.psql("SELECT count(*) FROM events") == "\(count)")
    }
  }

  /// Another connection's lines are committed, though the first line is not.
  @Test(arguments: [2, 7])
  func workersDoNotDenyWhatTheyStored(batchSize: Int) async throws {
    try await withStore { db, store in
      let holder = Task {
        let row = "(gen_random_uuid(), 'held', 'T', '{}', 1)"
        _ = try? await db.psql(
          "BEGIN; INSERT INTO events (id, aggregate_id, event_type, event_data, version) VALUES \(row); SELECT pg_sleep(600)"
        )
      }
      let sleeping =
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active' AND datname = current_database()"
      try await until { try await db.psql(sleeping + " AND pid <> pg_backend_pid()") != "" }
      let held = #"{"aggregate_id":"held","event_type":"T","event_data":{"n":0}}"#
      var lines = (0..<60).map {
        #"{"aggregate_id":"a\#($0)","event_type":"T","event_data":{"n":\#($0 + 1)}}"#
      }
      lines.insert(held, at: 0)
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (batchSize, 2)
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: (lines + ["{}"]).joined(separator: "\n"), options: options)
      }
      #expect(error.message.hasPrefix("line 62"), "\(error)")
      #expect(try await db.psql("SELECT count(*) > 0 FROM events") == "t")
      #expect(!"\(error)".contains("Nothing was appended"), "\(error)")
      try await db.psql("SELECT pg_terminate_backend(pid) FROM (\(sleeping) AND pid <> pg_backend_pid()) s")
      await holder.value
      try await Self.doWhatIsSaid(error, db, lines.joined(separator: "\n"), options)
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "61|61")
    }
  }

  /// One by one, it waits for the answers under way before it reports anything.
  @Test func workersThatAppendOneByOneCountWhatTheyStored() async throws {
    try await withStore { db, store in
      let lines = Self.shortLines
      var options = BulkAppendOptions()
      (options.batchSize, options.workers) = (1, 4)
      let text = (lines.prefix(900) + ["{}"] + lines.dropFirst(900)).joined(separator: "\n")
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: text, options: options)
      }
      #expect(error.message.hasPrefix("line 901"), "\(error)")
      #expect(error.detail == "Lines 1 to 900 are committed.", "\(error)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "900")
      try await Self.doWhatIsSaid(error, db, lines.joined(separator: "\n"), options)
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "2000|2000")
    }
  }

  /// Batches committed before an interruption were reported by then; the rest has the same ids again in the same run.
  @Test(arguments: [1, 3])
  func interruptedWorkersGoOnWhereTheyWere(batchSize: Int) async throws {
    try await withStore { db, store in
      let committed = Mutex(0)
      var options = BulkAppendOptions()
      (options.batchSize, options.workers, options.runID) = (batchSize, 4, "run")
      options.onCommit = { line in committed.withLock { $0 = max($0, line) } }
      let text = Self.shortLines.joined(separator: "\n")
      // Half of the input comes, and then nothing until the interruption. It ends with a batch: one that waits for its
      // rest would hold its streams, which an early batch may need.
      let half = Mutex<[UInt8]?>(Array((Self.shortLines.prefix(999).joined(separator: "\n") + "\n").utf8))
      let append = Task { [options] in
        try await store.append(
          lines: {
            if let half = half.withLock({ $0.take() }) { return half }
            while !Task.isCancelled { usleep(1000) }
            throw CancellationError()
          },
          options: options
        )
      }
      try await until { committed.withLock { $0 } >= 100 }
      append.cancel()
      await #expect(throws: (any Error).self) { try await append.value }
      options.skippedLines = committed.withLock(\.self)
      let stored = Int(try await db.psql("SELECT count(*) FROM events")) ?? 0
      #expect(stored < 2000 && options.skippedLines > 0 && options.skippedLines <= stored)
      _ = try await store.append(text: text, options: options)
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "2000|2000")
    }
  }

  private static let shortLines = (0..<2000).map {
    #"{"aggregate_id":"a\#($0 % 50)","event_type":"T","event_data":{"n":\#($0)}}"#
  }

  /// Appends again, with what the hint adds to the command line.
  static func doWhatIsSaid(
    _ error: EventStoreError,
    _ db: TestDatabase,
    _ text: String,
    _ options: BulkAppendOptions
  ) async throws {
    _ = try await EventStore(connecting: db.conninfo).append(text: text, options: options.following(error))
  }
}

extension BulkAppendOptions {
  /// These options with what an error's hint advises, and the patience to see it through.
  func following(_ error: EventStoreError) -> BulkAppendOptions {
    var options = self
    options.retryTimeout = .seconds(30)
    for remedy in error.hint?.remedies ?? [] {
      switch remedy {
      case .skipLines(let lines): options.skippedLines = lines
      case .runID(let run?): options.runID = run
      default: break
      }
    }
    return options
  }
}
