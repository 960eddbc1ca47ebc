import EventStore
import Synchronization
import TestSupport
import Testing

/// Lists of streams that go on behind a name.
@Suite struct StreamsAfterTests {
  private func names(_ store: EventStore, _ query: StreamQuery) async throws -> [String] {
    let found = Mutex<[String]>([])
    try await store.listStreams(query) { stream in found.withLock { $0.append(stream.aggregateID) } }
    return found.withLock { $0 }
  }

  @Test(arguments: StreamListTests.Kind.allCases, ["", "order-1"])
  func pagesMakeTheList(kind: StreamListTests.Kind, prefix: String) async throws {
    try await TestCluster.withDatabase { database in
      let store = try await kind.prepare(database)
      let sql =
        "SELECT DISTINCT aggregate_id COLLATE \"C\" FROM events WHERE aggregate_id LIKE '\(prefix)%' ORDER BY 1"
      let expected = try await database.psql(sql).split(separator: "\n").map(String.init)
      var (names, query) = ([String](), StreamQuery())
      (query.prefix, query.limit) = (prefix, 7)
      query.after = ""
      while case let page = try await self.names(store, query), !page.isEmpty {
        names += page
        query.after = page.last
      }
      #expect(names == expected)
      // The name itself need not be there, and other orders know it too.
      query.after = "order-10!"
      query.order = .events
      let counted = try await self.names(store, query)
      #expect(
        !counted.isEmpty
          && counted.allSatisfy { Array($0.utf8).lexicographicallyPrecedes(Array("order-10!".utf8)) == false }
      )
    }
  }
}
