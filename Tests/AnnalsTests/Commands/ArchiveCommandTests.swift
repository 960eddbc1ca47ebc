import FoundationEssentials
import TestSupport
import Testing

/// `annals archive` on the command line, and the commands that read what it moved.
@Suite struct ArchiveCommandTests {
  private func withShop(
    events: Int = 50,
    _ body: (_ db: TestDatabase, _ folder: String) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 's-' || n % 10, 'T', jsonb_build_object('n', n), n / 10 + 1 FROM generate_series(0, \(events) - 1) n
        """
      )
      let folder = "/tmp/annals-test-\(db.name)"
      _ = try await runShell("mkdir \(folder)")
      try await body(db, folder)
      _ = try await runShell("rm -rf \(folder)")
    }
  }

  private static let yes = ["--yes", "--reason", "disk"]

  @Test func archivedEventsAreReadOnRequest() async throws {
    try await withShop { db, folder in
      let before = try await db.annals("stream", "s-1", "-o", "ndjson").standardOutput
      let history = try await db.annals("replay").standardOutput
      let state = try await db.annals("snapshot", "show", "s-1").standardOutput
      let manifest = folder + "/manifest"
      #expect(try await db.verify("--manifest", manifest) == "0")
      let plan = try await db.annals("archive", "--stream", "s-1", "--stream", "s-9", "-o", "csv")
      #expect(plan.exitCode == 2, "\(plan.standardError)")
      #expect(
        plan.standardOutput.replacing("\r\n", with: "\n")
          == "archive,streams,events,held_events,held_by\npublic.events_archive,2,9,1,\n"
      )
      #expect(try await db.psql("SELECT count(*) FROM events") == "50")
      var run = try await db.annals(["archive", "--stream", "s-1"] + Self.yes)
      #expect(run.exitCode == 0 && run.standardError == "", "\(run.standardError)")

      run = try await db.annals("stream", "s-1")
      #expect(run.exitCode == 4 && run.standardError.contains("--with-archive"), "\(run.standardError)")
      #expect(try await db.annals("stream", "s-1", "--with-archive", "-o", "ndjson").standardOutput == before)
      #expect(try await db.annals("replay", "--with-archive").standardOutput == history)
      #expect(try await db.annals("replay").standardOutput.split(separator: "\n").count == 45)
      #expect(try await db.annals("snapshot", "show", "s-1", "--with-archive").standardOutput == state)
      #expect(try await db.annals("show", "@2", "--with-archive").exitCode == 0)
      #expect(try await db.verify("--against", manifest) == "0")
      let export = try await db.annals("export", "--with-archive").standardOutput
      #expect(export.split(separator: "\n").count == 52)

      // A read model with the archive, and one without: both have met what they should have.
      let projection = """
        -- @projection sums
        -- @create
        CREATE TABLE sums (id text PRIMARY KEY, n bigint NOT NULL);
        -- @on T
        INSERT INTO sums VALUES (event.aggregate_id, 1) ON CONFLICT (id) DO UPDATE SET n = sums.n + 1;
        """
      for (options, rows) in [(["--with-archive"], "10|50"), ([], "9|45")] {
        run = try await AnnalsBinary.run(
          ["rebuild-projection"] + options + ["--max-diff", "100%", "-"],
          stdin: projection,
          environment: db.environment
        )
        #expect(run.exitCode == 0, "\(run.standardError)")
        #expect(try await db.psql("SELECT count(*), sum(n) FROM sums") == rows)
        #expect(try await db.verify() == "0")
      }
      #expect(try await db.annals("append", "s-1", "T", "{}").exitCode == 0)
      #expect(try await db.psql("SELECT version FROM events WHERE aggregate_id = 's-1'") == "6")
      let redaction = try await db.annals("redact", "--type", "T", "--path", ".n", "-o", "csv")
      #expect(
        redaction.standardOutput.contains("archive,public.events_archive"),
        "\(redaction.standardOutput)"
      )
      let redacted = try await db.annals("redact", "--stream", "s-1", "--path", ".n")
      #expect(redacted.exitCode == 2, "\(redacted.standardError)")
      #expect(try await db.verify() == "0")
      #expect(
        try await db.annals("audit", "--action", "archive", "--fields", "reason").standardOutput
          == "REASON\ndisk\n"
      )
      #expect(try await db.annals("export", "--with-archive", folder + "/all").exitCode == 0)
      let restored = try await db.annals("restore", "--missing", folder + "/all")
      #expect(restored.exitCode == 1 && restored.standardError.contains("line 3: s-1 version 1 is archived"))
      #expect(try await db.annals("archive", "--undo").exitCode == 2)
      #expect(try await db.annals(["archive", "--undo"] + Self.yes).exitCode == 0)
      #expect(
        try await db.annals("stream", "s-1", "--to-version", "5", "-o", "ndjson").standardOutput == before
      )
    }
  }

  @Test func wrongUsage() async throws {
    for (words, message) in [
      ([], "say which streams"), (["--stream", "a", "--category", "b"], "not both"),
      (["--stream", "a", "--yes"], "--yes needs --reason"),
      (["--stream", "a", "--yes", "-n", "--reason", "b"], "exclude each other"),
      (["--undo", "--keep-from-snapshot"], "exclude each other"),
    ] {
      let run = try await AnnalsBinary.run(["archive"] + words)
      #expect(run.exitCode == 64 && run.standardError.contains(message), "\(words): \(run.standardError)")
    }
  }

  private static let kills = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_KILLS"] ?? "") ?? 20

  /// However often it is killed, no event is lost or in two tables, and a run to the end moves all of them.
  @Test func aKilledArchiveGoesOn() async throws {
    try await withShop(events: 40_000) { db, folder in
      try await db.psql("CREATE TABLE expected AS SELECT * FROM events")
      let run = try await runShell(
        """
        archive() { exec "$ANNALS" archive --category s --before tomorrow --yes --reason disk; }
        undo() { exec "$ANNALS" archive --undo --yes --reason disk; }
        for moment in \((0..<Self.kills).map { _ in "\(Double.random(in: 0...0.6))" }.joined(separator: " ")); do
          if [ "$last" = archive ]; then last=undo; else last=archive; fi
          ($last) 2> "$FOLDER/error" &
          sleep $moment
          kill -9 $! 2> /dev/null
          wait $! 2> /dev/null
        done
        # The session of the last one may live for a moment.
        (archive); echo $?
        """,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
      )
      #expect(run.standardOutput == "0\n", "\(run.standardError)")
      #expect(
        try await db.psql(
          """
          SELECT count(*), count(DISTINCT e.id), count(*) FILTER (WHERE x::text = e::text), (SELECT count(*) FROM events)
          FROM (SELECT * FROM events UNION ALL SELECT * FROM events_archive) e JOIN expected x USING (id)
          """
        ) == "40000|40000|40000|1"
      )
    }
  }
}
