import TestSupport
import Testing

/// Every subcommand as a role that may SELECT from the events table and nothing else, and on a hot standby.
@Suite struct LeastRightsTests {
  /// How a subcommand ends.
  private enum Outcome {
    /// It does its work, and ends with this status.
    case works(Int32 = 0)
    /// It ends with 77, and says why.
    case isRefused
  }

  private struct Case {
    let path: String
    let arguments: [String]
    let withSelect: Outcome
    let onStandby: Outcome

    init(_ path: String, _ arguments: [String] = [], withSelect: Outcome, onStandby: Outcome) {
      (self.path, self.arguments) = (path, arguments)
      (self.withSelect, self.onStandby) = (withSelect, onStandby)
    }

    /// Reads the events and nothing else.
    static func reads(_ path: String, _ arguments: [String] = [], status: Int32 = 0) -> Case {
      Case(path, arguments, withSelect: .works(status), onStandby: .works(status))
    }

    /// Reads what annals keeps in its schema.
    static func readsOwnTables(_ path: String, _ arguments: [String] = [], status: Int32 = 0) -> Case {
      Case(path, arguments, withSelect: .isRefused, onStandby: .works(status))
    }

    static func writes(_ path: String, _ arguments: [String] = []) -> Case {
      Case(path, arguments, withSelect: .isRefused, onStandby: .isRefused)
    }
  }

  /// `%` in an argument stands for the folder of the files that `prepare` writes.
  private static let cases: [Case] = [
    .writes("init", ["--table", "others"]),
    .writes("append", ["a-1", "Added", "{}"]),
    .reads("stream", ["a-1"]),
    .reads("show", ["@1"]),
    .reads("streams"),
    .reads("trace", ["c-1"]),
    .reads("replay"),
    .reads("replay", ["-n"]),
    .writes("replay", ["--checkpoint", "mail"]),
    .writes("replay", ["--into", "aside", "%/sums.sql"]),
    .reads("watermark"),
    .reads("stats"),
    .reads("report", status: 2),
    .reads("browse", ["--get", "/streams/a-1"]),
    .reads("watermark", ["--max-staleness", "1h"]),
    .writes("watermark", ["--publish"]),
    .reads("snapshot show", ["a-1"]),
    .readsOwnTables("snapshot list"),
    .writes("snapshot take", ["--all"]),
    .readsOwnTables("snapshot verify"),
    .writes("snapshot prune", ["--keep", "0", "--yes"]),
    .writes("check-projection", ["%/sums.sql"]),
    .writes("test", ["%/sums.test.sql"]),
    .writes("rebuild-projection", ["%/sums.sql"]),
    .writes("project", ["--once", "%/sums.sql"]),
    .writes("run", ["--once", "%/sums.consumers.sql"]),
    .readsOwnTables("projections list"),
    .readsOwnTables("projections show", ["sums"]),
    .writes("projections rollback", ["sums"]),
    .writes("projections discard", ["sums", "1", "--yes"]),
    .writes("projections drop", ["sums", "--yes"]),
    .writes("projections pause", ["sums"]),
    .writes("projections resume", ["sums"]),
    .writes("projections set-checkpoint", ["sums", "0", "--yes"]),
    .readsOwnTables("checkpoints list"),
    .writes("checkpoints set", ["sums", "0", "--yes"]),
    .writes("checkpoints rename", ["letters", "other"]),
    .writes("checkpoints remove", ["letters", "--yes"]),
    .readsOwnTables("dead-letters list", status: 2),
    .readsOwnTables("dead-letters show", ["sums", "3"]),
    .writes("dead-letters retry", ["sums"]),
    .writes("dead-letters discard", ["sums", "--yes"]),
    .writes("dead-letters skip", ["2", "--reason", "test"]),
    .readsOwnTables("dead-letters skipped"),
    .reads("types list"),
    .reads("types show", ["Added"]),
    .reads("evolve check", ["%/currency.sql"]),
    .reads("evolve plan", ["%/currency.sql"]),
    .writes("evolve apply", ["%/currency.plan", "--into", "events_v3"]),
    .writes("evolve rollback", ["--into", "events_v2", "--yes"]),
    .reads("verify-versions"),
    .writes("verify-versions", ["--incremental"]),
    .reads("compare", ["--with", "application_name=other"]),
    .reads("export", ["%/again.export"]),
    .writes("restore", ["%/store.export"]),
    .readsOwnTables("archive", ["--stream", "a-1"], status: 2),
    .writes("archive", ["--stream", "a-1", "--yes", "--reason", "disk"]),
    .readsOwnTables("redact", ["--stream", "a-1", "--path", ".n"], status: 2),
    .writes("redact", ["--stream", "a-1", "--path", ".n", "--yes", "--reason", "law"]),
    .readsOwnTables("check", status: 2),
    .reads("doctor"),
    .readsOwnTables("audit"),
    .writes("protect", ["--immutable"]),
  ]

  /// They run a server of their own, or need none.
  private static let withoutServer: Set = [
    "layouts list", "layouts show", "layouts write", "version",
    "sandbox start", "sandbox stop", "sandbox status", "sandbox env", "sandbox exec", "sandbox reset",
  ]

  @Test func everySubcommandIsListed() async throws {
    let paths = try await ProgramHelp.load().leaves.map { $0.joined(separator: " ") }
    #expect(Set(paths) == Set(Self.cases.map(\.path)).union(Self.withoutServer))
  }

  @Test func withSelectOnTheEventsAlone() async throws {
    try await withStore { database, folder in
      let role = "reader_\(database.name)"
      try await database.psql("CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role)")
      for one in Self.cases {
        try await expect(
          one.withSelect,
          of: one,
          folder,
          database.environment.merging(["PGUSER": role]) { $1 }
        )
      }
      try await database.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  /// The GRANTs of annals-check(1) are enough for a monitor; the read models stay hidden from it.
  @Test func aMonitoringRole() async throws {
    try await withStore { database, folder in
      let role = "monitor_\(database.name)"
      let page = try SourceTree.read("man/annals-check.1")
      let grants = page.split(separator: "\n").filter {
        ["CREATE ROLE", "GRANT", "ALTER"].contains(where: $0.hasPrefix)
      }
      #expect(grants.count == 5)
      try await database.psql(grants.joined(separator: "\n").replacing(" monitor", with: " \(role)"))
      let environment = database.environment.merging(["PGUSER": role]) { $1 }
      func annals(_ arguments: String...) async throws -> ProgramRun {
        try await AnnalsBinary.run(arguments, environment: environment)
      }
      for format in ["nagios", "prometheus", "json"] {
        let run = try await annals("check", "--format", format)
        #expect(run.exitCode == 2 && run.standardError == "", "\(run.standardError)")
        #expect(run.standardOutput.contains("sums") || format == "nagios", "\(run.standardOutput)")
      }
      func rows() async throws -> String {
        let run = try await annals("projections", "-o", "ndjson")
        #expect(run.exitCode == 0, "\(run.standardError)")
        return try await database.psql("SELECT coalesce($j$\(run.standardOutput)$j$::jsonb->>'rows', 'null')")
      }
      // Two rows when the tables were analyzed, at the end of the rebuild.
      #expect(try await rows() == "2")
      try await database.psql("UPDATE pg_class SET reltuples = -1 WHERE relname = 'sums'")
      #expect(try await rows() == "null")
      #expect(try await annals("projections").exitCode == 0)
      // A policy that leaves rows out must not make a count of it.
      try await database.psql(
        """
        GRANT SELECT ON sums TO \(role);
        ALTER TABLE sums ENABLE ROW LEVEL SECURITY;
        CREATE POLICY one_row ON sums FOR SELECT USING (id = 'a-1');
        """
      )
      #expect(try await rows() == "null")
      try await database.psql("ALTER TABLE sums DISABLE ROW LEVEL SECURITY")
      #expect(try await rows() == "2")
      for one in ["dead-letters list", "watermark", "doctor"] {
        let run = try await AnnalsBinary.run(
          one.split(separator: " ").map(String.init),
          environment: environment
        )
        #expect([0, 2].contains(run.exitCode), "\(one): \(run.standardError)")
      }
      try await database.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  @Test func onAHotStandby() async throws {
    // Its own, as replay is paused.
    try await TestCluster.withStandby { primary, standby in
      let folder = try await prepareStore(in: primary)
      let position = try await primary.psql("SELECT pg_current_wal_lsn()")
      try await until { try await standby.psql("SELECT pg_last_wal_replay_lsn() >= '\(position)'") == "t" }
      for one in Self.cases { try await expect(one.onStandby, of: one, folder, standby.environment) }
      try await standby.psql("SELECT pg_wal_replay_pause()")
      try await expectReplayShown(standby)
      for command in ["replay", "types", "stream", "check"] {
        let run = try await AnnalsBinary.run(
          [command, "--max-staleness", "1h"],
          environment: standby.environment
        )
        #expect(run.exitCode == 75, "\(command): \(run.standardError)")
        #expect(run.standardError.contains("HINT:  Resume replay with pg_wal_replay_resume()"))
      }
      _ = try await runShell("rm -rf '\(folder)'")
    }
  }

  /// A missing event may only be one that is not replayed yet.
  private func expectReplayShown(_ standby: TestDatabase) async throws {
    func annals(_ arguments: String...) async throws -> ProgramRun {
      try await AnnalsBinary.run(arguments, environment: standby.environment)
    }
    let check = try await annals("check", "--max-dead-letters", "100")
    #expect(check.exitCode == 2)
    #expect(check.standardOutput.contains("this server is a standby: "), "\(check.standardOutput)")
    #expect(check.standardOutput.contains(" s behind its primary, replay is paused"))
    #expect(check.standardOutput.contains(" replay_seconds="))
    let metrics = try await annals("check", "--format", "prometheus").standardOutput
    #expect(metrics.contains("\nannals_replay_paused 1\n"), "\(metrics)")
    let object = try await annals("check", "--format", "json").standardOutput
    #expect(object.contains(#""replay_paused":true"#), "\(object)")
    let doctor = try await annals("doctor")
    #expect(doctor.exitCode == 2 && doctor.standardOutput.contains("SELECT pg_wal_replay_resume();"))
    for arguments in [
      ["stream", "nobody"], ["types", "--category", "nobody"], ["snapshot", "show", "nobody"],
    ] {
      let run = try await AnnalsBinary.run(arguments, environment: standby.environment)
      #expect(run.exitCode == 4)
      #expect(run.standardError.contains("DETAIL:  This server is a standby: "), "\(run.standardError)")
    }
  }

  private func expect(
    _ outcome: Outcome,
    of one: Case,
    _ folder: String,
    _ environment: [String: String]
  ) async throws {
    let arguments = one.arguments.map { $0.replacing("%", with: folder) }
    let run = try await AnnalsBinary.run(
      one.path.split(separator: " ").map(String.init) + arguments,
      environment: environment
    )
    let text = "\(one.path): \(run.status)\n\(run.standardError)"
    switch outcome {
    case .works(let status):
      #expect(run.exitCode == status, "\(text)")
      #expect(!run.standardError.contains("error:"), "\(text)")
    case .isRefused:
      #expect(run.exitCode == 77, "\(text)")
      let reasons = ["permission denied", "read-only", "is a standby"]
      #expect(reasons.contains { run.standardError.contains($0) }, "\(text)")
      if run.standardError.contains("permission denied for schema annals") {
        #expect(run.standardError.contains(" prints the GRANT."), "\(text)")
      }
    }
  }

  private func withStore(_ body: (TestDatabase, _ folder: String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { database in
      let folder = try await prepareStore(in: database)
      try await body(database, folder)
      _ = try await runShell("rm -rf '\(folder)'")
    }
  }

  /// A store with something of everything: events that belong together, a read model with a dead letter and one generation
  /// to go back to, snapshots, a copy of the events.
  ///
  /// - Returns: A new folder with the files of the store.
  private func prepareStore(in database: TestDatabase) async throws -> String {
    let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    let run = try await runShell(
      Self.prepare,
      environment: database.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
    )
    #expect(run.exitCode == 0, "\(run.standardError)")
    return folder
  }

  private static let prepare = """
    set -eu
    mkdir "$FOLDER"
    cd "$FOLDER"
    cat > sums.sql <<'END'
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, total bigint NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET total = sums.total + excluded.total;
    END
    cat > sums.consumers.sql <<'END'
    -- @consumer sums
    -- @projection sums.sql
    END
    cat > sums.test.sql <<'END'
    -- @test no event
    -- @projection sums.sql
    -- @expect
    SELECT count(*) FROM sums;
    -- count
    -- -----
    -- 0
    END
    cat > currency.sql <<'END'
    -- @upcaster currency
    -- @event Added
    -- @when NOT event.event_data ? 'currency'
    -- @data
    SELECT event.event_data || '{"currency": "EUR"}';
    END
    "$ANNALS" init
    "$ANNALS" append a-1 Added '{"n": 1}' --correlation-id c-1
    "$ANNALS" append a-2 Added '{"n": 2}' --correlation-id c-1
    "$ANNALS" rebuild-projection sums.sql
    "$ANNALS" replay --checkpoint letters > /dev/null
    "$ANNALS" rebuild-projection --restart sums.sql
    "$ANNALS" append a-1 Added '{"n": "three"}'
    "$ANNALS" project --once --attempts 1 --retry-delay 1ms sums.sql || test $? = 5
    "$ANNALS" evolve plan currency.sql --out currency.plan > plan.txt
    "$ANNALS" evolve apply currency.plan --into events_v2 --swap --yes
    "$ANNALS" snapshot take --all
    "$ANNALS" export store.export
    """
}
