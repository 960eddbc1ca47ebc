import FoundationEssentials
import TestSupport
import Testing

/// `annals test`, and the tests of the example.
@Suite struct TestCommandTests {
  /// A folder with the example's files and a database that has nothing in it.
  private func withExample(
    _ body: (TestDatabase, _ folder: String, _ annals: ([String]) async throws -> ProgramRun) async throws ->
      Void
  ) async throws {
    try await TestCluster.withDatabase { database in
      let folder = "/tmp/annals-test-\(database.name)"
      _ = try await runShell("cp -R '\(SourceTree.path("Examples/orders"))' '\(folder)'")
      try await body(database, folder) {
        try await AnnalsBinary.run(["test"] + $0, environment: database.environment)
      }
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  private func edit(_ path: String, _ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old), "\(path) has no \(old)")
    try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// The lines of the Test Anything Protocol that are results.
  private func results(_ run: ProgramRun) -> [Substring] {
    run.standardOutput.split(separator: "\n").filter { $0.hasPrefix("ok ") || $0.hasPrefix("not ok ") }
  }

  @Test func theExampleIsTested() async throws {
    try await withExample { _, folder, annals in
      let run = try await annals(["--tap", folder])
      #expect(run.exitCode == 0 && run.standardError == "", "\(run.standardOutput)\(run.standardError)")
      #expect(
        run.standardOutput.hasPrefix("TAP version 13\n1..11\nok 1 - \(folder)/cents.test.sql: the items keep")
      )
      #expect(results(run).count == 11 && results(run).allSatisfy { $0.hasPrefix("ok") })
    }
  }

  private static let mistakes: [(file: String, old: String, new: String)] = [
    ("orders.sql", "paid = paid + (event", "paid = (event"),
    ("orders.sql", "AT TIME ZONE 'UTC')::date", "AT TIME ZONE 'Asia/Tokyo')::date"),
    ("orders.sql", "WHERE status = 'shipped' AND payments = 0", "WHERE status = 'sent' AND payments = 0"),
    ("order.sql", "(state->>'paid')::numeric + ", ""),
    ("order.sql", "@on OrderShipped, OrderCancelled", "@on OrderShipped"),
    ("cents.sql", "ORDER BY place)", "ORDER BY place DESC)"),
    ("cents.sql", " * 100)::bigint", ")::bigint"),
  ]

  /// Each mistake in a file of the example is found by its tests.
  @Test(arguments: mistakes)
  func aMistakeIsFound(file: String, old: String, new: String) async throws {
    try await withExample { _, folder, annals in
      try edit("\(folder)/\(file)", old, new)
      let run = try await annals(["--tap", "\(folder)/\(file.replacing(".sql", with: ".test.sql"))"])
      #expect(run.exitCode == 2 && run.standardError == "", "\(run.standardOutput)\(run.standardError)")
      #expect(results(run).contains { $0.hasPrefix("not ok") })
    }
  }

  @Test func aTableShowsWhatDiffers() async throws {
    try await withExample { database, folder, annals in
      try edit("\(folder)/orders.sql", "SET status = 'cancelled'", "SET status = 'canceled'")
      let before = try await database.psql("SELECT count(*) FROM pg_class")
      var run = try await annals(["\(folder)/orders.test.sql", "\(folder)/order.test.sql"])
      #expect(run.exitCode == 2)
      #expect(run.standardOutput.contains("\nfailed  an order that is cancelled brings nothing in "))
      let difference = """
              status    | paid | shipped_at
              ----------+------+-----------
            - cancelled | 0    | NULL
            + canceled  | 0    | NULL

        """
      #expect(run.standardOutput.contains(difference), "\(run.standardOutput)")
      run = try await annals(["-o", "ndjson", "--fields", "status,failures", "\(folder)/orders.test.sql"])
      #expect(run.exitCode == 2)
      #expect(
        run.standardOutput.contains(
          #""missing":[["cancelled","0","NULL"]],"unexpected":[["canceled","0","NULL"]]"#
        )
      )
      #expect(try await database.psql("SELECT count(*) FROM pg_class") == before)
    }
  }

  /// Perl's prove(1) reads what failed too.
  @Test func proveReadsIt() async throws {
    let look = try await runShell("command -v prove")
    guard look.exitCode == 0 else { return }
    try await withExample { database, folder, _ in
      try edit("\(folder)/orders.sql", "SET status = 'cancelled'", "SET status = 'canceled'")
      let run = try await runShell(
        "prove -e '\(AnnalsBinary.path) test --tap' '\(folder)/orders.test.sql' '\(folder)/order.test.sql'",
        environment: database.environment
      )
      #expect(run.exitCode == 1)
      #expect(run.standardOutput.contains("Tests: 6 Failed: 1)"), "\(run.standardOutput)\(run.standardError)")
      #expect(!run.standardOutput.contains("Parse errors"))
    }
  }

  @Test func whatIsRecordedPasses() async throws {
    try await withExample { _, folder, annals in
      let path = "\(folder)/orders.test.sql"
      let original = try String(contentsOfFile: path, encoding: .utf8)
      #expect(try await annals(["--record", folder]).exitCode == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == original, "nothing differed")
      try edit("\(folder)/orders.sql", "SET status = 'cancelled'", "SET status = 'canceled'")
      let run = try await annals(["--record", "-o", "csv", "--fields", "status", path])
      #expect(
        run.exitCode == 0 && run.standardOutput.contains("recorded"),
        "\(run.standardOutput)\(run.standardError)"
      )
      let rows = "-- status    | paid | shipped_at\n-- ----------+------+-----------\n-- cancelled |"
      let recorded = rows.replacing("cancelled", with: "canceled").replacing("status    ", with: "status   ")
        .replacing("----------+", with: "---------+")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == original.replacing(rows, with: recorded))
      #expect(try await annals([path]).exitCode == 0)
    }
  }

  /// Nothing is run, and all that is wrong is told.
  @Test func aWrongFile() async throws {
    try await withExample { _, folder, annals in
      try edit("\(folder)/cents.test.sql", "-- @test what", "-- @tset what")
      try edit("\(folder)/order.test.sql", #""amount": "8,90"}"#, #""amount": 8,90}"#)
      let run = try await annals(["--record", folder])
      #expect(run.exitCode == 78 && run.standardOutput == "")
      #expect(
        run.standardError.contains("annals: \(folder)/cents.test.sql:18:1: unknown section @tset\n"),
        "\(run.standardError)"
      )
      #expect(run.standardError.contains("HINT:  Did you mean @test?\n"))
      #expect(run.standardError.contains("annals: \(folder)/order.test.sql:33:"))
      let alone = try await annals(["\(folder)/cents.test.sql"])
      #expect(
        alone.exitCode == 78
          && alone.standardError.hasPrefix("annals: error: \(folder)/cents.test.sql:18:1: unknown")
      )
      try edit("\(folder)/orders.sql", "SET status = 'cancelled'", "SET statusx = 'cancelled'")
      let wrong = try await annals(["\(folder)/orders.test.sql"])
      #expect(wrong.exitCode == 78 && wrong.standardOutput.contains("orders.sql:50:19: column \"statusx\""))
    }
  }

  @Test func statuses() async throws {
    try await withExample { _, folder, annals in
      _ = try await runShell("mkdir '\(folder)/none'")
      for (arguments, status) in [
        ([], 64), (["--tap", "-o", "json", folder], 64), (["--record", "-"], 64),
        (["--timeout", "0", folder], 64),
        (["--layout", "marten", folder], 64), (["--sandbox", "-d", "shop", folder], 64),
        (["\(folder)/nothing.test.sql"], 65), (["\(folder)/none"], 4),
      ] as [([String], Int32)] {
        let run = try await annals(arguments)
        #expect(run.exitCode == status, "\(arguments): \(run.standardError)")
      }
    }
  }
}
