import EventStore
import TestSupport
import Testing

/// A projection file changes its read model and nothing else.
@Suite struct ConfinementTests {
  /// A statement that a file must not have, and the message of the refusal.
  struct Stray: Sendable, CustomTestStringConvertible {
    let create: String
    let handler: String
    let message: String
    /// Whether it is found before the first event.
    let isFoundEarly: Bool

    init(create: String = "", handler: String = "SELECT 1;", _ message: String, early: Bool = true) {
      (self.create, self.handler, self.message, isFoundEarly) = (create, handler, message, early)
    }

    var testDescription: String { "\(create) \(handler)" }

    var file: String {
      """
      -- @projection sums
      -- @create
      CREATE TABLE sums (id text);
      \(create)
      -- @on Added
      INSERT INTO sums VALUES (event.aggregate_id);
      \(handler)
      """
    }
  }

  /// A function of the file that does something in PL/pgSQL, where no reading of the file finds it.
  private static func function(_ body: String) -> String {
    "CREATE FUNCTION act() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN \(body) RETURN 1; END $$;"
  }

  /// At the last event, since later events would fail because of its effect.
  private static let once = "SELECT act() WHERE event.position = 3;"

  static let strays = [
    // Transactions.
    Stray(create: "COMMIT; DROP TABLE kept;", "COMMIT controls the transaction"),
    Stray(create: "rollback and chain;", "ROLLBACK controls the transaction"),
    Stray(create: "END; BEGIN;", "END controls the transaction"),
    Stray(create: "ABORT;", "ABORT controls the transaction"),
    Stray(create: "SAVEPOINT annals;", "SAVEPOINT controls the transaction"),
    Stray(create: "RELEASE annals;", "RELEASE controls the transaction"),
    Stray(create: "START TRANSACTION;", "START controls the transaction"),
    Stray(create: "PREPARE TRANSACTION 'x';", "PREPARE controls the transaction"),
    Stray(create: "SET TRANSACTION READ ONLY;", "SET controls the transaction"),
    Stray(handler: "/* */ COMMIT;", "COMMIT controls the transaction"),
    Stray(create: "DO $$ BEGIN COMMIT; END $$;", "invalid transaction termination"),
    Stray(
      create: "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL p();",
      "invalid transaction termination"
    ),
    // The name of the function hides the semicolons behind it from whoever only reads the file.
    Stray(
      create: "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT; DROP TABLE kept; END",
      "cannot insert multiple commands"
    ),
    // Events.
    Stray(
      handler:
        "INSERT INTO public.events (aggregate_id, event_type, event_data, version) VALUES ('x', 'x', '{}', 1);",
      "public.events"
    ),
    Stray(handler: "UPDATE public.events SET event_type = 'x';", "public.events"),
    Stray(
      handler: "WITH gone AS (DELETE FROM public.events RETURNING 1) SELECT * FROM gone;",
      "public.events"
    ),
    Stray(handler: "TRUNCATE public.events;", "public.events"),
    Stray(handler: "TRUNCATE TABLE ONLY sums, public.events RESTART IDENTITY CASCADE;", "public.events"),
    Stray(create: "CREATE RULE r AS ON INSERT TO public.events DO INSTEAD NOTHING;", "public.events"),
    Stray(
      create:
        "CREATE TRIGGER t BEFORE INSERT ON public.events EXECUTE FUNCTION suppress_redundant_updates_trigger();",
      "public.events"
    ),
    Stray(create: "CREATE INDEX ON public.events (event_data);", "public.events"),
    Stray(create: "ALTER TABLE public.events ADD extra text;", "public.events"),
    Stray(create: "CREATE TABLE part () INHERITS (public.events);", "public.events"),
    Stray(create: "CREATE TABLE other (id uuid REFERENCES public.events);", "public.events"),
    Stray(create: "SELECT nextval('public.events_position_seq');", "public.events_position_seq"),
    Stray(
      create: "CREATE RULE r AS ON INSERT TO sums DO ALSO DELETE FROM public.events;",
      "public.events"
    ),
    // Other tables.
    Stray(handler: "INSERT INTO public.kept VALUES (1);", "public.kept"),
    Stray(handler: "DELETE FROM annals.audit;", "annals.audit"),
    Stray(create: "UPDATE annals.generations SET position = 100;", "annals.generations"),
    Stray(create: "DROP TABLE public.kept;", "a table that they drop"),
    Stray(create: "GRANT ALL ON public.kept TO PUBLIC;", "kept"),
    // The next build would find them there already.
    Stray(
      create: "CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple);",
      "text search configuration public.words"
    ),
    Stray(
      create: "CREATE TEXT SEARCH DICTIONARY public.words (TEMPLATE = pg_catalog.simple);",
      "text search dictionary public.words"
    ),
    Stray(create: "CREATE OPERATOR FAMILY public.few USING btree;", "operator family public.few"),
    Stray(
      create: "CREATE CONVERSION public.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;",
      "conversion public.latin"
    ),
    Stray(
      create: "CREATE FUNCTION public.elsewhere() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
      "public.elsewhere()"
    ),
    Stray(
      create: function("INSERT INTO public.kept VALUES (1);"),
      handler: once,
      "public.kept",
      early: false
    ),
    Stray(create: function("DELETE FROM public.events;"), handler: once, "public.events", early: false),
    Stray(create: function("DROP TABLE public.kept;"), handler: once, "a table that they drop", early: false),
    Stray(
      create: function("UPDATE pg_catalog.pg_class SET relpages = 0 WHERE relname = 'kept';"),
      handler: once,
      "pg_catalog.pg_class",
      early: false
    ),
    Stray(
      create: function("INSERT INTO public.kept VALUES (1);")
        + "CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN INSERT INTO public.kept VALUES (2); RETURN NEW; END $$;"
        + "CREATE TRIGGER t BEFORE INSERT ON sums FOR EACH ROW EXECUTE FUNCTION fire();",
      "public.kept",
      early: false
    ),
    // A deferred trigger acts when the transaction commits.
    Stray(
      create: "CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN DELETE FROM public.events; RETURN NULL; END $$;"
        + "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON sums DEFERRABLE INITIALLY DEFERRED "
        + "FOR EACH ROW EXECUTE FUNCTION fire();",
      "public.events",
      early: false
    ),
    Stray(
      create: "CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS "
        + "$$ BEGIN DELETE FROM public.events; RETURN NULL; END $$;"
        + "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON sums DEFERRABLE INITIALLY DEFERRED "
        + "FOR EACH ROW EXECUTE FUNCTION fire(); INSERT INTO sums VALUES ('x');",
      "public.events",
      early: false
    ),
    // What ends with the session, or hides the read model.
    Stray(create: "CREATE TEMP TABLE sums (id text);", "@create cannot run CREATE TEMP"),
    Stray(create: "CREATE TABLE pg_temp.sums (id text);", "pg_temp"),
    Stray(create: "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1;", "@create cannot run CREATE TEMPORARY"),
    Stray(create: function("CREATE TEMP TABLE t (id text);"), handler: once, "pg_temp", early: false),
    // The session.
    Stray(create: "SET search_path = public;", "@create cannot run SET"),
    Stray(create: "RESET ALL;", "@create cannot run RESET"),
    Stray(create: "SELECT set_config('search_path', 'public', true);", "the search path"),
    Stray(handler: "SELECT set_config('search_path', 'public', true);", "found set_config"),
    Stray(handler: "SELECT (SELECT pg_catalog.SET_CONFIG('role', 'x', true));", "found set_config"),
    Stray(
      create: function("PERFORM set_config('search_path', 'public', false);"),
      handler: once,
      "the search path",
      early: false
    ),
    Stray(
      create: function("SET LOCAL session_replication_role = replica;"),
      handler: once,
      "session_replication_role",
      early: false
    ),
    Stray(create: function("SET LOCAL ROLE pg_monitor;"), handler: once, "the role", early: false),
    // The database.
    Stray(create: "COPY sums FROM PROGRAM 'echo x';", "@create cannot run COPY"),
    Stray(create: "CREATE ROLE stray;", "@create cannot run CREATE ROLE"),
    Stray(create: "ALTER SYSTEM SET fsync = off;", "@create cannot run ALTER SYSTEM"),
    Stray(create: "CREATE EXTENSION hstore;", "@create cannot run CREATE EXTENSION"),
    Stray(
      create: "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;",
      "@create cannot run ALTER DEFAULT"
    ),
    Stray(
      create: "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f();",
      "@create cannot run CREATE EVENT"
    ),
    Stray(create: "LISTEN x;", "@create cannot run LISTEN"),
    Stray(handler: "NOTIFY x;", "a handler cannot run NOTIFY"),
    Stray(handler: "COPY sums TO '/tmp/x';", "a handler cannot run COPY"),
    Stray(handler: "CREATE TABLE t (id text);", "a handler cannot run CREATE"),
    Stray(handler: "GRANT ALL ON sums TO PUBLIC;", "a handler cannot run GRANT"),
    Stray(handler: "SET search_path = public;", "a handler cannot run SET"),
  ]

  @Test(arguments: strays) func whatLeavesTheReadModelIsRefused(_ stray: Stray) async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.psql("CREATE TABLE kept (n integer)")
      let before = try await contents(of: shop)
      let store = try shop.store()
      if stray.isFoundEarly {
        let error = await #expect(throws: EventStoreError.self) {
          _ = try await store.checkProjection(try Projection(path: "sums.sql", bytes: Array(stray.file.utf8)))
        }
        #expect(error?.message.contains(stray.message) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasPrefix("sums.sql:") == true)
        await #expect(throws: EventStoreError.self) {
          try await store.checkReadModelBuild(
            try Projection(path: "sums.sql", bytes: Array(stray.file.utf8)),
            into: "aside"
          )
        }
      }
      await #expect(throws: EventStoreError.self) {
        _ = try await store.planRebuild(try Projection(path: "sums.sql", bytes: Array(stray.file.utf8)))
      }
      await #expect(throws: EventStoreError.self) {
        _ = try await store.buildReadModel(
          try Projection(path: "sums.sql", bytes: Array(stray.file.utf8)),
          from: EventQuery(),
          into: "aside"
        )
      }
      let error = await shop.failure(of: stray.file)
      #expect(error?.message.contains(stray.message) == true, "\(error?.message ?? "")")
      #expect(error?.code == .invalidDefinition)
      try await shop.psql("DROP SCHEMA IF EXISTS aside CASCADE")
      #expect(try await contents(of: shop) == before)
    }
  }

  /// Everything that a file could have changed; generations that are not live are annals' own.
  private func contents(of shop: Shop) async throws -> String {
    try await shop.psql(
      """
      SELECT count(*), max(position), (SELECT count(*) FROM kept), (SELECT count(*) FROM annals.audit WHERE action NOT IN ('build', 'drop')),
             (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
             (SELECT string_agg(coalesce(relacl::text, '-'), ' ' ORDER BY relname) FROM pg_class
              WHERE relnamespace = 'public'::regnamespace),
             (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
             (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'events'::regclass),
             (SELECT count(*) FROM pg_rewrite WHERE ev_class = 'events'::regclass),
             (SELECT count(*) FROM annals.generations WHERE state = 'live')
      FROM events
      """
    )
  }

  /// `set_config` in a handler once made an empty generation live: later events went to the tables of the old one.
  /// Each creates a table that is dropped again.
  @Test(arguments: [
    "ALTER TABLE sums ALTER events TYPE numeric;",
    "CREATE MATERIALIZED VIEW few AS SELECT 1 AS n; REFRESH MATERIALIZED VIEW few;",
    "CREATE TABLE draft (n int PRIMARY KEY, t text); DROP TABLE draft;",
  ])
  func rewritingItsOwnTablesIsAllowed(create: String) async throws {
    try await Shop.open(events: 3) { shop in
      let file = sums.replacing("CREATE INDEX", with: "\(create) CREATE INDEX")
      for _ in 1...2 { try await shop.rebuild(file) }
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test func aHandlerThatWritesIntoTheLiveReadModelInsteadOfItsOwnIsRefused() async throws {
    try await Shop.open(events: 20) { shop in
      try await shop.rebuild(sums)
      let before = try await shop.sums()
      let file = sums.replacing("-- @version 1\n", with: "") + "DELETE FROM public.sums;\n"
      let error = await shop.failure(of: file)
      #expect(error?.message.contains("public.sums") == true)
      #expect(try await shop.sums() == before)
      #expect(before.isEmpty == false)
    }
  }

  /// A live read model shares its schema with other objects.
  @Test func aCatchUpMayNotWriteToItsNeighbours() async throws {
    try await Shop.open(events: 3) { shop in
      let file = """
        -- @projection sums
        -- @create
        CREATE TABLE sums (id text);
        CREATE FUNCTION act() RETURNS integer LANGUAGE plpgsql AS $$
          BEGIN
            IF to_regclass('public.late') IS NOT NULL THEN EXECUTE 'INSERT INTO public.late VALUES (1)'; END IF;
            RETURN 1;
          END $$;
        -- @on Added
        INSERT INTO sums SELECT event.aggregate_id WHERE act() = 1;
        """
      try await shop.rebuild(file)
      try await shop.append(3)
      try await shop.project(file)
      #expect(try await shop.psql("SELECT count(*) FROM sums") == "6")
      try await shop.psql("CREATE TABLE late (n integer)")
      try await shop.append(3)
      let error = await #expect(throws: EventStoreError.self) { try await shop.project(file) }
      #expect(error?.message.contains("public.late") == true)
      #expect(try await shop.psql("SELECT count(*) FROM sums") == "6")
      #expect(try await shop.psql("SELECT count(*) FROM late") == "0")
      #expect(try await shop.psql("SELECT position FROM annals.generations WHERE state = 'live'") == "6")
    }
  }

  @Test func aDeclaredTableMayBeWrittenTo() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.psql(
        "CREATE SCHEMA app; CREATE TABLE app.mails (id bigint GENERATED ALWAYS AS IDENTITY, body text)"
      )
      let file = """
        -- @projection sums
        -- @writes app.mails
        -- @create
        CREATE TABLE sums (id text, body text);
        -- @on Added
        INSERT INTO sums VALUES (event.aggregate_id, repeat(event.event_data::text, 1000));
        INSERT INTO app.mails (body) VALUES (event.event_data::text);
        """
      try await shop.rebuild(file)
      try await shop.append(3)
      try await shop.project(file)
      #expect(try await shop.psql("SELECT count(*) FROM app.mails") == "6")
    }
  }

  @Test(arguments: ["public.events", "annals.audit"])
  func theEventsAndOurRecordsCannotBeDeclared(_ table: String) async throws {
    try await Shop.open { shop in
      let error = await shop.failure(of: sums + "-- @writes \(table)\n")
      #expect(error?.message == "sums.sql: a projection may not write to \(table)")
      #expect(error?.code == .invalidDefinition)
    }
  }

  /// All that belongs to a read model, and is confined to it.
  @Test func whatBelongsToAReadModelIsAllowed() async throws {
    try await Shop.open(events: 20) { shop in
      let file = """
        -- @projection sums
        -- @create
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN name AS text CHECK (value <> '');
        CREATE SEQUENCE numbers;
        CREATE TABLE sums (
          id name PRIMARY KEY, number bigint DEFAULT nextval('numbers'), row bigint GENERATED ALWAYS AS IDENTITY,
          body text, mood mood DEFAULT 'good');
        CREATE TABLE parts (id text, n integer) PARTITION BY RANGE (n);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
        CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
        CREATE TABLE log (id name REFERENCES sums ON DELETE CASCADE);
        CREATE UNLOGGED TABLE scratch (id text);
        DROP TABLE scratch;
        CREATE INDEX ON sums (mood);
        CREATE VIEW moods AS SELECT mood, count(*) FROM sums GROUP BY 1;
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER t AFTER INSERT ON sums FOR EACH ROW EXECUTE FUNCTION fire();
        CREATE RULE r AS ON UPDATE TO parts DO ALSO DELETE FROM log;
        COMMENT ON TABLE sums IS 'sums';
        GRANT SELECT ON sums TO PUBLIC;
        ALTER TABLE sums ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON sums USING (true);
        DO $$ BEGIN INSERT INTO parts VALUES ('first', 1); END $$;
        -- @on Added
        DELETE FROM sums WHERE id = event.aggregate_id;
        INSERT INTO sums (id, body) VALUES (event.aggregate_id, repeat(md5(event.position::text), 1000));
        INSERT INTO parts VALUES (event.aggregate_id, event.version * 7);
        -- @on Cleared
        TRUNCATE sums, log RESTART IDENTITY CASCADE;
        """
      _ = try await shop.store().checkProjection(try Projection(path: "sums.sql", bytes: Array(file.utf8)))
      try await shop.rebuild(file)
      try await shop.append(20)
      try await shop.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('x', 'Cleared', '{}', 1)"
      )
      try await shop.append(20)
      try await shop.project(file)
      #expect(try await shop.psql("SELECT count(*), count(DISTINCT number) FROM sums") == "10|10")
      #expect(try await shop.psql("SELECT count(*) FROM parts") == "61")
      try await shop.rebuild(file)
      try await shop.store().dropProjection("sums")
    }
  }

  /// The same rule in the other files: there, nothing but queries is allowed anyway.
  @Test func noOtherFileControlsTheTransaction() throws {
    let reducer = "-- @reducer r\n-- @on Added\nSELECT state; COMMIT;\n"
    let layout = "-- @layout l\n-- @table a.b\nROLLBACK; SELECT 1\n"
    let upcaster = "-- @upcaster u\n-- @event Added\n-- @data\nCOMMIT;\n"
    #expect(throws: EventStoreError.self) { try Reducer(path: "r.sql", bytes: Array(reducer.utf8)) }
    #expect(throws: EventStoreError.self) { try Layout(path: "l.sql", bytes: Array(layout.utf8)) }
    #expect(throws: EventStoreError.self) { try Upcasters([(path: "u.sql", bytes: Array(upcaster.utf8))]) }
  }
}
