import EventStore
import Synchronization
import TestSupport
import Testing

/// The column position, added to a classic table that writers use all the time.
@Suite struct OnlinePositionTests {
  private static let classic = """
    CREATE TABLE events (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id varchar(255) NOT NULL,
      event_type varchar(100) NOT NULL, event_data jsonb NOT NULL, version integer NOT NULL,
      "timestamp" timestamptz NOT NULL DEFAULT current_timestamp, UNIQUE (aggregate_id, version));
    """

  /// Streams whose order in the table is not that of their times and versions.
  private static let events = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, "timestamp")
    SELECT 'old-' || n % 500, 'Added', '{"n": 1}', 12 - n / 500, '2020-01-01'::timestamptz + (12 - n / 500) * interval '1 h'
    FROM generate_series(0, 5999) AS n;
    """

  private func withClassicStore(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      try await db.psql(Self.classic + Self.events)
      _ = try await store.initialize()
      try await body(db, store)
    }
  }

  /// As an application writes: the six columns, as a role that may only insert. It ends when there is a table "done".
  private static func write(_ writer: Int, _ role: String, _ db: TestDatabase) async throws -> Int {
    var version = 0
    var isDone = "f"
    while isDone == "f" {
      version += 1
      isDone = try await db.psql(
        """
        SET ROLE \(role); SET lock_timeout = '5s';
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, "timestamp")
        VALUES (gen_random_uuid(), 'new-\(writer)', 'Added', '{"n": 1}', \(version), now());
        SELECT to_regclass('public.done') IS NOT NULL
        """
      )
    }
    return version
  }

  @Test func writersGoOn() async throws {
    try await withClassicStore { db, store in
      let role = "writer_\(db.name)"
      try await db.psql("CREATE ROLE \(role); GRANT INSERT ON events TO \(role)")
      let written = try await withThrowingTaskGroup { group in
        for writer in 0..<4 { group.addTask { try await Self.write(writer, role, db) } }
        let progress = Mutex<[Int64]>([])
        let numbered = try await store.addPositionOnline(chunkSize: 500) { step in
          progress.withLock { $0.append(step.done) }
        }
        #expect(numbered.map { $0 >= 6000 } == true)
        #expect(progress.withLock { ($0.first, $0.last) } == (500, numbered))
        try await Task.sleep(for: .milliseconds(200))
        try await db.psql("CREATE TABLE done ()")
        return try await group.reduce(0, +)
      }
      let counts = "SELECT count(*), count(DISTINCT position) FROM events"
      #expect(try await db.psql(counts) == "\(6000 + written)|\(6000 + written)")
      let faults = Mutex<[Finding]>([])
      var check = VersionCheck()
      check.kinds = [.gap, .positionOrder, .duplicatePosition, .duplicateVersion]
      _ = try await store.verifyVersions(check) { finding in faults.withLock { $0.append(finding) } }
      #expect(faults.withLock { $0.isEmpty })
      // Old streams interleave by time.
      let first =
        "SELECT string_agg(DISTINCT version::text, ',') FROM (SELECT version FROM events ORDER BY position LIMIT 500) e"
      #expect(try await db.psql(first) == "1")
      #expect(try await store.addPositionOnline() == nil)
      #expect(try await store.diagnose().first { $0.name == "positions" }?.status == .ok)
      #expect(try await db.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'backfill%'") == "0")
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  /// Cancelled in any chunk, and ended by the server in any step, it goes on where it was.
  @Test(arguments: [
    "ALTER", "CREATE TABLE", "UPDATE", "VACUUM", "CREATE UNIQUE INDEX", "CREATE INDEX", "VALIDATE",
    "SET NOT NULL",
  ])
  func anInterruptedRunIsGoneOnWith(step: String) async throws {
    try await withClassicStore { db, store in
      let killer = Task {
        try await db.psql(
          """
          DO $$ DECLARE found boolean := false; BEGIN
            WHILE NOT found LOOP
              COMMIT; -- An index that is built beside writers waits for older snapshots.
              SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) INTO found FROM pg_stat_activity
              WHERE application_name = 'annals' AND datname = current_database() AND state = 'active'
                AND query LIKE '%\(step)%' AND pid <> pg_backend_pid();
            END LOOP;
          END $$
          """
        )
      }
      var isKilled = false
      do {
        _ = try await store.addPositionOnline(chunkSize: 200)
        try await db.psql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %' AND datname = current_database()"
        )
        _ = try? await killer.value
      } catch let error as EventStoreError {
        isKilled = true
        #expect(error.code == .connectionLost, "\(error)")
        if try await db.psql("SELECT count(*) FROM pg_class WHERE relname LIKE 'backfill%positions'") == "1" {
          let locking = await #expect(throws: EventStoreError.self) {
            try await store.initialize(addPosition: true)
          }
          #expect(locking?.message == "not all events of public.events have a position yet")
          // What was done is not in the script of what is left.
          #expect(try await !store.positionBackfillScript().contains("ADD COLUMN position"))
        }
        _ = try await killer.value
        try await db.psql(
          """
          INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('between', 'Added', '{}', 1)
          """
        )
        _ = try await store.addPositionOnline(chunkSize: 200)
      }
      let counts = "SELECT count(*), count(DISTINCT position) FROM events"
      let total = isKilled ? 6001 : 6000
      #expect(try await db.psql(counts) == "\(total)|\(total)")
      #expect(try await store.addPositionOnline() == nil)
      #expect(
        try await db.psql(
          "SELECT attnotnull, attidentity FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'position'"
        )
          == "t|a"
      )
      #expect(try await db.psql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
    }
  }

  @Test func whatCannotBeDoneOnlineIsRefused() async throws {
    func refusal(_ sql: String) async throws -> String? {
      try await TestCluster.withDatabase { db in
        let store = try EventStore(connecting: db.conninfo)
        try await db.psql(sql)
        _ = try await store.initialize()
        let before = try await db.psql("SELECT count(*) FROM pg_class")
        let error = await #expect(throws: EventStoreError.self) { try await store.addPositionOnline() }
        #expect(try await db.psql("SELECT count(*) FROM pg_class") == before)
        return error?.message
      }
    }
    let refused = "public.events cannot get positions online: "
    let partitioned = "CREATE TABLE t (LIKE events INCLUDING DEFAULTS) PARTITION BY LIST (aggregate_id)"
    #expect(
      try await refusal("\(Self.classic) \(partitioned); DROP TABLE events; ALTER TABLE t RENAME TO events")
        == refused + "it is not a plain table without partitions and children"
    )
    #expect(
      try await refusal("\(Self.classic) CREATE TABLE child () INHERITS (events)")
        == refused + "it is not a plain table without partitions and children"
    )
    #expect(
      try await refusal("\(Self.classic) ALTER TABLE events ADD position bigint")
        == refused + "it already has a column position that annals did not add"
    )
    #expect(
      try await refusal(
        "\(Self.classic) ALTER TABLE events DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_aggregate_id_version_key"
      ) == refused + "no unique index finds an event"
    )
  }
}
