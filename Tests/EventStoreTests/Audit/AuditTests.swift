import EventStore
import FoundationEssentials
import LibPQ
import Synchronization
import TestSupport
import Testing

/// What operators change is written down in the transaction of the change.
@Suite struct AuditTests {
  /// Action, subject and detail of each entry.
  private static let rows = "SELECT action, subject, detail FROM annals.audit ORDER BY id"

  private static func rows(after id: String) -> String {
    "SELECT action, subject, detail FROM annals.audit WHERE id > \(id) ORDER BY id"
  }

  private func last(_ db: TestDatabase) async throws -> String {
    try await db.psql("SELECT coalesce(max(id), 0) FROM annals.audit")
  }

  @Test func theTablesAreCreated() async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo, table: QualifiedName("sales.events")!)
      try await store.initialize()
      let latest = try await db.psql("SELECT max(number) FROM annals.migrations")
      #expect(
        try await db.psql(Self.rows) == """
          init|store sales.events|{"steps": ["Create schema sales", "Create table sales.events"]}
          migrate|schema annals|{"to": \(latest), "from": 0}
          """
      )
      try await store.initialize()
      try await store.initialize(dryRun: true)
      #expect(try await db.psql("SELECT count(*) FROM annals.audit") == "2", "nothing was done")
      try await db.psql("ALTER TABLE sales.events DROP COLUMN position")
      try await store.initialize(addPosition: true)
      #expect(
        try await db.psql(Self.rows(after: "2"))
          == #"init|store sales.events|{"steps": ["Add column position to sales.events"]}"#
      )
    }
  }

  @Test func aReadModelFromItsBuildToItsDrop() async throws {
    try await Shop.open(events: 10) { shop in
      let start = try await last(shop.database)
      let store = try shop.store()
      try await shop.rebuild(sums)
      try await shop.rebuild(sums) { $0.restarts = true }
      try await store.rollBackProjection("sums")
      try await store.pauseProjection("sums")
      try await store.resumeProjection("sums")
      try await store.setCheckpoint(of: "sums", to: 8, from: 10)
      try await store.dropProjection("sums")
      #expect(
        try await shop.psql(Self.rows(after: start)) == """
          build|projection sums|{"version": 1, "generation": 1}
          finish|projection sums|{"events": 10, "position": 10, "generation": 1}
          swap|projection sums|{"to": 1, "from": null, "events": 10, "position": 10}
          build|projection sums|{"version": 1, "generation": 2}
          finish|projection sums|{"events": 10, "position": 10, "generation": 2}
          swap|projection sums|{"to": 2, "from": 1, "events": 10, "position": 10}
          rollback|projection sums|{"to": 1, "from": 2}
          pause|projection sums|{}
          resume|projection sums|{}
          set-checkpoint|projection sums|{"to": 8, "from": 10}
          drop|projection sums|{"generations": [2, 1]}
          """
      )
    }
  }

  /// Generations that a rebuild drops by the way are in the audit, too.
  @Test func generationsThatAreNotKept() async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.rebuild(sums) { $0.swaps = false }
      try await shop.rebuild(sums + "-- another\n") { $0.keptGenerations = 0 }
      try await shop.rebuild(sums) { $0.keptGenerations = 0 }
      let dropped = "SELECT detail->>'generation' FROM annals.audit WHERE action = 'drop' ORDER BY id"
      // The number of one that was never live is given again.
      #expect(try await shop.psql(dropped) == "1\n1")
    }
  }

  @Test func deadLetters() async throws {
    try await Shop.open(events: 3) { shop in
      let (store, start) = (try shop.store(), try await last(shop.database))
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'b', 'Added', '{"n": "many"}', n FROM generate_series(1, 3) n
        """
      )
      try await shop.project(sums) { $0.attempts = 1 }
      let repaired = sums.replacing("(event.event_data->>'n')::bigint)", with: "0)")
      let file = try Projection(path: "sums.sql", bytes: Array(repaired.utf8))
      #expect(try await store.retryDeadLetters(of: "sums", at: [5]).failed == 1)
      #expect(try await store.retryDeadLetters(of: "sums", at: [5], with: file).applied == 1)
      #expect(try await store.discardDeadLetters(of: "sums") == 2)
      #expect(
        try await shop.psql(Self.rows(after: start) + " OFFSET 3") == """
          retry|projection sums|{"version": 1, "position": 5, "generation": 1}
          discard|projection sums|{"positions": [4, 6]}
          """
      )
    }
  }

  @Test func checkpointsAndSnapshots() async throws {
    try await Shop.open(events: 10) { shop in
      let (store, start) = (try shop.store(), try await last(shop.database))
      try await shop.psql(
        "INSERT INTO annals.checkpoints (name, store, filter) VALUES ('mail', 'public.events', 'no filter')"
      )
      try await store.setCheckpoint(ofReplay: "mail", to: 4, from: 0)
      try await store.renameCheckpoint("mail", to: "letters")
      try await store.removeCheckpoint("letters")
      try await store.takeSnapshots(of: .all)
      _ = try await store.pruneSnapshots(keeping: 0, dryRun: true)
      _ = try await store.pruneSnapshots(keeping: 0)
      #expect(
        try await shop.psql(Self.rows(after: start)) == """
          set-checkpoint|checkpoint mail|{"to": 4, "from": 0}
          rename-checkpoint|checkpoint mail|{"to": "letters"}
          remove-checkpoint|checkpoint letters|{"filter": "no filter", "position": 4}
          prune-snapshots|store public.events|{"kept": 0, "snapshots": 10}
          """
      )
    }
  }

  @Test func aCopyOfTheEvents() async throws {
    try await Shop.open(events: 10) { shop in
      let (store, start) = (try shop.store(), try await last(shop.database))
      let rule = "-- @upcaster twice\n-- @event Added\n-- @data\nSELECT event.event_data || '{\"m\": 1}';\n"
      let plan = try await store.planEvolution(try Upcasters([("twice.sql", Array(rule.utf8))]))
      let copy = QualifiedName("events_v2")!
      _ = try await store.applyEvolution(plan, into: copy)
      _ = try await store.applyEvolution(plan, into: copy)
      _ = try await store.applyEvolution(plan, into: copy, swap: true)
      try await store.rollBackEvolution(copy)
      #expect(
        try await shop.psql(Self.rows(after: start)) == """
          copy|store public.events|{"copy": "public.events_v2"}
          finish|store public.events|{"copy": "public.events_v2", "events": 10, "position": 10}
          swap|store public.events|{"copy": "public.events_v2", "events": 10}
          rollback|store public.events|{"copy": "public.events_v2"}
          """
      )
    }
  }

  /// Also into a store without schema `annals`, or with one that is not up to date: there is no audit then.
  @Test func eventsOfAnExport() async throws {
    try await Shop.open(events: 25_000) { shop in
      let export = try await shop.store().exported()
      try await withStore { db, store in
        let start = try await last(db)
        try await store.restore(export.sources())
        try await store.restore(export.sources())
        try await db.psql("DELETE FROM events WHERE position IN (7, 9)")
        var options = RestoreOptions()
        options.restoresMissing = true
        try await store.restore(export.sources(), options)
        #expect(
          try await db.psql(Self.rows(after: start)) == """
            restore|store public.events|{"file": "file 1", "events": 10000, "first_position": 1}
            restore|store public.events|{"file": "file 1", "events": 10000, "first_position": 10001}
            restore|store public.events|{"file": "file 1", "events": 5000, "first_position": 20001}
            restore|store public.events|{"file": "file 1", "events": 2, "first_position": 7}
            """
        )
        let old = "ALTER TABLE annals.audit DROP reason; DELETE FROM annals.migrations WHERE number > 12"
        for change in [old, "DROP SCHEMA annals CASCADE"] {
          try await db.psql("\(change); TRUNCATE events")
          #expect(try await store.restore(export.sources()).restored == 25_000)
        }
      }
    }
  }

  /// Nobody passes it by for want of a right.
  @Test func whoMayNotWriteTheAuditStoresNothing() async throws {
    try await Shop.open(events: 10) { shop in
      let export = try await shop.store().exported()
      try await withStore { db, _ in
        let role = "restorer_\(db.name)"
        try await db.psql(
          """
          CREATE ROLE \(role) LOGIN; GRANT INSERT, SELECT, UPDATE ON events TO \(role);
          GRANT SELECT, UPDATE ON SEQUENCE events_position_seq TO \(role)
          """
        )
        let store = try EventStore(connecting: db.conninfo + " user=\(role)")
        let error = await #expect(throws: EventStoreError.self) { try await store.restore(export.sources()) }
        #expect(error?.code == .permissionDenied && error?.message.contains("annals") == true)
        #expect(try await db.psql("SELECT count(*) FROM events") == "0")
        try await db.psql("GRANT USAGE ON SCHEMA annals TO \(role); GRANT INSERT ON annals.audit TO \(role)")
        try await store.restore(export.sources())
        let audit = "SELECT action FROM annals.audit WHERE role = '\(role)'"
        #expect(try await db.psql(audit) == "restore")
        #expect(try await db.psql("SELECT count(*) FROM events") == "10")
        try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
      }
    }
  }

  @Test func positionsOfATableInUse() async throws {
    try await withStore { db, store in
      let start = try await last(db)
      try await db.psql(
        """
        ALTER TABLE events DROP COLUMN position;
        INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT 'a', 'T', '{}', n FROM generate_series(1, 7) n
        """
      )
      _ = try await store.addPositionOnline()
      #expect(
        try await db.psql(Self.rows(after: start)) == """
          add-position|store public.events|{"step": "begin"}
          add-position|store public.events|{"step": "end", "events": 7}
          """
      )
    }
  }

  /// A deed that the server refuses at its end leaves no row; where the row cannot be written, the deed is not done.
  @Test func theDeedAndItsRowAreOneTransaction() async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.rebuild(sums)
      try await shop.rebuild(sums) { $0.restarts = true }
      try await shop.psql(
        """
        INSERT INTO annals.checkpoints (name, store, filter) VALUES ('mail', 'public.events', 'no filter');
        CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON annals.generations DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.refuse();
        CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE OR DELETE ON annals.checkpoints DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.refuse()
        """
      )
      let store = try shop.store()
      let deeds: [@Sendable () async throws -> Void] = [
        { try await store.rollBackProjection("sums") }, { try await store.dropProjection("sums") },
        { try await store.setCheckpoint(of: "sums", to: 8, from: 10) },
        { try await store.setCheckpoint(ofReplay: "mail", to: 4, from: 0) },
        { try await store.renameCheckpoint("mail", to: "letters") },
        { try await store.removeCheckpoint("mail") }, { try await shop.rebuild(sums) { $0.restarts = true } },
      ]
      let state =
        "SELECT (SELECT array_agg(g ORDER BY number) FROM annals.generations g), c FROM annals.checkpoints c"
      let (rows, before) = (try await shop.psql(Self.rows), try await shop.psql(state))
      for deed in deeds {
        let error = await #expect(throws: EventStoreError.self) { try await deed() }
        #expect(error?.message == "no")
      }
      #expect(try await shop.psql(Self.rows) == rows)
      #expect(try await shop.psql(state) == before)

      try await shop.psql(
        """
        DROP TRIGGER late ON annals.generations; DROP TRIGGER late ON annals.checkpoints;
        CREATE TRIGGER never BEFORE INSERT ON annals.audit FOR EACH ROW EXECUTE FUNCTION public.refuse()
        """
      )
      for deed in deeds {
        let error = await #expect(throws: EventStoreError.self) { try await deed() }
        #expect(error?.message == "no")
      }
      #expect(try await shop.psql(Self.rows) == rows)
      #expect(try await shop.psql(state) == before)
    }
  }

  @Test func whoAndWhy() async throws {
    try await Shop.open(events: 3) { shop in
      let store = try shop.store()
      try await shop.rebuild(sums)
      await store.giveReason("it's \"quiet\" — $1 'x'\n")
      try await store.pauseProjection("sums")
      await store.giveReason(nil)
      try await store.resumeProjection("sums")
      let entries = try await self.entries(of: store)
      let pause = try #require(entries.first { $0.action == "pause" })
      #expect(pause.reason == "it's \"quiet\" — $1 'x'\n" && pause.store == "public.events")
      #expect(entries.last?.action == "resume" && entries.last?.reason == nil)
      #expect(pause.osUser == ProcessInfo.processInfo.userName)
      #expect(pause.osHost == ProcessInfo.processInfo.hostName)
      let known = try await shop.psql("SELECT session_user, coalesce(host(inet_client_addr()), 'socket')")
      #expect("\(pause.role)|\(pause.address ?? "socket")" == known)
      #expect(abs(SystemClock.now - pause.time.microseconds) < 600_000_000)
    }
  }

  @Test func theListIsFiltered() async throws {
    try await withStore { db, store in
      try await db.psql(
        """
        DELETE FROM annals.audit;
        INSERT INTO annals.audit (at, action, subject, store)
        SELECT '2026-03-01Z'::timestamptz + n * interval '1 day', CASE WHEN n % 3 = 0 THEN 'swap' ELSE 'pause' END,
               'projection p' || n, 'public.events'
        FROM generate_series(1, 2500) n
        """
      )
      func subjects(_ change: (inout AuditQuery) -> Void) async throws -> [String] {
        var query = AuditQuery()
        change(&query)
        return try await entries(of: store, query).map { String($0.subject.dropFirst("projection p".count)) }
      }
      #expect(try await subjects { _ in } == (1...2500).map { "\($0)" })
      #expect(try await subjects { $0.limit = 2 } == ["2499", "2500"])
      #expect(try await subjects { $0.limit = 0 } == [])
      #expect(try await subjects { ($0.actions, $0.limit) = ([.swap], 2) } == ["2496", "2499"])
      #expect(try await subjects { ($0.actions, $0.limit) = ([.swap, .pause], 1) } == ["2500"])
      #expect(try await subjects { $0.actions = [.drop] } == [])
      let day = try await store.times("2026-03-04")
      #expect(try await subjects { ($0.since, $0.until) = (day.lowerBound, day.upperBound) } == ["3"])
      #expect(try await subjects { $0.until = day.lowerBound } == ["1", "2", "3"])
    }
  }

  /// Two tables of events in one database: each has its own changes, and those of the whole database.
  @Test func storesAreToldApart() async throws {
    try await withStore { db, store in
      let other = try EventStore(connecting: db.conninfo, table: QualifiedName("sales.events")!)
      try await other.initialize()
      await #expect(throws: EventStoreError.self) { try await other.rollBackEvolution(QualifiedName("x")!) }
      #expect(try await entries(of: store).map(\.subject) == ["store public.events", "schema annals"])
      #expect(try await entries(of: other).map(\.subject) == ["schema annals", "store sales.events"])
    }
  }

  /// The rows of the first version of the table, as it is in stores from before.
  @Test func earlierRowsAreKept() async throws {
    try await Shop.open(events: 3) { shop in
      try await shop.rebuild(sums)
      try await shop.psql(
        """
        DROP TABLE annals.archives, annals.redactions, annals.skipped_events;
        DROP FUNCTION annals.replace_values, annals.notify_followers;
        DROP FUNCTION annals.refuse_change; DROP INDEX annals.audit_at_idx;
        ALTER TABLE annals.audit DROP store, DROP os_user, DROP os_host, DROP address, DROP reason, DROP transaction;
        ALTER TABLE annals.checkpoints DROP done_ahead;
        DELETE FROM annals.migrations WHERE number > 12;
        TRUNCATE annals.audit RESTART IDENTITY;
        INSERT INTO annals.audit (action, subject, detail) VALUES ('roll back', 'projection sums', '{"to": 1, "from": 2}'),
          ('set checkpoint', 'checkpoint gone', '{}'), ('swap back', 'store public.events', '{"copy": "public.v2"}'),
          ('snapshot prune', 'public.events', '{}'), ('discard dead letters', 'projection sums', '{"positions": [1]}')
        """
      )
      let store = try shop.store()
      await #expect(throws: EventStoreError.self) { try await store.pauseProjection("sums") }
      await #expect(throws: EventStoreError.self) { try await store.listAudit { _ in } }
      try await store.initialize()
      let rows = try await entries(of: store).map { "\($0.action), \($0.subject), \($0.store ?? "-")" }
      #expect(
        rows == [
          "rollback, projection sums, public.events", "set-checkpoint, checkpoint gone, -",
          "rollback, store public.events, public.events",
          "prune-snapshots, store public.events, public.events",
          "discard, projection sums, public.events", "migrate, schema annals, -",
        ]
      )
    }
  }

  private func entries(of store: EventStore, _ query: AuditQuery = AuditQuery()) async throws
    -> [AuditEntry]
  {
    let entries = Mutex<[AuditEntry]>([])
    try await store.listAudit(query) { entry in entries.withLock { $0.append(entry) } }
    return entries.withLock(\.self)
  }
}

/// The system's clock in PostgreSQL's microseconds.
private enum SystemClock {
  static var now: Int64 { Int64(Date.now.timeIntervalSince1970 - 946_684_800) * 1_000_000 }
}
