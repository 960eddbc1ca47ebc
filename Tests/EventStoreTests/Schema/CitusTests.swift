import EventStore
import TestSupport
import Testing

/// A store that Citus distributes; skipped where the server under test has no extension of that name to give.
@Suite struct CitusTests {
  private static func isAvailable() async throws -> Bool {
    try await TestCluster.withDatabase { db in
      try await db.psql("SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'") == "1"
    }
  }

  @Test(.enabled("extension citus is not available") { try await isAvailable() })
  func aDistributedStoreIsWrittenAndRead() async throws {
    try await TestCluster.withServer(settings: ["shared_preload_libraries": "citus"]) { _, db in
      let host = db.environment["PGHOST"] ?? ""
      try await db.psql("CREATE EXTENSION citus; ALTER SYSTEM SET citus.local_hostname = '\(host)'")
      try await db.psql("SELECT pg_reload_conf()")
      let store = try EventStore(connecting: db.conninfo)
      try await store.initialize(distributed: true)
      let lines = (0..<300).map {
        #"{"aggregate_id":"order-\#($0 % 7)","event_type":"T","event_data":{"n":\#($0)}}"#
      }
      #expect(try await store.append(text: lines.joined(separator: "\n")).appendedCount == 300)
      #expect(try await store.writeNDJSON(EventQuery()) { _ in }.count == 300)
      #expect(try await store.state(of: "order-3").version == 43)
      var check = VersionCheck()
      check.selection = .aggregates(["order-1", "order-2"])
      #expect(try await store.verifyVersions(check) { _ in }.errors == 0)
      #expect(try await store.health().positionFaults.map(\.kind) == [.distributed])
      await #expect(throws: EventStoreError.self) { try await store.watermark() }
    }
  }
}
