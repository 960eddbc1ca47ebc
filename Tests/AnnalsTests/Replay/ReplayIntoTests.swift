import FoundationEssentials
import TestSupport
import Testing

/// `replay --into`: a read model aside, over some of history.
@Suite struct ReplayIntoTests {
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT (ARRAY['order-', 'cart-'])[n % 2 + 1] || n % 10, (ARRAY['Added', 'It''s "$1" \\ odd'])[n % 3 / 2 + 1],
           jsonb_build_object('n', n), n / 10 + 1, '2026-01-01'::timestamptz + n * interval '1 hour'
    FROM generate_series(0, 999) n;
    """

  private static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
    -- @on *
    INSERT INTO sums VALUES (event.aggregate_id, 1, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total;

    """

  /// Rows by which the read model in schema `whatif` differs from what SQL makes of the events.
  private static func difference(_ condition: String) -> String {
    """
    WITH expected AS (
      SELECT aggregate_id::text COLLATE "default", count(*), sum((event_data->>'n')::bigint)::bigint FROM events
      WHERE \(condition) GROUP BY 1)
    SELECT count(*) FROM ((TABLE expected EXCEPT TABLE whatif.sums) UNION ALL (TABLE whatif.sums EXCEPT TABLE expected)) AS d
    """
  }

  private static let filters: [(arguments: [String], condition: String)] = [
    ([], "true"),
    (["--until", "2026-01-10T00:00:00Z"], "timestamp <= '2026-01-10T00:00:00Z'"),
    (["--since", "2026-02-01T00:00:00Z"], "timestamp >= '2026-02-01T00:00:00Z'"),
    (["--category", "order"], "aggregate_id LIKE 'order-%'"),
    (["--type", #"It's "$1" \ odd"#], "event_type <> 'Added'"),
    (["--type", "Added", "--type", #"It's "$1" \ odd"#, "--aggregate", "cart-3"], "aggregate_id = 'cart-3'"),
    (["--from-position", "11", "--to-position", "500"], "position BETWEEN 11 AND 500"),
    (["--category", "cart", "--limit", "77"], "aggregate_id LIKE 'cart-%' AND position <= 154"),
    (["--limit", "0"], "false"),
  ]

  @Test(arguments: filters.indices)
  func filtersMeanWhatTheySay(index: Int) async throws {
    let (arguments, condition) = Self.filters[index]
    try await withEvents { db, _ in
      try await db.psql(Self.fill + "DROP SCHEMA annals CASCADE")
      let run = try await into("whatif", arguments, in: db)
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "", "\(run.standardError)")
      #expect(try await db.psql(Self.difference(condition)) == "0")
      #expect(
        try await db.psql("SELECT count(*) > 0 FROM events WHERE \(condition)") != (index == 8 ? "t" : "f")
      )
    }
  }

  @Test func itIsWhatARebuildMakes() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      #expect(try await into("whatif", in: db).exitCode == 0)
      #expect(try await db.psql("SELECT count(*) FROM annals.projections") == "0")
      let rebuild = try await AnnalsBinary.run(
        ["rebuild-projection", "-"],
        stdin: Self.sums,
        environment: db.environment
      )
      #expect(rebuild.exitCode == 0)
      let rows = "SELECT * FROM %.sums ORDER BY id"
      let live = try await db.psql(rows.replacing("%", with: "public"))
      let aside = try await db.psql(rows.replacing("%", with: "whatif"))
      #expect(live == aside && !live.isEmpty)
      let comment = try await db.psql("SELECT obj_description('whatif'::regnamespace)")
      #expect(comment.hasSuffix("projection sums over 1000 events up to position 1000 of public.events"))
    }
  }

  @Test func aSchemaThatIsThereIsLeftAlone() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill + "CREATE SCHEMA \"it's mine\"")
      for arguments in [[], ["-n"]] {
        let run = try await into("it's mine", arguments, in: db)
        #expect(run.exitCode == 1 && run.standardOutput.isEmpty)
        #expect(run.standardError.contains(#"DROP SCHEMA "it's mine" CASCADE;"#))
      }
      let plan = try await into("other", ["-n"], in: db)
      #expect(plan.exitCode == 0 && plan.standardOutput.hasPrefix("about "))
      let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('other', 'annals_check_sums')"
      #expect(try await db.psql(schemas) == "0")
      #expect(try await db.psql("SELECT count(*) FROM pg_class WHERE relname = 'sums'") == "0")
    }
  }

  @Test func findingsAndFailuresLeaveItToLookAt() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      var run = try await into("checked", file: Self.sums + "-- @check few\nSELECT id FROM sums", in: db)
      #expect(run.exitCode == 2)
      #expect(run.standardError.hasPrefix("annals: -: check failed: few\n  {\"id\": "))

      run = try await into("failed", file: Self.sums + "SELECT 1 / (event.position - 700);", in: db)
      #expect(run.exitCode == 1)
      #expect(run.standardError.contains("-:7: the handler failed for the event at position 700 "))
      #expect(run.standardError.contains(#"HINT:  Inspect what was built so far"#))
      #expect(run.standardError.contains(#"DROP SCHEMA "failed" CASCADE;"#))
      #expect(try await db.psql("SELECT obj_description('failed'::regnamespace) LIKE '%, unfinished'") == "t")

      // What is wrong before the first event leaves nothing.
      for (file, status) in [
        (Self.sums + "SELECT x;", 78), (Self.sums.replacing("TABLE sums", with: "TABLE public.sums"), 78),
      ] {
        run = try await into("wrong", file: file, in: db)
        #expect(run.exitCode.map { Int($0) } == status, "\(run.standardError)")
        #expect(try await db.psql("SELECT to_regclass('public.sums'), to_regnamespace('wrong')") == "|")
      }
    }
  }

  @Test(arguments: [
    ["--into", "x"], ["orders.sql"], ["--into", "", "-"], ["--into", "x", "-", "--follow"],
    ["--into", "x", "-", "--checkpoint", "c"], ["--into", "x", "-", "--exec", "cat"], ["--progress", "1"],
    ["--into", "x", "-", "--rate", "1"], ["--into", "x", "-", "--time-limit", "1"],
  ])
  func whatDoesNotGoTogether(arguments: [String]) async throws {
    let run = try await AnnalsBinary.run(["replay"] + arguments)
    #expect(run.exitCode == 64)
  }

  @Test func whoEndsItIsToldWhatToDrop() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let gated = Self.sums + "SELECT pg_sleep(60) WHERE event.position = 10;\n"
      let run = try await runShell(
        """
        '\(AnnalsBinary.path)' replay --into whatif - <<'END' & pid=$!
        \(gated)
        END
        until test "$(psql -qAtXc "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")" = 1
        do sleep 0.05; done
        kill -USR1 $pid; kill -TERM $pid; wait $pid
        """,
        environment: db.environment
      )
      #expect(run.exitCode == 143)
      #expect(run.standardError.contains(#"DROP SCHEMA IF EXISTS "whatif" CASCADE;"#), "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*) FROM whatif.sums") == "0", "the chunk was rolled back")
    }
  }

  private func into(
    _ schema: String,
    _ arguments: [String] = [],
    file: String = sums,
    in db: TestDatabase
  ) async throws -> ProgramRun {
    try await AnnalsBinary.run(
      ["replay", "--into", schema, "-"] + arguments,
      stdin: file,
      environment: db.environment
    )
  }
}
