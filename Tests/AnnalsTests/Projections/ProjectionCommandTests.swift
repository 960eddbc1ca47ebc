import FoundationEssentials
import TestSupport
import Testing

@Suite struct ProjectionCommandTests {
  private static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, 1, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total;

    """

  private static let isRight = """
    SELECT count(*) FROM (SELECT aggregate_id COLLATE "default" AS id, count(*) AS events,
                                 sum((event_data->>'n')::bigint)::bigint AS total FROM events GROUP BY 1) AS e
    FULL JOIN sums USING (id, events, total) WHERE (e.*) IS NULL OR (sums.*) IS NULL
    """

  private func withStore(
    events: Int,
    _ body: (TestDatabase, _ annals: ([String], String) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { database in
      let annals = { (arguments: [String], input: String) in
        try await AnnalsBinary.run(arguments, stdin: input, environment: database.environment)
      }
      #expect(try await annals(["init"], "").exitCode == 0)
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a-' || n % 10, 'Added', jsonb_build_object('n', n), n / 10 + 1 FROM generate_series(0, \(events) - 1) AS n
        """
      )
      try await body(database, annals)
    }
  }

  /// The file comes through standard input, which names it `-`.
  @Test func theLifeOfAProjection() async throws {
    try await withStore(events: 40) { database, annals in
      var run = try await annals(["check-projection", "-"], Self.sums + "SELECT x FROM sums;")
      #expect(run.exitCode == 78)
      #expect(run.standardError.hasPrefix("annals: error: -:7:8: column \"x\" does not exist\n"))
      run = try await annals(["rebuild-projection", "-n", "-o", "ndjson", "-"], Self.sums)
      #expect(run.exitCode == 0 && run.standardOutput.contains(#""types":{"Added":40}"#))
      run = try await annals(["rebuild-projection", "-"], Self.sums)
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "", "silent on success")

      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-0', 'Added', '{"n": "x"}', 5)
        """
      )
      run = try await annals(
        ["project", "--once", "--attempts", "1", "--retry-delay", "1ms", "-"],
        Self.sums
      )
      #expect(run.exitCode == 5 && run.standardError.contains("dead letter: the event at position 41"))
      run = try await annals(["projections", "sums", "-o", "csv"], "")
      #expect(run.standardOutput.contains("sums,1,1,live,41,0,false,0.0,10,40,1,"), "\(run.standardOutput)")
      #expect(try await annals(["dead-letters", "list"], "").exitCode == 2)
      #expect(try await annals(["dead-letters", "show", "sums", "40"], "").exitCode == 4)
      #expect(try await annals(["dead-letters", "retry", "sums"], "").exitCode == 5)
      #expect(try await annals(["dead-letters", "discard", "sums"], "").exitCode == 64)
      #expect(try await annals(["dead-letters", "discard", "--yes", "sums"], "").exitCode == 0)
      #expect(try await annals(["projections", "rollback", "sums"], "").exitCode == 4)
      #expect(try await annals(["projections", "pause", "sums"], "").exitCode == 0)
      #expect(try await annals(["project", "--once", "-"], Self.sums).exitCode == 2)
      #expect(try await annals(["projections", "drop", "sums", "--yes"], "").exitCode == 0)
      #expect(try await annals(["projections", "list", "sums"], "").exitCode == 4)
    }
  }

  @Test func exitStatusesOfARebuild() async throws {
    try await withStore(events: 40) { database, annals in
      var run = try await annals(["rebuild-projection", "--time-limit", "0", "-"], Self.sums)
      #expect(
        run.exitCode == 2 && run.standardError.contains("is at position 0; run the same command to resume")
      )
      run = try await annals(
        ["rebuild-projection", "-"],
        Self.sums + "-- @check none\nSELECT id FROM sums LIMIT 1;"
      )
      #expect(run.exitCode == 2 && run.standardError.contains("check failed: none"))
      #expect(try await annals(["rebuild-projection", "-"], Self.sums).exitCode == 0)
      try await database.psql("UPDATE sums SET total = 0 WHERE id = 'a-3'")
      run = try await annals(["rebuild-projection", "--max-diff", "0", "-o", "csv", "-"], Self.sums)
      #expect(run.exitCode == 2 && run.standardOutput.contains("sums,10,0,0,1,"), "\(run.standardOutput)")
    }
  }

  /// Kill the client, end its sessions: the next run gives the same read model, and the live one never has fewer
  /// events.
  @Test func killedRebuildsGoOn() async throws {
    let kills = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_KILLS"] ?? "") ?? 3
    try await withStore(events: 4_000) { database, annals in
      #expect(try await annals(["rebuild-projection", "-"], Self.sums).exitCode == 0)
      for _ in 1...kills {
        let seconds = Double.random(in: 0.02...0.6)
        let script = """
          '\(AnnalsBinary.path)' rebuild-projection --restart --chunk 50 - <<'END' 2>/dev/null &
          \(Self.sums)
          END
          sleep \(seconds); kill -9 $! 2>/dev/null; wait $!
          """
        _ = try await runShell(script, environment: database.environment)
        #expect(try await database.psql(Self.isRight) == "0", "the live one, killed after \(seconds) s")
        #expect(try await annals(["rebuild-projection", "-"], Self.sums).exitCode == 0)
        #expect(try await database.psql(Self.isRight) == "0", "killed after \(seconds) s")
      }
    }
  }

  /// A mistyped name is found before a read model without those events is live.
  @Test(arguments: [("Aded", "; did you mean 'Added'?"), ("Something", "")])
  func aTypeThatNoEventHasIsNamed(_ type: String, _ question: String) async throws {
    let file = Self.sums.replacing("@on Added", with: "@on \(type)")
    let warning = "annals: -:4: the store has no event of type '\(type)'\(question)\n"
    try await withStore(events: 4) { database, annals in
      for arguments in [["check-projection", "-"], ["rebuild-projection", "-n", "-o", "ndjson", "-"]] {
        var run = try await annals(arguments, file)
        #expect(run.exitCode == 0 && run.standardError == warning)
        if run.standardOutput != "" { #expect(run.standardOutput.contains(#""unhandled":["Added"]"#)) }
        run = try await annals(arguments + ["--strict"], file)
        #expect(run.exitCode == 2 && run.standardError == warning)
      }
      var run = try await annals(["rebuild-projection", "--strict", "-"], file)
      #expect(run.exitCode == 2 && run.standardError == warning)
      #expect(try await database.psql("SELECT count(*) FROM annals.generations") == "0")
      run = try await annals(["rebuild-projection", "-"], file)
      #expect(run.exitCode == 0 && run.standardError == warning)

      run = try await annals(["rebuild-projection", "--strict", "-"], Self.sums)
      #expect(run.exitCode == 0 && run.standardError == "")
      try await database.psql("TRUNCATE events")
      run = try await annals(["check-projection", "--strict", "-"], file)
      #expect(run.exitCode == 0 && run.standardError == "", "a new store has no types yet")
    }
  }

  @Test func aRebuildParksWhatFails() async throws {
    try await withStore(events: 4) { database, annals in
      let file = Self.sums.replacing(
        "(event.event_data->>'n')::bigint",
        with: "10 / (event.event_data->>'n')::bigint"
      )
      var run = try await annals(["rebuild-projection", "--park", "--max-parked", "1", "-"], file)
      #expect(run.exitCode == 5)
      #expect(
        run.standardError.contains(
          "dead letter: the event at position 1 (a-0, version 1, Added): division by zero"
        )
      )
      #expect(
        run.standardError.hasSuffix(
          "sums: generation 1 has 1 dead letter, whose events it lacks; see 'annals dead-letters list'\n"
        ),
        "\(run.standardError)"
      )
      #expect(try await database.psql("SELECT sum(events) FROM sums") == "3")
      #expect(try await annals(["dead-letters", "list"], "").exitCode == 2)
      try await database.psql("UPDATE events SET event_data = '{\"n\": 0}' WHERE position IN (1, 2)")
      run = try await annals(["rebuild-projection", "--park", "--max-parked", "1", "-"], file)
      #expect(
        run.exitCode == 1 && run.standardError.contains("the event at position 2"),
        "\(run.standardError)"
      )
      for wrong in [["--max-parked", "1"], ["--park", "--max-parked", "0"]] {
        #expect(try await annals(["rebuild-projection"] + wrong + ["-"], file).exitCode == 64)
      }
    }
  }

  @Test func aGenerationIsShownAndItsFilePrinted() async throws {
    try await withStore(events: 4) { database, annals in
      let later = Self.sums + "-- an end without a new line"
      for file in [Self.sums, later] {
        #expect(try await annals(["rebuild-projection", "-"], file).exitCode == 0)
      }
      let show = ["projections", "show", "sums"]
      #expect(try await annals(show + ["--file"], "").standardOutput == later)
      #expect(try await annals(show + ["--file", "--generation", "1"], "").standardOutput == Self.sums)
      var run = try await annals(show + ["-o", "ndjson"], "")
      #expect(run.standardOutput.contains(#""generation":2,"state":"live""#))
      run = try await annals(show + ["-o", "ndjson", "--generation", "1"], "")
      #expect(run.standardOutput.contains(#""generation":1,"state":"retired""#))
      run = try await annals(show + ["--generation", "3"], "")
      #expect(run.exitCode == 4 && run.standardError.contains("projection sums has no generation 3"))

      #expect(try await annals(["projections", "rollback", "sums"], "").exitCode == 0)
      run = try await annals(["project", "--once", "-"], later)
      #expect(run.exitCode == 78)
      #expect(run.standardError.contains("Generation 2 was rolled back to 1 at "))
      #expect(run.standardError.contains("'annals projections show sums --generation 1 --file'"))
    }
  }

  /// What is no file is the name of a projection.
  @Test func aNameStandsForTheFileOfTheLiveGeneration() async throws {
    try await withStore(events: 4) { database, annals in
      #expect(try await annals(["rebuild-projection", "-"], Self.sums).exitCode == 0)
      try await database.psql("DELETE FROM sums; UPDATE annals.generations SET position = 0")
      var run = try await annals(["project", "--once", "sums"], "")
      #expect(run.exitCode == 0 && run.standardError == "", "\(run.standardError)")
      #expect(try await database.psql(Self.isRight) == "0")

      run = try await annals(["project", "--once", "summs"], "")
      #expect(run.exitCode == 4, "\(run.standardError)")
      #expect(
        run.standardError.hasPrefix(
          "annals: error: there is no projection summs in this database\nDETAIL:  There is no file 'summs' either.\n"
        ),
        "\(run.standardError)"
      )
      for file in ["summs.sql", "./sums"] {
        run = try await annals(["project", "--once", file], "")
        #expect(run.exitCode == 65 && run.standardError.contains("cannot read \(file): No such file"))
      }
      // A folder is not meant, a file is.
      let script = """
        d=$(mktemp -d) && cd $d && mkdir sums && '\(AnnalsBinary.path)' project --once sums && rmdir sums &&
          echo 'no projection' > sums && ! '\(AnnalsBinary.path)' project --once sums; s=$?; rm -r $d; exit $s
        """
      run = try await runShell(script, environment: database.environment)
      #expect(
        run.exitCode == 0 && run.standardError.hasPrefix("annals: error: sums:1:"),
        "\(run.standardError)"
      )
    }
  }

  @Test func aGenerationIsDiscarded() async throws {
    try await withStore(events: 4) { database, annals in
      #expect(try await annals(["rebuild-projection", "-"], Self.sums).exitCode == 0)
      let discard = ["projections", "discard", "sums", "--yes"]
      var run = try await annals(discard, "")
      #expect(run.exitCode == 4 && run.standardError.contains("has no generation besides the live one"))
      for _ in 1...2 {
        let rebuild = ["rebuild-projection", "--restart", "--keep", "2", "-"]
        #expect(try await annals(rebuild, Self.sums).exitCode == 0)
      }
      #expect(try await annals(["projections", "discard", "sums", "1"], "").exitCode == 64)
      run = try await annals(discard, "")
      #expect(run.exitCode == 64 && run.standardError.contains("HINT:  Name one of them: 2, 1."))
      #expect(try await annals(discard + ["3"], "").exitCode == 1)
      #expect(try await annals(discard + ["1", "--reason", "space"], "").exitCode == 0)
      #expect(try await annals(discard, "").exitCode == 0)
      let reasons = "SELECT array_agg(reason) FROM annals.audit WHERE action = 'drop'"
      #expect(try await database.psql(reasons) == "{space,NULL}")
    }
  }

  /// What cron runs says nothing when there is nothing to say.
  @Test func aLimitOfDifferencesIsSilentWhereNothingDiffers() async throws {
    try await withStore(events: 4) { database, annals in
      _ = try await annals(["rebuild-projection", "-"], Self.sums)
      var run = try await annals(["rebuild-projection", "--max-diff", "0", "-"], Self.sums)
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "")
      run = try await annals(["rebuild-projection", "--diff", "-"], Self.sums)
      #expect(run.exitCode == 0 && run.standardOutput.contains("sums"))
      try await database.psql("DELETE FROM sums")
      run = try await annals(["rebuild-projection", "--max-diff", "1", "-"], Self.sums)
      #expect(run.exitCode == 2 && run.standardOutput.contains("sums"))
    }
  }
}
