import Synchronization
import TestSupport
import Testing

@testable import EventStore

/// Where the streams of somebody else's store begin.
@Suite struct StreamBeginningTests {
  private static let log = """
    CREATE TABLE log (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text, revision int, body jsonb);

    """

  private static func layout(_ word: String) throws -> Layout {
    let text = """
      -- @layout log
      -- @table public.log
      \(word)
      SELECT md5(number::text)::uuid AS id, stream AS aggregate_id, 'Set' AS event_type, body AS event_data,
             revision AS version, '2026-01-01Z'::timestamptz AS "timestamp", number AS position
      FROM public.log
      """
    return try Layout(path: "log.sql", bytes: Array(text.utf8))
  }

  /// A store of streams with those versions, whose payloads say them.
  private func withLog(
    _ word: String,
    _ streams: [(name: String, versions: [Int])],
    _ body: (TestDatabase, EventStore) async throws -> Void
  ) async throws {
    let rows = streams.flatMap { stream in
      stream.versions.map { "('\(stream.name)', \($0), '{\"v\(stream.name)\": \($0)}')" }
    }
    try await TestCluster.withDatabase { db in
      try await db.psql(
        "\(Self.log) INSERT INTO log (stream, revision, body) VALUES \(rows.joined(separator: ", "))"
      )
      let store = try EventStore(connecting: db.conninfo, layout: try Self.layout(word))
      _ = try await store.initialize()
      try await body(db, store)
    }
  }

  private func findings(_ store: EventStore, firstVersion: Int? = nil) async throws -> [String] {
    let found = Mutex<[String]>([])
    var check = VersionCheck()
    if let firstVersion { check.firstVersion = firstVersion }
    _ = try await store.verifyVersions(check) { finding in
      guard finding.severity == .error else { return }
      let versions = [finding.version, finding.lastVersion].compactMap { $0.map { " \($0)" } }.joined()
      found.withLock { $0.append("\(finding.kind.rawValue) \(finding.aggregateID ?? "")\(versions)") }
    }
    return found.withLock { $0 }
  }

  @Test func aStreamThatWasCutOffBeginsLater() async throws {
    let streams = [("a", [4, 5, 6]), ("b", [3, 5]), ("c", [1, 2]), ("d", [0, 1]), ("e", [7, 7])]
    try await withLog("-- @may-begin-later", streams) { _, store in
      #expect(
        try await findings(store) == ["gap b 4 4", "invalid_version d 0 0", "duplicate_version e 7 7"]
      )
      #expect(try await store.missingVersions(ofStream: "a") == [])
      #expect(try await store.missingVersions(ofStream: "b") == [4...4])
      let result = try await store.takeSnapshots(of: .aggregates(["a", "b"]))
      #expect(result.taken == 1 && result.incomplete == 1 && result.firstIncomplete == "b")
      #expect(try await store.state(of: "a").snapshotVersion == 6)
    }
    try await withLog("", [("a", [4, 5, 6])]) { _, store in
      let missing = try await store.missingVersions(ofStream: "a")
      #expect(missing == [1...3])
      #expect(try await findings(store) == ["wrong_first_version a 1 3"])
    }
  }

  /// Version 0 is an event, not what comes before the first.
  @Test func versionsFromZero() async throws {
    let streams = [("a", [0, 1, 2]), ("b", [1, 2]), ("c", [0, 2]), ("d", [0])]
    try await withLog("-- @first-version 0", streams) { db, store in
      #expect(try await findings(store) == ["wrong_first_version b 0 0", "gap c 1 1"])
      #expect(
        try await findings(store, firstVersion: 1)
          == [
            "invalid_version a 0 0", "invalid_version c 0 0", "wrong_first_version c 1 1",
            "invalid_version d 0 0",
          ]
      )
      #expect(try await store.missingVersions(ofStream: "a") == [])
      #expect(try await store.missingVersions(ofStream: "b") == [0...0])
      #expect(try await store.summary(ofStream: "d")?.lastVersion == 0)
      for (first, count) in [(0, 3), (1, 2)] {
        var query = EventQuery(aggregateID: "a")
        query.fromVersion = first
        #expect(try await store.writeNDJSON(query) { _ in }.count == count)
      }

      #expect(try await store.state(of: "a", at: .version(0)).state == #"{"va": 0}"#)
      #expect(try await store.blame("d").map { $0.event?.version } == [0])
      let result = try await store.takeSnapshots(of: .all)
      #expect(result.taken == 2 && result.incomplete == 2 && result.firstIncomplete == "b")
      #expect(try await store.state(of: "d").snapshotVersion == 0)
      let file = """
        -- @projection counts
        -- @create
        CREATE TABLE counts (id text PRIMARY KEY, versions integer[]);
        -- @on *
        INSERT INTO counts VALUES (event.aggregate_id, ARRAY[event.version])
        ON CONFLICT (id) DO UPDATE SET versions = counts.versions || excluded.versions;
        """
      let projection = try Projection(path: "counts.sql", bytes: Array(file.utf8))
      #expect(try await store.rebuildProjection(projection).events == 8)
      #expect(try await db.psql("SELECT versions FROM counts WHERE id = 'a'") == "{0,1,2}")

      try await db.psql("DELETE FROM log WHERE stream = 'd' OR stream = 'a' AND revision = 2")
      let ahead = try await findings(store).filter { $0.hasPrefix("snapshot_ahead") }
      #expect(ahead == ["snapshot_ahead a 2", "snapshot_ahead d 0"])
    }
  }

  @Test func aWrongFirstVersion() {
    let error = #expect(throws: EventStoreError.self) { try Self.layout("-- @first-version 2") }
    #expect(error?.message == "log.sql:3:19: @first-version is 0 or 1")
  }

  /// Each removes the oldest events of a stream: Eventuous by TruncateStream, Marten by compacting, Pekko by its retention
  /// criteria, SqlStreamStore by a greatest age or count.
  @Test(arguments: [
    "eventuous", "marten", "marten-conjoined", "marten-tenant-partitions", "pekko-jdbc", "sqlstreamstore",
  ])
  func frameworksCutStreamsOff(name: String) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(framework.damage)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      #expect(try await findings(store) == [])
      #expect(try await store.missingVersions(ofStream: framework.aggregateIDs[0]) == [])
      #expect(try await store.state(of: framework.aggregateIDs[0]).state == framework.payloads[2])
    }
  }
}
