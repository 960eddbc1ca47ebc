import TestSupport
import Testing

@Suite struct EvolveCommandTests {
  /// Orders of which every tenth has no items.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'order-' || n % 400, CASE WHEN n < 400 THEN 'OrderSubmitted' ELSE 'Noted' END,
      jsonb_build_object('n', n, 'items', CASE WHEN n % 10 = 0 THEN '[]' ELSE '[{"price": 1.5}]' END::jsonb), n / 400 + 1
    FROM generate_series(0, 7999) n;
    """

  private static let currency = """
    -- @upcaster currency
    -- @event OrderSubmitted, Noted
    -- @when NOT event.event_data ? 'currency'
    -- @data
    SELECT event.event_data || '{"currency": "BRL"}';
    """

  private static let average = """
    -- @upcaster average
    -- @event OrderSubmitted
    -- @data
    SELECT event.event_data || jsonb_build_object('average', 1 / jsonb_array_length(event.event_data->'items'));
    """

  @Test func fromTypesToTheSwapAndBack() async throws {
    try await withStore { db in
      let run = try await shell(
        """
        annals types -o csv | cut -d, -f1,2
        annals types show OrderSubmitted --shapes -o csv | cut -d, -f1,2
        annals evolve check currency.sql; echo $?
        annals evolve plan currency.sql --out the.plan -o csv | tr -d '\r'
        annals evolve apply the.plan --into events_v2 --swap 2>&1 | head -n 1
        annals evolve apply the.plan --into events_v2 --swap --yes; echo $?
        annals replay | grep -c BRL; annals replay --table events_v2 | grep -c BRL
        annals evolve rollback --into events_v2 --yes; echo $?
        annals replay | grep -c BRL
        annals stream order-1 --upcasters . -o ndjson | grep -c BRL
        ANNALS_UPCASTERS=. annals stream order-1 -o ndjson | grep -c BRL
        ANNALS_UPCASTERS=. annals stream order-1 -o ndjson --raw | grep -c BRL
        """,
        files: ["currency.sql": Self.currency],
        db
      )
      #expect(
        run == """
          event_type,events
          Noted,7600
          OrderSubmitted,400
          shape,events
          1,360
          2,40
          0
          event_type,events,changed,becomes
          Noted,7600,7600,Noted
          OrderSubmitted,400,400,OrderSubmitted
          annals: error: cannot ask without a terminal: Give the name public.events to the copy, once it is complete?
          0
          8000
          0
          0
          0
          20
          20
          0

          """
      )
    }
  }

  @Test func whatFailsIsNamedBeforeAnythingIsWritten() async throws {
    try await withStore { db in
      let run = try await shell(
        """
        annals evolve check average.sql -o csv | grep failure | head -n 2 | cut -d, -f1,2,5,6
        annals evolve check average.sql >/dev/null; echo $?
        annals evolve plan average.sql --out the.plan 2>&1 | head -n 1; ls the.plan 2>/dev/null
        annals evolve plan average.sql 2>/dev/null; echo $?
        """,
        files: ["average.sql": Self.average],
        db
      )
      #expect(
        run
          == """
          failure,OrderSubmitted,order-0,1
          failure,OrderSubmitted,order-10,1
          2
          annals: error: average.sql:2: division by zero (22012), for 40 events
          78

          """
      )
    }
  }

  /// Whenever the process is killed, the finished copy is the same.
  @Test func aKilledCopyGoesOn() async throws {
    try await withStore { db in
      let fingerprint = "SELECT count(*), sum(hash_record_extended(e, 0)::numeric) FROM"
      let run = try await shell(
        """
        annals evolve plan currency.sql --out the.plan >/dev/null
        annals evolve apply the.plan --into whole
        $ANNALS evolve apply the.plan --into killed --chunk 20 & pid=$!
        state="FROM annals.evolutions WHERE copy = 'public.killed'"
        while [ "$(psql -qAtX -c "SELECT max(position) > 1000 $state")" != t ]; do kill -0 $pid || exit 9; done
        kill -9 $pid; wait $pid 2>/dev/null
        psql -qAtX -c "SELECT state, position < 8000 $state"
        annals evolve apply the.plan --into killed --chunk 20; echo $?
        """,
        files: ["currency.sql": Self.currency],
        db
      )
      #expect(run == "copying|t\n0\n")
      #expect(try await db.psql("\(fingerprint) killed e") == db.psql("\(fingerprint) whole e"))
    }
  }

  /// Runs a script in a folder with some files, where `annals` is the built one.
  private func shell(_ script: String, files: [String: String], _ db: TestDatabase) async throws -> String {
    let writing = files.map { "cat >\($0) <<'END'\n\($1)\nEND\n" }.joined()
    let run = try await runShell(
      """
      ANNALS='\(AnnalsBinary.path)'; annals() { "$ANNALS" "$@"; }
      folder=$(mktemp -d) && cd "$folder" || exit
      trap 'rm -rf "$folder"' EXIT
      \(writing)\(script)
      """,
      environment: db.environment
    )
    if !run.standardError.isEmpty { Issue.record("\(run.standardError)") }
    return run.standardOutput
  }

  private func withStore(_ body: (TestDatabase) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let run = try await AnnalsBinary.run(["init"], environment: db.environment)
      try #require(run.exitCode == 0, "\(run.standardError)")
      try await db.psql(Self.fill)
      try await body(db)
    }
  }
}
