import FoundationEssentials
import Subprocess
import TestSupport
import Testing

@Suite struct AppendCommandTests {
  @Test func oneEvent() async throws {
    try await withEvents { db, annals in
      var run = try await annals(["order-42", "OrderSubmitted", #"{"total": 12.5}"#], "")
      #expect(run.status == .exited(0))
      #expect(run.standardOutput + run.standardError == "", "silent on success")

      run = try await annals(
        [
          "order-42", "Paid", "-", "--expected-version", "1", "--metadata", #"{"user": "é"}"#,
          "--correlation-id", "c\"1", "--causation-id", "k", "--timestamp", "2020-01-01T02:00:00+02:00",
          "--id", "0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11", "-o", "ndjson",
        ],
        "[1,\n2]\n"
      )
      #expect(
        run.standardOutput
          == #"{"aggregate_id":"order-42","version":2,"position":2,"id":"0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11","status":"appended"}"#
          + "\n"
      )
      let row = try await db.psql(
        "SELECT event_type, event_data, metadata, timestamp FROM events WHERE version = 2"
      )
      #expect(
        row
          == #"Paid|[1, 2]|{"user": "é", "causation_id": "k", "correlation_id": "c\"1"}|2020-01-01 00:00:00+00"#
      )

      run = try await annals(["order-42", "Shipped"], "")
      #expect(try await db.psql("SELECT event_data FROM events WHERE version = 3") == "{}")

      run = try await annals(["order-42", "Late", "--expected-version", "2"], "")
      #expect(run.status == .exited(3))
      #expect(run.standardOutput == "")
      let lines = run.standardError.split(separator: "\n")
      #expect(lines.first == "annals: error: version conflict: order-42 is at version 3, expected version 2")
      #expect(
        lines.dropFirst().first?.hasPrefix("DETAIL:  The last event is version 3, Shipped, of 20") == true
      )
      #expect(
        lines.last
          == "HINT:  If the event still applies, append it again with --expected-version 3. Look first: annals stream order-42"
      )

      run = try await annals(["order-42", "Shipped", "-n"], "")
      #expect(run.standardOutput == "order-42 would be version 4\n")
      #expect(try await db.psql("SELECT count(*) FROM events") == "3")
    }
  }

  static let badLineCases: [(String, String)] = [
    ("{", "line 2, column 2: "), ("[]", "line 2, column 1: not a JSON object"),
    (#"{"event_type":"T","event_data":{}}"#, "line 2, column 1: aggregate_id: the field is missing"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":{},"x":1}"#, "line 2, column 54: x: unknown field"),
    (
      #"{"aggregate_id":1,"event_type":"T","event_data":{}}"#,
      "column 17: aggregate_id: must be a string, not 1"
    ),
    (#"{"aggregate_id":"","event_type":"T","event_data":{}}"#, "column 17: aggregate_id: must not be empty"),
    (
      #"{"aggregate_id":"\#(String(repeating: "é", count: 256))","event_type":"T","event_data":{}}"#,
      "column 17: aggregate_id: longer than 255 characters: it has 256"
    ),
    (
      #"{"aggregate_id":"a","event_type":"\#(String(repeating: "t", count: 101))","event_data":{}}"#,
      "column 34: event_type: longer than 100 characters: it has 101"
    ),
    ("{\"aggregate_id\":\"a\0b\",\"event_type\":\"T\",\"event_data\":{}}", "control character 0x00"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":{"é":"\u0000"}}"#, "column 57: event_data: \\u0000"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":"\ud800"}"#, "event_data: high surrogate"),
    (
      #"{"aggregate_id":"a","event_type":"T","event_data":\#(String(repeating: "[", count: 6001))"#,
      "event_data: nested deeper than 6000 levels"
    ),
    (#"{"aggregate_id":"a","event_type":"T","event_data":1e200000}"#, "event_data: the number has more than"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":{},"version":0}"#, "column 64: version: must be"),
    (
      #"{"aggregate_id":"a","event_type":"T","event_data":{},"version":2147483648}"#,
      "column 64: version: must be"
    ),
    (#"{"aggregate_id":"a","event_type":"T","event_data":{},"id":"x"}"#, "column 59: id: not a UUID"),
    (#"{"aggregate_id":"a","event_type":"T","event_data":{},"timestamp":"now"}"#, "column 66: timestamp: "),
    (#"{"aggregate_id":"a","event_type":"T","event_data":null}"#, "event_data: must not be null"),
  ]

  /// Bad input of every kind gives the place, the reason and exit status 65, and nothing is stored.
  @Test(arguments: badLineCases)
  func badLines(line: String, message: String) async throws {
    try await withEvents { db, annals in
      let good = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#
      let run = try await annals(["--from", "-"], good + "\n" + line + "\n" + good)
      #expect(run.status == .exited(65))
      #expect(run.standardError.hasPrefix("annals: error: line 2, column "), "\(run.standardError)")
      #expect(run.standardError.contains(message), "\(run.standardError)")
      #expect(run.standardError.contains("DETAIL:  Nothing was appended."))
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  @Test func invalidUTF8HasItsPlace() async throws {
    try await withEvents { db, annals in
      let path = "/tmp/annals-test-\(db.name)"
      defer { try? FileManager.default.removeItem(atPath: path) }
      _ = try await runShell(#"printf '{"aggregate_id":"a\377"}' > \#(path)"#)
      let run = try await annals(["--from", path], "")
      #expect(run.status == .exited(65))
      #expect(run.standardError.contains("line 1, column 19: "), "\(run.standardError)")
      #expect(run.standardError.contains("invalid UTF-8 byte 0xFF"), "\(run.standardError)")
    }
  }

  static let commandLineCases: [([String], Int32)] = [
    ([], 64), (["a"], 64), (["a", "T", "{}", "--from", "-"], 64), (["--from", "-", "--id", "x"], 64),
    (["a", "T", "--batch-size", "3"], 64), (["a", "T", "--run-id", "x"], 64),
    (["--from", "-", "--run-id", ""], 64),
    (["--from", "-", "--run-id", "x", "--id-from", "n"], 64), (["--from", "-", "--workers", "2"], 64),
    (["--from", "-", "--batch-size", "0"], 64), (["--from", "-", "--max-errors", "1"], 64),
    (["a", "T", "--expected-version", "-1"], 64), (["a", "T", "--timestamp", "yesterday"], 64),
    (["a", "T", "{"], 65), (["a", "T", "@/nonesuch"], 65), (["--from", "/nonesuch"], 65), (["", "T"], 65),
    (["a", "T", "--metadata", "1", "--correlation-id", "x"], 65),
    (["a", "T", "--metadata", #"{"correlation_id":"y"}"#, "--correlation-id", "x"], 65),
  ]

  @Test(arguments: commandLineCases)
  func wrongCommandLines(arguments: [String], status: Int32) async throws {
    try await withEvents { db, annals in
      let run = try await annals(arguments, "")
      #expect(run.status == .exited(status), "\(run.standardError)")
      #expect(run.standardOutput == "")
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }

  @Test func badLinesGoToTheRejects() async throws {
    try await withEvents { db, annals in
      let path = "/tmp/annals-test-\(db.name)"
      defer { try? FileManager.default.removeItem(atPath: path) }
      let good = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#
      let input = [good, "bad\u{1B}one\r", good, "{}"].joined(separator: "\n")
      var run = try await annals(["--from", "-", "--max-errors", "2", "--rejects", path], input)
      #expect(run.status == .exited(5))
      #expect(
        run.standardError.split(separator: "\n").map { $0.prefix(15) } == [
          "annals: line 2,", "annals: line 4,",
        ]
      )
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "bad\u{1B}one\r\n{}\n")
      #expect(try await db.psql("SELECT count(*) FROM events") == "2")

      try FileManager.default.removeItem(atPath: path)
      run = try await annals(["--from", "-", "--max-errors", "1", "--rejects", path], input)
      #expect(run.status == .exited(65))
      #expect(try await db.psql("SELECT count(*) FROM events") == "2")
    }
  }

  @Test func receiptsAreHeldBackUntilTheyAreTrue() async throws {
    try await withEvents { db, annals in
      let good = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#
      let lines = Array(repeating: good, count: 12_000)
      var run = try await annals(
        ["--from", "-", "--receipts", "-o", "csv"],
        (lines + ["{"]).joined(separator: "\n")
      )
      #expect(run.status == .exited(65))
      #expect(run.standardOutput == "", "nothing was appended")

      run = try await annals(["--from", "-", "-o", "csv"], lines.joined(separator: "\n"))
      #expect(run.status == .exited(0))
      let printed = run.standardOutput.replacing("\r\n", with: "\n").split(separator: "\n")
      #expect(printed.first == "aggregate_id,version,position,id,status")
      let stored = try await db.psql(
        "SELECT concat_ws(',', aggregate_id, version, position, id, 'appended') FROM events ORDER BY version"
      )
      #expect(printed.dropFirst() == stored.split(separator: "\n")[...])

      run = try await annals(
        ["--from", "-", "-o", "ndjson", "--batch-size", "5"],
        (lines.prefix(12) + ["{"]).joined(separator: "\n")
      )
      #expect(run.status == .exited(65))
      #expect(run.standardOutput.split(separator: "\n").count == 10, "two batches are committed")
    }
  }

  /// A command in cron is silent as long as all is well; progress must be requested.
  @Test func progressIsShownWhenItIsAskedFor() async throws {
    try await withEvents { db, annals in
      let lines = (1...12).map {
        #"{"aggregate_id":"p","event_type":"T","event_data":{},"version":\#($0)}"# + "\n"
      }
      var run = try await annals(["--from", "-", "--batch-size", "5"], lines.prefix(6).joined())
      #expect(run.status == .exited(0) && run.standardError == "" && run.standardOutput == "")

      run = try await annals(
        ["--from", "-", "--batch-size", "5", "--skip-lines", "6", "--progress", "0.000001s"],
        lines.joined()
      )
      #expect(run.status == .exited(0), "\(run.standardError)")
      #expect(run.standardError.contains("annals: appending: 12 events, "), "\(run.standardError)")
      #expect(run.standardError.contains("annals: lines 1 to 11 are committed\n"), "\(run.standardError)")

      run = try await annals(["p", "T", "--progress", "1"], "")
      #expect(run.status == .exited(64))
      #expect(run.standardError.contains("--progress needs --from"))
    }
  }

  /// Real processes, started together; each expects the version that the round before left.
  @Test func oneProcessWinsEachVersion() async throws {
    try await withEvents { db, annals in
      for round in 0..<4 {
        let runs = try await withThrowingTaskGroup(of: ProgramRun.self) { group in
          for _ in 0..<32 {
            group.addTask {
              try await AnnalsBinary.run(
                ["append", "a", "T", "--expected-version", "\(round)"],
                environment: db.environment
              )
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(runs.count { $0.status == .exited(0) } == 1)
        #expect(runs.count { $0.status == .exited(3) } == 31)
      }
      #expect(try await db.psql("SELECT count(*), max(version) FROM events") == "4|4")
    }
  }

  /// `kill -9` at any moment leaves all or nothing, or whole batches; the next run completes it.
  @Test(arguments: [nil, 1000])
  func killedAtAnyMoment(batchSize: Int?) async throws {
    try await withEvents { db, annals in
      let count = 40_000
      let lines = (0..<count).map {
        #"{"aggregate_id":"a\#($0 % 500)","event_type":"T","event_data":{"n":\#($0)}}"#
      }
      let path = "/tmp/annals-test-\(db.name)"
      try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
      defer { try? FileManager.default.removeItem(atPath: path) }
      let arguments =
        ["--from", path, "--id-from", "n"] + (batchSize.map { ["--batch-size", "\($0)"] } ?? [])
      var partial = 0
      for round in 0..<6 {
        let command = (["\(AnnalsBinary.path)", "append"] + arguments).joined(separator: " ")
        let milliseconds = 50 + round * 150 + Int.random(in: 0..<100)
        _ = try await runShell(
          "\(command) & pid=$!; sleep 0.\(milliseconds < 100 ? "0\(milliseconds)" : "\(milliseconds)"); "
            + "kill -9 $pid; wait $pid",
          environment: db.environment
        )
        // The server may still work for a moment on what it received.
        var stored = -1
        while stored < 0 {
          let idle = try await db.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'annals'"
          )
          if idle == "0" { stored = Int(try await db.psql("SELECT count(*) FROM events"))! }
        }
        #expect(stored % (batchSize ?? count) == 0, "\(stored) events")
        if stored > 0, stored < count { partial += 1 }
      }
      if batchSize == nil { #expect(partial == 0) }
      #expect(try await annals(arguments, "").status == .exited(0))
      #expect(
        try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "\(count)|\(count)"
      )
    }
  }

  /// Lines without ids have the same ids under the same name, so the whole input may come again.
  @Test func aRunThatIsNamedCanBeRepeated() async throws {
    try await withEvents { db, annals in
      var lines = (1...9).map {
        #"{"aggregate_id":"a\#($0 % 2)","event_type":"T","event_data":{"n":\#($0)}}"#
      }
      let sixth = lines[5]
      lines[5] = "{"
      let batches = ["--from", "-", "--batch-size", "2"]
      var run = try await annals(batches, lines.joined(separator: "\n"))
      #expect(run.status == .exited(65))
      #expect(run.standardError.contains("Lines 1 to 4 are committed."), "\(run.standardError)")
      let words = run.standardError.split { " :\n".contains($0) }
      let made = String(words[try #require(words.firstIndex(of: "--run-id")) + 1])
      lines[5] = sixth
      run = try await annals(batches + ["--run-id", made], lines.joined(separator: "\n"))
      #expect(run.status == .exited(0), "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "9|9")

      try await db.psql("TRUNCATE events")
      for _ in 1...2 {
        run = try await annals(["--from", "-", "--run-id", "load 1"], lines.joined(separator: "\n"))
        #expect(run.status == .exited(0), "\(run.standardError)")
      }
      #expect(try await db.psql("SELECT count(*), count(DISTINCT event_data) FROM events") == "9|9")
      run = try await annals(["--from", "-", "--run-id", "load 1"], lines.reversed().joined(separator: "\n"))
      #expect(run.status == .exited(3))
      #expect(run.standardError.contains("use another --run-id for another input"), "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*) FROM events") == "9")
    }
  }

  @Test func aTriggerThatDropsEventsIsAnError() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER dropper BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION drop_it()
        """
      )
      let line = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#
      for arguments in [
        ["a", "T"], ["--from", "-"], ["--from", "-", "--batch-size", "1", "--workers", "2"],
      ] {
        let run = try await annals(arguments, line)
        #expect(run.status == .exited(78), "\(run.standardError)")
        #expect(run.standardError.contains("trigger dropper"), "\(run.standardError)")
      }
    }
  }

  /// The first INT or TERM rolls back what is not committed, and says what is.
  @Test func anInterruptionIsReported() async throws {
    try await withEvents { db, annals in
      let line = #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#
      for (signal, status) in [("INT", 130), ("TERM", 143)] {
        // A sixth line never comes; the pipe stays open.
        let run = try await runShell(
          """
          mkfifo "$FIFO"
          { for n in 1 2 3 4 5; do echo '\(line)'; done; exec sleep 600; } > "$FIFO" & writer=$!
          '\(AnnalsBinary.path)' append --from "$FIFO" --batch-size 2 & pid=$!
          until [ "$(psql -XAtc 'SELECT count(*) FROM events')" = 4 ]; do sleep 0.1; done
          kill -\(signal) $pid; wait $pid; status=$?
          kill $writer; rm "$FIFO"
          exit $status
          """,
          environment: db.environment.merging(["FIFO": "/tmp/annals-test-\(db.name)"]) { $1 }
        )
        #expect(run.status == .exited(Int32(status)), "\(run.standardError)")
        #expect(run.standardError.contains("lines 1 to 4 are committed; to continue, add --run-id "))
        #expect(run.standardError.contains(" --skip-lines 4\n"), "\(run.standardError)")
        #expect(run.standardError.contains("interrupted"))
        #expect(try await db.psql("SELECT count(*) FROM events") == "4")
        try await db.psql("TRUNCATE events")
      }
    }
  }

  private func withEvents(
    _ body: (TestDatabase, (_ arguments: [String], _ input: String) async throws -> ProgramRun) async throws
      -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let initialized = try await AnnalsBinary.run(["init"], environment: db.environment)
      #expect(initialized.status == .exited(0))
      try await body(db) { arguments, input in
        try await AnnalsBinary.run(["append"] + arguments, stdin: input, environment: db.environment)
      }
    }
  }
}
