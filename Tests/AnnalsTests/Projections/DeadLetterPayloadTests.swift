import TestSupport
import Testing

/// `dead-letters show` prints the event that a handler gave up on.
@Suite struct DeadLetterPayloadTests {
  private static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, total bigint NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, (event.event_data->>'n')::bigint);

    """

  @Test func thePayloadIsShownAsStreamShowsIt() async throws {
    try await TestCluster.withDatabase { db in
      func annals(_ arguments: String..., stdin: String = "") async throws -> ProgramRun {
        try await AnnalsBinary.run(arguments, stdin: stdin, environment: db.environment)
      }
      _ = try await annals("init")
      _ = try await annals("rebuild-projection", "-", stdin: Self.sums)
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES
          ('a', 'Added', '{"n": "x", "big": 10000000000000000000000.5}', 1)
        """
      )
      _ = try await annals("project", "--once", "--attempts", "1", "-", stdin: Self.sums)
      var run = try await annals("dead-letters", "show", "sums", "1", "-o", "json")
      #expect(
        run.standardOutput.contains(#""event_data":{"n": "x", "big": 10000000000000000000000.5}"#),
        "\(run.standardOutput)"
      )
      run = try await annals("dead-letters", "show", "sums", "1")
      #expect(run.standardOutput.contains(#"event_data    {"n": "x", "big": 10000000000000000000000.5}"#))
      // The table stands for a store whose old events were taken away.
      try await db.psql("DELETE FROM events")
      run = try await annals("dead-letters", "show", "sums", "1", "-o", "ndjson")
      #expect(run.standardOutput.contains(#""event_data":null"#), "\(run.standardOutput)")
      #expect(run.exitCode == 0)
      #expect(run.standardError == "annals: the store has no event at position 1 any more\n")
    }
  }

  @Test func theEventOfACheckpointIsReadThroughTheLayout() async throws {
    try await TestCluster.withDatabase { db in
      let layout = """
        -- @layout own
        -- @table public.log
        SELECT id, aggregate_id, event_type, event_data || '{"by": "layout"}' AS event_data, version, "timestamp",
               position
        FROM public.log
        """
      try await db.psql(
        """
        CREATE TABLE log (id uuid, aggregate_id text, event_type text, event_data jsonb, version int,
          "timestamp" timestamptz, position bigint GENERATED ALWAYS AS IDENTITY);
        INSERT INTO log (id, aggregate_id, event_type, event_data, version, "timestamp")
        VALUES (gen_random_uuid(), 'a', 'Added', '{"n": 1}', 1, now())
        """
      )
      let run = try await runShell(
        """
        ANNALS='\(AnnalsBinary.path)'; annals() { "$ANNALS" "$@"; }
        folder=$(mktemp -d) && cd "$folder" || exit
        trap 'rm -rf "$folder"' EXIT
        cat >own.sql <<'END'
        \(layout)
        END
        annals init --layout ./own.sql
        annals replay --layout ./own.sql --checkpoint mail --park --retries 0 --exec 'exit 3' 2>/dev/null
        annals dead-letters show --layout ./own.sql mail 1
        """,
        environment: db.environment
      )
      #expect(run.standardOutput.contains(#"event_data    {"n": 1, "by": "layout"}"#), "\(run)")
    }
  }
}
