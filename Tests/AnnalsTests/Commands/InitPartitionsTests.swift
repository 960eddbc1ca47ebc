import TestSupport
import Testing

@Suite struct InitPartitionsTests {
  @Test func aStoreIsPartitionedAndMovedInto() async throws {
    try await TestCluster.withDatabase { db in
      func annals(_ arguments: String...) async throws -> ProgramRun {
        try await AnnalsBinary.run(arguments, environment: db.environment)
      }
      let script = try await annals("init", "-n", "--partitions", "2")
      #expect(script.standardOutput.contains("PARTITION BY HASH (aggregate_id)"))
      #expect(try await annals("init").exitCode == 0)
      let refused = try await annals("init", "--partitions", "2")
      #expect(refused.exitCode == 78)
      #expect(
        refused.standardError.contains("HINT:  Create another table with --table"),
        "\(refused.standardError)"
      )
      for number in ["0", "1025", "x"] {
        #expect(try await annals("init", "--partitions", number).exitCode == 64)
      }
      for stream in ["a", "b", "c"] { #expect(try await annals("append", stream, "T", "{}").exitCode == 0) }

      // As the manual says.
      #expect(try await annals("init", "--table", "events_new", "--partitions", "16").exitCode == 0)
      let page = try SourceTree.read("man/annals-init.1")
      let begin = try #require(page.firstRange(of: "BEGIN;\n"))
      let end = try #require(page.firstRange(of: "COMMIT;\n"))
      let example = page[begin.lowerBound..<end.upperBound]
      try await db.psql(String(example))
      let before = try await annals("stream", "--table", "events_old", "-o", "ndjson").standardOutput
      #expect(try await annals("stream", "-o", "ndjson").standardOutput == before)
      #expect(try await annals("init", "--partitions", "16").exitCode == 0)
      #expect(try await annals("append", "d", "T", "{}").standardError == "")
      #expect(try await db.psql("SELECT max(position), count(*) FROM events") == "4|4")
    }
  }

  @Test func whatNoIndexSeesToIsSaidOnce() async throws {
    try await TestCluster.withDatabase { db in
      let lines = (1...3).map { #"{"aggregate_id":"a\#($0)","event_type":"T","event_data":{}}"# }
      try await db.psql(
        #"CREATE TABLE x (id uuid, aggregate_id text, event_type text, event_data jsonb, version int, "timestamp" timestamptz)"#
      )
      let run = try await runShell(
        "printf '%s\\n' '\(lines.joined(separator: "' '"))' | '\(AnnalsBinary.path)' append --from - --table x --batch-size 1",
        environment: db.environment
      )
      #expect(run.exitCode == 0, "\(run.standardError)")
      #expect(
        run.standardError.ranges(of: "no unique index of public.x keeps ids and versions apart").count == 1
      )
    }
  }
}
