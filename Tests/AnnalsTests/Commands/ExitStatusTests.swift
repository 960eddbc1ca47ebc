import Subprocess
import TestSupport
import Testing

@testable import annals

/// Testing has a type of that name, too.
private typealias ExitStatus = annals.ExitStatus

/// Every exit status of annals(1) is reached.
@Suite struct ExitStatusTests {
  /// Scripts that end with the status of annals, in an initialized database.
  private static let scripts: [(status: ExitStatus, script: String)] = [
    (.done, #""$ANNALS" watermark"#),
    (.failure, #""$ANNALS" help > /dev/full"#),
    (
      .findings,
      #""$ANNALS" append a-1 Added; psql -qc "UPDATE events SET version = 2"; "$ANNALS" verify-versions"#
    ),
    (.versionConflict, #""$ANNALS" append a-1 Added --expected-version 7"#),
    (.notFound, #""$ANNALS" stream a-1"#),
    (.partlyDone, #"echo '{' | "$ANNALS" append --from - --batch-size 1 --max-errors 1 --rejects /dev/null"#),
    (.usage, #""$ANNALS" watermark --nonesuch"#),
    (.badInput, #""$ANNALS" append a-1 Added '{'"#),
    (.cannotConnect, #""$ANNALS" watermark -h /nonesuch"#),
    (
      .locked,
      #"""
      "$ANNALS" replay --checkpoint mail --follow & follower=$!
      until [ "$(psql -XqAtc "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")" = 1 ]; do sleep 0.05; done
      "$ANNALS" replay --checkpoint mail; status=$?
      kill $follower
      wait $follower
      exit $status
      """#
    ),
    (.noPermission, #"PGOPTIONS='-c default_transaction_read_only=on' "$ANNALS" append a-1 Added"#),
    (.badDefinition, #"echo '-- @craete' | "$ANNALS" check-projection -"#),
    (.commandNotFound, #""$ANNALS" sandbox exec --directory "${PGHOST%/*}" nonesuch"#),
  ]

  @Test(arguments: scripts) fileprivate func isReached(status: ExitStatus, script: String) async throws {
    try await TestCluster.withDatabase { db in
      let run = try await runShell(
        "\"$ANNALS\" init || exit\n" + script,
        environment: db.environment.merging(["ANNALS": "\(AnnalsBinary.path)"]) { $1 }
      )
      #expect(run.exitCode == status.rawValue, "\(run.standardError)")
      let isSaid = run.standardError.contains("annals: error: ")
      #expect(isSaid == ![.done, .findings, .partlyDone].contains(status), "\(run.standardError)")
    }
  }

  @Test func noneIsForgotten() {
    let reached = Set(Self.scripts.map(\.status)).union([.interrupted, .terminated, .brokenPipe])
    #expect(reached == Set(ExitStatus.allCases))
  }

  @Test(arguments: [("INT", 130), ("TERM", 143)])
  func aSignalRollsBack(signal: String, status: Int32) async throws {
    try await TestCluster.withDatabase { db in
      // `init` waits for the lock; psql holds it until its standard input ends.
      let script = """
        mkfifo "$PIPE"
        psql -XqAt < "$PIPE" & psql=$!
        exec 3> "$PIPE"
        echo 'SELECT pg_advisory_lock(\(Self.initializationLock));' >&3
        locks() { psql -XqAtc "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = $1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"; }
        until [ "$(locks true)" = 1 ]; do sleep 0.05; done
        "$ANNALS" init & annals=$!
        until [ "$(locks false)" = 1 ]; do sleep 0.05; done
        kill -\(signal) $annals
        wait $annals; echo $?
        exec 3>&-
        wait $psql; rm "$PIPE"
        """
      let pipe = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      let environment = db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "PIPE": pipe]) { $1 }
      let run = try await runShell(script, environment: environment)
      #expect(run.standardOutput.hasSuffix("\(status)\n"), "\(run.standardOutput)")
      #expect(run.standardError.hasPrefix("annals: error: interrupted\nDETAIL:  "), "\(run.standardError)")
      #expect(try await db.psql("SELECT to_regclass('events') IS NULL") == "t")
    }
  }

  /// A command that runs until a signal ends by that signal, and reports no failure.
  @Test(arguments: [
    "stream --follow", "stream --follow -o ndjson", "replay --follow --checkpoint c", "project p.sql",
  ])
  func aSignalIsTheEndOfFollowing(command: String) async throws {
    try await TestCluster.withDatabase { db in
      let folder = "/tmp/annals-test-\(db.name)"
      let script = """
        mkdir "$FOLDER" && cd "$FOLDER" || exit
        printf -- '-- @projection p\\n-- @create\\nCREATE TABLE t (id text);\\n-- @on A\\nSELECT 1;\\n' > p.sql
        "$ANNALS" init && "$ANNALS" rebuild-projection p.sql && "$ANNALS" append a A
        # As a shell without job control starts it in the background, it would ignore INT.
        timeout --preserve-status --signal=INT 3 "$ANNALS" \(command) > out 2> err; echo $?
        cat err
        # 0 is a signal's: the program did not exit by itself.
        python3 -c 'import subprocess, sys, time, signal
        child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
        time.sleep(2); child.send_signal(signal.SIGTERM); print(child.wait())' "$ANNALS" \(command)
        cd /; rm -r "$FOLDER"
        """
      let environment = db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
      let run = try await runShell(script, environment: environment)
      #expect(run.standardOutput == "130\n-15\n", "\(run.standardOutput)")
      #expect(run.standardError == "")
    }
  }

  /// As AdvisoryLock.initialization.
  private static let initializationLock = Int64(0x616e_6e61_0000_0001)

  @Test func nobodyReadsTheOutput() async throws {
    try await TestCluster.withDatabase { db in
      let script = """
        mkfifo "$PIPE"
        { read -r _ < "$PIPE"; "$ANNALS" init -n; echo $? >&2; } | { exec <&-; echo > "$PIPE"; }
        rm "$PIPE"
        """
      let pipe = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      let environment = db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "PIPE": pipe]) { $1 }
      let run = try await runShell(script, environment: environment)
      #expect(run.standardError == "141\n")
    }
  }

  @Test func aFileThatCannotBeRead() async throws {
    let run = try await AnnalsBinary.run(["rebuild-projection", "/nonesuch.sql", "-h", "/nonesuch"])
    #expect(run.status == .exited(65))
    #expect(run.standardError.hasPrefix("annals: error: cannot read /nonesuch.sql: "))
  }

  @Test func aProjectionThatIsWrong() async throws {
    try await TestCluster.withDatabase { db in
      let run = try await AnnalsBinary.run(
        ["rebuild-projection", "-"],
        stdin: "-- @projection p\n-- @craete\n",
        environment: db.environment
      )
      #expect(run.status == .exited(78))
      #expect(run.standardError.contains("Did you mean @create?"))
    }
  }
}
