import TestSupport
import Testing

/// If a table lets the position be NULL, commands that go by positions would silently leave an event out.
@Suite struct MissingPositionTests {
  private static let projection = """
    -- @projection p
    -- @create
    CREATE TABLE p (n bigint);
    -- @on *
    INSERT INTO p VALUES (event.version);
    """

  /// A store of a stream of three events, and the path of a projection.
  private func withStore(_ body: (TestDatabase, _ file: String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      _ = try await AnnalsBinary.run(["init"], environment: db.environment)
      try await db.psql(
        """
        ALTER TABLE events ALTER position DROP IDENTITY;
        CREATE SEQUENCE positions;
        ALTER TABLE events ALTER position SET DEFAULT nextval('positions'), ALTER position DROP NOT NULL;
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 's-1', 'T', jsonb_build_object('v', v), v FROM generate_series(1, 3) v
        """
      )
      let file = "/tmp/annals-position-\(db.name).sql"
      _ = try await runShell("printf '%s' \"$P\" > \(file)", environment: ["P": Self.projection])
      try await body(db, file)
      _ = try await runShell("rm -f \(file)")
    }
  }

  @Test func whatGoesByPositionsRefusesIt() async throws {
    try await withStore { db, file in
      for command in [["project", "--once", file], ["replay", "--checkpoint", "old"]] {
        let build = try await AnnalsBinary.run(["rebuild-projection", file], environment: db.environment)
        #expect(build.exitCode == 0, "\(build.standardError)")
        let run = try await AnnalsBinary.run(command, environment: db.environment)
        #expect(run.exitCode == 0, "\(command): \(run.standardError)")
      }
      try await db.psql("UPDATE events SET position = NULL WHERE version = 2")
      for command in [
        ["stream"], ["stream", "--last", "3"], ["stream", "--type", "T"],
        ["stream", "s-1", "--from-position", "1"],
        ["replay"], ["replay", "-n"], ["replay", "--aggregate", "s-1"], ["replay", "--since", "yesterday"],
        ["replay", "--checkpoint", "old"], ["replay", "--checkpoint", "new"],
        ["replay", "--into", "aside", file],
        ["rebuild-projection", file], ["project", "--once", file],
        ["types"], ["types", "show", "T"], ["types", "--sample", "2"], ["watermark"], ["check"],
        ["verify-versions", "--incremental"],
      ] {
        let run = try await AnnalsBinary.run(command, environment: db.environment)
        #expect(run.exitCode == (command == ["check"] ? 3 : 1), "\(command): \(run.standardOutput)")
        #expect(
          run.standardError.contains("an event of s-1, version 2, has no position"),
          "\(command): \(run.standardError)"
        )
        #expect(run.standardError.contains("--only duplicate_position"))
      }
      #expect(try await db.psql("SELECT to_regnamespace('aside') IS NULL") == "t")
      let plan = try await AnnalsBinary.run(["rebuild-projection", "-n", file], environment: db.environment)
      #expect(plan.exitCode == 2 && plan.standardOutput.contains("s-1, version 2, has no position"))
      let found = try await AnnalsBinary.run(
        ["verify-versions", "--only", "duplicate_position"],
        environment: db.environment
      )
      #expect(found.exitCode == 2 && found.standardOutput.contains("no position in 1 event (s-1 2)"))
    }
  }

  /// A stream has an order of its own, and is whole.
  @Test func aStreamAloneIsReadByItsVersions() async throws {
    try await withStore { db, _ in
      try await db.psql("UPDATE events SET position = NULL WHERE version = 2")
      for options in [
        [], ["--since", "yesterday"], ["--since", "yesterday", "--until", "tomorrow"], ["--last", "3"],
      ] {
        let run = try await AnnalsBinary.run(
          ["stream", "s-1", "-o", "ndjson"] + options,
          environment: db.environment
        )
        #expect(run.exitCode == 0, "\(options): \(run.standardError)")
        #expect(run.standardOutput.split(separator: "\n").count == 3, "\(options): \(run.standardOutput)")
      }
      _ = try await AnnalsBinary.run(["snapshot", "take", "--all"], environment: db.environment)
      for command in [["snapshot", "show", "s-1"], ["snapshot", "show", "s-1", "--no-snapshot"]] {
        let run = try await AnnalsBinary.run(command + ["--at", "tomorrow"], environment: db.environment)
        #expect(run.standardOutput.contains(#"{"v": 3}"#), "\(run.standardOutput)\(run.standardError)")
      }
    }
  }

  /// An event without a time is on neither side of a bound.
  @Test func aBoundInTimeRefusesAnEventWithoutOne() async throws {
    try await withStore { db, file in
      try await db.psql(
        "ALTER TABLE events ALTER timestamp DROP NOT NULL; UPDATE events SET timestamp = NULL WHERE version = 2"
      )
      for command in [
        ["stream", "s-1"], ["stream"], ["replay"], ["replay", "-n"], ["replay", "--checkpoint", "c"],
        ["replay", "--into", "aside", file],
      ] {
        for bound in ["--since", "--until", "--before"] {
          let run = try await AnnalsBinary.run(command + [bound, "2026"], environment: db.environment)
          #expect(run.exitCode == 1, "\(command) \(bound)")
          #expect(
            run.standardError.contains("an event of s-1, version 2, has no timestamp"),
            "\(command): \(run.standardError)"
          )
        }
      }
    }
  }

  /// A stream by time finds what it found before by the range of positions.
  @Test func timesStillBoundAStream() async throws {
    try await withStore { db, _ in
      try await db.psql(
        "UPDATE events SET timestamp = '2026-01-01'::timestamptz + version * interval '1 day'"
      )
      let run = try await AnnalsBinary.run(
        [
          "stream", "s-1", "-o", "ndjson", "--since", "2026-01-03T00:00:00Z", "--until",
          "2026-01-03T00:00:00Z",
        ],
        environment: db.environment
      )
      #expect(run.standardOutput.split(separator: "\n").count == 1, "\(run.standardOutput)")
    }
  }
  /// An event without a position does not hide the order of the others, and events of one version have no order.
  @Test func orderIsCheckedAcrossNULL() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid DEFAULT gen_random_uuid(), aggregate_id text, event_type text, event_data jsonb,
          version int, "timestamp" timestamptz, metadata jsonb, position bigint);
        INSERT INTO events (aggregate_id, event_type, event_data, version, "timestamp", position) VALUES
          ('a', 'T', '{}', 1, '2026-01-05', 9), ('a', 'T', '{}', 2, '2026-01-06', NULL), ('a', 'T', '{}', 3, '2026-01-07', 4),
          ('b', 'T', '{}', 1, '2026-01-05', 10), ('b', 'T', '{}', 2, NULL, 11), ('b', 'T', '{}', 3, '2026-01-04', 12),
          ('c', 'T', '{}', 1, '2026-01-05', 13), ('c', 'T', '{}', 1, '2026-01-04', 14)
        """
      )
      let run = try await AnnalsBinary.run(
        ["verify-versions", "-o", "csv", "--only", "position_order,time_order"],
        environment: db.environment
      )
      #expect(
        run.standardOutput.split(separator: "\r\n").dropFirst().map(String.init) == [
          "position_order,error,a,3,,4,\"version 3 is at position 4, before version 1 at position 9\"",
          "time_order,warning,b,3,,12,\"version 3 is at 2026-01-04T00:00:00Z, before version 1 at 2026-01-05T00:00:00Z\"",
        ]
      )
    }
  }
}
