import TestSupport
import Testing

@testable import annals

/// `annals stream` for somebody at a terminal: colours and the pager.
@Suite struct StreamTerminalTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', CASE n % 2 WHEN 0 THEN 'Even' ELSE 'Odd' END, jsonb_build_object('text', repeat('x', 300)), n
    FROM generate_series(1, 2000) n
    """

  /// Runs `annals stream` with a terminal; util-linux' script makes one.
  private func stream(
    _ arguments: String,
    _ variables: [String: String] = [:],
    in db: TestDatabase
  ) async throws -> ProgramRun {
    try await runShell(
      "script -qec \"'\(AnnalsBinary.path)' stream \(arguments)\" /dev/null < /dev/null",
      environment: db.environment.merging(["TERM": "xterm", "COLUMNS": "70"]) { $1 }.merging(variables) { $1 }
    )
  }

  @Test(arguments: [
    (["ANNALS_PAGER": "sed 's/^/> /'"], "", true), (["PAGER": "sed 's/^/> /'"], "", true),
    (["ANNALS_PAGER": "sed 's/^/> /'", "PAGER": "false"], "-o ndjson", true),
    (["ANNALS_PAGER": "", "PAGER": "sed 's/^/> /'"], "", false),
    (["ANNALS_PAGER": "cat", "PAGER": "sed 's/^/> /'"], "", false),
    (["ANNALS_PAGER": "sed 's/^/> /'", "TERM": "dumb"], "", false),
    (["ANNALS_PAGER": "sed 's/^/> /'"], "--follow", false),
  ])
  func thePagerIsTheOneAskedFor(variables: [String: String], arguments: String, isPaged: Bool) async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      // Wide enough for all columns.
      let variables = variables.merging(["COLUMNS": "100"]) { $1 }
      let run = try await stream("--limit 3 \(arguments)", variables, in: db)
      #expect(run.exitCode == 0, "\(run.standardOutput)")
      let lines = run.standardOutput.split(separator: "\r\n")
      #expect(lines.count == (arguments.contains("ndjson") ? 3 : 4), "\(run.standardOutput)")
      #expect(lines.allSatisfy { $0.hasPrefix("> ") == isPaged }, "\(run.standardOutput)")
    }
  }

  /// What is written is UTF-8, and less would show bytes without a locale; what the operator has set stays.
  @Test func theDefaultPagerKnowsTheCharacters() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let pager = ["ANNALS_PAGER": #"sh -c 'cat >/dev/null; echo "[$LESS] [$LESSCHARSET]"'"#]
      for (variables, expected) in [
        ([:], "[FRX] [utf-8]"), (["LESS": "S", "LESSCHARSET": "latin1"], "[S] [latin1]"),
      ] {
        let run = try await stream("--limit 3", pager.merging(variables) { $1 }, in: db)
        #expect(run.standardOutput.contains(expected), "\(run.standardOutput)")
      }
    }
  }

  @Test(arguments: [
    ("less -S", nil, true), ("/usr/bin/less -RS", nil, true), ("less -R -F --chop-long-lines", nil, true),
    ("less", "FRSX", true), ("less", "-R -S", true), ("less -R", "-FS", true), ("less", nil, false),
    ("less", "FRX", false), ("less", "-R -PPage S", false), ("less -+S", nil, false), ("less S", nil, false),
    ("less", "R --SILENT", false), ("sed S", "S", false), ("cat -S", nil, false), ("", "S", false),
  ])
  func lessMayScrollSideways(command: String, variable: String?, scrolls: Bool) {
    #expect(Pager.scrollsSideways(command, less: variable) == scrolls)
  }

  /// Only who scrolls can see the end of a long line.
  @Test(arguments: [
    ("/less -S", [:], true), ("/less", ["LESS": "FRSX"], true), ("/less", [:], false),
    ("/less -R", ["LESS": "R"], false),
  ])
  func aPagerThatScrollsGetsWholeLines(arguments: String, variables: [String: String], isWhole: Bool)
    async throws
  {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      try await withTemporaryDirectory { folder in
        #expect(
          try await runShell("printf '#!/bin/sh\\ncat\\n' > '\(folder)/less' && chmod +x '\(folder)/less'")
            .exitCode == 0
        )
        let pager = variables.merging(["ANNALS_PAGER": folder + arguments]) { $1 }
        for payload in ["compact", "full"] {
          let run = try await stream("a --payload \(payload) --color never", pager, in: db)
          #expect(
            run.standardOutput.contains(String(repeating: "x", count: 300)) == isWhole,
            "\(run.standardOutput)"
          )
          #expect(run.standardOutput.contains("…") != isWhole)
        }
      }
    }
  }

  @Test func aPagerMayLeaveEarly() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      var run = try await stream("--payload full", ["ANNALS_PAGER": "head -n 2"], in: db)
      #expect(run.exitCode == 0)
      #expect(run.standardOutput.split(separator: "\r\n").count == 2, "\(run.standardOutput)")
      run = try await stream("--limit 3", ["ANNALS_PAGER": "no-such-pager"], in: db)
      #expect(run.exitCode == 1)
      #expect(run.standardOutput.contains("annals: error: the pager 'no-such-pager' cannot be run"))
      // What fails before the first output starts none.
      run = try await stream("nobody", ["ANNALS_PAGER": "echo paged"], in: db)
      #expect(run.exitCode == 4 && !run.standardOutput.contains("paged"))
    }
  }

  @Test func withoutATerminalThereIsNeitherPagerNorColor() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let run = try await AnnalsBinary.run(
        ["stream", "--limit", "2"],
        environment: db.environment.merging(["ANNALS_PAGER": "false", "TERM": "xterm"]) { $1 }
      )
      #expect(run.exitCode == 0)
      #expect(run.standardOutput.split(separator: "\n").count == 3)
      #expect(!run.standardOutput.contains("\u{1B}"))
    }
  }

  @Test(arguments: [
    ("", [:], true), ("a", [:], true), ("--color always", ["NO_COLOR": "1", "TERM": "dumb"], true),
    ("--color never", [:], false), ("", ["NO_COLOR": "1"], false), ("", ["NO_COLOR": ""], true),
    ("", ["TERM": "dumb"], false), ("--color always -o csv", [:], false),
    ("--color always -o json", [:], false),
  ])
  func colorsComeWhereTheyAreWanted(arguments: String, variables: [String: String], isColored: Bool)
    async throws
  {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let variables = ["ANNALS_PAGER": ""].merging(variables) { $1 }
      let run = try await stream("--limit 4 \(arguments)", variables, in: db)
      #expect(run.exitCode == 0)
      let text = run.standardOutput
      #expect(text.contains("\u{1B}") == isColored)
      guard isColored else { return }
      // A type has the same colour in each line, and no line is wider than the terminal for it.
      let odd = text.split(separator: "\r\n").filter { $0.contains("Odd") }
      let escapes = odd.map { $0.split(separator: "\u{1B}").dropFirst().map { $0.prefix { $0 != "m" } } }
      #expect(escapes.count == 2 && escapes[0] == escapes[1] && escapes[0].count == 2, "\(text)")
      let plain = try await stream(
        "--limit 4 --color never \(arguments == "a" ? "a" : "")",
        variables,
        in: db
      )
      #expect(text.replacing(/\u{1B}\[[0-9]+m/, with: "") == plain.standardOutput)
    }
  }

  @Test func payloadsAreCutToTheWidth() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let run = try await stream("--limit 2 --payload full", ["ANNALS_PAGER": ""], in: db)
      let lines = run.standardOutput.split(separator: "\r\n").map {
        String($0.replacing(/\u{1B}\[[0-9]+m/, with: ""))
      }
      #expect(lines.allSatisfy { $0.count <= 70 })
      #expect(lines.contains { $0.hasPrefix(#"    "text": "xxx"#) && $0.hasSuffix("…") && $0.count == 70 })
      let whole = try await AnnalsBinary.run(["stream", "--payload", "full"], environment: db.environment)
      #expect(whole.standardOutput.contains(String(repeating: "x", count: 300) + "\"\n"))
    }
  }
}
