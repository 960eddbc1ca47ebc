import FoundationEssentials
import TestSupport
import Testing

@Suite struct VerifyOtherKindsTests {
  @Test func orderIsCheckedAgainstPositionAndTime() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 4)
      try await db.psql(
        """
        UPDATE events SET "timestamp" = '2019-01-01' WHERE aggregate_id = 's-1' AND version = 3;
        ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key;
        UPDATE events SET version = 5 - version WHERE aggregate_id = 's-2' AND version IN (2, 3);
        """
      )
      #expect(try await db.verify("--skip", "time_order") == "position_order s-2 3 null\n2")
      // Without the index that orders them.
      let time = "time_order s-1 3 null\ntime_order s-2 3 null"
      #expect(try await db.verify("--only", "time_order") == "\(time)\n0", "clocks may disagree")
      #expect(try await db.verify("--only", "time_order", "--strict") == "\(time)\n2")
      #expect(try await db.verify("--only", "time_order", "--fail-on", "time_order") == "\(time)\n2")
      #expect(try await db.verify("--only", "time_order,position_order", "--fail-on", "gap").hasSuffix("\n0"))

      // cron mails what is printed, and a warning is no reason to.
      let table = { (arguments: [String]) in
        try await AnnalsBinary.run(["verify-versions"] + arguments, environment: db.environment)
          .standardOutput
      }
      #expect(try await table(["--only", "time_order"]) == "")
      #expect(try await table(["--only", "time_order", "--strict"]).split(separator: "\n").count == 3)
      #expect(try await table(["--only", "time_order", "--fail-on", "time_order"]) != "")
    }
  }

  /// The server shares even a small table when it is told that none is too small.
  @Test func workersFindTheSame() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 60, versions: 40)
      let parallel = TestDatabase(
        name: db.name,
        environment: db.environment.merging(["PGOPTIONS": "-c min_parallel_table_scan_size=0"]) { $1 }
      )
      try await withTemporaryDirectory { directory in
        let manifest = directory + "/m"
        #expect(try await db.verify("--workers", "1", "--manifest", manifest) == "0")
        #expect(try await parallel.verify("--workers", "3", "--manifest", manifest + "3") == "0")
        let same = try await runShell(
          "sed 1d \(manifest) > \(manifest)1; sed 1d \(manifest)3 | cmp - \(manifest)1"
        )
        #expect(same.exitCode == 0, "\(same.standardOutput)")
        try await db.psql(
          """
          UPDATE events SET "timestamp" = '2019-01-01' WHERE version = 7;
          UPDATE events SET event_data = '{}' WHERE aggregate_id = 's-9' AND version = 9;
          """
        )
        let findings = try await db.verify("--against", manifest)
        #expect(findings.split(separator: "\n").count == 122)
        #expect(try await parallel.verify("--workers", "3", "--against", manifest) == findings)
      }
    }
  }

  @Test func doubledIdsAndPositionsAreFoundWithoutTheirConstraints() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 3)
      try await db.psql(
        """
        CREATE SEQUENCE positions START 10;
        ALTER TABLE events DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_position_key,
          ALTER id DROP NOT NULL, ALTER position DROP IDENTITY, ALTER position DROP NOT NULL;
        ALTER TABLE events ALTER position SET DEFAULT nextval('positions');
        """
      )
      #expect(try await db.verify() == "0")
      try await db.psql(
        """
        UPDATE events SET id = (SELECT id FROM events WHERE aggregate_id = 's-1' AND version = 1)
          WHERE aggregate_id = 's-3' AND version = 3;
        UPDATE events SET id = NULL WHERE aggregate_id = 's-2' AND version = 2;
        UPDATE events SET position = 9 WHERE aggregate_id = 's-1' AND version = 3;
        """
      )
      let expected = "duplicate_id s-1 1 null\nduplicate_id s-2 2 null\nduplicate_position s-1 3 null\n2"
      #expect(try await db.verify() == expected)
      #expect(try await db.verify("s-3", "--only", "duplicate_id") == "duplicate_id s-1 1 null\n2")
      #expect(try await db.verify("s-2", "--only", "duplicate_position") == "0")
      let detail = try await AnnalsBinary.run(
        ["verify-versions", "--only", "duplicate_id", "-o", "csv"],
        environment: db.environment
      )
      #expect(detail.standardOutput.contains(" belongs to 2 events (s-1 1, s-3 3)"), "\(detail)")
      #expect(detail.standardOutput.contains("no id in 1 event (s-2 2)"), "\(detail)")
    }
  }

  /// A check of the empty store left a mark before all events. It does not look up which streams have events after
  /// that: that made two passes through the events instead of one.
  @Test func aMarkBeforeAllEventsCostsNothing() async throws {
    try await TestCluster.withDatabase { db in
      _ = try await AnnalsBinary.run(["init"], environment: db.environment)
      #expect(try await db.verify("--incremental") == "0")
      #expect(try await db.psql("SELECT position < 1 FROM annals.verifications") == "t")
      try await db.createEvents(aggregates: 100, versions: 300)
      let read =
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'events'::regclass"
      var costs: [Int] = []
      for mode in [[], ["--incremental"]] {
        try await db.awaitEnd(of: "psql")
        let before = Int(try await db.psql(read)) ?? 0
        #expect(try await db.verify(mode) == "0")
        try await db.awaitEnd(of: "annals")
        costs.append((Int(try await db.psql(read)) ?? 0) - before)
      }
      // An autoanalyze between them may change a plan a little.
      #expect(costs[0] >= 30_000 && costs[1] < costs[0] * 3 / 2, "\(costs)")
    }
  }

  /// The backend must not continue with a statement that nobody waits for.
  @Test func aSignalEndsTheStatementToo() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 2, versions: 3)
      let run = try await runShell(
        """
        psql -qX -c 'BEGIN; LOCK TABLE events; SELECT pg_sleep(60)' >/dev/null 2>&1 &
        sessions() { psql -qXAt -c "SELECT $1 FROM pg_stat_activity WHERE datname = current_database() AND $2"; }
        until test "$(sessions 'count(*)' "wait_event = 'PgSleep'")" = 1; do sleep 0.05; done
        '\(AnnalsBinary.path)' verify-versions & pid=$!
        until test "$(sessions 'count(*)' "wait_event_type = 'Lock'")" = 1; do sleep 0.05; done
        kill -TERM $pid; wait $pid; status=$?
        until test "$(sessions 'count(*)' "wait_event_type = 'Lock'")" = 0; do sleep 0.05; done
        sessions 'pg_terminate_backend(pid)' "wait_event = 'PgSleep'"
        exit $status
        """,
        environment: db.environment
      )
      // The lock was still held when the backend had gone.
      #expect(run.exitCode == 143 && run.standardOutput == "t\n", "\(run)")
    }
  }

  /// Commands that continue from a position refuse these, so they are a warning; a sequence behind the events is an
  /// error.
  @Test func whatKeepsReadersFromGoingOnIsFound() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 3)
      try await db.psql("ALTER SEQUENCE events_position_seq CACHE 20")
      #expect(try await db.verify() == "positions_not_final null null null\n0")
      #expect(try await db.verify("--strict") == "positions_not_final null null null\n2")
      #expect(try await db.verify("--skip", "positions_not_final") == "0")
      #expect(try await db.verify("s-1") == "0")
      try await db.psql("ALTER SEQUENCE events_position_seq CACHE 1; SELECT setval('events_position_seq', 8)")
      #expect(try await db.verify() == "sequence_behind null null null\n2")
    }
  }

  @Test func whatIsAheadOfTheStoreIsFound() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 2, versions: 3)
      try await db.psql(
        """
        INSERT INTO annals.reducers (store, name, version, hash)
          VALUES ('public.events', 'r', 1, ''), ('public.others', 'r', 1, '');
        INSERT INTO annals.snapshots (reducer, aggregate_id, version, event_id, state)
          SELECT r.id, a, v, gen_random_uuid(), '{}' FROM annals.reducers r,
            (VALUES ('public.events', 's-1', 3), ('public.events', 's-2', 4), ('public.events', 't', 1),
              ('public.others', 's-1', 9)) x (store, a, v) WHERE r.store = x.store;
        INSERT INTO annals.projections (name, store, live_schema) VALUES ('p', 'public.events', 'public');
        INSERT INTO annals.generations (projection, number, version, definition, definition_hash, schema_name, state,
            position)
          VALUES ('p', 1, 1, '', '', 'g1', 'retired', 6), ('p', 2, 1, '', '', 'g2', 'live', 7);
        INSERT INTO annals.checkpoints (name, store, filter, position)
          VALUES ('c', 'public.events', '', 6), ('d', 'public.events', '', 8), ('e', 'public.others', '', 8);
        """
      )
      let snapshots = "snapshot_ahead s-2 4 null\nsnapshot_ahead t 1 null"
      #expect(
        try await db.verify()
          == "checkpoint_ahead null null null\ncheckpoint_ahead null null null\n\(snapshots)\n2"
      )
      #expect(try await db.verify("s-2") == "snapshot_ahead s-2 4 null\n2")
      // Who may only read the events is not troubled with annals' own tables.
      try await db.psql("CREATE ROLE \"r\(db.name)\" LOGIN; GRANT SELECT ON events TO \"r\(db.name)\"")
      let reader = TestDatabase(
        name: db.name,
        environment: db.environment.merging(["PGUSER": "r\(db.name)"]) { $1 }
      )
      #expect(try await reader.verify() == "0")
      try await db.psql("DROP OWNED BY \"r\(db.name)\"; DROP ROLE \"r\(db.name)\"")
    }
  }

  @Test func aClassicTableIsNamedAsSuch() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id varchar(255) NOT NULL,
          event_type varchar(100) NOT NULL, event_data jsonb NOT NULL, version int NOT NULL,
          timestamp timestamp NOT NULL, UNIQUE (aggregate_id, version));
        INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
          SELECT 's-1', 't', '{}', v, '2020-01-10'::timestamp - v * interval '1 day' FROM generate_series(1, 2) v;
        """
      )
      #expect(try await db.verify() == "classic_table null null null\ntime_order s-1 2 null\n0")
      #expect(try await db.verify("--skip", "classic_table,time_order", "--strict") == "0")
    }
  }

  @Test func metricsAreReplacedAsAWhole() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 2, versions: 3)
      try await withTemporaryDirectory { directory in
        let file = directory + "/annals.prom"
        #expect(try await db.verify("--metrics-file", file) == "0")
        let clean = try String(contentsOfFile: file, encoding: .utf8)
        #expect(clean.contains("annals_verify_findings{store=\"public.events\",kind=\"gap\"} 0\n"))
        #expect(clean.contains("annals_verify_events{store=\"public.events\"} 6\n"))
        #expect(clean.contains("annals_verify_last_success_timestamp_seconds{store=\"public.events\"} "))
        try await db.psql("DELETE FROM events WHERE version = 2")
        #expect(try await db.verify("--metrics-file", file).hasSuffix("\n2"))
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("kind=\"gap\"} 2\n"))
        // A check that fails leaves the last good one's file, so that its age shows.
        #expect(try await db.verify("nonesuch", "--metrics-file", file) == "4")
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("kind=\"gap\"} 2\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["annals.prom"])
        #expect(try await db.verify("--metrics-file", directory + "/none/x.prom") == "1")
      }
    }
  }

  @Test func anIncrementalCheckGoesOnWhereTheLastOneEnded() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 4, versions: 3)
      let checked = { () async throws -> String in
        let run = try await AnnalsBinary.run(
          ["verify-versions", "--incremental", "-o", "json"],
          environment: db.environment
        )
        let events = run.standardOutput.split(separator: "\"events\":").last?.prefix { $0.isNumber } ?? ""
        return "\(events) events, status \(run.exitCode ?? -1)"
      }
      let append = { (aggregate: String, version: Int) async throws in
        _ = try await db.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('\(aggregate)', 'T', '{}', \(version))"
        )
      }
      #expect(try await checked() == "12 events, status 0")
      #expect(try await checked() == "0 events, status 0")
      try await append("s-2", 4)
      #expect(try await checked() == "4 events, status 0")
      // A stream with a fault is looked at until it has none.
      try await append("s-3", 5)
      for _ in 1...2 { #expect(try await checked() == "4 events, status 2") }
      try await append("s-3", 4)
      try await db.psql("UPDATE events SET position = DEFAULT WHERE aggregate_id = 's-3' AND version = 5")
      #expect(try await checked() == "5 events, status 0")
      // After a restore the mark is worth nothing.
      try await db.psql(
        "DELETE FROM events WHERE position > 12; DELETE FROM events WHERE aggregate_id = 's-1' AND version = 2"
      )
      #expect(try await checked() == "11 events, status 2")
      try await db.psql("DROP SCHEMA annals CASCADE")
      #expect(try await checked() == " events, status 1")
    }
  }

  @Test func aGapIsExplained() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 3, versions: 3)
      try await db.psql("ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key")
      let causes = { (arguments: [String]) async throws -> String in
        let run = try await AnnalsBinary.run(
          ["verify-versions", "--explain", "-o", "csv", "--skip", "time_order"] + arguments,
          environment: db.environment
        )
        return run.standardOutput.split(separator: "\r\n").dropFirst().map { line in
          let kind = line.prefix { $0 != "," }
          let words = ["in_flight", "rolled_back", "deleted", "archived", "never_written", "unknown"]
          return "\(kind) \(words.first { line.contains(",\($0),") } ?? "-")"
        }.joined(separator: "\n")
      }
      // The version is left out, and no position is.
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-1', 'T', '{}', 5)"
      )
      #expect(try await causes([]) == "gap never_written")
      // Rolled back: the position is gone.
      try await db.psql(
        """
        BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-2', 'T', '{}', 4); ROLLBACK;
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-2', 'T', '{}', 5);
        """
      )
      // A session's statistics arrive after its end.
      while try await db.psql("SELECT n_tup_ins < 12 FROM pg_stat_user_tables WHERE relname = 'events'")
        == "t"
      {}
      #expect(try await causes(["s-2"]) == "gap rolled_back")
      #expect(try await causes(["--only", "position_hole"]) == "position_hole rolled_back")
      // A writer whose position is below what is visible.
      async let writing = db.psql(
        """
        BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-3', 'T', '{}', 4);
        SELECT pg_sleep(600)
        """
      )
      let writers = "FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 'events'::regclass"
      try await until { try await db.psql("SELECT count(*) \(writers)") != "0" }
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-3', 'T', '{}', 5)"
      )
      #expect(try await causes(["s-3"]) == "gap in_flight")
      try await db.psql("SELECT pg_terminate_backend(pid) \(writers)")
      _ = try? await writing
      try await until { try await db.psql("SELECT count(*) \(writers)") == "0" }
      try await db.psql("DELETE FROM events WHERE position <= 3")
      // A session's statistics arrive after its end.
      try await until {
        try await db.psql("SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'events'") != "0"
      }
      #expect(
        try await causes(["s-2", "--only", "versions"]) == "wrong_first_version archived\ngap deleted"
      )
    }
  }

  /// If the statistics know of no deletion, there may have been one nevertheless.
  @Test func whatStatisticsDoNotReachIsNotSafe() async throws {
    try await TestCluster.withDatabase { db in
      let explained = { (kinds: String) async throws -> String in
        try await AnnalsBinary.run(
          ["verify-versions", "--explain", "-o", "ndjson", "--only", kinds],
          environment: db.environment
        ).standardOutput
      }
      // The first event of the store was rolled back.
      _ = try await AnnalsBinary.run(["init"], environment: db.environment)
      let insert = "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES"
      try await db.psql("BEGIN; \(insert) ('s-1', 'T', '{}', 1); ROLLBACK; \(insert) ('s-1', 'T', '{}', 1)")
      let inserts = {
        try await db.psql("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'events'")
      }
      try await until { try await inserts() == "2" }
      var found = try await explained("position_hole")
      #expect(found.contains(#""cause":"rolled_back""#) && found.contains(#""safe":true"#), "\(found)")

      // One was deleted, and then the statistics were lost.
      try await db.psql("\(insert) ('s-1', 'T', '{}', 2), ('s-1', 'T', '{}', 3)")
      try await db.psql("DELETE FROM events WHERE version = 2")
      try await until {
        try await db.psql("SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'events'") == "1"
      }
      #expect(try await explained("gap").contains(#""cause":"deleted""#))
      try await db.psql("SELECT pg_stat_reset()")
      for kinds in ["gap", "position_hole"] {
        found = try await explained(kinds)
        #expect(found.contains(#""cause":"unknown""#) && !found.contains(#""safe":true"#), "\(found)")
      }
    }
  }

  /// Statistics are kept of partitions, and not of the table that has them.
  @Test func theStatisticsOfPartitionsCount() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid DEFAULT gen_random_uuid(), aggregate_id text COLLATE "C" NOT NULL,
          event_type text NOT NULL, event_data jsonb NOT NULL, version int NOT NULL,
          "timestamp" timestamptz NOT NULL DEFAULT now(), metadata jsonb,
          position bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY, UNIQUE (aggregate_id, version))
          PARTITION BY HASH (aggregate_id);
        CREATE TABLE e0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE e1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        """
      )
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 's-' || s, 'T', '{}', v FROM generate_series(1, 3) v, generate_series(1, 4) s
        """
      )
      try await db.psql("DELETE FROM events WHERE version = 2")
      try await until { try await db.psql("SELECT sum(n_tup_del) FROM pg_stat_user_tables") == "4" }
      let run = try await AnnalsBinary.run(
        ["verify-versions", "--explain", "-o", "ndjson", "--only", "gap"],
        environment: db.environment
      )
      let lines = run.standardOutput.split(separator: "\n")
      #expect(
        lines.count == 4 && lines.allSatisfy { $0.contains(#""cause":"deleted""#) },
        "\(run.standardOutput)"
      )
    }
  }

  /// A statement for each kind must not see a writer's half-finished work: the streams never have a gap.
  @Test func writersAtWorkCauseNoFinding() async throws {
    try await TestCluster.withDatabase { db in
      try await db.createEvents(aggregates: 20, versions: 1)
      async let writing = db.psql(
        """
        DO $$ BEGIN FOR v IN 2..200 LOOP
          INSERT INTO events (aggregate_id, event_type, event_data, version)
            SELECT 's-' || a, 'Happened', '{}', v FROM generate_series(1, 20) a;
          COMMIT;
        END LOOP; END $$
        """
      )
      try await withTemporaryDirectory { directory in
        var run = try await db.verify("--manifest", directory + "/0")
        #expect(run == "0")
        for round in 1...4 {
          run = try await db.verify(
            "--against",
            "\(directory)/\(round - 1)",
            "--manifest",
            "\(directory)/\(round)"
          )
          #expect(run == "0")
        }
      }
      _ = try await writing
    }
  }
}

func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
  let directory =
    FileManager.default.temporaryDirectory.path + "/annals-test-\(UInt64.random(in: .min ... .max))"
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  do { try await body(directory) } catch {
    try? FileManager.default.removeItem(atPath: directory)
    throw error
  }
  try FileManager.default.removeItem(atPath: directory)
}
