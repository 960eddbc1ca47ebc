import EventStore
import TestSupport
import Testing

/// Writers whose locks are not on the table that a reader names, but on its partitions, children or parents.
@Suite struct WritersOfPartsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let create: String
    /// The table that the writer names.
    let written: String
    /// The table that the reader names.
    var read = "t"
  }

  private static let partitioned = """
    CREATE TABLE t (LIKE events INCLUDING IDENTITY) PARTITION BY HASH (aggregate_id);
    CREATE TABLE part PARTITION OF t FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    """
  private static let inherited = """
    CREATE TABLE t (LIKE events); ALTER TABLE t DROP position; ALTER TABLE t ADD position bigserial;
    CREATE TABLE child () INHERITS (t); CREATE TABLE grandchild () INHERITS (child);
    """

  static let cases = [
    Case(testDescription: "a partition", create: partitioned, written: "part"),
    Case(testDescription: "a child", create: inherited, written: "child"),
    Case(testDescription: "a grandchild", create: inherited, written: "grandchild"),
    Case(testDescription: "a parent of the partition", create: partitioned, written: "t", read: "part"),
  ]

  /// The writer takes its position first and commits last.
  @Test(arguments: cases) func areWaitedFor(_ parts: Case) async throws {
    try await TestCluster.withDatabase { db in
      _ = try await EventStore(connecting: db.conninfo).initialize()
      try await db.psql("\(parts.create) CREATE TABLE released ()")
      let store = try EventStore(
        connecting: db.conninfo,
        table: try #require(QualifiedName("public.\(parts.read)"))
      )
      // Before the row reaches its partition, its position has been taken.
      async let slow = db.psql(
        """
        CREATE FUNCTION wait() RETURNS int LANGUAGE plpgsql AS
          'BEGIN WHILE NOT EXISTS (SELECT FROM released) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN 1; END';
        BEGIN;
        INSERT INTO \(parts.written) (aggregate_id, event_type, event_data, version, id, "timestamp", position)
          OVERRIDING SYSTEM VALUE
          SELECT 'slow', 'T', '{}', CASE WHEN p > 0 THEN wait() END, gen_random_uuid(), now(), p
          FROM (SELECT nextval('t_position_seq') OFFSET 0) AS positions (p);
        COMMIT;
        """
      )
      try await until { try await db.psql("SELECT last_value, is_called FROM t_position_seq") == "1|t" }
      try await db.psql(
        """
        INSERT INTO \(parts.written) (aggregate_id, event_type, event_data, version, id, "timestamp", position)
        OVERRIDING SYSTEM VALUE
        VALUES ('fast', 'T', '{}', 1, gen_random_uuid(), now(), nextval('t_position_seq'))
        """
      )
      let watermark = try await store.watermark()
      #expect(watermark.head == 2 && watermark.position == nil && watermark.writers.count == 1)
      async let release: Void = {
        try await Task.sleep(for: .milliseconds(200))
        try await db.psql("INSERT INTO released DEFAULT VALUES")
      }()
      var options = ReplayOptions()
      options.checkpoint = "mail"
      var seen: [Int64] = []
      _ = try await store.replay(EventQuery(), options) { seen += $0.positions }
      #expect(seen == [1, 2])
      _ = try await (slow, release)
    }
  }
}
