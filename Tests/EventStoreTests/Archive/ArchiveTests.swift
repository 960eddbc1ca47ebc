import EventStore
import Synchronization
import TestSupport
import Testing

/// Archived events are in one of two tables, never in both, and belong to the history of the store.
@Suite struct ArchiveTests {
  /// Ten streams of five events each; the one that ends is the store's last event.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, "timestamp")
    SELECT 's-' || n % 10, CASE WHEN n / 10 = 4 AND n % 2 = 0 THEN 'Closed' ELSE 'T' END, jsonb_build_object('n', n),
           n / 10 + 1, '2025-01-01'::timestamptz + n * interval '1 day'
    FROM generate_series(0, 49) n
    """
  private static let history = """
    SELECT md5(string_agg(concat_ws('|', id, aggregate_id, event_type, event_data, version, "timestamp", position), ',' ORDER BY position))
    """
  private static let both = "(SELECT * FROM events UNION ALL SELECT * FROM events_archive) AS e"

  private func archive(
    _ store: EventStore,
    chunk: Int = 3,
    _ change: (inout ArchiveSelection) -> Void
  ) async throws -> ArchiveResult {
    var selection = ArchiveSelection()
    change(&selection)
    await store.giveReason("disk")
    var options = ArchiveOptions()
    options.chunkSize = chunk
    return try await store.archive(selection, options)
  }

  private func findings(_ store: EventStore) async throws -> [Finding] {
    let found = Mutex<[Finding]>([])
    _ = try await store.verifyVersions(VersionCheck()) { finding in found.withLock { $0.append(finding) } }
    return found.withLock { $0 }
  }

  @Test(arguments: ["plain", "partitioned", "immutable", "classic"])
  func eventsMoveThereAndBack(kind: String) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      try await store.initialize(partitions: kind == "partitioned" ? 4 : nil)
      if kind == "classic" {
        try await db.psql("ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata")
      }
      let hasPosition = kind != "classic"
      let history =
        hasPosition ? Self.history : Self.history.replacing("position", with: "aggregate_id, version")
      try await db.psql(Self.fill)
      if kind == "immutable" { try await store.protect(Protection(roles: false)) }
      let before = try await db.psql("\(history) FROM events")
      var selection = ArchiveSelection()
      selection.closingTypes = ["Closed"]
      let plan = try await store.planArchive(selection)
      #expect((plan.streams, plan.events, plan.held) == (5, 25, 0))
      #expect(
        try await db.psql("SELECT to_regclass('events_archive') IS NULL, count(*) FROM events") == "t|50"
      )

      let result = try await archive(store) { $0.closingTypes = ["Closed"] }
      #expect(result.events == 25 && result.archive.description == "public.events_archive")
      #expect(
        try await db.psql(
          "SELECT count(*), count(*) FILTER (WHERE version = 5 AND event_type = 'T') FROM events"
        ) == "25|5"
      )
      #expect(try await db.psql("\(history) FROM \(Self.both)") == before)
      // A row of the audit for each chunk, with the number of its events.
      #expect(
        try await db.psql(
          "SELECT count(*), sum((detail->>'events')::int), min(reason) FROM annals.audit WHERE action = 'archive'"
        ) == "9|25|disk"
      )
      let old = try await archive(store) {
        $0.closingTypes = ["T"]
        $0.before = try? Timestamp(iso8601: Array("2025-02-12T00:00:00Z".utf8))
      }
      #expect(old.events == 5, "of s-1")
      if kind == "immutable" {
        let error = await #expect(throws: PsqlError.self) { try await db.psql("DELETE FROM events_archive") }
        #expect(error?.description.contains("is refused") == true)
        #expect(try await store.protect(Protection(roles: false)).isEmpty, "the archive is protected as well")
      }

      await store.giveReason("back")
      #expect(try await store.planUnarchive(ArchiveSelection()).events == 30)
      #expect(try await store.unarchive(ArchiveSelection()).events == 30)
      #expect(try await db.psql("\(history) FROM events") == before)
      #expect(try await db.psql("SELECT count(*) FROM events_archive") == "0")
      #expect(try await findings(store).allSatisfy { $0.kind == .classicTable })
    }
  }

  /// What a reader has not met stays, and so does the last event of the store: it is the head that readers are compared with.
  @Test func readersAndTheHeadKeepEvents() async throws {
    try await withStore(Self.fill) { db, store in
      try await db.psql(
        "INSERT INTO annals.checkpoints (name, store, filter, position) VALUES ('reader', 'public.events', '', 20)"
      )
      var result = try await archive(store) { $0.streams = ["s-1", "s-2"] }
      #expect((result.events, result.held) == (4, 6))
      #expect(result.heldBy?.reader == "checkpoint reader" && result.heldBy?.position == 20)
      try await store.removeCheckpoint("reader")
      result = try await archive(store) { $0.category = "s" }
      #expect((result.events, result.held) == (45, 1) && result.heldBy?.reader == nil)
      #expect(try await db.psql("SELECT aggregate_id, version, position FROM events") == "s-9|5|50")
      #expect(try await db.psql("SELECT count(*) FROM events_archive") == "49")
    }
  }

  @Test func historyIsOneWithItsArchive() async throws {
    try await withStore(Self.fill) { db, store in
      let before = try await store.manifestText()
      _ = try await archive(store) { $0.streams = ["s-2", "s-4"] }
      let gone = await #expect(throws: EventStoreError.self) { try await store.state(of: "s-2") }
      #expect(gone?.code == .notFound && gone?.hint != nil)

      // An appended event continues the archived versions.
      let receipts = try await store.append(
        [NewEvent(type: "T", data: "{}")],
        to: "s-2",
        expecting: .version(5)
      )
      #expect(receipts.map(\.version) == [6])
      try await db.psql("DELETE FROM events WHERE aggregate_id = 's-2'")
      #expect(try await store.includeArchive())
      #expect(try await store.manifestText() == before)

      // An event in both tables is found.
      try await db.psql(
        "INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM events_archive WHERE aggregate_id = 's-4' AND version = 2"
      )
      let kinds = Set(try await findings(store).map(\.kind))
      #expect(kinds.isSuperset(of: [.duplicateVersion, .duplicateID, .duplicatePosition]))
      await store.giveReason("back")
      let error = await #expect(throws: EventStoreError.self) {
        try await store.unarchive(ArchiveSelection())
      }
      #expect(error?.code == .versionConflict)
    }
  }

  @Test func theBeginningBeforeASnapshot() async throws {
    try await withStore(Self.fill) { db, store in
      try await store.takeSnapshots(of: .aggregates(["s-1"]))
      try await db.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('s-1', 'T', '{\"late\": 1}', 6)"
      )
      let before = try await store.state(of: "s-1").state
      #expect(try await archive(store) { $0.keepsFromSnapshot = true }.events == 4)
      #expect(
        try await db.psql(
          "SELECT string_agg(version::text, ',' ORDER BY version) FROM events WHERE aggregate_id = 's-1'"
        ) == "5,6"
      )
      #expect(try await store.state(of: "s-1").state == before)
      try await store.includeArchive()
      #expect(try await findings(store).isEmpty)
    }
  }

  @Test func whatCannotBeArchived() async throws {
    try await withStore(Self.fill) { db, store in
      var selection = ArchiveSelection()
      var error = await #expect(throws: EventStoreError.self) { try await store.archive(selection) }
      #expect(error?.code == .invalidInput, "without a reason")
      await store.giveReason("disk")
      error = await #expect(throws: EventStoreError.self) { try await store.unarchive(selection) }
      #expect(error?.code == .notFound)
      selection.streams = ["s-1", "nobody"]
      error = await #expect(throws: EventStoreError.self) { try await store.archive(selection) }
      #expect(error?.code == .notFound)
      selection.streams = []
      try await db.psql("CREATE TABLE events_archive (n int)")
      error = await #expect(throws: EventStoreError.self) { try await store.archive(selection) }
      #expect(error?.code == .invalidDefinition)
      try await db.psql(
        "DROP TABLE events_archive; ALTER TABLE events DROP CONSTRAINT events_aggregate_id_version_key"
      )
      error = await #expect(throws: EventStoreError.self) { try await store.archive(selection) }
      #expect(error?.code == .invalidDefinition)
      #expect(try await db.psql("SELECT count(*) FROM events") == "50")
    }
  }
}
