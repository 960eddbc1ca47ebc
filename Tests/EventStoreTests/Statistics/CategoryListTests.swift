import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct CategoryListTests {
  /// 120,000 events: two large categories, 300 small ones, and ids that lie between a category and its streams.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT CASE WHEN n % 4 = 0 THEN 'cart-' ELSE 'order-' END || n / 10, 'T', '{}', n % 10 + 1 FROM generate_series(0, 119999) n;
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'small' || n || '-1', 'T', '{}'::jsonb, 1 FROM generate_series(1, 300) n
    UNION ALL SELECT unnest(ARRAY['order', 'order!', 'order !-1', '-x', 'z']), 'T', '{}', 1;
    VACUUM ANALYZE events
    """
  private static let byHand = """
    SELECT * FROM (
      SELECT split_part(aggregate_id, '-', 1) AS category, count(DISTINCT aggregate_id), count(*) FROM events GROUP BY 1
    ) AS c
    """

  private func list(
    _ store: EventStore,
    _ prefix: String = "",
    order: ListedCategory.Order = .name,
    limit: Int? = 1000,
    exact: Bool = false
  ) async throws -> [ListedCategory] {
    let found = Mutex<[ListedCategory]>([])
    try await store.listCategories(beginningWith: prefix, order: order, limit: limit, exact: exact) { one in
      found.withLock { $0.append(one) }
    }
    return found.withLock(\.self)
  }

  private func lines(_ categories: [ListedCategory]) -> [String] {
    categories.map { "\($0.category)|\($0.streams)|\($0.events)" }
  }

  @Test func largeOnesAreEstimated() async throws {
    try await withStore(Self.fill) { db, store in
      func expected(_ rest: String) async throws -> [String] {
        try await db.psql(Self.byHand + rest).split(separator: "\n").map(String.init)
      }
      let all = try await expected(#" ORDER BY category COLLATE "C""#)
      for exact in [try await list(store, exact: true), try await list(store, limit: nil)] {
        #expect(lines(exact) == all && !exact.contains(where: \.isEstimate))
      }
      let first = try await expected(#" ORDER BY 3 DESC, category COLLATE "C" LIMIT 3"#)
      let found = try await list(store, order: .events, limit: 3)
      #expect(lines(found) == first)

      let estimated = try await list(store)
      #expect(estimated.map(\.category).sorted() == all.map { String($0.prefix { $0 != "|" }) }.sorted())
      #expect(estimated.filter(\.isEstimate).map(\.category) == ["cart", "order"])
      #expect(Set(lines(estimated.filter { !$0.isEstimate })).isSubset(of: all))
      let cart = try #require(estimated.first { $0.category == "cart" })
      #expect((25_000...35_000).contains(cart.events) && (2_000...20_000).contains(cart.streams))
      #expect(try await list(store, "sm", limit: 2).map(\.category) == ["small1", "small10"])
      #expect(try await list(store, "order !").map(\.category) == ["order !"])
      let error = await #expect(throws: EventStoreError.self) { _ = try await list(store, "order-") }
      #expect(error?.code == .notFound)
    }
  }

  /// A layout may say what the category of an event is.
  @Test(arguments: FrameworkStore.all) func ofOtherStores(_ framework: FrameworkStore) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(framework.sql())
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      let streams = Mutex<[ListedStream]>([])
      for order in [StreamQuery.Order.name, .events, .last, .bytes] {
        var query = StreamQuery()
        (query.order, query.limit) = (order, order == .last ? nil : 10)
        streams.withLock { $0 = [] }
        try await store.listStreams(query) { one in streams.withLock { $0.append(one) } }
        let found = streams.withLock(\.self)
        #expect(found.map(\.aggregateID).sorted() == framework.aggregateIDs.sorted())
        #expect(found.first { $0.aggregateID == framework.aggregateIDs[0] }?.events == 2)
        #expect(found.first { $0.aggregateID == framework.aggregateIDs[0] }?.lastVersion == 2)
      }
      let categories = try await list(store)
      #expect(categories.reduce(0) { $0 + $1.events } == 3)
      #expect(categories.reduce(0) { $0 + $1.streams } == Int64(framework.aggregateIDs.count))
      let statistics = try await store.statistics()
      #expect(statistics.events == 3 && statistics.streams == 2 && statistics.types == 2)
      let groups = Mutex<[EventGroup]>([])
      try await store.groupEvents(GroupQuery(by: [.category, .type])) { one in
        groups.withLock { $0.append(one) }
      }
      #expect(groups.withLock { $0.reduce(0) { $0 + $1.events } } == 3)
      #expect(Set(groups.withLock { $0.map { $0.names[0] } }) == Set(categories.map(\.category)))
    }
  }
}
