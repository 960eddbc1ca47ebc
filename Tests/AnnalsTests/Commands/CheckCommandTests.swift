import TestSupport
import Testing

@Suite struct CheckCommandTests {
  @Test func whatIsWrongIsOneLineAndStatus2() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      let healthy = try await db.check("--max-lag", "0", "--max-age", "1h")
      #expect(healthy.exitCode == 0)
      #expect(healthy.standardOutput.hasPrefix("ANNALS OK - head 3, 2 readers, at most 0 events behind | "))

      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('b', 'X', '{}', 1)"
      )
      let late = try await db.check("--max-lag", "0")
      #expect(late.exitCode == 2)
      #expect(late.standardOutput.hasPrefix("ANNALS CRITICAL - counts is 1 event, "))
      #expect(late.standardOutput.contains("; mail is 1 event, "))
      #expect(late.standardOutput.split(separator: "\n").count == 1)
      #expect(try await db.check("--max-lag", "1").exitCode == 0)
      #expect(try await db.check("--max-lag", "1h").exitCode == 0)
    }
  }

  /// Counting millions takes seconds; a limit is still compared with the real number.
  @Test func aLongLagIsCountedUpToALimit() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'long', 'X', '{}', n FROM generate_series(1, 100000) n
        """
      )
      let exact = try await db.check("--format", "json").standardOutput
      #expect(exact.contains(#""lag_events":100000,"lag_is_lower_bound":false"#), "\(exact)")
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('b', 'X', '{}', 1)"
      )
      let json = try await db.check("--format", "json").standardOutput
      #expect(json.contains(#""lag_events":100000,"lag_is_lower_bound":true"#), "\(json)")
      let metrics = try await db.check("--format", "prometheus").standardOutput
      #expect(metrics.contains(#"annals_lag_is_lower_bound{reader="mail",kind="replay"} 1"#))
      let text = try await db.check().standardOutput
      #expect(text.contains("2 readers, one more than 100000 events behind | lag_events=100000 "), "\(text)")
      let late = try await db.check("--max-lag", "5")
      #expect(late.standardOutput.contains("counts is more than 100000 events, "), "\(late)")
      let exceeded = try await db.check("--max-lag", "100000")
      #expect(
        exceeded.exitCode == 2 && exceeded.standardOutput.contains("counts is more than 100000 events, ")
      )
      let kept = try await db.check("--max-lag", "100001")
      #expect(kept.exitCode == 0 && kept.standardOutput.contains("at most 100001 events behind"), "\(kept)")

      let table = try await AnnalsBinary.run(["projections"], environment: db.environment).standardOutput
      #expect(table.contains(" 100,000+ "), "\(table)")
      let record = try await AnnalsBinary.run(["projections", "-o", "ndjson"], environment: db.environment)
      #expect(record.standardOutput.contains(#""lag_events":100000,"lag_is_lower_bound":true"#), "\(record)")
    }
  }

  @Test func ageAndDeadLettersAndErrorsCount() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      try await db.psql("UPDATE events SET timestamp = now() - interval '2 hours'")
      #expect(try await db.check("--max-age", "1h").exitCode == 2)
      #expect(try await db.check("--max-age", "3h").exitCode == 0)
      try await db.psql(#"UPDATE annals.generations SET error = '{"message": "disk | full"}'"#)
      let stopped = try await db.check()
      #expect(stopped.exitCode == 2)
      #expect(stopped.standardOutput.contains("counts stopped: disk / full |"))
    }
  }

  /// Nobody reads from a build; the command that builds reports its failure.
  @Test func aFailedBuildBesideALiveGenerationIsNoFault() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      try await db.psql(
        """
        INSERT INTO annals.generations (projection, number, version, definition, definition_hash, schema_name, state, error)
        VALUES ('counts', 2, 1, '', '', 'annals_counts_2', 'building', '{"code": "failed", "message": "no"}')
        """
      )
      let run = try await db.check("--max-lag", "0")
      #expect(run.exitCode == 0 && run.standardOutput.hasPrefix("ANNALS OK - head 3, 2 readers"))
    }
  }

  /// A monitor takes 1 for a warning.
  @Test func aSchemaThatIsBehindIsUnknown() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      try await db.psql("DELETE FROM annals.migrations WHERE number > 7")
      let run = try await db.check()
      #expect(run.exitCode == 3 && run.standardOutput.hasPrefix("ANNALS UNKNOWN - "), "\(run)")
    }
  }

  @Test func theSameForPrograms() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      let metrics = try await db.check("--format", "prometheus").standardOutput
      #expect(metrics.contains("\nannals_head_position 3\n"))
      #expect(metrics.contains(#"annals_lag_events{reader="counts",kind="projection"} 0"#))
      #expect(metrics.contains(#"annals_lag_events{reader="mail",kind="replay"} 0"#))
      let json = try await db.check("--format", "json").standardOutput
      let fields = try await db.psql(
        "SELECT j->>'status', j->>'head', j->'readers'->1->>'name' FROM (SELECT $j$\(json)$j$::jsonb AS j) AS t"
      )
      #expect(fields == "ok|3|mail")
    }
  }

  @Test func aStoreWithoutReadersIsChecked() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createShop()
      try await db.psql("DROP SCHEMA annals CASCADE")
      #expect(try await db.check("--max-lag", "0").standardOutput.contains("head 3, 0 readers"))
      #expect(try await db.check("--max-lag", "soon").exitCode == 64)
    }
  }
}

extension TestDatabase {
  fileprivate func check(_ options: String...) async throws -> ProgramRun {
    try await AnnalsBinary.run(["check"] + options, environment: environment)
  }

  /// Three events, a live projection and a replay with a checkpoint, both at the head.
  fileprivate func createShop() async throws {
    _ = try await AnnalsBinary.run(["init"], environment: environment)
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a', 'X', '{}', v FROM generate_series(1, 3) v;
      INSERT INTO annals.projections (name, store, live_schema) VALUES ('counts', 'public.events', 'public');
      INSERT INTO annals.generations (projection, number, version, definition, definition_hash, schema_name, state,
          position) VALUES ('counts', 1, 1, '', '', 'annals_counts_1', 'live', 3);
      INSERT INTO annals.checkpoints (name, store, filter, position) VALUES ('mail', 'public.events', '', 3);
      """
    )
  }
}
