import SystemPackage
import TestSupport
import Testing

/// SIGUSR1 asks a command how far it is, and never ends it.
@Suite struct StatusSignalTests {
  private func run(_ script: String, in db: TestDatabase) async throws -> ProgramRun {
    try await runShell(
      """
      dir=$(mktemp -d); cd "$dir"; PATH='\(AnnalsBinary.path.removingLastComponent())':$PATH
      ask() { kill -USR1 $pid; until test -s err || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done; cat err >&2; }
      \(script)
      status=$?; cd /; rm -r "$dir"; exit $status
      """,
      environment: db.environment
    )
  }

  @Test(arguments: [
    ("stream --follow", "stream: 2 events, up to position 2, for "),
    ("stream --follow -o ndjson", "stream: 2 events, up to position 2, for "),
    ("replay --follow", "replay: 2 events, up to position 2, for "),
    (
      "replay --follow --exec 'while read -r line; do position=${line#*:}; echo ${position%%,*}; echo $position >>out; done'",
      "replay: 2 events, up to position 2, for "
    ),
  ])
  func aReaderSaysHowFarItIs(command: String, line: String) async throws {
    try await withEvents { db, _ in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '{}', 1), ('a', 't', '{}', 2)"
      )
      let run = try await run(
        """
        annals \(command) >out 2>err & pid=$!
        until grep -qs -e '2.*2' -e '^2,' out; do sleep 0.01; done
        sleep 0.1; ask; ask; kill -TERM $pid; wait $pid
        """,
        in: db
      )
      #expect(run.exitCode == 143)
      #expect(run.standardError.hasPrefix("annals: \(line)"), "\(run.standardError)")
    }
  }

  /// The reader of a pipe blocks the writer, whose status is requested.
  @Test func aReplayIntoAPipeSaysHowFarItIs() async throws {
    try await withEvents { db, _ in
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) "
          + "SELECT 'a', 't', to_jsonb(repeat('x', 4000)), n FROM generate_series(1, 2000) n"
      )
      let run = try await run(
        """
        mkfifo pipe; annals replay >pipe 2>err & pid=$!
        { head -c 2000000 >first; ask; cat >rest; } <pipe
        wait $pid && cat first rest | wc -l
        """,
        in: db
      )
      #expect(run.exitCode == 0)
      #expect(run.standardOutput == "2000\n")
      #expect(run.standardError.hasPrefix("annals: replay: "), "\(run.standardError)")
      #expect(run.standardError.contains(" MB, up to position "), "\(run.standardError)")
    }
  }

  @Test func otherWorkSaysForHowLong() async throws {
    try await withEvents { db, _ in
      let run = try await run(
        """
        { echo "BEGIN; LOCK events;"; until test -e done; do sleep 0.02; done; } | psql -qX &
        locks() { test "$(psql -qAtXc "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'events'::regclass AND $1)")" = t; }
        until locks granted; do sleep 0.02; done
        annals verify-versions 2>err & pid=$!
        until locks 'NOT granted'; do sleep 0.02; done
        ask; touch done; wait $pid
        """,
        in: db
      )
      #expect(run.exitCode == 0)
      #expect(run.standardError.hasPrefix("annals: verify-versions: under way for "), "\(run.standardError)")
    }
  }
}
