import FoundationEssentials
import TestSupport
import Testing

/// `annals redact` on the command line, and what verify-versions and restore say about redacted events.
@Suite struct RedactCommandTests {
  private func withShop(
    events: Int = 0,
    _ body: (_ db: TestDatabase, _ folder: String) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 's-' || n % 10, 'T', jsonb_build_object('email', 'ann' || n || '@x.org', 'n', n), n / 10 + 1
        FROM generate_series(0, \(max(events, 50)) - 1) n
        """
      )
      let folder = "/tmp/annals-test-\(db.name)"
      _ = try await runShell("mkdir \(folder)")
      try await body(db, folder)
      _ = try await runShell("rm -rf \(folder)")
    }
  }

  private static let payloads = "SELECT md5(string_agg(e::text, '' ORDER BY position)) FROM events e"
  private static let yes = ["--yes", "--reason", "law"]

  @Test func theDryRunShowsNoValue() async throws {
    try await withShop { db, _ in
      let before = try await db.psql(Self.payloads)
      let run = try await db.annals(
        "redact",
        "--stream",
        "s-1",
        "--path",
        ".email",
        "-o",
        "csv",
        "--fields",
        "what,name,version,count"
      )
      #expect(run.exitCode == 2, "\(run.standardError)")
      #expect(
        run.standardOutput.replacing("\r\n", with: "\n") == """
          what,name,version,count
          type,T,,5
          path,.email,,5
          example,s-1,1,
          example,s-1,2,
          example,s-1,3,
          example,s-1,4,
          example,s-1,5,

          """
      )
      for format in ["table", "json", "ndjson"] {
        let run = try await db.annals("redact", "--path", ".email", "-n", "-o", format)
        #expect(run.exitCode == 2 && !(run.standardOutput + run.standardError).contains("@x.org"))
      }
      #expect(try await db.psql(Self.payloads) == before)
      let none = try await db.annals("redact", "--path", ".phone")
      #expect(none.exitCode == 0 && none.standardOutput.hasSuffix(" 0\n"), "\(none.standardOutput)")
      #expect(try await db.annals("redact", "--stream", "x", "--path", ".email").exitCode == 4)
      #expect(try await db.psql("SELECT count(*) FROM annals.audit WHERE action = 'redact'") == "0")
    }
  }

  @Test func wrongUsage() async throws {
    for (words, message) in [
      (["redact"], "name fields with --path and --metadata-path, or upcasters with --file"),
      (["redact", "--path", ".a", "--file", "u.sql"], "or upcasters with --file"),
      (["redact", "--path", ".a", "--yes"], "--yes needs --reason"),
      (["redact", "--path", ".a", "--yes", "-n", "--reason", "law"], "exclude each other"),
      (["redact", "--path", ".a", "--with", "1", "--hash-with", "key"], "exclude each other"),
      (["redact", "--path", ".a b"], ".a b, column 3"),
      (["redact", "--path", ".a", "--drop-kept"], "need --yes"),
      (["redact", "--file", "u.sql", "--with", "1"], "are for --path"),
    ] {
      let run = try await AnnalsBinary.run(words)
      #expect(run.exitCode == 64 && run.standardError.contains(message), "\(words): \(run.standardError)")
    }
    let run = try await AnnalsBinary.run(["redact", "--path", ".a", "--with", "ann"])
    #expect(run.exitCode == 65 && run.standardError.contains("is not JSON"), "\(run.standardError)")
  }

  @Test func theKey() async throws {
    try await withShop { db, folder in
      let run = try await runShell(
        """
        cd "$FOLDER"; echo 'a secret of the application' > key
        chmod 644 key; "$ANNALS" redact --path .email --hash-with key > out; echo $?
        chmod 600 key; "$ANNALS" redact --path .email --hash-with key --yes --reason law; echo $?
        echo short > key; "$ANNALS" redact --path .email --hash-with key > out; echo $?
        """,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
      )
      #expect(run.standardOutput == "65\n0\n65\n", "\(run.standardError)")
      #expect(
        run.standardError.contains("everybody can read the key") && !run.standardError.contains("secret")
      )
      let hash = try await runShell(
        #"printf '"ann1@x.org"' | openssl dgst -sha256 -hmac 'a secret of the application' -r | cut -d' ' -f1"#
      ).standardOutput
      #expect(
        try await db.psql("SELECT event_data->>'email' FROM events WHERE event_data->>'n' = '1'") + "\n"
          == "hmac-sha256:" + hash
      )
    }
  }

  /// The hashes in the manifest and in the record of the redaction tell it from any other change.
  @Test func manifestsFromBefore() async throws {
    try await withShop { db, folder in
      let manifest = folder + "/manifest"
      #expect(try await db.verify("--manifest", manifest) == "0")
      func redact(_ words: String...) async throws {
        let run = try await AnnalsBinary.run(["redact"] + words + Self.yes, environment: db.environment)
        #expect(run.exitCode == 0, "\(run.standardError)")
      }
      try await redact("--stream", "s-1", "--path", ".email")
      try await redact(
        "--where",
        "event.aggregate_id = 's-2' AND event.version IN (2, 4)",
        "--path",
        ".email"
      )
      try await redact("--stream", "s-2", "--where", "event.version = 2", "--path", ".n")
      let redacted = "event_redacted s-1 1 5\nevent_redacted s-2 2 null\nevent_redacted s-2 4 null"
      #expect(try await db.verify("--against", manifest) == redacted + "\n0")
      #expect(try await db.verify("--against", manifest, "--strict") == redacted + "\n0")
      #expect(try await db.verify("--against", manifest, "--incremental") == "0")
      let quiet = try await db.annals("verify-versions", "--against", manifest)
      #expect(quiet.exitCode == 0 && quiet.standardOutput == "", "nothing for cron to mail")
      let json = try await db.annals("verify-versions", "--against", manifest, "-o", "json")
      #expect(json.standardOutput.contains(#""status":"clean""#), "\(json.standardOutput)")
      // A manifest between two redactions, and one after them.
      let later = folder + "/later"
      #expect(try await db.verify("--manifest", later) == "0")
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-1', 'T', '{}', 6)"
      )
      #expect(try await db.verify("--against", later) == "0")
      try await redact("--stream", "s-2", "--path", ".n")
      #expect(
        try await db.verify("--against", later) == "event_redacted s-2 1 null\nevent_redacted s-2 3 5\n0"
      )

      // By hand: after a redaction, beside one, and with the rows of a redaction without its audit.
      try await db.psql(
        """
        UPDATE events SET event_data = event_data || '{"x": 1}' WHERE aggregate_id = 's-1' AND version = 3;
        UPDATE events SET event_data = event_data || '{"x": 1}' WHERE aggregate_id = 's-2' AND version = 4;
        UPDATE events SET event_data = event_data || '{"x": 1}' WHERE aggregate_id = 's-3' AND version = 1;
        """
      )
      #expect(
        try await db.verify("--against", manifest) == """
          event_redacted s-1 1 2
          event_changed s-1 3 null
          event_redacted s-1 4 5
          event_redacted s-2 1 3
          event_changed s-2 4 null
          event_redacted s-2 5 null
          event_changed s-3 1 null
          2
          """
      )
      try await db.psql("DELETE FROM annals.audit WHERE action = 'redact'")
      #expect(try await db.verify("--against", manifest).contains("event_redacted") == false)
    }
  }

  @Test func anExportFromBeforeBringsNothingBack() async throws {
    try await withShop { db, folder in
      let export = folder + "/shop.ndjson"
      #expect(try await db.annals("export", export).exitCode == 0)
      #expect(
        try await AnnalsBinary.run(["redact", "--path", ".email"] + Self.yes, environment: db.environment)
          .exitCode == 0
      )
      let before = try await db.psql(Self.payloads)
      for option in [[], ["--missing"]] {
        let run = try await AnnalsBinary.run(["restore", export] + option, environment: db.environment)
        #expect(run.exitCode == 3 && run.standardError.contains(", redacted at 2"), "\(run.standardError)")
        #expect(run.standardError.contains("HINT:  The export is older than the redaction"))
      }
      #expect(try await db.psql(Self.payloads) == before)
    }
  }

  /// The positions and ids stay, so readers go on where they were.
  @Test func readersGoOn() async throws {
    try await withShop { db, _ in
      #expect(try await db.annals("replay", "--checkpoint", "mail").exitCode == 0)
      let projection =
        "-- @projection sums\n-- @create\nCREATE TABLE sums (n int);\n-- @on T\nINSERT INTO sums VALUES (event.version);\n"
      for command in [
        ["rebuild-projection", "-"], ["redact", "--path", ".email"] + Self.yes, ["project", "--once", "-"],
      ] {
        let run = try await AnnalsBinary.run(command, stdin: projection, environment: db.environment)
        #expect(run.exitCode == (command[0] == "redact" ? 5 : 0), "\(command): \(run.standardError)")
      }
      #expect(try await db.psql("SELECT count(*) FROM sums") == "50")
      #expect(try await db.annals("replay", "--checkpoint", "mail").standardOutput == "")
      #expect(try await db.verify() == "0")
    }
  }

  private static let kills = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_KILLS"] ?? "") ?? 20

  /// However often it is killed, the next run continues, and the result is that of an uninterrupted run.
  @Test func aKilledRedactionGoesOn() async throws {
    try await withShop(events: 40_000) { db, folder in
      #expect(try await db.annals("snapshot", "take", "--all").exitCode == 0)
      try await db.psql(
        """
        CREATE TABLE expected AS SELECT id, jsonb_set(event_data, '{email}', '"gone"') AS event_data, position FROM events
        """
      )
      let run = try await runShell(
        """
        redact() { exec "$ANNALS" redact --path .email --with '"gone"' --vacuum --yes --reason law; }
        for moment in \((0..<Self.kills).map { _ in "\(Double.random(in: 0...0.6))" }.joined(separator: " ")); do
          (redact) 2> "$FOLDER/error" &
          sleep $moment
          kill -9 $! 2> /dev/null
          wait $! 2> /dev/null
        done
        # The session of the last one may live for a moment.
        (redact); echo $?
        "$ANNALS" redact --path .email --with '"gone"' > "$FOLDER/left"; echo $?
        """,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
      )
      #expect(run.standardOutput == "0\n0\n", "\(run.standardError)")
      #expect(
        try await db.psql(
          "SELECT count(*), count(*) FILTER (WHERE e.event_data = x.event_data AND e.position = x.position) FROM events e JOIN expected x USING (id)"
        ) == "40000|40000"
      )
      // Each event once, and as many as the audit says.
      #expect(
        try await db.psql(
          """
          SELECT count(*), count(DISTINCT event_id), (SELECT sum((detail->>'events')::int) FROM annals.audit WHERE action = 'redact'),
            (SELECT count(*) FROM annals.snapshots) FROM annals.redactions
          """
        ) == "40000|40000|40000|0"
      )
    }
  }
}
