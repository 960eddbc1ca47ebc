import TestSupport
import Testing

/// Behind PgBouncer: operations that need their own session are refused, the rest works, and nothing is left in a
/// session.
@Suite struct PoolerTests {
  private static let projection = SourceTree.path("Examples/orders/orders.sql")

  /// Commands that need a session, and no other fault stops.
  private static let needSession: [[String]] = [
    ["rebuild-projection", projection], ["project", "--once", projection],
    ["run", "--once", SourceTree.path("Examples/orders/shop.consumers.sql")],
    ["replay", "--checkpoint", "mail"],
    ["compare", "--with", SourceTree.path("Examples/orders/events.ndjson")],
    ["replay", "--into", "april", projection], ["projections", "rollback", "orders"],
    ["projections", "discard", "orders", "1", "--yes"],
    ["projections", "drop", "orders", "--yes"], ["projections", "set-checkpoint", "orders", "1", "--yes"],
    ["checkpoints", "set", "orders", "1", "--yes"],
    ["dead-letters", "retry", "orders"], ["evolve", "apply", "--into", "events2", "PLAN"],
    ["evolve", "rollback", "--into", "events2", "--yes"],
    ["redact", "--path", ".note", "--yes", "--reason", "law"],
    ["archive", "--stream", "note-1", "--yes", "--reason", "disk"],
  ]

  /// Commands that need none.
  private static let needNone: [[String]] = [
    ["init"], ["append", "note-1", "NoteTaken", "{}"], ["stream", "note-1"],
    ["stream", "--last", "3"], ["show", "@1"], ["streams"], ["streams", "--all"],
    ["streams", "--categories"], ["stats"], ["report"], ["stats", "--by", "category,type"],
    ["browse", "--get", "/streams/note-1"],
    ["replay"], ["watermark"], ["snapshot", "show", "note-1"], ["snapshot", "take", "--all"],
    ["snapshot", "list"], ["snapshot", "verify"], ["check-projection", projection],
    ["test", SourceTree.path("Examples/orders")],
    ["rebuild-projection", "-n", projection], ["projections", "list"], ["projections", "show", "orders"],
    ["checkpoints", "list"],
    ["projections", "pause", "orders"],
    ["projections", "resume", "orders"], ["dead-letters", "skip", "1", "--reason", "test"],
    ["dead-letters", "skipped"], ["dead-letters", "skip", "1", "--undo"], ["dead-letters", "list"],
    ["types", "list"],
    ["types", "show", "OrderSubmitted"], ["evolve", "check", SourceTree.path("Examples/orders/cents.sql")],
    ["evolve", "plan", SourceTree.path("Examples/orders/cents.sql")], ["verify-versions"], ["check"],
    ["doctor"], ["audit"], ["compare", "--with", "application_name=other"], ["export", "PLAN.export"],
    ["restore", "PLAN.export"], ["redact", "--path", ".customer"],
    ["archive", "--stream", "note-1"],
    ["snapshot", "prune", "note-1", "--keep", "1", "--yes"],
    ["append", "--from", SourceTree.path("Examples/orders/events.ndjson")],
    [
      "append", "--from", SourceTree.path("Examples/orders/events.ndjson"), "--batch-size", "1", "--workers",
      "2",
    ],
    [
      "append", "--from", SourceTree.path("Examples/orders/events.ndjson"), "--batch-size", "100",
      "--workers", "2",
    ],
    ["protect", "--immutable"],
  ]

  /// Commands that need none, and find nothing in the test's store.
  private static let needNoneAndFindNothing: [[String]] = [
    ["trace", "00000000-0000-0000-0000-000000000001"], ["dead-letters", "show", "orders", "1"],
    ["dead-letters", "discard", "orders", "--yes"], ["checkpoints", "rename", "mail", "letters"],
    ["checkpoints", "remove", "mail", "--yes"],
  ]

  @Test func noCommandIsForgotten() async throws {
    let lists = Self.needSession + Self.needNone + Self.needNoneAndFindNothing
    for path in try await ProgramHelp.load().leaves
    where !["sandbox", "layouts", "version"].contains(path[0]) {
      #expect(lists.contains { $0.starts(with: path) }, "\(path)")
    }
  }

  private func withShop(_ body: @escaping @Sendable (TestDatabase, _ plan: String) async throws -> Void)
    async throws
  {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      let plan = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      for command in [
        ["append", "--from", SourceTree.path("Examples/orders/events.ndjson")],
        ["rebuild-projection", Self.projection], ["rebuild-projection", "--restart", Self.projection],
        ["evolve", "plan", SourceTree.path("Examples/orders/cents.sql"), "--out", plan],
      ] {
        let run = try await AnnalsBinary.run(command, environment: db.environment)
        #expect(run.exitCode == 0, "\(command): \(run.standardError)")
      }
      try await body(db, plan)
      _ = try await runShell("rm -f \(plan) \(plan).export")
    }
  }

  /// Settings of a session that differ from the database's, and other state that it should not have.
  private static let leftovers = """
    SELECT (SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN ('client_encoding', 'application_name',
        'TimeZone', 'DateStyle', 'standard_conforming_strings'))
      || ' ' || (SELECT count(*) FROM pg_prepared_statements)
      || ' ' || (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema())
      || ' ' || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
      || ' ' || current_setting('statement_timeout') || ' ' || current_setting('TimeZone')
    """

  @Test func transactionModeServesWhatNeedsNoSession() async throws {
    try await withShop { db, plan in
      try await db.psql(
        "ALTER DATABASE \(db.name) SET statement_timeout = '50s'; ALTER DATABASE \(db.name) SET TimeZone = 'Asia/Tokyo'"
      )
      // One session for all, so that the next client gets what was left in it.
      try await PgBouncer.run(.transaction, to: db, sessions: 3) { pooled in
        for command in Self.needNone {
          let words = command.map { $0.replacing("PLAN", with: plan) }
          let run = try await AnnalsBinary.run(words, environment: pooled.environment)
          #expect([0, 2].contains(run.exitCode), "\(command): \(run.status) \(run.standardError)")
          // Sessions are given out last in, first out; a transaction each sees them one after another.
          #expect(try await pooled.psql(Self.leftovers) == "0 0 0 0 50s Asia/Tokyo", "\(command)")
        }
        for command in Self.needNoneAndFindNothing {
          let run = try await AnnalsBinary.run(command, environment: pooled.environment)
          #expect(run.exitCode == 4, "\(command): \(run.status) \(run.standardError)")
          #expect(try await pooled.psql(Self.leftovers) == "0 0 0 0 50s Asia/Tokyo", "\(command)")
        }
        for command in Self.needSession {
          let words = command.map { $0 == "PLAN" ? plan : $0 }
          let run = try await AnnalsBinary.run(words, environment: pooled.environment)
          #expect(run.exitCode == 69, "\(command): \(run.status) \(run.standardError)")
          #expect(
            run.standardError.contains("the pooler in front of it may use another for each transaction")
          )
          #expect(run.standardError.contains("HINT:  Connect to the server itself"))
          #expect(try await pooled.psql(Self.leftovers) == "0 0 0 0 50s Asia/Tokyo", "\(command)")
        }
      }
      // No lock was left: directly, it works.
      #expect(try await db.annals("rebuild-projection", Self.projection).exitCode == 0)
    }
  }

  /// Whatever order sessions are given out in, and whoever else uses them.
  @Test(arguments: ["", "server_round_robin = 1"], [false, true])
  func transactionModeIsFound(settings: String, isBusy: Bool) async throws {
    try await withShop { db, _ in
      try await PgBouncer.run(.transaction, to: db, settings: settings) { pooled in
        try await withThrowingTaskGroup(of: Void.self) { group in
          if isBusy {
            group.addTask {
              while !Task.isCancelled {
                _ = try? await pooled.psql("SELECT 1; SELECT pg_sleep(0.01); SELECT 2")
              }
            }
          }
          for _ in 1...3 {
            let run = try await pooled.annals("project", "--once", Self.projection)
            #expect(run.exitCode == 69, "\(run.standardError)")
          }
          group.cancelAll()
        }
      }
    }
  }

  /// Also if the pool has no session for the connection that finds the mode.
  @Test(arguments: [1, 10]) func sessionModeServesEverything(sessions: Int) async throws {
    try await withShop { db, plan in
      try await PgBouncer.run(.session, to: db, sessions: sessions) { pooled in
        let commands =
          sessions == 1 ? [["project", "--once", Self.projection]] : Self.needNone + Self.needSession
        for command in commands {
          let words = command.map { $0.replacing("PLAN", with: plan) }
          let run = try await AnnalsBinary.run(words, environment: pooled.environment)
          #expect([0, 2, 4].contains(run.exitCode), "\(command): \(run.status) \(run.standardError)")
        }
      }
    }
  }

  @Test func statementModeIsRefused() async throws {
    try await withShop { db, _ in
      try await PgBouncer.run(.statement, to: db) { pooled in
        for command in [["stream", "order-1"], ["append", "order-1", "X"], ["project", Self.projection]] {
          let run = try await AnnalsBinary.run(command, environment: pooled.environment)
          #expect(run.exitCode == 69)
          #expect(
            run.standardError.hasPrefix(
              "annals: error: the pooler in front of the server does not allow transactions\n"
            ),
            "\(run.standardError)"
          )
        }
      }
    }
  }

  /// To listen would stay in a session that others get.
  @Test func aFollowerOfATransactionPoolDoesNotListen() async throws {
    try await withShop { db, _ in
      #expect(try await db.annals("init", "--notify").exitCode == 0)
      try await PgBouncer.run(.transaction, to: db, sessions: 2) { pooled in
        let run = try await runShell(
          "timeout 2 '\(AnnalsBinary.path)' stream --follow --last 1 -o ndjson",
          environment: pooled.environment
        )
        #expect(run.exitCode == 124 && run.standardOutput.contains("position"), "\(run.standardError)")
        #expect(try await pooled.psql("SELECT count(*) FROM pg_listening_channels()") == "0")
      }
    }
  }

  private static func poolerLine(_ db: TestDatabase) async throws -> String {
    let lines = try await db.annals("doctor", "-o", "csv").standardOutput.split(whereSeparator: \.isNewline)
      .map(
        String.init
      )
    return lines.first { $0.hasPrefix("server,pooler,") } ?? "\(lines)"
  }

  @Test func theDoctorNamesTheMode() async throws {
    try await withShop { db, _ in
      #expect(try await Self.poolerLine(db) == "server,pooler,none,,ok,")
      try await PgBouncer.run(.session, to: db) { pooled in
        let line = try await Self.poolerLine(pooled)
        #expect(line == "server,pooler,session mode,,ok,")
      }
      try await PgBouncer.run(.transaction, to: db) { pooled in
        let line = try await Self.poolerLine(pooled)
        #expect(line.hasPrefix("server,pooler,transaction mode,,note,"))
      }
    }
  }
}
