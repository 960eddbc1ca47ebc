import TestSupport
import Testing

/// `-x`: records as blocks.
@Suite struct ExpandedOutputTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a', 'Added', jsonb_build_object('text', repeat('x', 200)), v FROM generate_series(1, 3) v;
    DELETE FROM events WHERE version = 2;
    """

  private static let payload = "{\"text\": \"\(String(repeating: "x", count: 200))\"}"

  @Test(arguments: [
    ("stream a", "PAYLOAD    | \(payload)"), ("trace x", "AGGREGATE  | a"),
    ("watermark", "WATERMARK         | 3"),
    ("verify-versions --explain", "CAUSE        | deleted"), ("types", "EVENT TYPE | Added"),
    ("types show Added", "PATH       | .text"), ("types show Added --shapes", "SHAPE      | 1"),
    ("snapshot show a", "STATE            | \(payload)"), ("snapshot show a --blame", "VALUE      | \"xxx"),
    ("snapshot show a --diff 1 3", ""), ("doctor", "NAME   | annals"),
    ("replay -n", "EVENT TYPE       | (other types)"),
    ("append a Added", "STATUS       | appended"), ("projections", ""), ("dead-letters list", ""),
    ("snapshot list", ""),
  ])
  func recordsAreBlocks(command: String, line: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      try await db.psql("UPDATE events SET metadata = '{\"correlation_id\": \"x\"}'")
      let words = command.split(separator: " ").map(String.init)
      let run = try await annals(words + ["-x"])
      #expect([0, 2].contains(run.exitCode), "\(run.standardError)")
      let lines = run.standardOutput.split(separator: "\n")
      if !line.isEmpty {
        #expect(lines.contains { $0.hasPrefix("-[ RECORD 1 ]") })
        #expect(lines.contains { $0.hasPrefix(line) }, "\(run.standardOutput)")
      }
      #expect(try await annals(words + ["--expanded"]).standardOutput.isEmpty == run.standardOutput.isEmpty)
    }
  }

  /// A terminal cuts nothing of them.
  @Test func blocksAreWholeAtATerminal() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let run = try await runShell(
        "script -qec \"'\(AnnalsBinary.path)' stream a -x --color never\" /dev/null < /dev/null",
        environment: db.environment.merging(["TERM": "xterm", "COLUMNS": "40", "ANNALS_PAGER": ""]) { $1 }
      )
      #expect(run.standardOutput.contains("PAYLOAD    | \(Self.payload)\r\n"))
      #expect(run.standardOutput.contains("-[ RECORD 2 ]---------------------------\r\n"))
    }
  }

  @Test(arguments: ["json", "ndjson", "csv"])
  func blocksAreForPeople(format: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      var run = try await annals(["stream", "a", "-x", "-o", format])
      #expect(run.exitCode == 64)
      #expect(run.standardError.contains("--expanded is for tables; omit -o \(format)"))
      run = try await AnnalsBinary.run(
        ["stream", "a", "-x"],
        environment: db.environment.merging(["ANNALS_OUTPUT": format]) { $1 }
      )
      #expect(run.standardOutput.hasPrefix("a: 2 events, "), "\(run.standardOutput)")
      run = try await annals(["replay", "-x"])
      #expect(run.exitCode == 64 && run.standardError.contains("need --dry-run"))
    }
  }
}
