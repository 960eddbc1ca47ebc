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
