import TestSupport
import Testing

@Suite struct SnapshotCommandTests {
  @Test func theWholeLife() async throws {
    try await TestCluster.withDatabase { database in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(["snapshot"] + arguments, environment: database.environment)
      }
      #expect(
        try await AnnalsBinary.run(["init"], environment: database.environment).exitCode == 0
      )
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp) VALUES
          ('a-1', 'Opened', '{"status": "open", "n": 1}', 1, '2026-01-01Z'),
          ('a-1', 'Closed', '{"status": "closed"}', 2, '2026-01-02Z'),
          ('a-2', 'Opened', '{}', 1, '2026-01-01Z'), ('a-3', 'Opened', '{}', 2, '2026-01-01Z')
        """
      )
      var run = try await annals(["show", "a-1"])
      #expect(run.standardOutput == #"{"n": 1, "status": "closed"}"# + "\n")
      #expect(run.standardError == "")
      run = try await annals(["show", "a-1", "--at", "2026-01-01 12:00"])
      #expect(run.standardOutput == #"{"n": 1, "status": "open"}"# + "\n")
      run = try await annals(["show", "a-1", "--diff", "1", "2026-01-03", "-o", "ndjson"])
      #expect(
        run.standardOutput == #"{"change":"changed","path":".status","old":"open","new":"closed"}"# + "\n"
      )
      run = try await annals(["show", "a-1", "--blame", ".status", "-o", "csv"])
      #expect(run.standardOutput.contains(".status,2,Closed,2026-01-02T00:00:00Z,"))
      #expect(try await annals(["show", "b"]).exitCode == 4)
      #expect(try await annals(["show", "a-1", "--at-version", "3"]).exitCode == 4)
      run = try await annals(["show", "a-1", "--at", "2025"])
      #expect(
        run.standardError.contains("its earliest event is of 2026-01-01T00:00:00Z."),
        "\(run.standardError)"
      )
      // A day is meant at its end.
      #expect(try await annals(["show", "a-1", "--at", "2026-01-02"]).standardOutput.contains("closed"))
      for wrong in [["--diff", "1"], ["path"], ["--diff", "1", "2", "--blame"], ["--at-version", "x"]] {
        #expect(try await annals(["show", "a-1"] + wrong).exitCode == 64)
      }

      run = try await annals(["take", "--all"])
      #expect(run.exitCode == 5)
      #expect(run.standardOutput == "")
      #expect(run.standardError.contains("'a-3'"))
      #expect(try await annals(["take", "a-1", "a-2"]).exitCode == 0)
      #expect(try await annals(["take"]).exitCode == 64)
      #expect(try await annals(["take", "a-1", "--all"]).exitCode == 64)
      #expect(try await annals(["take", "a-1", "b"]).exitCode == 4)
      run = try await annals(["list", "-o", "ndjson"])
      #expect(run.standardOutput.split(separator: "\n").count == 2)
      #expect(
        run.standardOutput.contains(#""aggregate_id":"a-1","version":2,"position":2,"reducer":"merge""#)
      )

      #expect(try await annals(["verify"]).exitCode == 0)
      try await database.psql("UPDATE annals.snapshots SET state = '{\"n\": 2}' WHERE aggregate_id = 'a-1'")
      run = try await annals(["verify", "-o", "ndjson"])
      #expect(run.exitCode == 2)
      #expect(run.standardOutput.contains(#""path":".n","stored":2,"recomputed":1"#))
      #expect(run.standardOutput.contains(#""path":".status","stored":null,"recomputed":"closed""#))

      run = try await annals(["prune", "--keep", "0", "-n"])
      #expect(run.standardOutput.hasPrefix("-- deletes 2 snapshots\nDELETE FROM annals.snapshots"))
      #expect(try await annals(["prune", "--keep", "0"]).exitCode == 64)
      #expect(try await annals(["prune", "--keep", "0", "--yes"]).exitCode == 0)
      #expect(try await annals(["list"]).standardOutput == "")
    }
  }

  @Test func aWrongReducerFileIsNamedWithItsPlace() async throws {
    try await TestCluster.withDatabase { database in
      let run = try await AnnalsBinary.run(
        ["snapshot", "show", "a", "--reducer", "-"],
        stdin: "-- @reducer r\n-- @om T\nSELECT state",
        environment: database.environment
      )
      #expect(run.exitCode == 78)
      #expect(run.standardError.contains("-:2:1: unknown section @om"))
      #expect(run.standardError.contains("HINT:  Did you mean @on?"))
    }
  }
}
