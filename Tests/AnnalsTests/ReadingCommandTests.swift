import TestSupport
import Testing

@Suite struct ReadingCommandTests {
  /// Ids that try to end a string, a line, a cell or a terminal's patience.
  static let hostileIDs = [
    #"it's "quoted" \ back"#, "two\nlines\r\nand\ttab", "café-🧾-日本", "\u{1B}[2J\u{1B}]0;x\u{7}",
    "a\u{202E}txt.exe",
    "=cmd|' /C calc'!A0", "-1+1", "{};,|",
  ]

  @Test func hostileIDsSurvive() async throws {
    try await withEvents { db, annals in
      for (index, id) in Self.hostileIDs.enumerated() {
        try await db.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version) "
            + "VALUES (\(literal(id)), \(literal(String(id.prefix(100)))), '{\"n\": \(index)}', 1)"
        )
      }
      let lines = try await annals(["replay"]).standardOutput.split(separator: "\n")
      #expect(lines.count == Self.hostileIDs.count)
      // PostgreSQL's own JSON parser is the judge.
      for (line, id) in zip(lines, Self.hostileIDs) {
        let same = "\(literal(String(line)))::json ->> 'aggregate_id' = \(literal(id))"
        #expect(try await db.psql("SELECT \(same)") == "t")
        #expect(try await annals(["stream", "-o", "ndjson", "--", id]).standardOutput == line + "\n")

        let table = try await annals(["stream", "--", id])
        #expect(table.standardOutput.split(separator: "\n").count == 2, "a heading and one row")
        let controls = table.standardOutput.unicodeScalars.filter {
          $0.value < 0x20 && $0 != "\n" || $0.value == 0x202E
        }
        #expect(controls.isEmpty)
      }
      let stream = try await annals(["stream", "-o", "ndjson"]).standardOutput
      #expect(stream == lines.map { $0 + "\n" }.joined())

      // PostgreSQL reads the CSV back; a cell that could be a formula has an apostrophe in front.
      let csv = try await annals(["stream", "-o", "csv"]).standardOutput
      try await db.psql(
        "CREATE TABLE back (position int, aggregate_id text, version int, event_type text, timestamp text, "
          + "id uuid, event_data jsonb, metadata text);\n"
          + "COPY back FROM STDIN (FORMAT csv, HEADER);\n\(csv.replacing("\r\n", with: "\n"))\\.\n"
      )
      let wrong = """
        SELECT count(*) FROM events JOIN back USING (position)
        WHERE ltrim(back.aggregate_id, '''') IS DISTINCT FROM replace(events.aggregate_id, E'\\r\\n', E'\\n')
        """
      #expect(try await db.psql(wrong + "; SELECT count(*) FROM back") == "0\n\(Self.hostileIDs.count)")
    }
  }

  @Test func payloadsAreThoseOfPostgreSQL() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        #"""
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a', 't', data::jsonb, row_number() OVER ()
        FROM (VALUES ('null'), ('1.10'), ('1e400'), ('"\u001f\ud83e\uddfe\"\\"'), ('[{}, [], "é"]'), ('{"b": 1, "a": 1.0}'))
          AS v(data)
        """#
      )
      let payloads = try await db.psql("SELECT event_data FROM events ORDER BY version")
      let lines = try await annals(["replay"]).standardOutput.split(separator: "\n")
      let found = try lines.map { line in
        let start = try #require(line.firstRange(of: #""event_data":"#)).upperBound
        return String(line[start...].dropLast())
      }
      #expect(found.joined(separator: "\n") == payloads)
    }
  }

  @Test(arguments: [["stream", "nobody"], ["replay", "--type", "T"], ["replay", "--category", "c"]])
  func whatIsNotThereIsStatus4(arguments: [String]) async throws {
    try await withEvents { _, annals in
      let run = try await annals(arguments)
      #expect(run.exitCode == 4)
      #expect(run.standardError.hasPrefix("annals: error: public.events has no event of "))
      #expect(run.standardOutput == "")
    }
  }

  @Test func anEmptyStoreReplaysNothing() async throws {
    try await withEvents { _, annals in
      let run = try await annals(["replay"])
      #expect(run.exitCode == 0)
      #expect(run.standardOutput + run.standardError == "")
    }
  }

  @Test(arguments: [
    ["replay", "--category", "a-b"], ["stream", "--limit", "-1"], ["replay", "--since", ""],
  ])
  func usage(arguments: [String]) async throws {
    try await withEvents { _, annals in
      let run = try await annals(arguments)
      #expect([64, 65].contains(run.exitCode))
    }
  }

  @Test func aBrokenPipeEndsQuietly() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) "
          + "SELECT 'a', 't', to_jsonb(repeat('x', 1000)), n FROM generate_series(1, 5000) n"
      )
      let run = try await runShell(
        "{ '\(AnnalsBinary.path)' replay; echo $? >&2; } | head -n 1 >/dev/null",
        environment: db.environment
      )
      #expect(run.standardError == "141\n")
    }
  }

  /// A role that may select from the events and do nothing else.
  @Test func selectIsEnough() async throws {
    try await withEvents { db, annals in
      let role = "reader_\(db.name)"
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '1', 1);
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role);
        REVOKE TEMPORARY ON DATABASE \(db.name) FROM PUBLIC;
        """
      )
      for arguments in [["replay"], ["stream", "a"], ["stream"]] {
        let run = try await annals(arguments + ["-U", role])
        #expect(run.exitCode == 0, "\(run.standardError)")
        #expect(run.standardOutput != "")
      }
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }
}

typealias RunAnnals = ([String]) async throws -> ProgramRun

/// Runs the body with an empty, initialized store and a way to run `annals` on it.
func withEvents(_ body: (TestDatabase, RunAnnals) async throws -> Void) async throws {
  try await TestCluster.withDatabase { db in
    let annals: RunAnnals = { try await AnnalsBinary.run($0, environment: db.environment) }
    #expect(try await annals(["init"]).exitCode == 0)
    try await body(db, annals)
  }
}

/// A string constant as SQL.
private func literal(_ text: String) -> String {
  "'" + text.replacing("'", with: "''") + "'"
}
