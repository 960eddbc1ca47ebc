import Synchronization
import TestSupport
import Testing

@testable import EventStore

@Suite struct StatisticsTests {
  /// 200,000 events of 20,000 streams, one every 30 seconds until now.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT CASE WHEN n % 5 = 0 THEN 'cart-' ELSE 'order-' END || n % 1000 + n / 10000 * 1000, 'T' || n % 4, jsonb_build_object('n', n),
           n % 10000 / 1000 + 1, now() - (199999 - n) * interval '30 s'
    FROM generate_series(0, 199999) n;
    """

  @Test func aStoreAtAGlance() async throws {
    try await withStore(Self.fill) { db, store in
      try await db.psql("VACUUM ANALYZE events")
      let exact = try await store.statistics(exact: true)
      let byHand = try await db.psql(
        """
        SELECT count(*), count(DISTINCT aggregate_id), count(DISTINCT event_type), pg_total_relation_size('events'),
               pg_indexes_size('events') FROM events
        """
      )
      let size = try #require(exact.size)
      #expect("\(exact.events)|\(exact.streams)|\(exact.types)|\(size.total)|\(size.indexes)" == byHand)
      #expect(!exact.isEstimate && (118...121).contains(exact.eventsLastHour))
      #expect((2878...2881).contains(exact.eventsLastDay) && (20158...20161).contains(exact.eventsLastWeek))
      #expect((119...121).contains(exact.eventsPerHour ?? 0))
      let estimate = try await store.statistics()
      #expect(estimate.isEstimate && estimate.types == 4 && estimate.size == exact.size)
      #expect((190_000...210_000).contains(estimate.events) && (10_000...40_000).contains(estimate.streams))
      #expect(estimate.oldest == exact.oldest && estimate.newest == exact.newest)
      #expect((110...125).contains(estimate.eventsLastHour) && (2800...2900).contains(estimate.eventsLastDay))
      #expect((19_000...21_000).contains(estimate.eventsLastWeek))
      #expect((estimate.growthPerDay ?? 0) > 0)
      // Nothing to estimate by.
      try await db.psql("UPDATE pg_class SET reltuples = -1 WHERE relname = 'events'")
      #expect(try await store.statistics().isEstimate == false)
    }
  }

  @Test func ofAnEmptyStore() async throws {
    try await withStore { _, store in
      let statistics = try await store.statistics()
      #expect(statistics.events == 0 && statistics.streams == 0 && statistics.oldest == nil)
      #expect(
        statistics.eventsPerDay == nil && statistics.bytesPerEvent == nil && statistics.growthPerDay == nil
      )
      let groups = try await groups(store, GroupQuery(by: [.type]))
      #expect(groups.isEmpty)
    }
  }

  private func groups(_ store: EventStore, _ query: GroupQuery) async throws -> [EventGroup] {
    let found = Mutex<[EventGroup]>([])
    try await store.groupEvents(query) { one in found.withLock { $0.append(one) } }
    return found.withLock(\.self)
  }

  /// The value of an event in SQL by hand.
  private static let values: [GroupQuery.Unit: String] = [
    .category: "split_part(aggregate_id, '-', 1)", .type: "event_type", .stream: "aggregate_id",
    .hour: #"to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"')"#,
    .day: "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    .week: #"to_char(timestamp AT TIME ZONE 'UTC', 'IYYY-"W"IW')"#,
    .month: "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM')",
  ]

  @Test(arguments: [false, true]) func groupsEqualSQLByHand(isClassic: Bool) async throws {
    try await withStore(StreamListTests.fill) { db, store in
      var values = Self.values
      if isClassic {
        try await db.psql(
          """
          ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata;
          ALTER TABLE events ALTER timestamp TYPE timestamp USING timestamp AT TIME ZONE 'UTC'
          """
        )
        values = values.mapValues { $0.replacing(" AT TIME ZONE 'UTC'", with: "") }
      }
      let reader = try EventStore(connecting: db.conninfo)
      let units = GroupQuery.Unit.allCases
      for by in units.map({ [$0] })
        + units.flatMap({ first in units.filter { $0 != first }.map { [first, $0] } })
      {
        for (order, sort) in [
          (GroupQuery.Order.name, ""), (.events, "events DESC, "), (.bytes, "bytes DESC, "),
          (.streams, "streams DESC, "),
          (.last, "last DESC, "),
        ] {
          var query = GroupQuery(by: by)
          (query.order, query.limit) = (order, order == .name ? nil : 9)
          if order != .name { (query.events.types, query.events.category) = (["T1", "T3"], "order") }
          let keys = by.map { values[$0]! }
          let names = (1...by.count).map { "k\($0) COLLATE \"C\"" }.joined(separator: ", ")
          let expected = try await db.psql(
            """
            SELECT * FROM (SELECT \(keys.enumerated().map { "\($1) AS k\($0 + 1)" }.joined(separator: ", ")), count(*) AS events,
              count(DISTINCT aggregate_id) AS streams, sum(pg_column_size(event_data)) AS bytes,
              to_char(max(timestamp), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last
            FROM events \(order == .name ? "" : "WHERE aggregate_id LIKE 'order-%' AND event_type IN ('T1', 'T3')")
            GROUP BY \((1...by.count).map(String.init).joined(separator: ", "))) AS g ORDER BY \(sort)\(names)
            \(order == .name ? "" : "LIMIT 9")
            """
          )
          let found = try await groups(reader, query).map { group in
            (group.names.map { $0 ?? "" }
              + [
                "\(group.events)", "\(group.streams ?? -1)", "\(group.bytes)",
                group.lastTime?.description ?? "",
              ]).joined(separator: "|")
          }
          #expect(found.joined(separator: "\n") == expected, "\(by) \(order)")
        }
      }
    }
  }

  @Test func aSampleStandsForAll() async throws {
    try await withStore(Self.fill) { db, store in
      try await db.psql("VACUUM ANALYZE events")
      var query = GroupQuery(by: [.type])
      query.extent = .sample(20_000)
      let types = try await groups(store, query)
      #expect(types.count == 4 && types.allSatisfy { $0.isEstimate && $0.streams == nil })
      #expect(types.allSatisfy { (45_000...55_000).contains($0.events) })
      let total = types.reduce(0) { $0 + $1.events }
      #expect((190_000...210_000).contains(total))
      // As many as there are, and more, is no sample.
      query.extent = .sample(1_000_000)
      #expect(try await groups(store, query).map(\.isEstimate) == [false, false, false, false])
      query.extent = .automatic
      #expect(try await groups(store, query).map(\.events) == [50_000, 50_000, 50_000, 50_000])
    }
  }

  /// That takes the longest, and not everybody needs it.
  @Test func streamsNeedNotBeCounted() async throws {
    try await withStore(StreamListTests.fill) { _, store in
      for units in [[GroupQuery.Unit.category], [.type], [.day, .type]] {
        var query = GroupQuery(by: units)
        let counted = try await groups(store, query)
        query.countsStreams = false
        let others = try await groups(store, query)
        #expect(others.map(\.names) == counted.map(\.names) && others.map(\.events) == counted.map(\.events))
        #expect(others.map(\.bytes) == counted.map(\.bytes))
        #expect(others.allSatisfy { $0.streams == nil } && counted.allSatisfy { $0.streams != nil })
      }
    }
  }

  @Test func infiniteTimesAreTimes() async throws {
    let fill = """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      VALUES ('a', 'T', '{}', 1, '-infinity'), ('a', 'T', '{}', 2, '2026-11-23T10:20:30Z'), ('a', 'T', '{}', 3, 'infinity')
      """
    try await withStore(fill) { _, store in
      for unit in GroupQuery.Unit.allCases where unit.isTime {
        let names = try await groups(store, GroupQuery(by: [unit])).map { $0.names[0] }
        #expect(names.count == 3 && names[0] == "-infinity" && names[2] == "infinity")
      }
      let statistics = try await store.statistics(exact: true)
      #expect(statistics.oldest == .negativeInfinity && statistics.newest == .infinity)
    }
  }

  @Test func rowSecurityRefusesSums() async throws {
    try await withStore(StreamListTests.fill) { db, _ in
      let role = "tenant_\(db.name)"
      try await db.psql(
        """
        CREATE ROLE \(role) LOGIN; GRANT SELECT ON events TO \(role);
        ALTER TABLE events ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON events USING (aggregate_id LIKE 'cart-%');
        """
      )
      let conninfo = db.conninfo.split(separator: " ").filter { !$0.hasPrefix("user=") }.joined(
        separator: " "
      )
      let tenant = try EventStore(connecting: conninfo + " user=\(role)")
      let error = await #expect(throws: EventStoreError.self) { _ = try await tenant.statistics() }
      #expect(error?.code == .permissionDenied)
      let other = await #expect(throws: EventStoreError.self) {
        try await tenant.groupEvents(GroupQuery(by: [.type])) { _ in }
      }
      #expect(other?.code == .permissionDenied)
      // Streams are those that it may see.
      #expect(try await list(tenant, StreamQuery()).allSatisfy { $0.aggregateID.hasPrefix("cart-") })
      try await db.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }
}
