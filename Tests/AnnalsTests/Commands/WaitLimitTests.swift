import TestSupport
import Testing

/// A transaction that somebody forgot holds nobody up for longer than `--wait-limit`.
@Suite struct WaitLimitTests {
  private static let files = """
    cat > sums.sql <<'END'
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id);
    END
    cat > more.sql <<'END'
    -- @upcaster more
    -- @event Added
    -- @data
    SELECT event.event_data || '{"more": 1}';
    END

    """

  /// Standard error of each command, and its status.
  private func run(_ commands: [String], options: String, in db: TestDatabase, _ folder: String) async throws
    -> [(error: String, status: String)]
  {
    var results: [(String, String)] = []
    for command in commands {
      let run = try await runShell(
        "cd '\(folder)' && '\(AnnalsBinary.path)' \(command) \(options)",
        environment: db.environment
      )
      results.append((run.standardError, run.exitCode.map(String.init) ?? "\(run.status)"))
    }
    return results
  }

  private static let commands = [
    "replay", "replay --checkpoint mail", "replay --follow", "replay --exec cat",
    "replay --into aside sums.sql",
    "verify-versions --incremental", "evolve apply more.plan --into events_2",
    "evolve apply more.plan --into events_2 --swap --yes", "projections set-checkpoint sums 1 --yes",
    "project --once sums.sql", "rebuild-projection sums.sql",
  ]

  @Test func anOpenWriterIsWaitedForUpToTheLimit() async throws {
    try await withEvents { db, _ in
      try await withTemporaryDirectory { folder in
        try await db.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'Added', '{}', 1)"
        )
        let prepared = try await runShell(
          """
          set -e; cd '\(folder)'; \(Self.files)
          '\(AnnalsBinary.path)' rebuild-projection sums.sql
          '\(AnnalsBinary.path)' evolve plan more.sql --out more.plan
          """,
          environment: db.environment
        )
        #expect(prepared.exitCode == 0, "\(prepared.standardError)")
        try await db.psql(
          """
          BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('w', 'Added', '{}', 1);
          PREPARE TRANSACTION 'forgotten \(db.name)';
          """
        )
        for (command, run) in zip(
          Self.commands,
          try await run(Self.commands, options: "--wait-limit 50ms", in: db, folder)
        ) {
          #expect(run.status == "75", "\(command)")
          #expect(
            run.error.contains(
              "a transaction writes to public.events and did not end in time: prepared transaction"
            ),
            "\(command): \(run.error)"
          )
          #expect(run.error.contains("HINT:  End the transaction, or wait longer."))
        }
        // A check of all waits for nobody.
        let all = try await run(["verify-versions"], options: "--wait-limit 50ms", in: db, folder)
        #expect(all[0].status == "0", "\(all[0].error)")
        try await db.psql("COMMIT PREPARED 'forgotten \(db.name)'")
        let after = ["replay --checkpoint mail", "verify-versions --incremental", "project --once sums.sql"]
        for (command, run) in zip(after, try await run(after, options: "--wait-limit 50ms", in: db, folder)) {
          #expect(run.status == "0", "\(command): \(run.error)")
        }
      }
    }
  }
}
