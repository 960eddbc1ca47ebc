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
      // PostgreSQL's own JSON parser decides.
      for (line, id) in zip(lines, Self.hostileIDs) {
        let same = "\(literal(String(line)))::json ->> 'aggregate_id' = \(literal(id))"
        #expect(try await db.psql("SELECT \(same)") == "t")
        #expect(try await annals(["stream", "-o", "ndjson", "--", id]).standardOutput == line + "\n")

        let table = try await annals(["stream", "--", id])
        #expect(table.standardOutput.split(separator: "\n").count == 3, "a head, a heading and one row")
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
    ["replay", "--category", ""], ["stream", "--limit", "-1"], ["replay", "--since", ""],
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

@Suite struct StreamCommandTests {
  @Test func aStreamForPeople() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp, metadata) VALUES
        ('order-1', 'OrderSubmitted', '{"items": [1, {}]}', 1, '2026-01-01T10:00:00Z', '{"by": "a, \\"b\\""}'),
        ('order-1', 'OrderShipped', '{}', 2, '2026-01-03T13:30:00Z', NULL),
        ('order-1', 'OrderDelivered', '"x"', 3, '2026-01-03T13:30:00.25Z', NULL);
        """
      )
      var run = try await annals(["stream", "order-1"])
      #expect(
        run.standardOutput == """
          order-1: 3 events, versions 1 to 3, 2026-01-01T10:00:00Z to 2026-01-03T13:30:00.250Z

          VERSION  TIME                      INTERVAL  EVENT TYPE      PAYLOAD
                1  2026-01-01T10:00:00Z                OrderSubmitted  {"items": [1, {}]}
                2  2026-01-03T13:30:00Z      +2 d 3 h  OrderShipped    {}
                3  2026-01-03T13:30:00.250Z  +250 ms   OrderDelivered  "x"

          """
      )
      _ = try await annals(["snapshot", "take", "order-1"])
      run = try await annals(["stream", "order-1", "--limit", "1", "--payload", "full"])
      #expect(run.standardOutput.contains("Z, snapshot at version 3\n"))
      #expect(
        run.standardOutput.hasSuffix(
          #"""
            {
              "items": [
                1,
                {}
              ]
            }
            metadata
            {
              "by": "a, \"b\""
            }

          """#
        )
      )
      run = try await annals(["stream", "--last", "2", "-o", "csv"])
      let rows = run.standardOutput.split(separator: "\r\n").dropFirst()
      #expect(rows.map { $0.prefix(11) } == ["2,order-1,2", "3,order-1,3"])
      run = try await annals(["stream", "order-1", "--last", "2", "--reverse", "-o", "ndjson"])
      #expect(
        run.standardOutput.split(separator: "\n").map { $0.prefix(13) } == [
          #"{"position":3"#, #"{"position":2"#,
        ]
      )
    }
  }

  @Test func aCopyEqualsTheOriginal() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp, metadata)
        SELECT 'order-' || n % 50, 'Ünïcode ' || n % 3, jsonb_build_object('n', n / 7.0, 'text', E'\\\\\\n"é🧾'), n / 50 + 1,
               '2026-01-01'::timestamptz + n * interval '1.000001 s', CASE n % 2 WHEN 1 THEN '{"a": null}'::jsonb END
        FROM generate_series(0, 999) n;
        """
      )
      let dump =
        "SELECT aggregate_id, version, event_type, event_data, timestamp, metadata, id FROM events ORDER BY 1, 2"
      let original = try await db.psql(dump)
      let lines = try await annals(["replay"]).standardOutput
      try await db.psql("TRUNCATE events")
      let run = try await AnnalsBinary.run(
        ["append", "--from", "-"],
        stdin: lines,
        environment: db.environment
      )
      #expect(run.exitCode == 0, "\(run.standardError)")
      let copy = try await db.psql(dump)
      #expect(copy == original)
    }
  }

  /// Filters that are given together must all hold.
  @Test func filtersGoTogether() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
        SELECT 'a-' || n % 2, 'T' || n / 2 % 3, '{}', n / 2 + 1, '2026-01-01'::timestamptz + n * interval '1 hour'
        FROM generate_series(0, 199) n
        """
      )
      let arguments = [
        "stream", "a-1", "--from-version", "10", "--to-version", "90", "--since", "2026-01-02", "--until",
        "2026-01-07 00:00",
        "--type", "T0", "--type", "T2", "--raw", "-o", "csv",
      ]
      let matching = """
        aggregate_id = 'a-1' AND version BETWEEN 10 AND 90 AND timestamp BETWEEN '2026-01-02' AND '2026-01-07'
        AND event_type IN ('T0', 'T2')
        """
      func versions(_ more: [String]) async throws -> [String] {
        let output = try await annals(arguments + more).standardOutput
        return output.split(separator: "\r\n").dropFirst().map { String($0.split(separator: ",")[2]) }
      }
      func expected(_ sql: String) async throws -> [String] {
        try await db.psql("SELECT version FROM (\(sql)) AS e").split(separator: "\n").map(String.init)
      }
      let last = "SELECT version FROM events WHERE \(matching) ORDER BY version DESC LIMIT 7"
      #expect(
        try await versions([]) == expected("SELECT version FROM events WHERE \(matching) ORDER BY version")
      )
      #expect(try await versions(["--last", "7", "--reverse"]) == expected(last))
      #expect(
        try await versions(["--last", "7", "--limit", "3"])
          == expected("SELECT * FROM (\(last)) AS l ORDER BY version LIMIT 3")
      )
      #expect(
        try await versions(["--last", "7", "--limit", "3", "--reverse"])
          == Array(expected(last).prefix(3))
      )
      #expect(
        try await versions(["--follow", "--limit", "3", "--last", "7"])
          == versions(["--last", "7", "--limit", "3"])
      )
    }
  }

  @Test func aClassicTableSaysItsOrder() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '{}', 1);
        ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata; DROP SCHEMA annals CASCADE
        """
      )
      #expect(try await annals(["stream"]).standardOutput.hasPrefix("by aggregate and version, "))
      #expect(try await annals(["stream", "a"]).standardOutput.hasPrefix("a: 1 event, "))
      #expect(
        try await annals(["stream", "-o", "ndjson"]).standardOutput.hasPrefix(#"{"aggregate_id":"a","#)
      )
      for arguments in [
        ["stream", "--follow"], ["replay", "--follow"], ["replay", "--checkpoint", "c"],
        ["replay", "--exec", "cat"],
      ] {
        let run = try await annals(arguments)
        #expect(run.exitCode == 78 && run.standardOutput == "")
        #expect(run.standardError.contains("annals init --add-position"), "\(run.standardError)")
      }
    }
  }

  @Test(arguments: ["table", "ndjson", "csv", "json"])
  func anErrorAfterTheFirstRowsIsAFailure(format: String) async throws {
    try await withEvents { db, _ in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) "
          + "SELECT 'a', 't', to_jsonb(repeat('x', 1000)), n FROM generate_series(1, 20000) n"
      )
      let run = try await runShell(
        """
        { '\(AnnalsBinary.path)' stream -o \(format) --retry-timeout 0; echo "status $?" >&2; } | {
          head -c 1000
          psql -qXc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'annals'"
          cat
        } | wc -c
        """,
        environment: db.environment
      )
      #expect(run.standardError.contains("error"), "\(run.standardError)")
      #expect(run.standardError.hasSuffix("status 1\n"), "\(run.standardError)")
    }
  }
}
