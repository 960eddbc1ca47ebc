import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// Consumers of one file, side by side.
@Suite struct RunCommandTests {
  private static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, events bigint NOT NULL, total bigint NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, 1, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, total = sums.total + excluded.total;

    """
  /// What hand-made SQL has and the read model has not, or the other way round.
  private static let differences = """
    SELECT count(*) FROM (SELECT aggregate_id COLLATE "default" AS id, count(*) AS events,
                                 sum((event_data->>'n')::bigint)::bigint AS total
                          FROM events WHERE event_type = 'Added' GROUP BY 1) AS e
    FULL JOIN sums USING (id, events, total) WHERE (e.*) IS NULL OR (sums.*) IS NULL
    """
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a-' || n % 10, (ARRAY['Added', 'Sent', 'Poison'])[1 + (n % 7 = 0)::int + (n = 700)::int],
      jsonb_build_object('n', n), n / 10 + 1
    FROM generate_series(0, 999) AS n;
    """
  /// Notes the position of each event in a file, and answers.
  private static func note(_ file: String, _ before: String = "") -> String {
    "while read -r l; do p=${l#*:}; p=${p%%,*}; \(before) echo $p >>\(file); echo $p; done"
  }

  private func withShop(
    _ consumers: String,
    _ body: (_ db: TestDatabase, _ shell: @Sendable (String) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await AnnalsBinary.run(["init"], environment: db.environment).exitCode == 0)
      try await db.psql(Self.fill)
      try await withTemporaryDirectory { directory in
        try Data(consumers.utf8).write(to: URL(filePath: "\(directory)/shop.sql"))
        try Data(Self.sums.utf8).write(to: URL(filePath: "\(directory)/sums.sql"))
        try await body(db) { script in
          try await runShell(
            "cd '\(directory)'; PATH='\(AnnalsBinary.path.removingLastComponent())':$PATH; \(script)",
            environment: db.environment
          )
        }
      }
    }
  }

  @Test func allGetTheirEvents() async throws {
    let consumers = """
      -- @consumer sums
      -- @projection sums.sql

      -- @consumer mail
      -- @types Sent
      -- @exec \(Self.note("mail"))
      -- @workers 3

      -- @consumer one
      -- @category a
      -- @exec \(Self.note("one", "case $l in *Poison*) exit 1;; esac;"))
      -- @attempts 1
      """
    try await withShop(consumers) { db, shell in
      var run = try await shell("annals run -n shop.sql && annals rebuild-projection sums.sql")
      #expect(run.exitCode == 0 && run.standardError == "", "\(run.standardError)")
      #expect(try await db.psql("SELECT count(*) FROM annals.checkpoints") == "0")
      run = try await shell("annals run --once shop.sql")
      #expect(run.exitCode == 5, "an event became a dead letter: \(run.standardError)")
      #expect(run.standardError.contains("one: dead letter: the event at position 701: the command ended"))
      #expect(try await db.psql(Self.differences) == "0")
      let sent = try await db.psql("SELECT position FROM events WHERE event_type = 'Sent' ORDER BY 1")
      let others = try await db.psql("SELECT position FROM events WHERE event_type <> 'Poison' ORDER BY 1")
      run = try await shell("sort -n mail; echo; sort -n one")
      #expect(run.standardOutput == "\(sent)\n\n\(others)\n")
      let checkpoints = "SELECT name, position FROM annals.checkpoints ORDER BY 1"
      #expect(try await db.psql(checkpoints) == "mail|1000\none|1000")
      run = try await shell("annals run --once shop.sql; wc -l <mail; wc -l <one")
      #expect(run.standardOutput == "142\n999\n", "nothing comes twice")
    }
  }

  /// One that fails is started again, the others go on meanwhile, and all end at a signal.
  @Test func aFailingConsumerHoldsNobodyUp() async throws {
    let consumers = """
      -- @consumer bad
      -- @exec exit 127
      -- @consumer sums
      -- @projection sums.sql
      -- @consumer mail
      -- @exec \(Self.note("mail"))
      """
    try await withShop(consumers) { db, shell in
      #expect(try await shell("annals rebuild-projection sums.sql").exitCode == 0)
      async let service = shell("annals run shop.sql 2>err & echo $! >pid; wait $!; echo $?; cat err")
      try await until { try await shell("grep -c 'bad: starting again in 2 s' err").exitCode == 0 }
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('new', 'Added', '{\"n\": 5}', 1)"
      )
      try await until {
        try await db.psql("SELECT position FROM annals.checkpoints WHERE name = 'mail'") == "1001"
      }
      try await until { try await db.psql(Self.differences) == "0" }
      _ = try await shell("kill -TERM $(cat pid)")
      let end = try await service
      // As a shell says that SIGTERM ended it; systemd takes that for a clean end.
      #expect(end.standardOutput.hasPrefix("143\n"), "\(end.standardOutput)")
      #expect(end.standardOutput.contains("bad: the command ended with status 127"))
      #expect(try await shell("wc -l <mail").standardOutput == "1001\n")
    }
  }

  @Test func aPausedProjectionContinuesWhenItIsResumed() async throws {
    let consumers = """
      -- @consumer sums
      -- @projection sums.sql
      -- @consumer mail
      -- @exec \(Self.note("mail"))
      """
    try await withShop(consumers) { db, shell in
      let pause = try await shell("annals rebuild-projection sums.sql && annals projections pause sums")
      #expect(pause.exitCode == 0, "\(pause.standardError)")
      try await db.psql(Self.fill.replacing("'a-'", with: "'b-'"))
      #expect(try await shell("annals run --once shop.sql").exitCode == 2, "it is paused")
      try await db.psql(Self.fill.replacing("'a-'", with: "'c-'"))
      async let service = shell("annals run shop.sql 2>err & echo $! >pid; wait $!; cat err")
      let position = "SELECT position FROM annals.checkpoints WHERE name = 'mail'"
      try await until { try await db.psql(position) == "3000" }
      #expect(try await db.psql("SELECT sum(events) FROM sums") == "857")
      #expect(try await shell("annals projections resume sums").exitCode == 0)
      try await until { try await db.psql(Self.differences) == "0" }
      _ = try await shell("kill -TERM $(cat pid)")
      #expect(try await !service.standardOutput.contains("starting again"))
    }
  }

  /// Killed again and again, with a command that fails at every tenth event at random: each effect of the command happens
  /// at least once, and the read model has each event once. `ANNALS_TEST_KILLS=300` takes a minute or more.
  @Test func nothingIsLostByKills() async throws {
    let consumers = """
      -- @consumer sums
      -- @projection sums.sql
      -- @consumer mail
      -- @exec \(Self.note("mail", "case $(od -An -N1 -tu1 /dev/urandom) in *[27]) [ -e calm ] || exit 9;; esac;"))
      -- @attempts 1000
      -- @workers 2
      """
    try await withShop(consumers) { db, shell in
      #expect(try await shell("annals rebuild-projection sums.sql").exitCode == 0)
      let kills = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_KILLS"] ?? "") ?? 8
      for round in 1...kills {
        if kills <= 8 || round % (kills / 8) == 0 {
          try await db.psql(Self.fill.replacing("'a-'", with: "'b\(round)-'"))
        }
        _ = try await shell("timeout --signal=KILL 0.\(2 + (round - 1) % 8) annals run shop.sql 2>>err")
      }
      let end = try await shell("touch calm; annals run --once shop.sql")
      #expect(end.exitCode == 0, "\(end.standardError)")
      #expect(try await db.psql(Self.differences) == "0")
      let all = try await db.psql("SELECT position FROM events ORDER BY 1")
      #expect(try await shell("sort -nu mail").standardOutput == all + "\n")
    }
  }

  @Test(arguments: [
    ("", "1:1: no @consumer section"),
    ("-- @exec cat\n-- @consumer a\n-- @exec x", "1:1: @exec belongs to no consumer"),
    ("-- @consumer a", "1:1: consumer \"a\" does nothing with its events"),
    ("-- @consumer a\n-- @exec x\n-- @projection y", "3:1: @projection beside @exec"),
    ("-- @consumer a\n-- @exec x\n-- @consumer a\n-- @exec x", "3:14: second consumer \"a\""),
    ("-- @consumer a\n-- @exec x\n-- @exec y", "3:1: second @exec of this consumer; the first is on line 2"),
    ("-- @consumer a\n-- @projection sums.sql\n-- @types A", "3:1: @types is not for a projection"),
    ("-- @consumer a\n-- @exec x\n-- @workers 0", "3:13: @workers must be a number from 1 to 100"),
    ("-- @consumer a\n-- @exec x\n-- @attempts many", "3:14: @attempts must be a number from 1 to 1000"),
    ("-- @consumer a\n-- @exec x\n-- @timeout soon", "3:13: this is no duration"),
    ("-- @consumer a\n-- @exec x\n-- @types A, A", "3:14: A is named twice"),
    ("-- @consumer a\n-- @exec x\n-- @wrokers 2", "3:1: unknown section @wrokers"),
    ("-- @consumer a\n-- @exec x\nSELECT 1;", "3:1: @exec takes no SQL"),
  ])
  func wrongFiles(text: String, message: String) async throws {
    for option in ["-n", "--once"] {
      let run = try await AnnalsBinary.run(
        ["run", option, "-d", "postgresql://nowhere.invalid/x", "/dev/stdin"],
        stdin: text
      )
      #expect(run.exitCode == 78)
      #expect(run.standardError.hasPrefix("annals: error: /dev/stdin:\(message)"), "\(run.standardError)")
    }
  }
}
