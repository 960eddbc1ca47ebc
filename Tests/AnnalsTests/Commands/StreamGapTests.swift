import TestSupport
import Testing

/// Missing versions are reported wherever the stream, or a state made from it, is shown.
@Suite struct StreamGapTests {
  /// Stream a-1 lacks version 2, a-2 nothing, a-3 versions 1 to 3 and 6.
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
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT s.name, 'T' || v % 2, jsonb_build_object('v' || v, v), v
        FROM (VALUES ('a-1', '{1,3,4}'::int[]), ('a-2', '{1,2,3}'), ('a-3', '{4,5,7}')) AS s (name, versions),
             unnest(s.versions) AS v
        """
      )
      try await body(db, annals)
    }
  }

  @Test func aStreamMarksThem() async throws {
    try await withStore { db, annals in
      var run = try await annals(["stream", "a-1"])
      #expect(run.exitCode == 0)
      #expect(run.standardError == "annals: a-1 lacks version 2\n")
      let lines = run.standardOutput.split(separator: "\n").map(String.init)
      let event = try #require(lines.firstIndex { $0.contains(#"{"v3": 3}"#) })
      #expect(lines[event + 1] == "  version 2 is missing before version 3")
      #expect(lines.filter { $0.contains("missing") }.count == 1)

      for format in ["ndjson", "json", "csv"] {
        run = try await annals(["stream", "a-1", "-o", format])
        #expect(run.standardError == "annals: a-1 lacks version 2\n")
        #expect(!run.standardOutput.contains("missing"))
      }
      run = try await annals(["stream", "a-1", "--strict", "-o", "ndjson"])
      #expect(run.exitCode == 2 && run.standardOutput.split(separator: "\n").count == 3)
      #expect(run.standardError.contains(#""error":"a-1 lacks version 2""#))
      #expect(run.standardError.contains("annals verify-versions --explain a-1"))
      // Without the options for the store, the command would read another one.
      run = try await annals(["stream", "a-1", "--strict", "--table", "public.events"])
      #expect(run.standardError.contains("annals verify-versions --table public.events --explain a-1"))
      run = try await annals([
        "show", try await db.psql("SELECT id FROM events WHERE aggregate_id = 'a-1' AND version = 3"),
      ])
      #expect(
        run.exitCode == 0 && run.standardError == "annals: a-1 lacks version 2; the state is without it\n"
      )
      run = try await annals(["snapshot", "show", "a-3"])
      #expect(
        run.standardError.hasSuffix("first versions 1 to 3; the state is without them\n"),
        "\(run.standardError)"
      )

      run = try await annals(["stream", "a-3", "--reverse", "--type", "T1"])
      #expect(run.standardError == "annals: a-3 lacks versions in 2 places, first versions 1 to 3\n")
      #expect(run.standardOutput.contains("version 6 is missing before version 7"))
    }
  }

  @Test func onlyWhatIsLookedAtCounts() async throws {
    try await withStore { _, annals in
      for arguments in [
        ["stream", "a-2", "--strict"], ["stream", "a-1", "--from-version", "3", "--strict"],
        ["stream", "a-1", "--to-version", "1", "--strict"], ["snapshot", "show", "a-2", "--strict"],
        ["snapshot", "show", "a-1", "--at-version", "1", "--strict"],
      ] {
        let run = try await annals(arguments)
        #expect(run.exitCode == 0 && run.standardError == "", "\(arguments): \(run.standardError)")
      }
      #expect(try await annals(["stream", "--strict"]).exitCode == 64)
    }
  }

  @Test func aStateSaysThatItLacksThem() async throws {
    try await withStore { db, annals in
      for arguments in [[], ["--blame"], ["--diff", "1", "3"], ["-o", "json"]] {
        var run = try await annals(["snapshot", "show", "a-1"] + arguments)
        #expect(run.exitCode == 0 && run.standardOutput.contains("v3"), "\(arguments)")
        #expect(run.standardError == "annals: a-1 lacks version 2; the state is without it\n")
        run = try await annals(["snapshot", "show", "a-1", "--strict"] + arguments)
        #expect(run.exitCode == 2 && run.standardOutput == "", "\(arguments)")
        #expect(run.standardError.contains("a-1 lacks version 2"))
      }
    }
  }

  /// A snapshot above a gap does not replace the missing events.
  @Test(arguments: [[], ["--reducer"]])
  func noSnapshotIsTakenOverAGapBelowAnotherOne(options: [String]) async throws {
    try await withStore { db, annals in
      let file = "/tmp/annals-gap-\(db.name).sql"
      _ = try await runShell(
        "printf '%s' \"$R\" > \(file)",
        environment: [
          "R": "-- @reducer r\n-- @initial\nSELECT '{}'::jsonb\n-- @on *\nSELECT state || event.event_data\n"
        ]
      )
      let reducer = options + (options.isEmpty ? [] : [file])
      #expect(try await annals(["snapshot", "take", "a-2"] + reducer).exitCode == 0)
      try await db.psql(
        """
        DELETE FROM events WHERE aggregate_id = 'a-2' AND version = 2;
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-2', 'T0', '{}', 4)
        """
      )
      let run = try await annals(["snapshot", "take", "a-2"] + reducer)
      #expect(run.exitCode == 5 && run.standardError.contains("'a-2'"), "\(run.standardError)")
      #expect(try await db.psql("SELECT string_agg(version::text, ',') FROM annals.snapshots") == "3")
      _ = try await runShell("rm -f \(file)")
    }
  }

  /// What a rule drops is not missing.
  @Test func upcastersThatDropEventsLeaveNoGap() async throws {
    try await withStore { db, annals in
      let file = "/tmp/annals-gap-\(db.name).sql"
      _ = try await runShell("printf -- '-- @upcaster u\\n-- @event T0\\n-- @drop\\n' > \(file)")
      for arguments in [
        ["stream", "a-2", "--strict"], ["snapshot", "show", "a-2", "--strict"], ["snapshot", "take", "a-2"],
      ] {
        let run = try await annals(arguments + ["--upcasters", file])
        #expect(run.exitCode == 0, "\(arguments): \(run.standardError)")
        if arguments[0] == "stream" {
          #expect(run.standardOutput.hasPrefix("a-2: 3 stored events, "), "\(run.standardOutput)")
        }
      }
      #expect(try await db.psql("SELECT version, state FROM annals.snapshots") == #"3|{"v1": 1, "v3": 3}"#)
      _ = try await runShell("rm -f \(file)")
    }
  }

  @Test func snapshotsOfWhatThereIsNotAreNotFound() async throws {
    try await withStore { db, annals in
      #expect(try await annals(["snapshot", "take", "a-2"]).exitCode == 0)
      for command in [["snapshot", "list"], ["snapshot", "prune", "--keep", "1", "-n"]] {
        for unknown in [["b"], ["a-2", "b"], ["--category", "b"]] {
          let run = try await annals(command + unknown)
          #expect(
            run.exitCode == 4 && run.standardError.contains("'b'"),
            "\(command + unknown): \(run.standardError)"
          )
        }
        for known in [["a-1"], ["a-2"], ["--category", "a"], []] {
          #expect(try await annals(command + known).exitCode == 0)
        }
      }
      // Its events are gone, and what was made from them is still there.
      try await db.psql("DELETE FROM events")
      #expect(try await annals(["snapshot", "list", "a-2"]).exitCode == 0)
    }
  }
}
