import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// The output of `rebuild-projection` and `project` while they work, and the results of several files.
@Suite struct RebuildProgressTests {
  private static let doubled = """
    -- @projection doubled
    -- @create
    CREATE TABLE doubled (position bigint PRIMARY KEY);
    -- @on Added
    INSERT INTO doubled VALUES (2 * event.position);

    """

  /// A store of 20 events, and a folder with the files.
  private func withFiles(
    _ body: (TestDatabase, _ shell: (String) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { database in
      let initialized = try await AnnalsBinary.run(["init"], environment: database.environment)
      #expect(initialized.exitCode == 0)
      try await database.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a-1', 'Added', '{}', n FROM generate_series(1, 20) AS n;
        CREATE TABLE gate AS SELECT 1
        """
      )
      try await withTemporaryDirectory { directory in
        for (name, text) in [("gated", gatedProjection), ("doubled", Self.doubled)] {
          try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name).sql"))
        }
        try await body(database) { script in
          try await runShell(
            """
            cd '\(directory)'; PATH='\(AnnalsBinary.path.removingLastComponent())':$PATH
            until_true() { until test "$(psql -qAtXc "SELECT $1")" = t; do sleep 0.05; done; }
            signal() { kill -USR1 $pid; until test -s err || ! kill -0 $pid; do sleep 0.01; done; cat err >&2; }
            \(script)
            """,
            environment: database.environment
          )
        }
      }
    }
  }

  @Test func aRebuildTellsHowFarItIs() async throws {
    try await withFiles { _, shell in
      let run = try await shell(
        """
        annals rebuild-projection --chunk 5 gated.sql 2>err & pid=$!
        until_true "EXISTS (SELECT FROM annals.generations WHERE position = 10)"
        signal
        psql -qXc 'DELETE FROM gate'
        wait $pid
        """
      )
      #expect(run.exitCode == 0)
      let lines = run.standardError.split(separator: "\n")
      #expect(lines.count == 1 && lines[0].hasPrefix("annals: rebuilding gated.sql: "), "\(lines)")
      #expect(lines[0].contains("%, 10 events, ") && lines[0].contains("10 positions behind"), "\(lines)")
    }
  }

  @Test func oneLineTellsOfSeveralFiles() async throws {
    try await withFiles { database, shell in
      try await database.psql("TRUNCATE gate")
      let run = try await shell(
        "annals rebuild-projection --chunk 5 --progress 0.000001 gated.sql doubled.sql"
      )
      #expect(run.exitCode == 0 && run.standardOutput == "")
      let last = run.standardError.split(separator: "\n").last ?? ""
      #expect(last.hasPrefix("annals: rebuilding 2 projections: 100%, 40 events, "), "\(run.standardError)")
      #expect(try await database.psql("SELECT count(*) FROM gated JOIN doubled USING (position)") == "10")
    }
  }

  @Test func oneFileThatFailsIsNamedAndTheOtherGoesLive() async throws {
    try await withFiles { database, shell in
      try await database.psql("TRUNCATE gate; ALTER TABLE events ALTER event_data DROP NOT NULL")
      let run = try await shell(
        """
        echo 'SELECT 1 / (event.version - 7);' >>doubled.sql
        annals rebuild-projection doubled.sql gated.sql
        """
      )
      #expect(run.exitCode == 1)
      #expect(
        run.standardError.hasPrefix(
          "annals: error: doubled.sql:6: the handler failed for the event at position 7 "
        ),
        "\(run.standardError)"
      )
      #expect(run.standardError.contains("\nHINT:  "))
      #expect(try await database.psql("SELECT count(*), to_regclass('doubled') IS NULL FROM gated") == "20|t")
    }
  }

  @Test func aCatchUpTellsHowFarItIs() async throws {
    try await withFiles { database, shell in
      try await database.psql("TRUNCATE gate")
      #expect(try await shell("annals rebuild-projection --to-position 3 doubled.sql").exitCode == 0)
      let once = try await shell("annals project --once --chunk 5 --progress 0.000001 doubled.sql")
      #expect(once.exitCode == 0)
      let last = once.standardError.split(separator: "\n").last ?? ""
      #expect(last.hasPrefix("annals: doubled.sql: 100%, 17 events, "), "\(once.standardError)")

      let service = try await shell(
        """
        annals project doubled.sql 2>err & pid=$!
        psql -qXc "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-2', 'Added', '{}', 1)"
        until_true "EXISTS (SELECT FROM annals.generations WHERE position = 21)"
        signal
        kill -TERM $pid
        wait $pid
        """
      )
      #expect(service.exitCode == 143)
      #expect(
        service.standardError.contains("annals: doubled.sql: 100%, 1 event, "),
        "\(service.standardError)"
      )
    }
  }
}
