import TestSupport
import Testing

@Suite struct VerifyVersionsTests {
  @Test func aCleanStoreIsSilent() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      #expect(try await db.verify() == "0")
      #expect(try await db.verify("s-1", "s-3") == "0")
      #expect(try await db.verify("--category", "s") == "0")
      try await db.psql("TRUNCATE events")
      #expect(try await db.verify() == "0", "an empty store has no fault")
    }
  }

  @Test func aMissingVersionIsNamed() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 9)
      try await db.psql("DELETE FROM events WHERE aggregate_id = 's-2' AND version IN (3, 4, 7)")
      #expect(try await db.verify() == "gap s-2 3 4\ngap s-2 7 7\n2")
      #expect(try await db.verify("s-1") == "0")
      #expect(try await db.verify("--category", "s") == "gap s-2 3 4\ngap s-2 7 7\n2")
      let table = try await AnnalsBinary.run(["verify-versions"], environment: db.environment)
      #expect(
        table.standardOutput.contains("2 versions are missing, 3 to 4: 2 is followed by 5"),
        "\(table.standardError)"
      )
    }
  }

  @Test func everyFaultOfVersionsIsFoundWithoutConstraints() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 7, versions: 5)
      try await db.psql(
        """
        ALTER TABLE events ALTER version DROP NOT NULL, ALTER aggregate_id DROP NOT NULL,
          DROP CONSTRAINT events_version_check, DROP CONSTRAINT events_aggregate_id_version_key;
        DELETE FROM events WHERE aggregate_id = 's-1' AND version <= 2;
        UPDATE events SET version = 4 WHERE aggregate_id = 's-2' AND version = 5;
        -- As many as the highest version, and one doubled: count(*) = max(version) holds.
        UPDATE events SET version = 4 WHERE aggregate_id = 's-3' AND version = 3;
        UPDATE events SET version = NULL WHERE aggregate_id = 's-4' AND version = 5;
        UPDATE events SET version = -1 WHERE aggregate_id = 's-5' AND version = 5;
        UPDATE events SET version = 2147483647 WHERE aggregate_id = 's-6' AND version = 5;
        UPDATE events SET aggregate_id = NULL WHERE aggregate_id = 's-7' AND version = 5;
        """
      )
      #expect(
        try await db.verify("--only", "versions") == """
          invalid_version null null null
          wrong_first_version s-1 1 2
          duplicate_version s-2 4 4
          gap s-3 3 3
          duplicate_version s-3 4 4
          invalid_version s-4 null null
          invalid_version s-5 -1 -1
          gap s-6 5 2147483646
          2
          """
      )
    }
  }

  @Test func streamsMayBeginWithZero() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 1, versions: 3)
      #expect(try await db.verify("--first-version", "0") == "wrong_first_version s-1 0 0\n2")
      try await db.psql(
        "ALTER TABLE events DROP CONSTRAINT events_version_check; UPDATE events SET version = -version;"
          + " UPDATE events SET version = 3 + version"
      )
      #expect(try await db.verify("--first-version", "0", "--only", "versions") == "0")
      #expect(try await db.verify("--only", "versions") == "invalid_version s-1 0 0\n2")
    }
  }

  /// The table as Rails and others make it: no positions, no zone, no unique pair; and a role that may only read it.
  @Test func aClassicTableNeedsSelectAlone() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid, aggregate_id varchar(255), event_type varchar(100), event_data jsonb,
          version int, timestamp timestamp);
        INSERT INTO events SELECT gen_random_uuid(), 's-1', 't', '{}', v, now() FROM generate_series(1, 4) v;
        CREATE ROLE "reader_\(db.name)" LOGIN;
        REVOKE ALL ON DATABASE \(db.name) FROM PUBLIC;
        GRANT CONNECT ON DATABASE \(db.name) TO "reader_\(db.name)";
        GRANT SELECT ON events TO "reader_\(db.name)";
        """
      )
      let reader = TestDatabase(
        name: db.name,
        environment: db.environment.merging(["PGUSER": "reader_\(db.name)"]) { $1 }
      )
      #expect(try await reader.verify("--only", "versions") == "0")
      try await db.psql("UPDATE events SET version = 3 WHERE version = 4")
      #expect(try await reader.verify("--only", "versions") == "duplicate_version s-1 3 3\n2")
      try await db.psql("DROP OWNED BY \"reader_\(db.name)\"; DROP ROLE \"reader_\(db.name)\"")
    }
  }

  @Test func whatMatchesNothingIsNotClean() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 1, versions: 1)
      #expect(try await db.verify("s-1", "s-2") == "4")
      // What begins alike is no category.
      #expect(try await db.verify("--category", "") == "64")
      // One with a hyphen narrows another down.
      #expect(try await db.verify("--category", "s-1") == "0")
      #expect(try await db.verify("--category", "s-") == "4")
      try await db.psql("UPDATE events SET aggregate_id = 's.1'")
      #expect(try await db.verify("--category", "s") == "4")
      try await db.psql("UPDATE events SET aggregate_id = 's'")
      #expect(try await db.verify("--category", "s") == "0")
    }
  }

  @Test func everyFormatHoldsTheSameFindings() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 3)
      try await db.psql("DELETE FROM events WHERE version = 2")
      let run = { (format: String) in
        try await AnnalsBinary.run(
          ["verify-versions", "-o", format, "--max-findings", "2"],
          environment: db.environment
        )
      }
      let json = try await run("json")
      #expect(
        try await db.psql(
          """
          SELECT v->>'status', v->'checked'->>'events', v->'counts'->>'gap', jsonb_array_length(v->'findings'),
            v->'findings'->1->>'aggregate_id', v->'findings'->1->'version'
          FROM (VALUES ('\(json.standardOutput)'::jsonb)) x (v)
          """
        ) == "errors|6|3|2|s-2|2"
      )
      #expect(json.standardError == "annals: 1 more finding is not shown (--max-findings)\n")
      #expect(try await run("ndjson").standardOutput.split(separator: "\n").count == 2)
      #expect(try await run("csv").standardOutput.split(separator: "\r\n").count == 3)
      #expect(try await run("table").standardOutput.split(separator: "\n").count == 3)
      try await db.psql("TRUNCATE events")
      #expect(try await run("json").standardOutput.contains("\"status\":\"clean\""))
    }
  }

  @Test(arguments: [
    ["s-1", "--category", "s"], ["--first-version", "2"], ["--max-findings", "-1"],
    ["--incremental", "--category", "s"], ["--incremental", "--only", "gap"],
    ["s-1", "--manifest", "/tmp/x"], ["--workers", "0"],
    ["--time-limit", "1h", "s-1"], ["--time-limit", "1h", "--category", "s"],
    ["--time-limit", "1h", "--incremental"],
    ["--time-limit", "1h", "--explain"], ["--time-limit", "1h", "--write-baseline", "/tmp/x"],
    ["--time-limit", "1h", "--manifest", "/tmp/x"], ["--time-limit", "1h", "--against", "/tmp/x"],
    ["--time-limit", "1h", "--metrics-file", "/tmp/x.prom"],
    ["--only", "gap,"],
  ])
  func usageErrors(arguments: [String]) async throws {
    #expect(try await AnnalsBinary.run(["verify-versions"] + arguments).exitCode == 64)
  }

  /// If the first part is the whole store, it ends the pass, and the next check begins again.
  @Test func partByPart() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      #expect(try await db.verify("--time-limit", "1ms") == "0")
      #expect(
        try await db.psql("SELECT store, aggregate_id IS NULL FROM annals.partial_verifications")
          == "public.events|t"
      )
      try await db.psql("DELETE FROM events WHERE aggregate_id = 's-2' AND version = 2")
      #expect(try await db.verify("--time-limit", "1ms") == "gap s-2 2 2\n2")
      // The place of a run that ended sooner is where the next one continues.
      try await db.psql("UPDATE annals.partial_verifications SET aggregate_id = 's-2'")
      #expect(try await db.verify("--time-limit", "1ms") == "0")
    }
  }
}

extension TestDatabase {
  /// Streams s-1, s-2 … with so many versions each, appended one after another in turn.
  func createEvents(aggregates: Int, versions: Int) async throws {
    let run = try await AnnalsBinary.run(["init"], environment: environment)
    try #require(run.exitCode == 0, "\(run.standardError)")
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      SELECT 's-' || a, 'Happened', jsonb_build_object('n', a), v, '2020-01-01'::timestamptz + make_interval(days => v)
      FROM generate_series(1, \(versions)) v, generate_series(1, \(aggregates)) a ORDER BY v, a
      """
    )
  }

  /// Kind, aggregate and versions of each finding, a line each; then the exit status.
  func verify(_ arguments: String...) async throws -> String { try await verify(arguments) }

  func verify(_ arguments: [String]) async throws -> String {
    let run = try await AnnalsBinary.run(
      ["verify-versions", "-o", "ndjson"] + arguments,
      environment: environment
    )
    var lines = run.standardOutput.split(separator: "\n").map { line in
      ["kind", "aggregate_id", "version", "last_version"].map { member($0, of: line) }.joined(separator: " ")
    }
    lines.append(run.exitCode.map { String($0) } ?? "\(run.status)")
    return lines.joined(separator: "\n")
  }

  private func member(_ name: String, of line: Substring) -> String {
    let value = line.split(separator: "\"\(name)\":", maxSplits: 1)[1]
    return value.prefix { $0 != "," }.filter { $0 != "\"" }
  }
}
