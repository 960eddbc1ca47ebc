import FoundationEssentials
import TestSupport
import Testing

/// What somebody sees who rebuilds a read model in a terminal: tmux is one that can be read.
@Suite struct RebuildInTerminalTests {
  /// The screen, without empty lines, goes to a file at each `look`.
  private static let functions = """
    set -e
    PATH=${ANNALS%/*}:$PATH
    terminal() { tmux -u -f /dev/null -L "$NAME" "$@"; }
    trap 'terminal kill-server 2> /dev/null || :' EXIT
    screen() { terminal capture-pane -p | grep -v '^$' || :; }
    look() { screen > "$1"; }
    await() {
      for try in $(seq 2400); do
        if screen | grep -q "$1"; then return; fi
        sleep 0.05
      done
      echo "never on the screen: $1" >&2
      screen >&2
      exit 1
    }
    truth() { until test "$(psql -qAtXc "SELECT $1")" = t; do sleep 0.05; done; }
    # ^C is for annals: some shells end by it as well, and the terminal with them.
    rebuild='trap : INT; annals rebuild-projection --chunk 5 gated.sql; echo "status $?"; exec cat'

    """

  private static let script = """
    terminal new-session -d -x 100 -y 20 "$rebuild"
    await ' 50%, 10 events'
    look wide
    terminal resize-window -x 36 -y 20
    await '[.]] 50%, '
    look narrow
    terminal resize-window -x 100 -y 20
    await ' 50%, 10 events'
    look wide-again
    terminal send-keys C-c
    await '^status '
    look interrupted

    psql -qXc 'DELETE FROM gate'
    psql -qXc "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'reading' FROM pg_sleep(3600)" > /dev/null 2>&1 &
    reader="FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND query LIKE '%pg_sleep(3600)%'"
    reader="$reader AND pid <> pg_backend_pid() AND datname = current_database()"
    truth "EXISTS (SELECT $reader)"
    terminal respawn-pane -k "$rebuild"
    await 'annals: waiting for '
    look waiting
    psql -qXc "SELECT pg_terminate_backend(pid) $reader" > /dev/null
    await '^status '
    look live

    """

  @Test func aRebuildIsWatchedInterruptedAndResumed() async throws {
    try await TestCluster.withDatabase { database in
      #expect(try await AnnalsBinary.run(["init"], environment: database.environment).exitCode == 0)
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a-1', 'Added', '{}', n FROM generate_series(1, 20) AS n;
        CREATE TABLE gate AS SELECT 1
        """
      )
      try await withTemporaryDirectory { directory in
        try Data(gatedProjection.utf8).write(to: URL(filePath: "\(directory)/gated.sql"))
        let variables = [
          "ANNALS": "\(AnnalsBinary.path)", "NAME": "annals-\(database.name)", "TERM": "xterm",
        ]
        let run = try await runShell(
          "cd '\(directory)'\n" + Self.functions + Self.script,
          environment: database.environment.merging(variables) { $1 }
        )
        #expect(run.exitCode == 0, "\(run.standardError)")
        func look(_ name: String) throws -> [Substring] {
          try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8).split(separator: "\n")
        }
        // Nothing else is on the screen: no rest of a wider bar, and nothing of ^C.
        let bar = /\[#+\.+\] rebuilding gated.sql: 50%, 10 events, [\d,]+\/s, (\d.* left|no estimate yet)/
        for name in ["wide", "wide-again"] {
          let screen = try look(name)
          #expect(screen.count == 1 && screen[0].wholeMatch(of: bar) != nil, "\(name): \(screen)")
        }
        let narrow = try look("narrow")
        #expect(narrow.count == 1 && narrow[0].wholeMatch(of: /\[#+\.+\] 50%, .*/) != nil, "\(narrow)")
        #expect(
          try look("interrupted") == [
            "annals: error: interrupted",
            "DETAIL:  What was committed is kept; the rest is rolled back.",
            "HINT:  Run the same command to resume; --restart starts again.", "status 130",
          ]
        )
        let waiting = try look("waiting")
        #expect(
          waiting.first?.hasPrefix("annals: waiting for a transaction that reads ") == true,
          "\(waiting)"
        )
        #expect(waiting.last?.contains(" rebuilding gated.sql: 100%, ") == true, "\(waiting)")
        #expect(waiting.last?.hasSuffix(", swapping in") == true, "\(waiting)")
        let live = try look("live")
        #expect(live.suffix(2) == ["annals: gated: generation 1 is live, resumed, 20 events", "status 0"])
        #expect(live.dropLast(2).allSatisfy { !$0.contains("#") }, "\(live)")
      }
      #expect(try await database.psql("SELECT count(*) FROM gated") == "20")
    }
  }
}
