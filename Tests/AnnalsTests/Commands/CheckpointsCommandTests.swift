import TestSupport
import Testing

/// The checkpoints of all readers in one list, and changes of them by hand.
@Suite struct CheckpointsCommandTests {
  private static let projection = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (n int);
    -- @on *
    INSERT INTO sums VALUES (event.version);

    """

  /// Ten events, a minute apart; the replay `mail` has passed them on, and the projection `sums` has them.
  private func withReaders(
    _ body: (TestDatabase, _ annals: ([String]) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(arguments, stdin: Self.projection, environment: db.environment)
      }
      _ = try await annals(["init"])
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
        SELECT 'a', 'T', '{}', n, '2026-03-04T05:00:00Z'::timestamptz + n * interval '1 minute' FROM generate_series(1, 10) n
        """
      )
      _ = try await annals(["replay", "--checkpoint", "mail"])
      _ = try await annals(["rebuild-projection", "-"])
      try await body(db, annals)
    }
  }

  private func position(_ name: String, _ db: TestDatabase) async throws -> String {
    try await db.psql("SELECT position FROM annals.checkpoints WHERE name = '\(name)'")
  }

  @Test func readersAreListed() async throws {
    try await withReaders { db, annals in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 11)"
      )
      let fields = ["--fields", "name,kind,position,lag_events,dead_letters,holder,filter", "-o", "csv"]
      let list = try await annals(["checkpoints"] + fields)
      #expect(
        list.standardOutput.replacing("\r\n", with: "\n") == """
          name,kind,position,lag_events,dead_letters,holder,filter
          sums,projection,10,1,0,,
          mail,replay,10,1,0,,no filter

          """
      )
      // Nobody moves a checkpoint while a reader uses it.
      let handler = """
        read event; "$ANNALS" checkpoints -o ndjson >&2
        for deed in 'set mail now --yes' 'remove mail --yes' 'rename mail letters'; do
          "$ANNALS" checkpoints $deed 2> /dev/null; echo "status $?" >&2
        done; echo 11
        """
      let environment = db.environment.merging(["ANNALS": "\(AnnalsBinary.path)"]) { $1 }
      let run = try await AnnalsBinary.run(
        ["replay", "--checkpoint", "mail", "--exec", handler],
        environment: environment
      )
      #expect(run.standardError.contains(#""holder":"process "#), "\(run.standardError)")
      #expect(
        run.standardError.split(separator: "\n").filter { $0 == "status 75" }.count == 3,
        "\(run.standardError)"
      )
    }
  }

  @Test(arguments: [
    ("3", "3"), ("now", "10"), ("2026-03-04T05:05:00Z", "4"), ("2026-03-04", "0"), ("2030-01-01", "10"),
    ("0", "0"),
  ])
  func aCheckpointIsMoved(place: String, position: String) async throws {
    try await withReaders { db, annals in
      let asked = try await annals(["checkpoints", "set", "mail", place])
      #expect(asked.exitCode == 64 && asked.standardError.contains("from 10 to \(position)"))
      let wrong = try await annals(["checkpoints", "set", "mail", place, "--from", "7", "--yes"])
      #expect(wrong.exitCode == 75)
      for name in ["mail", "sums"] {
        let run = try await annals(["checkpoints", "set", name, place, "--yes"])
        #expect(run.exitCode == 0, "\(run.standardError)")
      }
      #expect(try await self.position("mail", db) == position)
      #expect(try await db.psql("SELECT position FROM annals.generations") == position)
      let rest = try await annals(["replay", "--checkpoint", "mail"])
      #expect(rest.standardOutput.split(separator: "\n").count == 10 - (Int(position) ?? 0))
      #expect(try await annals(["verify-versions"]).exitCode == 0)
      #expect(try await db.psql("SELECT count(*) FROM annals.audit WHERE action = 'set-checkpoint'") == "2")
    }
  }

  @Test func aCheckpointIsRenamedAndRemoved() async throws {
    try await withReaders { db, annals in
      let fails = [
        "replay", "--checkpoint", "park", "--exec", "cat > /dev/null", "--park", "--retries", "0", "--limit",
        "1",
      ]
      _ = try await annals(fails)
      #expect(try await db.psql("SELECT count(*) FROM annals.parked_events") == "1")
      for name in ["mail", "sums"] {
        let refused = try await annals(["checkpoints", "rename", "park", name])
        #expect(refused.exitCode == 1, "\(refused.standardError)")
      }
      let renamed = try await annals(["checkpoints", "rename", "park", "it's \"new\""])
      #expect(renamed.exitCode == 0, "\(renamed.standardError)")
      #expect(try await db.psql("SELECT checkpoint FROM annals.parked_events") == "it's \"new\"")
      let asked = try await annals(["checkpoints", "remove", "it's \"new\""])
      #expect(
        asked.exitCode == 64 && asked.standardError.contains("with 1 dead letter"),
        "\(asked.standardError)"
      )
      let removed = try await annals(["checkpoints", "remove", "it's \"new\"", "--yes"])
      #expect(removed.exitCode == 0)
      #expect(try await db.psql("SELECT string_agg(name, ',') FROM annals.checkpoints") == "mail")
      #expect(try await db.psql("SELECT count(*) FROM events") == "10")
      #expect(try await annals(["checkpoints", "remove", "none", "--yes"]).exitCode == 4)
      let projection = try await annals(["checkpoints", "remove", "sums", "--yes"])
      #expect(projection.exitCode == 4 && projection.standardError.contains("name of a projection"))
    }
  }

  @Test(arguments: [
    ("now", 0), ("8", 3), ("2026-03-04T05:09:00Z", 2), ("2030-01-01", 0),
  ])
  func aFirstRunBeginsThere(start: String, count: Int) async throws {
    try await withReaders { db, annals in
      let replay = ["replay", "--checkpoint", "new", "--start", start]
      let plan = try await annals(replay + ["-n"])
      #expect(plan.exitCode == 0, "\(plan.standardError)")
      var run = try await annals(replay)
      #expect(run.standardOutput.split(separator: "\n").count == count, "\(run.standardError)")
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 11)"
      )
      // Later runs go on where the checkpoint is.
      run = try await annals(replay)
      #expect(run.standardOutput.split(separator: "\n").count == 1)
      // Events before the beginning were never met, and are no finding.
      #expect(try await annals(["verify-versions"]).exitCode == 0)
      #expect(try await annals(["replay", "--start", start]).exitCode == 64)
      let beyond = try await annals(["replay", "--checkpoint", "beyond", "--start", "99"])
      #expect(beyond.exitCode == 65, "\(beyond.standardError)")
      #expect(try await position("beyond", db) == "")
    }
  }

  @Test func whatNobodyRunsIsStale() async throws {
    try await withReaders { db, annals in
      try await db.psql(
        """
        UPDATE annals.checkpoints SET moved_at = now() - interval '10 days';
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 11)
        """
      )
      _ = try await AnnalsBinary.run(
        ["project", "--once", "-"],
        stdin: Self.projection,
        environment: db.environment
      )
      let check = ["check", "--max-lag", "0"]
      let late = try await annals(check)
      #expect(late.exitCode == 2 && late.standardOutput.contains("mail is 1 event"), "\(late.standardOutput)")
      let stale = try await annals(check + ["--stale-after", "7d"])
      #expect(
        stale.exitCode == 0 && stale.standardOutput.contains("mail is stale, not run since"),
        "\(stale.standardOutput)"
      )
      let json = try await annals(check + ["--stale-after", "7d", "--format", "json"])
      #expect(json.standardOutput.contains(#""stale":true"#))
      let metrics = try await annals(check + ["--stale-after", "7d", "--format", "prometheus"])
      #expect(
        metrics.standardOutput.contains(#"annals_stale{reader="mail",kind="replay"} 1"#),
        "\(metrics.standardOutput)"
      )
      let notYet = try await annals(check + ["--stale-after", "20d"])
      #expect(notYet.exitCode == 2)
    }
  }
}
