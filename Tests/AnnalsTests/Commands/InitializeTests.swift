import Subprocess
import TestSupport
import Testing

@Suite struct InitializeTests {
  @Test func anEmptyDatabaseBecomesReady() async throws {
    try await TestCluster.withDatabase { db in
      let run = try await db.annals("init")
      #expect(run.status == .exited(0))
      #expect(run.standardOutput + run.standardError == "", "silent on success")
      let schema = try await db.schema()
      #expect(schema.contains("CREATE TABLE public.events ("))
      #expect(schema.contains("CREATE TABLE annals.migrations ("))
      let sixColumns = """
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, "timestamp")
        VALUES (gen_random_uuid(), 'order-1', 'OrderSubmitted', '{}', 1, now()) RETURNING position;
        """
      #expect(try await db.psql(sixColumns) == "1")

      // Again: nothing changes.
      #expect(try await db.annals("init").status == .exited(0))
      #expect(try await db.schema() == schema)
      #expect(try await db.annals("init", "-n").standardOutput == "")
    }
  }

  @Test func manyAtOnceDoNotDisturbEachOther() async throws {
    try await TestCluster.withDatabase { db in
      try await withThrowingTaskGroup { group in
        for _ in 0..<6 { group.addTask { try await db.annals("init") } }
        for try await run in group { #expect(run.status == .exited(0), "\(run.standardError)") }
      }
      let numbers = try await db.psql(
        "SELECT count(*), count(DISTINCT number), max(number) FROM annals.migrations"
      )
      let parts = numbers.split(separator: "|")
      #expect(parts.count == 3 && Set(parts).count == 1, "\(numbers)")
    }
  }

  /// What the dry run prints, run by psql, makes the very same database.
  @Test(arguments: [[], ["--table", "sales.events"], ["--table", #""my ""shop".Events"#]])
  func dryRunPrintsWhatIsRun(options: [String]) async throws {
    try await TestCluster.withDatabase { one in
      try await TestCluster.withDatabase { other in
        let dry = try await one.annals(["init", "-n"] + options)
        #expect(dry.status == .exited(0))
        #expect(
          try await one.psql("SELECT count(*) FROM pg_namespace WHERE nspname IN ('annals', 'sales')") == "0"
        )
        #expect(try await one.psql("SELECT to_regclass('events') IS NULL") == "t")
        try await one.psql(dry.standardOutput)
        #expect(try await other.annals(["init"] + options).status == .exited(0))
        let schemas = (try await one.schema(), try await other.schema())
        #expect(schemas.0 == schemas.1)
      }
    }
  }

  @Test func followersAreNotifiedOnRequest() async throws {
    try await TestCluster.withDatabase { db in
      func notifications() async throws -> [Substring] {
        try await db.annals("doctor", "-o", "csv").standardOutput.split(separator: "\r\n")
          .filter { $0.hasPrefix("table,notifications,") }
      }
      #expect(try await db.annals("init").exitCode == 0)
      #expect(try await notifications() == [])
      #expect(try await db.annals("init", "--no-notify", "-n").standardOutput == "")
      let run = try await db.annals("init", "--notify", "--reason", "a quiet shop")
      #expect(run.exitCode == 0 && run.standardOutput + run.standardError == "", "silent on success")
      let woken = "wake followers; appends of several sessions wait for each other"
      #expect(try await notifications() == ["table,notifications,\(woken),,ok,"])
      #expect(try await db.annals("append", "a", "Added").exitCode == 0)
      try await db.psql("ALTER TABLE events DISABLE TRIGGER annals_notify")
      #expect(try await notifications() == ["table,notifications,the trigger is disabled,,note,"])
      #expect(
        try await db.annals("init", "--no-notify", "-n").standardOutput == """
          BEGIN;
          -- Do not notify followers of public.events
          DROP TRIGGER IF EXISTS annals_notify ON "public"."events";
          COMMIT;

          """
      )
      #expect(try await db.annals("init", "--notify", "--citus").exitCode == 64)
    }
  }

  @Test func aClassicTableIsLeftAlone() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(classicTable)
      let before = try await db.schema("-t", "public.events")
      let run = try await db.annals("init")
      #expect(run.status == .exited(0))
      #expect(run.standardOutput == "")
      #expect(run.standardError.contains("public.events is not changed"))
      #expect(try await db.schema("-t", "public.events") == before)

      // The SQL that it prints does what --add-position does.
      let sql = run.standardError.split(separator: "\n").drop { $0 != "BEGIN;" }.prefix {
        !$0.hasPrefix("HINT")
      }
      try await TestCluster.withDatabase { other in
        try await other.psql(classicTable)
        #expect(try await other.annals("init", "--add-position").status == .exited(0))
        try await db.psql(sql.joined(separator: "\n"))
        let schemas = (try await db.schema(), try await other.schema())
        #expect(schemas.0 == schemas.1)
      }
    }
  }

  /// Streams keep the order of their versions, also where the clock went backwards; they interleave by time.
  @Test(arguments: ["timestamp with time zone", "timestamp without time zone"])
  func addPositionKeepsTheOrder(type: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(classicTable.replacing("timestamptz", with: type) + classicEvents)
      #expect(try await db.annals("init", "--add-position").status == .exited(0))
      #expect(try await db.psql(eventsInOrder) == "a:1 b:1 a:2 a:3 b:2")
      let next =
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('c', 'T', '{}', 1)"
      #expect(try await db.psql(next + " RETURNING position") == "6")
      #expect(try await db.annals("init").standardError == "", "nothing is missing any more")
    }
  }

  /// Under a lock, online, and by the script that the dry run prints: the same table, and the same order.
  @Test func addPositionOnlineIsTheSame() async throws {
    try await TestCluster.withDatabase { locked in
      try await locked.psql(classicTable + classicEvents)
      #expect(try await locked.annals("init", "--add-position").status == .exited(0))
      for isScript in [false, true] {
        try await TestCluster.withDatabase { db in
          try await db.psql(classicTable + classicEvents)
          if isScript {
            let script = try await db.annals("init", "--add-position", "--online", "-n")
            #expect(script.status == .exited(0), "\(script.standardError)")
            try await db.psql(script.standardOutput.replacing("$1", with: "0").replacing("$2", with: "1000"))
          } else {
            let run = try await db.annals("init", "--add-position", "--online")
            #expect(run.status == .exited(0) && run.standardError == "", "\(run.standardError)")
          }
          let again = try await db.annals("init", "--add-position", "--online")
          #expect(again.status == .exited(0) && again.standardError == "", "\(again.standardError)")
          #expect(try await db.psql(eventsInOrder) == "a:1 b:1 a:2 a:3 b:2")
          let schemas = (
            try await db.schema("-t", "public.events"), try await locked.schema("-t", "public.events")
          )
          #expect(schemas.0 == schemas.1)
        }
      }
    }
  }

  @Test(arguments: [
    ["--online"], ["--add-position", "--online", "--partitions", "2"],
    ["--add-position", "--progress", "1s"],
  ])
  func onlineGoesWithAddPosition(options: [String]) async throws {
    let run = try await AnnalsBinary.run(["init"] + options, environment: [:])
    #expect(run.exitCode == 64 && run.standardError.contains("--online"))
  }

  @Test func addPositionToAPartitionedTable() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (
          id uuid NOT NULL DEFAULT gen_random_uuid(), aggregate_id varchar(255) NOT NULL,
          event_type varchar(100) NOT NULL, event_data jsonb NOT NULL, version integer NOT NULL,
          "timestamp" timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (aggregate_id, version)
        ) PARTITION BY HASH (aggregate_id);
        CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        """ + classicEvents
      )
      let run = try await db.annals("init", "--add-position")
      #expect(run.status == .exited(0), "\(run.standardError)")
      if run.status == .exited(0) { #expect(try await db.psql(eventsInOrder) == "a:1 b:1 a:2 a:3 b:2") }
    }
  }

  /// ALTER TABLE cannot run there, and is not shown.
  @Test(arguments: [
    ("CREATE VIEW events AS SELECT * FROM old", "view"),
    ("CREATE MATERIALIZED VIEW events AS SELECT * FROM old", "materialized view"),
    (
      """
      CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
      CREATE FOREIGN TABLE events (id uuid, aggregate_id text, event_type text, event_data jsonb, version int,
        "timestamp" timestamptz) SERVER nowhere
      """, "foreign table"
    ),
  ])
  func aViewGetsNoColumn(definition: String, kind: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(classicTable.replacing("TABLE events", with: "TABLE old") + definition)
      let refused = try await db.annals("init", "--add-position")
      #expect(refused.exitCode == 78)
      let message = "public.events is a \(kind), to which no column can be added"
      #expect(refused.standardError.hasPrefix("annals: error: \(message)\n"), "\(refused.standardError)")
      #expect(try await db.psql("SELECT to_regnamespace('annals') IS NULL") == "t")
      let run = try await db.annals("init")
      #expect(run.exitCode == 0)
      #expect(run.standardError.hasPrefix("annals: \(message). Add the columns to the table "))
      #expect(!run.standardError.contains("ALTER TABLE"))
    }
  }

  @Test func whatIsNoTableOfEventsIsRefused() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql("CREATE TABLE events (id integer, event_data json)")
      let run = try await db.annals("init")
      #expect(run.status == .exited(78))
      #expect(run.standardError.contains("public.events is not a table of events"))
      #expect(run.standardError.contains("aggregate_id"))
      #expect(try await db.psql("SELECT to_regnamespace('annals') IS NULL") == "t")
    }
  }

  @Test func aNewerSchemaIsRefused() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").status == .exited(0))
      try await db.psql("INSERT INTO annals.migrations (number, name) VALUES (1000, 'from the future')")
      let run = try await db.annals("init", "-n")
      #expect(run.status == .exited(1))
      #expect(run.standardError.contains("newer annals (migration 1000"))
      // Other commands refuse records that may have another meaning, too.
      let file = "/tmp/annals-test-\(db.name).sql"
      let text = "-- @projection p\n-- @create\nCREATE TABLE t (id text);\n-- @on A\nSELECT 1;"
      _ = try await runShell("printf '%s' '\(text)' > \(file)")
      for command in [
        ["project", "--once", file], ["rebuild-projection", file], ["rebuild-projection", "-n", file],
        ["projections"], ["projections", "pause", "p"], ["projections", "drop", "p", "--yes"],
        ["dead-letters", "list"], ["replay", "--checkpoint", "c"], ["snapshot", "take", "--all"],
        ["snapshot", "list"], ["snapshot", "prune", "--yes", "--keep", "1"],
        ["verify-versions", "--incremental"],
      ] {
        let run = try await db.annals(command)
        #expect(run.exitCode == 1, "\(command): \(run.standardError)")
        let isTold = run.standardError.contains("newer annals (migration 1000")
        #expect(isTold, "\(command): \(run.standardError)")
      }
      #expect(try await db.annals("stream").exitCode == 0)
      _ = try await runShell("rm \(file)")
    }
  }

  @Test func withoutRightsNothingIsChanged() async throws {
    try await TestCluster.withDatabase { db in
      let role = "r" + db.name
      try await db.psql("CREATE ROLE \(role) LOGIN")
      let run = try await db.annals("init", "-U", role)
      #expect(run.status == .exited(77))
      #expect(run.standardError.hasPrefix("annals: error: permission denied"))
      #expect(
        try await db.psql("SELECT to_regclass('events') IS NULL, to_regnamespace('annals') IS NULL") == "t|t"
      )
      try await db.psql("DROP ROLE \(role)")
    }
  }
}

private let classicTable = """
  CREATE TABLE events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id varchar(255) NOT NULL,
    event_type varchar(100) NOT NULL, event_data jsonb NOT NULL, version integer NOT NULL,
    "timestamp" timestamptz NOT NULL DEFAULT now(), UNIQUE (aggregate_id, version)
  );

  """

/// The time of version 3 of `a` lies before that of version 2.
private let classicEvents = """
  INSERT INTO events (aggregate_id, event_type, event_data, version, "timestamp") VALUES
    ('a', 'T', '{}', 3, '2026-01-01 00:00:00'), ('b', 'T', '{}', 2, '2026-01-01 00:00:09'),
    ('a', 'T', '{}', 2, '2026-01-01 00:00:05'), ('b', 'T', '{}', 1, '2026-01-01 00:00:02'),
    ('a', 'T', '{}', 1, '2026-01-01 00:00:01');
  """

private let eventsInOrder =
  "SELECT string_agg(aggregate_id || ':' || version, ' ' ORDER BY position) FROM events"

extension TestDatabase {
  func annals(_ arguments: String...) async throws -> ProgramRun { try await annals(arguments) }

  func annals(_ arguments: [String]) async throws -> ProgramRun {
    try await AnnalsBinary.run(arguments, environment: environment)
  }

  /// What pg_dump says of the database, without data.
  fileprivate func schema(_ options: String...) async throws -> String {
    let words = ["pg_dump", "--schema-only", "--no-comments"] + options
    let run = try await runShell(words.joined(separator: " "), environment: environment)
    #expect(run.status == .exited(0), "\(run.standardError)")
    // Newer releases guard a dump with a random key (\restrict).
    return run.standardOutput.split(separator: "\n").filter { !$0.hasPrefix("\\") }.joined(separator: "\n")
  }
}
