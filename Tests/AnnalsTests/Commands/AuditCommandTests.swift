import TestSupport
import Testing

@testable import annals

/// What operators changed, as a table and for programs.
@Suite struct AuditCommandTests {
  private static let projection = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (n int);
    -- @on *
    INSERT INTO sums VALUES (event.version);

    """

  private func withStore(
    _ body: (TestDatabase, _ annals: ([String]) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(arguments, stdin: Self.projection, environment: db.environment)
      }
      for command in [["init", "--reason", "a new shop"], ["rebuild-projection", "-"]] {
        let run = try await annals(command)
        #expect(run.exitCode == 0, "\(run.standardError)")
      }
      try await body(db, annals)
    }
  }

  private static let fields = ["--fields", "action,subject,reason,detail"]

  @Test func fourFormats() async throws {
    try await withStore { _, annals in
      let pause = try await annals(["projections", "pause", "sums", "--reason", "wrong totals"])
      #expect(pause.exitCode == 0 && pause.standardError == "")
      let list = ["audit", "--action", "init", "--action", "pause"] + Self.fields
      let created = #"{"steps": ["Create table public.events"]}"#
      #expect(
        try await annals(list).standardOutput == """
          ACTION  SUBJECT              REASON        DETAIL
          init    store public.events  a new shop    {"steps": ["Create table public.events"]}
          pause   projection sums      wrong totals  {}

          """
      )
      let lines = [
        #"{"action":"init","subject":"store public.events","reason":"a new shop","detail":\#(created)}"#,
        #"{"action":"pause","subject":"projection sums","reason":"wrong totals","detail":{}}"#,
      ]
      #expect(
        try await annals(list + ["-o", "ndjson"]).standardOutput == lines.map { $0 + "\n" }.joined()
      )
      #expect(
        try await annals(list + ["-o", "json"]).standardOutput
          == "[\n" + lines.joined(separator: ",\n") + "\n]\n"
      )
      #expect(
        try await annals(list + ["-o", "csv"]).standardOutput.replacing("\r\n", with: "\n") == """
          action,subject,reason,detail
          init,store public.events,a new shop,"{""steps"": [""Create table public.events""]}"
          pause,projection sums,wrong totals,{}

          """
      )
      let all = try await annals(["audit", "-o", "ndjson", "--limit", "1"]).standardOutput
      #expect(all.hasPrefix(#"{"id":"#) && all.contains(#""store":"public.events","role":""#), "\(all)")
    }
  }

  @Test func filters() async throws {
    try await withStore { db, annals in
      func actions(_ options: String...) async throws -> [String] {
        let run = try await annals(["audit", "-o", "csv", "--fields", "action"] + options)
        #expect(run.exitCode == 0, "\(run.standardError)")
        return run.standardOutput.split(separator: "\r\n").dropFirst().map(String.init)
      }
      #expect(try await actions() == ["init", "migrate", "build", "finish", "swap"])
      #expect(try await actions("--limit", "2") == ["finish", "swap"])
      #expect(try await actions("--action", "drop") == [])
      try await db.psql("UPDATE annals.audit SET at = '2026-03-04T12:00:00Z' WHERE action = 'build'")
      #expect(try await actions("--since", "2026-03-04", "--until", "2026-03-04") == ["build"])
      #expect(try await actions("--until", "2026-03") == ["build"])
      #expect(try await actions("--since", "1 hour ago") == ["init", "migrate", "finish", "swap"])
      #expect(try await actions("--since", "1 hour ago", "--until", "2026-03") == [])
    }
  }

  @Test func mistakes() async throws {
    try await withStore { db, annals in
      var run = try await annals(["audit", "--action", "swop"])
      #expect(run.exitCode == 64)
      #expect(run.standardError.contains("'swop' is not an action; choose from init, migrate, "))
      #expect(try await annals(["audit", "--limit", "-1"]).exitCode == 64)
      #expect(try await annals(["audit", "--since", "soon"]).exitCode == 65)
      #expect(try await annals(["projections", "pause", "sums", "--reason", ""]).exitCode == 64)
      let old = "ALTER TABLE annals.audit DROP reason; DELETE FROM annals.migrations WHERE number > 12"
      for (change, message) in [
        (old, "schema annals is at migration 12, and this version needs "),
        ("DROP SCHEMA annals CASCADE", "this database has no schema annals, which this command needs"),
      ] {
        try await db.psql(change)
        run = try await annals(["audit"])
        #expect(run.exitCode == 1 && run.standardError.contains(message), "\(run.standardError)")
        #expect(run.standardError.contains("HINT:  Run 'annals init"), "\(run.standardError)")
      }
    }
  }

  /// What was given with a change may come from anywhere.
  @Test func aReasonIsShownEscaped() async throws {
    try await withStore { _, annals in
      _ = try await annals(["projections", "pause", "sums", "--reason", "\u{1B}[2Jred\nline =1"])
      let run = try await annals(["audit", "--action", "pause", "--fields", "reason"])
      #expect(run.standardOutput == "REASON\n\\u{1b}[2Jred\\nline =1\n", "\(run.standardOutput)")
    }
  }

  /// Every command that leaves a row takes a reason.
  @Test func reasonsOfAllCommands() async throws {
    let program = try await ProgramHelp.load()
    let taking = [
      "init", "restore", "rebuild-projection", "checkpoints set", "checkpoints rename", "checkpoints remove",
      "dead-letters retry", "dead-letters discard", "dead-letters skip", "evolve apply", "evolve rollback",
      "projections rollback",
      "projections discard", "projections drop", "projections pause", "projections resume",
      "projections set-checkpoint",
      "snapshot prune", "protect", "redact", "archive",
    ]
    for path in program.leaves {
      let help = try await AnnalsBinary.run(["help"] + path).standardOutput
      #expect(help.contains("--reason <text>") == taking.contains(path.joined(separator: " ")), "\(path)")
    }
  }
}
