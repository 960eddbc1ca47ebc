import Foundation
import TestSupport
import Testing

/// Who may do what to a protected store, as annals-protect(1) says it; and the attacks of an appender, which all fail.
@Suite struct ProtectTests {
  /// A store of an ordinary role, with everything that is in the manual's table, and logins in each of its roles.
  private func withStore(_ body: (TestDatabase, _ login: (String) -> TestDatabase) async throws -> Void)
    async throws
  {
    try await TestCluster.withDatabase { db in
      let login = { (role: String) in
        TestDatabase(
          name: db.name,
          environment: db.environment.merging(["PGUSER": "\(role)_of_\(db.name)"]) { $1 }
        )
      }
      let owner = "owner_of_\(db.name)"
      try await db.psql(
        "CREATE ROLE \(owner) LOGIN CREATEROLE; ALTER DATABASE \(db.name) OWNER TO \(owner)"
      )
      for command in [["init"], ["append", "a", "Added"], ["append", "a", "Added"], ["protect"]] {
        let run = try await AnnalsBinary.run(command, environment: login("owner").environment)
        #expect(run.exitCode == 0, "\(command): \(run.standardError)")
      }
      try await db.psql(
        "INSERT INTO annals.checkpoints (name, store, filter) VALUES ('mail', 'public.events', 'no filter')"
      )
      let roles = ["reader", "appender", "projector", "admin"]
      for role in roles {
        try await db.psql("CREATE ROLE \(role)_of_\(db.name) LOGIN IN ROLE \(db.name)_\(role)")
      }
      try await body(db, login)
      for role in roles + ["owner"] {
        try await db.psql(
          "REASSIGN OWNED BY \(role)_of_\(db.name) TO CURRENT_USER; DROP OWNED BY \(role)_of_\(db.name)"
        )
      }
      let off = try await db.annals("protect", "--off", "--yes")
      #expect(off.exitCode == 0, "\(off.standardError)")
      for role in roles + ["owner"] { try await db.psql("DROP ROLE \(role)_of_\(db.name)") }
      #expect(try await db.psql("SELECT count(*) FROM pg_roles WHERE rolname LIKE '\(db.name)%'") == "0")
    }
  }

  /// What each deed of the manual's table is; it is rolled back.
  private static let deeds = [
    "read events": "SELECT count(*) FROM events",
    "append events": """
    INSERT INTO events (id, aggregate_id, event_type, event_data, version, "timestamp", metadata)
    VALUES (gen_random_uuid(), 'b', 'Added', '{}', 1, now(), '{}')
    """,
    "give an event its position": """
    INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE
    VALUES ('b', 'Added', '{}', 1, 100)
    """,
    "move the sequence": "SELECT setval('events_position_seq', 1000)",
    "change an event": "UPDATE events SET event_data = '{\"n\": 1}'",
    "the same, with its row in the audit": """
    INSERT INTO annals.audit (action, subject, store) VALUES ('redact', 'store public.events', 'public.events');
    UPDATE events SET event_data = '{"n": 1}'
    """,
    "redact an event": """
    WITH a AS (INSERT INTO annals.audit (action, subject, store) VALUES ('redact', 'store public.events', 'public.events')
               RETURNING id)
    INSERT INTO annals.redactions (audit, store, event_id, aggregate_id, version, event_type, hash_before, hash_after)
    SELECT a.id, 'public.events', e.id, e.aggregate_id, e.version, e.event_type, '', '' FROM a, events e;
    UPDATE events SET event_data = '{"n": 1}'
    """,
    "record a redaction": """
    INSERT INTO annals.redactions (audit, store, event_id, aggregate_id, version, event_type, hash_before, hash_after)
    VALUES (1, 'public.events', gen_random_uuid(), 'a', 1, 'Added', '', '')
    """,
    "change the record of a redaction": """
    INSERT INTO annals.redactions (audit, store, event_id, aggregate_id, version, event_type, hash_before, hash_after)
    VALUES (1, 'public.events', gen_random_uuid(), 'a', 1, 'Added', '', '');
    UPDATE annals.redactions SET audit = 2; DELETE FROM annals.redactions
    """,
    "delete an event": "DELETE FROM events WHERE version = 2",
    "truncate the table": "TRUNCATE events",
    "disable a trigger": "ALTER TABLE events DISABLE TRIGGER annals_immutable",
    "drop the table": "DROP TABLE events",
    "move a checkpoint": "UPDATE annals.checkpoints SET position = 1 WHERE name = 'mail'",
    "read the audit": "SELECT count(*) FROM annals.audit",
    "write to the audit": "INSERT INTO annals.audit (action, subject) VALUES ('restore', 'schema annals')",
    "change the audit": "UPDATE annals.audit SET reason = 'another'; DELETE FROM annals.audit",
  ]

  private static let projection = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (n int);
    -- @on *
    INSERT INTO sums VALUES (event.version);

    """

  /// Whether a role can do it.
  private func can(_ deed: String, _ login: TestDatabase) async throws -> Bool {
    if deed == "build a read model" {
      let run = try await AnnalsBinary.run(
        ["rebuild-projection", "-"],
        stdin: Self.projection,
        environment: login.environment
      )
      if run.exitCode == 0 {
        for command in [["project", "--once", "-"], ["projections", "drop", "sums", "--yes"]] {
          let run = try await AnnalsBinary.run(
            command,
            stdin: Self.projection,
            environment: login.environment
          )
          #expect(run.exitCode == 0, "\(command): \(run.standardError)")
        }
      } else {
        #expect(run.exitCode == 77, "\(run.standardError)")
      }
      return run.exitCode == 0
    }
    do {
      try await login.psql("BEGIN; \(try #require(Self.deeds[deed], "\(deed)")); ROLLBACK")
      return true
    } catch let error as PsqlError {
      let reasons = ["permission denied", "must be owner", "is refused"]
      #expect(reasons.contains(where: error.description.contains), "\(deed): \(error.description)")
      return false
    }
  }

  @Test func theTableOfTheManual() async throws {
    let page = try SourceTree.read("man/annals-protect.1").split(separator: "\n").map(String.init)
    let rows = page.drop { $0 != ".Sh WHO MAY DO WHAT" }.dropFirst().prefix { $0 != ".El" }
      .filter { $0.hasPrefix(".It ") }
      .map { row in row.dropFirst(4).components(separatedBy: " Ta ").map { $0.replacing("Sy ", with: "") } }
    #expect(Set(rows.dropFirst().map { $0[0] }) == Set(Self.deeds.keys).union(["build a read model"]))
    try await withStore { _, login in
      for row in rows.dropFirst() {
        for (role, cell) in zip(rows[0], row).dropFirst() {
          let allowed = try await can(row[0], login(role))
          #expect((allowed ? "yes" : "no") == cell, "\(role): \(row[0])")
        }
      }
    }
  }

  /// The commands of annals work as these roles.
  @Test func commandsOfEachRole() async throws {
    try await withStore { db, login in
      let export = "/tmp/annals-test-\(db.name).export"
      let commands: [(role: String, words: [String])] = [
        ("reader", ["stream", "a"]), ("reader", ["verify-versions"]), ("reader", ["audit"]),
        ("reader", ["checkpoints"]), ("reader", ["watermark"]), ("reader", ["export", export]),
        ("appender", ["append", "b", "Added"]),
        ("appender", ["append", "--from", SourceTree.path("Examples/orders/events.ndjson")]),
        ("projector", ["snapshot", "take", "--all"]), ("projector", ["replay", "--checkpoint", "letters"]),
        ("projector", ["checkpoints", "set", "mail", "1", "--yes", "--reason", "again"]),
        ("projector", ["watermark", "--publish"]), ("projector", ["verify-versions", "--incremental"]),
        ("admin", ["restore", export]),
        ("admin", ["redact", "--stream", "a", "--path", ".", "--yes", "--reason", "law"]),
        ("admin", ["archive", "--stream", "a", "--yes", "--reason", "disk"]),
        ("reader", ["stream", "a", "--with-archive"]),
        ("admin", ["archive", "--undo", "--yes", "--reason", "disk"]),
      ]
      for (role, words) in commands {
        let run = try await AnnalsBinary.run(words, environment: login(role).environment)
        #expect(run.exitCode == 0, "\(role) \(words): \(run.standardError)")
        let doctor = try await AnnalsBinary.run(
          ["doctor", "-o", "ndjson"],
          environment: login(role).environment
        )
        let items = try doctorItems(doctor)
        #expect(
          items["table", "changes of events"]?.value.hasPrefix("refused by triggers, which the owner ")
            == true
        )
        #expect(items["rights", "append"]?.value == (["appender", "admin"].contains(role) ? "yes" : "no"))
        let writes = ["projector", "admin"].contains(role)
        let own = items["rights", "project, snapshot take, replay with a checkpoint"]
        #expect(own?.value == (writes ? "yes" : "no"))
      }
      _ = try await runShell("rm -f \(export)")
    }
  }

  /// What somebody tries who has got an appender's password.
  private static let attacks = [
    "UPDATE events SET event_data = '{}'", "DELETE FROM events", "TRUNCATE events", "DROP TABLE events",
    "SELECT * FROM events FOR UPDATE", "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
    "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'T', '{}', 1) ON CONFLICT (aggregate_id, version) DO UPDATE SET event_data = '{\"forged\": 1}'",
    "MERGE INTO events e USING (SELECT 'a' AS id) s ON e.aggregate_id = s.id WHEN MATCHED THEN DELETE",
    "COPY events (aggregate_id, event_type, event_data, version, position) FROM PROGRAM 'echo'",
    "COPY events (aggregate_id, event_type, event_data, version, position) FROM STDIN;\nz\tT\t{}\t1\t1\n\\.\n",
    "COPY events FROM STDIN;\n\\.\n",
    "INSERT INTO events (aggregate_id, event_type, event_data, version, position) OVERRIDING SYSTEM VALUE VALUES ('z', 'T', '{}', 1, 1)",
    "SELECT setval('events_position_seq', 1)", "SELECT nextval('events_position_seq')",
    "ALTER SEQUENCE events_position_seq RESTART", "ALTER TABLE events DISABLE TRIGGER ALL",
    "ALTER TABLE events DISABLE TRIGGER annals_immutable", "DROP TRIGGER annals_immutable ON events",
    "SET session_replication_role = replica", "ALTER TABLE events OWNER TO CURRENT_USER",
    "CREATE RULE r AS ON INSERT TO events DO ALSO DELETE FROM events",
    "CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION annals.refuse_change()",
    "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
    "GRANT UPDATE ON events TO CURRENT_USER; UPDATE events SET version = 1",
    "SET ROLE DB_admin", "SET ROLE DB_projector", "SET SESSION AUTHORIZATION DB_admin",
    "RESET ROLE; SET ROLE owner_of_DB",
    "GRANT DB_admin TO CURRENT_USER", "ALTER ROLE CURRENT_USER SUPERUSER", "CREATE ROLE mine_DB",
    "CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.events'; SELECT pg_temp.f()",
    "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT 1'", "CREATE SCHEMA evil",
    "CREATE TABLE public.audit (n int)",
    "CREATE OR REPLACE FUNCTION annals.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION annals.refuse_change() SET search_path = pg_temp",
    "DROP FUNCTION annals.refuse_change() CASCADE",
    "CREATE TEMP TABLE audit AS TABLE annals.audit; SET search_path = pg_temp, annals, public; UPDATE events SET version = 1",
    "INSERT INTO annals.audit (action, subject, store) VALUES ('redact', 'store public.events', 'public.events')",
    "INSERT INTO annals.redactions (audit, store, event_id, aggregate_id, version, event_type, hash_before, hash_after) VALUES (1, '', gen_random_uuid(), '', 1, '', '', '')",
    "UPDATE annals.audit SET role = 'somebody'", "DELETE FROM annals.audit", "TRUNCATE annals.audit",
    "INSERT INTO annals.checkpoints (name, store, filter) VALUES ('x', 'public.events', '')",
    "UPDATE annals.checkpoints SET position = 9",
    "INSERT INTO annals.migrations (number, name) VALUES (99, 'x')",
    "DROP SCHEMA annals CASCADE", "DO 'BEGIN DELETE FROM public.events; END'",
    "UPDATE pg_trigger SET tgenabled = 'D'",
  ]

  @Test func anAppenderCannotChangeHistory() async throws {
    try await withStore { db, login in
      let state = """
        SELECT (SELECT array_agg(e ORDER BY position) FROM events e), (SELECT count(*) FROM annals.audit),
          (SELECT array_agg(t ORDER BY tgname) FROM pg_trigger t WHERE tgrelid = 'events'::regclass),
          (SELECT last_value FROM events_position_seq), (SELECT relacl FROM pg_class WHERE oid = 'events'::regclass),
          (SELECT array_agg(c) FROM annals.checkpoints c), (SELECT prosrc FROM pg_proc WHERE proname = 'refuse_change')
        """
      let before = try await db.psql(state)
      for attack in Self.attacks {
        let sql = attack.replacing("DB", with: db.name)
        let error = await #expect(throws: PsqlError.self, "\(sql)") { try await login("appender").psql(sql) }
        let reasons = ["permission denied", "must be", "is refused", "must have"]
        #expect(
          reasons.contains(where: (error?.description ?? "").contains),
          "\(sql): \(error?.description ?? "")"
        )
      }
      #expect(try await db.psql(state) == before)
    }
  }

  /// The script is what is run, and undone as a whole.
  @Test func theDryRunPrintsTheSQL() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      let grants = """
        SELECT (SELECT array_agg(format('%s %s', relname, relacl) ORDER BY oid) FROM pg_class WHERE relacl IS NOT NULL
                AND relnamespace IN ('public'::regnamespace, 'annals'::regnamespace)),
          (SELECT array_agg(nspacl::text ORDER BY oid) FROM pg_namespace WHERE nspname IN ('annals', 'public')),
          (SELECT array_agg(attacl::text) FROM pg_attribute WHERE attrelid = 'events'::regclass AND attacl IS NOT NULL),
          (SELECT array_agg(defaclacl::text ORDER BY oid) FROM pg_default_acl),
          (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'annals%')
        """
      let unprotected = try await db.psql(grants)
      let script = try await db.annals("protect", "-n")
      #expect(try await db.psql(grants) == unprotected)
      #expect(
        script.standardOutput.contains("CREATE ROLE \"\(db.name)_appender\" NOLOGIN;"),
        "\(script.standardOutput)"
      )
      try await db.psql(script.standardOutput)
      let protected = try await db.psql(grants)
      try await db.psql(try await db.annals("protect", "--off", "-n").standardOutput)
      #expect(try await db.annals("protect", "--off", "-n").standardOutput == "")
      #expect(try await db.annals("protect", "--reason", "a law").exitCode == 0)
      #expect(try await db.psql(grants) == protected)
      #expect(
        try await db.psql("SELECT reason, detail FROM annals.audit WHERE action = 'protect'")
          == "a law|{\"off\": false, \"roles\": \"\(db.name)\", \"immutability\": true}"
      )
      #expect(try await db.annals("protect", "--off").exitCode == 64, "it asks")
      #expect(try await db.annals("protect", "--off", "--yes").exitCode == 0)
      #expect(try await db.psql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'annals%'") == "0")
    }
  }

  @Test func aRoleOfSomebodyElseIsNotTaken() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      try await db.psql("CREATE ROLE \(db.name)_admin")
      for option in [[], ["--off", "--yes"]] {
        let run = try await AnnalsBinary.run(["protect"] + option, environment: db.environment)
        #expect(run.exitCode == 1)
        #expect(
          run.standardError.contains(
            "there is a role \(db.name)_admin already, which is not one of public.events"
          ),
          "\(run.standardError)"
        )
      }
      #expect(try await db.psql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'annals%'") == "0")
      #expect(try await db.annals("protect", "--roles", "--name", "my shop \(db.name)").exitCode == 0)
      #expect(try await db.annals("protect", "--off", "--yes", "--name", "my shop \(db.name)").exitCode == 0)
      try await db.psql("DROP ROLE \(db.name)_admin")
    }
  }

  @Test func aRoleThatOwnsSomethingStays() async throws {
    try await TestCluster.withDatabase { db in
      for command in [["init"], ["protect"]] {
        #expect(try await AnnalsBinary.run(command, environment: db.environment).exitCode == 0)
      }
      try await db.psql("CREATE TABLE kept (n int); ALTER TABLE kept OWNER TO \(db.name)_projector")
      let run = try await db.annals("protect", "--off", "--yes")
      #expect(run.exitCode == 1, "\(run.standardError)")
      #expect(
        run.standardError.contains("DETAIL:  owner of table public.kept\nHINT:  Give it to another role"),
        "\(run.standardError)"
      )
      #expect(try await db.psql("SELECT count(*) FROM pg_roles WHERE rolname LIKE '\(db.name)%'") == "4")
      let refused = await #expect(throws: PsqlError.self) { try await db.psql("TRUNCATE events") }
      #expect(refused?.description.contains("is refused") == true, "all or nothing")
      try await db.psql("DROP TABLE kept")
      #expect(try await db.annals("protect", "--off", "--yes").exitCode == 0)
    }
  }

  @Test func theDoctorSaysWhoCanChangeEvents() async throws {
    try await TestCluster.withDatabase { db in
      #expect(try await db.annals("init").exitCode == 0)
      func item() async throws -> (value: String, status: String) {
        let item = try #require(
          try doctorItems(try await db.annals("doctor", "-o", "ndjson"))["table", "changes of events"]
        )
        return (item.value, item.status)
      }
      #expect(try await item().value.hasPrefix("possible for the owner "))
      try await db.psql(
        "GRANT UPDATE (event_data) ON events TO pg_monitor; GRANT TRUNCATE ON events TO PUBLIC"
      )
      var found = try await item()
      #expect(
        found.status == "note" && found.value.hasPrefix("possible for PUBLIC, pg_monitor, the owner "),
        "\(found)"
      )
      #expect(try await db.annals("protect", "--immutable").exitCode == 0)
      found = try await item()
      #expect(
        found.status == "ok" && found.value.hasPrefix("refused by triggers, which the owner "),
        "\(found)"
      )
      try await db.psql("ALTER TABLE events ENABLE REPLICA TRIGGER annals_immutable")
      #expect(try await item().status == "problem")
      #expect(try await db.annals("protect", "--immutable").exitCode == 0)
      #expect(try await item().status == "ok")
    }
  }
}
