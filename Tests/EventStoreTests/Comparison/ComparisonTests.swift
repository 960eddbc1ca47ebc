import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct ComparisonTests {
  /// A second table of events beside the first one, without positions and metadata, in another order.
  private static let copy = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT 's-' || s, 'T', jsonb_build_object('n', v), v, '2024-01-01'::timestamptz + v * interval '1 us'
    FROM generate_series(1, 9) s, generate_series(1, 6) v;
    CREATE SCHEMA other;
    CREATE TABLE other.events (version int, event_data jsonb, aggregate_id text, event_type text, id uuid,
      "timestamp" timestamp);
    INSERT INTO other.events
    SELECT version, event_data, aggregate_id, event_type, id, "timestamp" AT TIME ZONE 'UTC' FROM events ORDER BY random();
    """

  private static let changes = """
    DELETE FROM other.events WHERE aggregate_id = 's-1' AND version = 3;
    UPDATE other.events SET version = version + 3 WHERE aggregate_id = 's-2' AND version > 3;
    DELETE FROM events WHERE aggregate_id = 's-3' AND version > 4;
    UPDATE events SET event_data = '{}' WHERE aggregate_id = 's-4' AND version IN (1, 2, 5);
    DELETE FROM other.events WHERE aggregate_id = 's-5';
    INSERT INTO other.events SELECT version, event_data, 'r', event_type, id, "timestamp" FROM events
    WHERE aggregate_id = 's-6' AND version = 1;
    DELETE FROM events WHERE aggregate_id = 's-9';
    """

  private static let expected = [
    "only_there r 1 1", "only_here s-1 3 1", "moved s-2 4..6 to 7 3", "only_there s-3 5..6 2",
    "changed s-4 1..2 2",
    "changed s-4 5 1", "only_here s-5 1..6 6", "only_there s-9 1..6 6",
  ]

  @Test func aCopyIsEqual() async throws {
    try await withStore(Self.copy) { db, store in
      let (result, differences) = try await compare(store, try await other(db))
      #expect(differences == [] && result.isEqual && result.differingAggregates == 0)
      #expect(result.here == result.there && result.here.events == 54 && result.here.aggregates == 9)
      for file in try await files(of: try EventStore(connecting: db.conninfo, table: Self.otherTable)) {
        #expect(try await compare(store, file).1 == [])
      }
    }
  }

  /// A store, a manifest and NDJSON in any order tell the same differences.
  @Test func everyKindOfDifference() async throws {
    try await withStore(Self.copy + Self.changes) { db, store in
      let there = try EventStore(connecting: db.conninfo, table: Self.otherTable)
      for number in 0..<3 {
        func other() async throws -> ComparedStore {
          number == 0 ? .store(there) : try await files(of: there)[number - 1]
        }
        let (result, differences) = try await compare(store, try await other())
        #expect(differences == Self.expected)
        #expect(result.counts == [.onlyHere: 7, .onlyThere: 9, .moved: 3, .changed: 3])
        #expect(result.differingAggregates == 7 && result.here.events == 46 && result.there.events == 48)
        var category = Comparison()
        category.selection = .category("s")
        let ofCategory = try await compare(store, try await other(), category).1
        #expect(ofCategory == Array(Self.expected.dropFirst()))
      }
      // The other way round.
      let swapped = try await compare(there, .store(store)).1
      #expect(swapped.contains("moved s-2 7..9 to 4 3") && swapped.contains("only_here r 1 1"))
    }
  }

  @Test func theFieldsOfANamedStream() async throws {
    let sql = """
      UPDATE other.events SET event_data = '{"n": 1.0}' WHERE aggregate_id = 's-4' AND version = 1;
      UPDATE other.events SET event_data = '{"n": 2.0, "a b": [1]}', event_type = 'U' WHERE aggregate_id = 's-4' AND version = 2;
      UPDATE other.events SET "timestamp" = 'infinity' WHERE aggregate_id = 's-4' AND version = 3;
      UPDATE events SET metadata = '{"k": null}' WHERE aggregate_id = 's-4' AND version = 4;
      DELETE FROM other.events WHERE aggregate_id = 's-4' AND version > 4;
      """
    try await withStore(Self.copy + sql) { db, store in
      var comparison = Comparison()
      comparison.selection = .aggregates(["s-4", "s-5"])
      let there = try EventStore(connecting: db.conninfo, table: Self.otherTable)
      for other in [ComparedStore.store(there), try await ndjson(of: there)] {
        let found = try await compare(store, other, comparison).1
        #expect(
          found == [
            // Equal as numbers, and stored differently.
            "changed s-4 1 1", #"changed s-4 2 .event_data."a b": - | [1]"#,
            #"changed s-4 2 .event_type: "T" | "U""#,
            #"changed s-4 3 .timestamp: "2024-01-01T00:00:00.000003+00:00" | "infinity""#,
            #"changed s-4 4 .metadata: {"k": null} | null"#, "only_here s-4 5 1", "only_here s-4 6 1",
          ]
        )
      }
    }
  }

  @Test func aStoreIsComparedWithItself() async throws {
    try await withStore(Self.copy) { _, store in
      let (result, differences) = try await compare(store, .store(store))
      #expect(differences == [] && result.here.events == 54 && result.there == result.here)
    }
  }

  /// A file has no column for the category that a layout reads from one.
  @Test func categoriesOfALayoutAreNotThoseOfAFile() async throws {
    try await withStore(Self.copy) { db, plain in
      let text = """
        -- @layout categories
        -- @table public.events
        SELECT id, aggregate_id, event_type, event_data, version, timestamp, position, event_type AS category
        FROM public.events
        """
      let layout = try Layout(path: "categories.sql", bytes: Array(text.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      var comparison = Comparison()
      comparison.selection = .category("T")
      #expect(try await compare(store, .store(store), comparison).0.there.events == 54)
      for other in try await files(of: plain) {
        let error = await #expect(throws: EventStoreError.self) {
          try await compare(store, other, comparison)
        }
        #expect(
          error?.code == .invalidInput
            && error?.message == "a file does not have the categories of this layout"
        )
      }
    }
  }

  /// SQL by hand finds each difference of the stores' events.
  @Test(arguments: 1...4)
  func whatSQLFinds(seed: Int) async throws {
    let sql = """
      SELECT setseed(0.\(seed));
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT (ARRAY['a', 'a-1', 'B', 'b''', 'é', '"\\', '🙂', 'a.1'])[s], 'T', to_jsonb(random()), v
      FROM generate_series(1, 8) s, generate_series(1, 12) v WHERE random() < 0.7;
      CREATE SCHEMA other;
      CREATE TABLE other.events (LIKE events INCLUDING DEFAULTS INCLUDING IDENTITY);
      INSERT INTO other.events (id, aggregate_id, event_type, event_data, version, timestamp)
      SELECT id, aggregate_id, event_type, CASE WHEN random() < 0.2 THEN 'null' ELSE event_data END, version, timestamp
      FROM events WHERE random() < 0.8;
      DELETE FROM events WHERE random() < 0.2;
      """
    try await withStore(sql) { db, store in
      let byHand = try await db.psql(
        """
        SELECT CASE WHEN b.id IS NULL THEN 'only_here' WHEN a.id IS NULL THEN 'only_there' ELSE 'changed' END || ' '
          || aggregate_id || ' ' || version
        FROM events a FULL JOIN other.events b USING (aggregate_id, version)
        WHERE (a.id, a.event_data) IS DISTINCT FROM (b.id, b.event_data) ORDER BY aggregate_id COLLATE "C", version
        """
      )
      var found: [String] = []
      let differences = Mutex<[StoreDifference]>([])
      _ = try await store.compare(with: try await other(db)) { one in differences.withLock { $0.append(one) }
      }
      for one in differences.withLock(\.self) {
        let first = try #require(one.version)
        for version in first...(one.lastVersion ?? first) {
          found.append("\(one.kind.rawValue) \(one.aggregateID) \(version)")
        }
      }
      #expect(!found.isEmpty && found.joined(separator: "\n") == byHand)
    }
  }

  @Test func onlyEventsOfThisContent() async throws {
    let sql = Self.copy + "UPDATE other.events SET event_data = '{\"n\": 7}' WHERE version = 2;"
    try await withStore(sql) { db, store in
      let there = try EventStore(connecting: db.conninfo, table: Self.otherTable)
      var comparison = Comparison()
      comparison.contents = [.data(try FieldCondition("n=7"))]
      for other in [ComparedStore.store(there), try await ndjson(of: there)] {
        let (result, differences) = try await compare(store, other, comparison)
        #expect(differences == (1...9).map { "only_there s-\($0) 2 1" } && result.here.events == 0)
      }
      comparison.contents = [.data(try FieldCondition("n>2")), .sql(try SQLCondition("event.version < 4"))]
      #expect(try await compare(store, .store(there), comparison).0.here.events == 9)
      await #expect(throws: EventStoreError.self) {
        _ = try await compare(store, try await manifest(of: there), comparison)
      }
    }
  }

  @Test func whatIsNotThere() async throws {
    try await withStore(Self.copy) { db, store in
      var comparison = Comparison()
      let there = try await other(db)
      for selection in [AggregateSelection.category("t"), .aggregates(["s"])] {
        comparison.selection = selection
        let error = await #expect(throws: EventStoreError.self) {
          try await compare(store, there, comparison)
        }
        #expect(error?.code == .notFound)
      }
      let none = try EventStore(
        connecting: db.conninfo,
        table: QualifiedName(schema: "other", name: "none")
      )
      let error = await #expect(throws: EventStoreError.self) { try await compare(store, .store(none)) }
      #expect(error?.message == "in what is compared with: there is no table other.none in this database")
    }
  }

  @Test(arguments: [
    ("{\"aggregate_id\": \"a\"", "line 1, column 21: aggregate_id"),
    (
      #"{"id":"00000000-0000-0000-0000-000000000001","aggregate_id":"a","event_type":"T","event_data":{}}"#,
      "line 1, version: the field is missing"
    ),
    ("{\"annals_manifest\":1}\n{\"aggregate_id\":\"a\"}\n", "the manifest cannot be trusted"),
    ("id,aggregate_id\n", "the input is CSV"),
  ])
  func aFileThatIsWrong(text: String, message: String) async throws {
    try await withStore(Self.copy) { _, store in
      let error = await #expect(throws: EventStoreError.self) {
        try await compare(store, file(Array(text.utf8)))
      }
      #expect(
        error?.code == .invalidInput && error?.message.contains(message) == true,
        "\(error?.message ?? "")"
      )
    }
  }

  @Test func aStandbySortsNoFile() async throws {
    try await withStore(Self.copy, replicated: true) { db, store in
      let standby = try await EventStore(connecting: TestCluster.standby(of: db).conninfo)
      #expect(try await compare(standby, .store(store)).1 == [])
      #expect(try await compare(standby, try await manifest(of: store)).1 == [])
      let error = await #expect(throws: EventStoreError.self) {
        try await compare(standby, try await ndjson(of: store))
      }
      #expect(error?.code == .permissionDenied)
    }
  }

  /// A cancelled comparison ends, whichever of the two sides waits.
  @Test(arguments: ["events", "other.events"])
  func isCancelled(locked table: String) async throws {
    try await withStore(Self.copy) { db, store in
      let lock = Task { try await db.psql("BEGIN; LOCK TABLE \(table); SELECT pg_sleep(60)") }
      try await until {
        try await db.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        ) == "1"
      }
      let there = try await other(db)
      let comparison = Task { try await compare(store, there) }
      try await until {
        try await db.psql(
          "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\(table)'::regclass"
        ) == "1"
      }
      comparison.cancel()
      await #expect(throws: CancellationError.self) { _ = try await comparison.value }
      lock.cancel()
      try await db.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
      )
      _ = try? await lock.value
    }
  }
}

extension ComparisonTests {
  private static let otherTable = QualifiedName(schema: "other", name: "events")

  private func other(_ db: TestDatabase) async throws -> ComparedStore {
    .store(try EventStore(connecting: db.conninfo, table: Self.otherTable))
  }

  private func files(of store: EventStore) async throws -> [ComparedStore] {
    [try await manifest(of: store), try await ndjson(of: store)]
  }

  private func manifest(of store: EventStore) async throws -> ComparedStore {
    let bytes = Mutex<[UInt8]>([])
    var integrity = IntegrityCheck()
    integrity.writeManifest = { piece in bytes.withLock { $0 += piece } }
    _ = try await store.verifyVersions(integrity: integrity) { _ in }
    return file(bytes.withLock(\.self))
  }

  private func ndjson(of store: EventStore) async throws -> ComparedStore {
    let bytes = Mutex<[UInt8]>([])
    try await store.writeNDJSON(EventQuery()) { lines in bytes.withLock { $0 += lines } }
    let lines = bytes.withLock(\.self).split(separator: UInt8(ascii: "\n"))
    return file(Array(lines.reversed().joined(separator: [UInt8(ascii: "\n")])))
  }

  private func file(_ bytes: [UInt8]) -> ComparedStore {
    let rest = Mutex<[UInt8]?>(bytes)
    return .file {
      rest.withLock { rest in
        defer { rest = nil }
        return rest
      }
    }
  }

  private func compare(
    _ store: EventStore,
    _ other: ComparedStore,
    _ comparison: Comparison = Comparison()
  ) async throws -> (ComparisonResult, [String]) {
    let found = Mutex<[String]>([])
    let result = try await store.compare(comparison, with: other) { one in
      found.withLock { $0.append(one.line) }
    }
    return (result, found.withLock(\.self))
  }
}

extension StoreDifference {
  fileprivate var line: String {
    let versions = (version.map { "\($0)" } ?? "?") + (lastVersion.map { "..\($0)" } ?? "")
    let place = "\(kind.rawValue) \(aggregateID) \(versions)"
    if let field { return "\(place) \(field.path): \(field.here ?? "-") | \(field.there ?? "-")" }
    return place + (versionThere.map { " to \($0)" } ?? "") + " \(events)"
  }
}
