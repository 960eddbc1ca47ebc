import FoundationEssentials
import Subprocess
import Synchronization
import TestSupport
import Testing

/// A network or server that says nothing more, and an operator who presses Ctrl-C, or a service manager that sends TERM.
@Suite struct DeadlineTests {
  /// Every command that connects, with what it needs besides the connection.
  private static let commands: [(path: [String], options: [String])] = [
    (["init"], []),
    (["append"], ["a-1", "Added"]),
    (["stream"], ["a-1"]),
    (["show"], ["@1"]),
    (["streams"], []),
    (["trace"], ["00000000-0000-0000-0000-000000000001"]),
    (["replay"], ["--follow"]),
    (["watermark"], []),
    (["stats"], []),
    (["report"], ["--part-timeout", "1h"]),
    (["browse"], ["--get", "/events"]),
    (["snapshot", "show"], ["a-1"]),
    (["snapshot", "list"], []),
    (["snapshot", "take"], ["--all"]),
    (["snapshot", "verify"], []),
    (["snapshot", "prune"], ["a-1", "--keep", "1", "--yes"]),
    (["check-projection"], [projection]),
    (["rebuild-projection"], [projection]),
    (["test"], [SourceTree.path("Examples/orders/orders.test.sql")]),
    (["project"], [projection]),
    (["run"], [SourceTree.path("Examples/orders/shop.consumers.sql")]),
    (["projections", "list"], []),
    (["checkpoints", "list"], []),
    (["checkpoints", "set"], ["mail", "1", "--yes"]),
    (["checkpoints", "rename"], ["mail", "letters"]),
    (["checkpoints", "remove"], ["mail", "--yes"]),
    (["projections", "show"], ["orders"]),
    (["projections", "rollback"], ["orders"]),
    (["projections", "discard"], ["orders", "1", "--yes"]),
    (["projections", "drop"], ["orders", "--yes"]),
    (["projections", "pause"], ["orders"]),
    (["projections", "resume"], ["orders"]),
    (["projections", "set-checkpoint"], ["orders", "1", "--yes"]),
    (["dead-letters", "list"], []),
    (["dead-letters", "show"], ["orders", "1"]),
    (["dead-letters", "retry"], ["orders"]),
    (["dead-letters", "discard"], ["orders", "--yes"]),
    (["dead-letters", "skip"], ["1", "--reason", "test"]),
    (["dead-letters", "skipped"], []),
    (["types", "list"], []),
    (["types", "show"], ["OrderSubmitted"]),
    (["evolve", "check"], [upcaster]),
    (["evolve", "plan"], [upcaster]),
    (["evolve", "apply"], ["--into", "events2", "PLAN"]),
    (["evolve", "rollback"], ["--into", "events2", "--yes"]),
    (["verify-versions"], []),
    (["compare"], ["--with", "application_name=other"]),
    (["export"], []),
    (["restore"], ["PLAN.export"]),
    (["archive"], ["--closed-by", "OrderDelivered", "--yes", "--reason", "disk"]),
    (["redact"], ["--path", ".customer", "--yes", "--reason", "law"]),
    (["check"], ["--time-limit", "1h"]),
    (["doctor"], []),
    (["audit"], []),
    (["protect"], ["--immutable"]),
  ]
  private static let projection = SourceTree.path("Examples/orders/orders.sql")
  private static let upcaster = SourceTree.path("Examples/orders/cents.sql")

  @Test func noCommandIsForgotten() async throws {
    let connecting = try await ProgramHelp.load().leaves.filter {
      !["sandbox", "layouts", "version"].contains($0[0])
    }
    #expect(Set(connecting) == Set(Self.commands.map(\.path)))
  }

  /// From some message on, nothing passes in one direction; `timeout` sends one TERM and kills 10 s later.
  @Test(arguments: [ServerProxy.Direction.toServer, .toClient], [2, 4])
  func oneTermEndsEveryCommand(direction: ServerProxy.Direction, messages: Int) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      let plan = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      #expect(try await db.annals("evolve", "plan", Self.upcaster, "--out", plan).exitCode == 0)
      #expect(try await db.annals("export", "\(plan).export").exitCode == 0)
      let counts = Mutex<[Int: Int]>([:])
      let proxy = try ServerProxy(to: db) { message in
        let count = counts.withLock { counts in
          counts[message.connection, default: 0] += message.direction == direction ? 1 : 0
          return counts[message.connection]!
        }
        // The first message of the server's side comes before the session is open.
        let opening = direction == .toServer ? 1 : 20
        return message.direction == direction && count > opening + messages ? .stall : .pass
      }
      defer { proxy.stop() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (path, options) in Self.commands {
          group.addTask {
            let words = ["\(AnnalsBinary.path)"] + path + options.map { $0.replacing("PLAN", with: plan) }
            let command = words.joined(separator: " ")
            let run = try await runShell(
              "timeout -k 10 6 \(command)",
              environment: proxy.database.environment
            )
            // 124: TERM ended it. 137: it had to be killed.
            #expect(run.exitCode == 124, "\(path): \(run.status) \(run.standardError)")
          }
        }
        try await group.waitForAll()
      }
      _ = try await runShell("rm -f \(plan)")
    }
  }

  /// Work of several statements, connections and programs.
  private static let works: [[String]] = [
    ["append", "--from", lines], ["append", "--from", lines, "--batch-size", "10", "--workers", "2"],
    ["append", "--from", lines, "--batch-size", "1"], ["replay", "--exec", "cat"],
    ["replay", "--checkpoint", "mail"], ["replay", "--into", "april", projection], ["stream", "--follow"],
    ["rebuild-projection", "--workers", "2", projection], ["project", "--once", projection],
    ["snapshot", "take", "--all", "--workers", "2"],
    ["evolve", "apply", "--into", "events2", "--swap", "--yes", "PLAN"],
    ["compare", "--with", "application_name=other"], ["compare", "--with", lines],
    ["verify-versions", "--workers", "2"], ["verify-versions", "--manifest", "PLAN.manifest"],
  ]
  private static let lines = SourceTree.path("Examples/orders/events.ndjson")

  /// A service manager's TERM during the work. On each connection something passes, and then nothing more.
  @Test(arguments: [ServerProxy.Direction.toServer, .toClient])
  func oneTermEndsWorkUnderWay(direction: ServerProxy.Direction) async throws {
    try await TestCluster.withDatabase { db in
      let plan = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      for command in [
        ["init"], ["append", "--from", Self.lines], ["rebuild-projection", Self.projection],
        ["evolve", "plan", Self.upcaster, "--out", plan],
      ] {
        let run = try await AnnalsBinary.run(command, environment: db.environment)
        #expect(run.exitCode == 0, "\(command): \(run.standardError)")
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for work in Self.works {
          group.addTask {
            let words = work.map { $0.replacing("PLAN", with: plan) }
            try await TestCluster.withDatabase(options: "TEMPLATE \(db.name)") {
              try await end(words, direction, $0)
            }
          }
        }
        try await group.waitForAll()
      }
      _ = try await runShell("rm -f \(plan) \(plan).manifest*")
    }
  }

  private func end(_ words: [String], _ direction: ServerProxy.Direction, _ db: TestDatabase) async throws {
    let counts = Mutex<[Int: Int]>([:])
    let proxy = try ServerProxy(to: db) { message in
      guard message.direction == direction else { return .pass }
      let count = counts.withLock { counts in
        counts[message.connection, default: 0] += 1
        return counts[message.connection]!
      }
      return count > (direction == .toServer ? 10 : 40) ? .stall : .pass
    }
    defer { proxy.stop() }
    let run = try await runShell(
      "timeout -k 10 8 \(AnnalsBinary.path) \(words.joined(separator: " ")) >/dev/null",
      environment: proxy.database.environment
    )
    // 124: TERM ended it. 137: it had to be killed.
    #expect(run.exitCode == 124, "\(words): \(run.status) \(run.standardError)")
  }

  /// The server's postmaster is stopped: the kernel still takes connections, and nobody answers.
  @Test(arguments: ["INT", "TERM"])
  func aSignalEndsTheWaitForAConnection(signal: String) async throws {
    try await TestCluster.withDatabase { db in
      let proxy = try ServerProxy(to: db)
      defer { proxy.stop() }
      proxy.stall(.toServer)
      for database in ["connect_timeout=0", "connect_timeout=60"] {
        let run = try await runShell(
          "timeout --preserve-status -s \(signal) -k 5 6 \(AnnalsBinary.path) watermark -d '\(database)'",
          environment: proxy.database.environment
        )
        #expect(run.exitCode == (signal == "INT" ? 130 : 143), "\(run.status)")
        #expect(run.standardError.hasPrefix("annals: error: interrupted\n"), "\(run.standardError)")
      }
    }
  }

  @Test(arguments: [
    ["append", "X", "T", "-"], ["snapshot", "show", "X", "--reducer", "-"], ["project", "-"],
  ])
  func aSignalEndsTheWaitForInput(arguments: [String]) async throws {
    // A sleep keeps the pipe open and says nothing.
    let run = try await runShell(
      "sleep 20 | timeout --preserve-status -k 5 3 \(AnnalsBinary.path) \(arguments.joined(separator: " "))"
    )
    #expect(run.exitCode == 143)
  }

  @Test(arguments: [
    ["append", "X", "T", "@FIFO"], ["append", "--from", "FIFO"], ["rebuild-projection", "FIFO"],
  ])
  func aSignalEndsTheOpeningOfAPipeWithoutAWriter(arguments: [String]) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      let pipe = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      let command = arguments.joined(separator: " ").replacing("FIFO", with: pipe)
      let run = try await runShell(
        "mkfifo \(pipe); timeout --preserve-status -k 5 3 \(AnnalsBinary.path) \(command); s=$?; rm \(pipe); exit $s",
        environment: db.environment
      )
      #expect(run.exitCode == 143, "\(run.standardError)")
    }
  }

  /// Even a stopped reader of standard output does not keep a command from ending.
  @Test func aSignalEndsTheWaitForAReader() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a', 'X', to_jsonb(repeat('x', 1000)), v FROM generate_series(1, 2000) v
        """
      )
      let run = try await runShell(
        "{ timeout --preserve-status -k 12 3 \(AnnalsBinary.path) replay; echo $? >&2; } | sleep 15",
        environment: db.environment
      )
      #expect(run.standardError.hasSuffix("143\n"), "\(run.standardError)")
    }
  }

  @Test func theProcessDiesByTheSignal() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      // `exec`, so that the status is that of annals itself and not a shell's 143.
      let run = try await runShell(
        "(sleep 2; kill -TERM $$) & exec \(AnnalsBinary.path) replay --follow",
        environment: db.environment
      )
      #expect(run.status == .signaled(15))
    }
  }

  @Test func aResponseTimeoutEndsAStatement() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      let proxy = try ServerProxy(to: db) { $0.query?.hasPrefix("BEGIN") == true ? .stall : .pass }
      defer { proxy.stop() }
      let run = try await AnnalsBinary.run(
        ["types", "list", "--response-timeout", "500ms"],
        environment: proxy.database.environment
      )
      #expect(run.exitCode == 1)
      #expect(run.standardError.hasPrefix("annals: error: the server did not answer within 0.5 seconds"))
      #expect(try await db.annals("types", "list", "--response-timeout", "0").exitCode == 64)
      #expect(try await db.annals("types", "list", "--response-timeout", "soon").exitCode == 64)
    }
  }

  @Test func aCheckAnswersInTime() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'X', '{}', 1)"
      )
      let proxy = try ServerProxy(to: db)
      defer { proxy.stop() }
      proxy.stall(.toClient)
      func check(_ options: String...) async throws -> ProgramRun {
        try await AnnalsBinary.run(["check"] + options, environment: proxy.database.environment)
      }
      let run = try await check("--time-limit", "1s")
      #expect(run.exitCode == 3)
      #expect(run.standardOutput == "ANNALS UNKNOWN - the store gave no answer within 1.0 seconds\n")
      let json = try await check("--time-limit", "1s", "--format", "json")
      #expect(json.standardOutput.hasPrefix(#"{"status":"unknown","problems":["the store gave no"#))
      // The limit is there without the option.
      #expect(try await check("-d", "connect_timeout=60").exitCode == 3)
      proxy.resume()
      #expect(try await check().exitCode == 0)
      // A monitor would take 1 for a warning.
      try await db.psql("ALTER TABLE events DROP COLUMN position")
      let failed = try await check()
      #expect(failed.standardOutput.hasPrefix("ANNALS UNKNOWN - "))
      #expect(![0, 1, 2].contains(failed.exitCode))
    }
  }
}
