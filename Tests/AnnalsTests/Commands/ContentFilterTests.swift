import TestSupport
import Testing

/// Filters by content on the command line.
@Suite struct ContentFilterTests {
  private static let projection = """
    -- @projection seen
    -- @create
    CREATE TABLE seen (n int);
    -- @on *
    INSERT INTO seen VALUES (event.version);

    """

  private func withStore(
    _ body: (TestDatabase, _ annals: ([String]) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(arguments, environment: db.environment)
      }
      _ = try await annals(["init"])
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, metadata, version)
        SELECT 'order-' || n % 5, 'T', jsonb_build_object('total', n * 10, 'sku', 'TEA-' || n), '{"user": "ann"}', n / 5 + 1
        FROM generate_series(0, 24) n
        """
      )
      try await body(db, annals)
    }
  }

  @Test func eventsAreFound() async throws {
    try await withStore { db, annals in
      let ids = try await db.psql("SELECT id FROM events WHERE position > 21 ORDER BY position")
      for format in ["table", "ndjson", "json", "csv"] {
        let run = try await annals([
          "stream", "--data", "total>200", "--metadata", "user=ann", "-o", format,
        ])
        #expect(run.exitCode == 0 && run.standardError == "")
        #expect(run.standardOutput.contains("TEA-24") && !run.standardOutput.contains("TEA-20"))
        if format != "table" { #expect(ids.split(separator: "\n").allSatisfy(run.standardOutput.contains)) }
      }
      let replay = try await annals(["replay", "--text", "tea-2", "--where", "event.version = 5"])
      #expect(replay.standardOutput.split(separator: "\n").count == 5)
      let stream = try await annals(["stream", "order-1", "--data", "sku~*6", "-o", "ndjson"])
      #expect(stream.standardOutput.split(separator: "\n").count == 2)
    }
  }

  @Test func eventsAreCounted() async throws {
    try await withStore { _, annals in
      let filtered = ["stream", "--count", "--data", "total>200"]
      let cases: [(arguments: [String], output: String)] = [
        (filtered, "4\n"), (filtered + ["-o", "ndjson"], "{\"events\":4}\n"),
        (filtered + ["-o", "csv"], "events\n4\n"),
        (filtered + ["--limit", "3"], "3\n"), (["stream", "order-1", "--count"], "5\n"),
      ]
      for (arguments, output) in cases {
        let run = try await annals(arguments)
        #expect(run.standardOutput.replacing("\r\n", with: "\n") == output)
      }
      let following = try await annals(filtered + ["--follow"])
      #expect(following.exitCode == 64)
      let missing = try await annals(["stream", "none", "--count"])
      #expect(missing.exitCode == 4)
    }
  }

  @Test func listsAndGroupsTakeThem() async throws {
    try await withStore { db, annals in
      let filter = ["--data", "total>200", "--text", "tea", "--where", "event.version = 5 -- the last ones"]
      let sql = "(event_data ->> 'total')::int > 200 AND version = 5"
      for sort in ["name", "events"] {
        let run = try await annals(
          ["streams", "--sort", sort, "--fields", "aggregate_id", "-o", "csv"] + filter
        )
        let ids = try await db.psql("SELECT aggregate_id FROM events WHERE \(sql) ORDER BY 1")
        #expect(
          run.standardOutput.replacing("\r\n", with: "\n") == "aggregate_id\n\(ids)\n",
          "\(run.standardError)"
        )
      }
      let run = try await annals(
        ["stats", "--by", "type", "--fields", "event_type,events", "-o", "csv"] + filter
      )
      let count = try await db.psql("SELECT count(*) FROM events WHERE \(sql)")
      #expect(
        run.standardOutput.replacing("\r\n", with: "\n") == "event_type,events\nT,\(count)\n",
        "\(run.standardError)"
      )
      for command in [["streams"], ["stats", "--by", "type"]] {
        let wrong = try await annals(command + ["--where", "event.none"])
        #expect(wrong.exitCode == 78 && wrong.standardOutput == "", "\(wrong.standardError)")
        let writing = try await annals(command + ["--where", "nextval('public.events_position_seq') > 0"])
        #expect(
          writing.exitCode != 0 && writing.standardError.contains("read-only"),
          "\(writing.standardError)"
        )
      }
    }
  }

  @Test func aReadModelIsMadeOfThem() async throws {
    try await withStore { db, annals in
      let arguments = ["replay", "--into", "aside", "-", "--data", "total>200", "--text", "tea"]
      let run = try await AnnalsBinary.run(arguments, stdin: Self.projection, environment: db.environment)
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*) FROM aside.seen") == "4")
      let refused = try await annals(["replay", "--into", "other", "-", "--where", "true"])
      #expect(refused.exitCode == 64 && refused.standardError.contains("--where runs read-only"))
    }
  }

  @Test(arguments: [
    (["--data", "a..b=1"], 64, "column 3"), (["--metadata", "=1"], 64, "column 1"),
    (["--text", " "], 64, "--text"),
    (["--where", "true; DROP TABLE events"], 64, "condition:1:5"),
    (["--where", "event.none"], 78, "condition:1:1"),
    (["--data", "total>"], 64, "needs a number"),
  ])
  func aWrongFilterIsRefused(arguments: [String], exit: Int32, message: String) async throws {
    try await withStore { db, annals in
      for command in ["stream", "replay"] {
        let run = try await annals([command] + arguments)
        #expect(run.exitCode == exit && run.standardOutput == "")
        #expect(run.standardError.contains(message), "\(run.standardError)")
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "25")
    }
  }
}
