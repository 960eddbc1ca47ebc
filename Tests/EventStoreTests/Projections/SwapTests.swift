import EventStore
import LibPQ
import TestSupport
import Testing

@Suite struct SwapTests {
  /// What operators gave to the live table, as the catalogue tells it.
  private static let properties = """
    SELECT pg_get_userbyid(relowner), relacl, relrowsecurity, relforcerowsecurity, relreplident, reloptions,
           obj_description(oid), col_description(oid, 2),
           (SELECT attacl FROM pg_attribute WHERE attrelid = c.oid AND attname = 'total'),
           (SELECT jsonb_agg(to_jsonb(p) ORDER BY policyname) FROM pg_policies p WHERE tablename = 'sums' AND schemaname = 'public'),
           (SELECT jsonb_agg(to_jsonb(t) ORDER BY pubname) FROM pg_publication_tables t)
    FROM pg_class c WHERE oid = 'public.sums'::regclass
    """

  @Test func whatOperatorsGaveToTheTablesSurvives() async throws {
    try await Shop.open(events: 30) { shop in
      try await shop.rebuild(sums)
      let role = "r_\(shop.database.name)"
      try await shop.psql(
        """
        CREATE ROLE \(role)_owner; CREATE ROLE "\(role) Reader";
        ALTER TABLE sums OWNER TO \(role)_owner;
        GRANT SELECT ON sums TO PUBLIC; GRANT UPDATE ON sums TO "\(role) Reader" WITH GRANT OPTION;
        GRANT INSERT (total) ON sums TO "\(role) Reader";
        COMMENT ON TABLE sums IS 'it''s the sums'; COMMENT ON COLUMN sums.events IS 'how many';
        ALTER TABLE sums ENABLE ROW LEVEL SECURITY; ALTER TABLE sums FORCE ROW LEVEL SECURITY;
        CREATE POLICY few ON sums FOR SELECT TO "\(role) Reader" USING (total > 3);
        CREATE POLICY none ON sums AS RESTRICTIVE FOR INSERT WITH CHECK (false);
        ALTER TABLE sums REPLICA IDENTITY FULL; ALTER TABLE sums SET (fillfactor = 70, autovacuum_enabled = off);
        CREATE PUBLICATION whole FOR TABLE sums;
        CREATE PUBLICATION part FOR TABLE sums (id, total) WHERE (total > 1);
        CREATE PUBLICATION every FOR ALL TABLES;
        DROP PUBLICATION every;
        """
      )
      let before = try await shop.psql(Self.properties)
      try await shop.rebuild(sums)
      #expect(try await shop.psql(Self.properties) == before)
      #expect(try await shop.sums() == shop.expectedSums())
      try await shop.psql(
        "DROP OWNED BY \(role)_owner, \"\(role) Reader\" CASCADE; DROP ROLE \(role)_owner, \"\(role) Reader\""
      )
    }
  }

  @Test func aRightThatWasRevokedStaysRevokedUnlessTheFileGrants() async throws {
    try await Shop.open { shop in
      let rights =
        "SELECT has_table_privilege('pg_monitor', 'sums', 'SELECT'), has_table_privilege('pg_monitor', 'sums', 'DELETE')"
      try await shop.psql("ALTER DEFAULT PRIVILEGES GRANT SELECT, DELETE ON TABLES TO pg_monitor")
      try await shop.rebuild(sums)
      #expect(try await shop.psql(rights) == "t|t")
      try await shop.psql("REVOKE DELETE ON sums FROM pg_monitor")
      try await shop.rebuild(sums)
      #expect(try await shop.psql(rights) == "t|f")
      let granting = sums.replacing("CREATE INDEX", with: "GRANT DELETE ON sums TO pg_monitor; CREATE INDEX")
      try await shop.rebuild(granting)
      #expect(try await shop.psql(rights) == "t|t")
    }
  }

  @Test func objectsOfEveryKindMove() async throws {
    let file = """
      -- @projection kinds
      -- @create
      CREATE TYPE colour AS ENUM ('red');
      CREATE DOMAIN amount AS bigint;
      CREATE SEQUENCE numbers;
      CREATE TABLE things (n serial PRIMARY KEY, c colour, a amount DEFAULT nextval('numbers'));
      CREATE TABLE parts (n int, thing int REFERENCES things) PARTITION BY LIST (n);
      CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
      CREATE VIEW reds AS SELECT * FROM things WHERE c = 'red';
      CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM things;
      CREATE FUNCTION twice(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 2 * n';
      -- @on Added
      INSERT INTO things (c) VALUES ('red');
      SELECT twice(1);
      -- @drop
      DROP VIEW reds;
      """
    try await Shop.open(events: 5) { shop in
      for _ in 1...3 { try await shop.rebuild(file) }
      #expect(try await shop.psql("SELECT count(*), max(a), twice(2) FROM reds") == "5|5|4")
      let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'annals_kinds_3'::regnamespace"
      #expect(try await shop.psql(left) == "0")
      #expect(try await shop.psql("SELECT to_regnamespace('annals_kinds_1') IS NULL") == "t")
    }
  }

  @Test func waitsForReadersOfTheTablesAndGivesUpPolitely() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      let reader = try Connection(
        ConnectionParameters(database: shop.database.conninfo),
        canceller: Canceller()
      )
      // READ COMMITTED and idle: it holds the table, not a snapshot.
      try reader.execute("BEGIN; SELECT count(*) FROM sums")
      let error = await shop.failure(of: sums)
      #expect(error?.code == .locked)
      #expect(
        error?.message == "the tables of projection sums were in use, so the swap was abandoned"
      )
      #expect(
        try await shop.psql("SELECT number, state FROM annals.generations ORDER BY 1") == "1|live\n2|ready"
      )
      let store = try shop.store()
      let dropError = await #expect(throws: EventStoreError.self) { try await store.dropProjection("sums") }
      #expect(dropError?.code == .locked)
      #expect(dropError?.message.hasSuffix("so the drop was abandoned") == true)
      try reader.execute("COMMIT")
      let outcome = try await shop.rebuild(sums)
      #expect(outcome.isResumed && outcome.generation == 2 && outcome.ending == .live)
    }
  }

  /// A REPEATABLE READ reader that began before the load would find the new tables empty.
  @Test func waitsForOlderSnapshots() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      let reader = try Connection(
        ConnectionParameters(database: shop.database.conninfo),
        canceller: Canceller()
      )
      try reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
      let task = Task { try await shop.rebuild(sums) }
      var state = ""
      while state != "2|ready" {
        state = try await shop.psql("SELECT number, state FROM annals.generations ORDER BY 1 DESC LIMIT 1")
      }
      try await Task.sleep(for: .milliseconds(300))
      #expect(try reader.query("SELECT count(*) FROM sums").int64(0, 0) == 5)
      try reader.execute("COMMIT")
      #expect(try await task.value.ending == .live)
    }
  }

  @Test func aTableDroppedByHandIsNoObstacle() async throws {
    try await Shop.open(events: 5) { shop in
      try await shop.rebuild(sums)
      try await shop.psql("DROP TABLE sums")
      #expect(try await shop.rebuild(sums).ending == .live)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }
}
