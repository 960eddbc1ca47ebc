import EventStore
import TestSupport
import Testing

/// What reads cost, in events that the server reads.
@Suite struct NarrowedReadsTests {
  /// Large enough for an index to be cheaper than the table: an event a minute, and one far from its time.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT 'order-' || n % 40, 'T', to_jsonb(repeat('x', 500)), (n - 1) / 40 + 1,
           '2026-01-01'::timestamptz + CASE n WHEN 300 THEN 19000 ELSE n END * interval '1 minute'
    FROM generate_series(1, 20000) n;
    """

  @Test(arguments: [false, true]) func aTimeWithoutEventsIsFoundAtOnce(reversed: Bool) async throws {
    try await withStore(Self.fill + Self.vacuum) { db, _ in
      var query = EventQuery()
      (query.since, query.last, query.reversed) = (try time(30_000), 5, reversed)
      let (found, cost) = try await cost(of: query, db)
      #expect(found.isEmpty && cost < 1000)
    }
  }

  /// The first events come before all of the others have been looked at.
  @Test(
    arguments: [(nil, 15_000, false), (100, nil, false), (100, nil, true), (100, 19_500, false)]
      as [(Int?, Int?, Bool)]
  )
  func theFirstEventsComeAtOnce(since: Int?, until: Int?, reversed: Bool) async throws {
    try await withStore(Self.fill + Self.vacuum) { db, _ in
      var query = EventQuery()
      (query.since, query.until) = (try since.map { try time($0) }, try until.map { try time($0) })
      (query.limit, query.reversed) = (5, reversed)
      let (found, cost) = try await cost(of: query, db)
      #expect(found.count == 5 && cost < 2000)
    }
  }

  @Test(
    arguments: [
      (nil, 10), (nil, 250), (nil, 19_000), (50, nil), (18_990, nil), (19_999, nil), (250, 18_000),
      (19_001, 30_000),
    ] as [(Int?, Int?)]
  )
  func theBoundsMeanWhatTheySay(since: Int?, until: Int?) async throws {
    try await withStore(Self.fill + Self.vacuum) { db, store in
      var query = EventQuery()
      (query.since, query.until) = (try since.map { try time($0) }, try until.map { try time($0) })
      let times =
        "timestamp BETWEEN '2026-01-01Z'::timestamptz + interval '\(since ?? 0) minutes'"
        + " AND '2026-01-01Z'::timestamptz + interval '\(until ?? 99_999) minutes'"
      for reversed in [false, true] {
        for last in [nil, 7] {
          (query.reversed, query.last) = (reversed, last)
          var expected = try await db.rows(
            "SELECT position FROM events WHERE \(times) ORDER BY position DESC"
          )
          if let last { expected = Array(expected.prefix(last)) }
          #expect(try await positions(store, query) == (reversed ? expected : expected.reversed()))
        }
      }
    }
  }

  /// A category, and types, whose events begin late.
  @Test(arguments: [
    ("split_part(aggregate_id, '-', 1) = 'ship'", false), ("split_part(aggregate_id, '-', 1) = 'ship'", true),
    ("event_type = 'Sailed'", false), ("event_type IN ('Sailed', 'Landed')", false),
  ])
  func whatBeginsLateIsFoundAtOnce(condition: String, reversed: Bool) async throws {
    let late = """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      SELECT 'ship-' || n / 10, CASE WHEN n % 2 = 0 THEN 'Sailed' ELSE 'Landed' END, '{}', n % 10 + 1, '2026-02-01'
      FROM generate_series(1, 1000) n;
      """
    // Read backwards, they are far from the end.
    try await withStore(reversed ? late + Self.fill + Self.vacuum : Self.fill + late + Self.vacuum) {
      db,
      store in
      var query = EventQuery()
      if condition.contains("ship") { query.category = "ship" }
      query.types = ["Sailed", "Landed"].filter { condition.contains($0) }
      query.reversed = reversed
      let order = reversed ? "DESC" : "ASC"
      let expected = try await db.rows(
        "SELECT position FROM events WHERE \(condition) ORDER BY position \(order)"
      )
      #expect(try await positions(store, query) == expected)
      query.limit = 5
      let (found, cost) = try await cost(of: query, db)
      #expect(found == Array(expected.prefix(5)))
      #expect(cost < 6000)
    }
  }

  /// A reader with a checkpoint stops before the first event that is too late, also if that comes early.
  @Test(arguments: [(250, 250), (15_000, 299), (19_000, 19_000), (19_999, 19_999), (30_000, 20_000)])
  func aCheckpointEndsBeforeTheFirstLateEvent(until: Int, last: Int64) async throws {
    try await withStore(Self.fill + Self.vacuum) { db, store in
      var query = EventQuery()
      query.until = try time(until)
      var options = ReplayOptions()
      options.checkpoint = "mail"
      var positions: [Int64] = []
      _ = try await store.replay(query, options) { positions += $0.positions }
      #expect(positions == Array(1...last))
    }
  }

  /// Events that were read and do not match are before the checkpoint, also if no event matched.
  @Test(arguments: ["category", "type", "time"]) func aCheckpointMovesPastTheRest(filter: String) async throws
  {
    let ships =
      "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('ship-1', 'Sailed', '{}', 1);"
    try await withStore(Self.fill + ships + Self.vacuum) { db, store in
      var query = EventQuery()
      switch filter {
      case "category": query.category = "ship"
      case "type": query.types = ["Sailed"]
      default: query.since = try Timestamp(iso8601: "2999-01-01T00:00:00Z")
      }
      var options = ReplayOptions()
      options.checkpoint = "mail"
      for head in [20_001, 25_001] {
        _ = try await store.replay(query, options) { _ in }
        #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "\(head)")
        try await db.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version) "
            + "SELECT 'late-\(head)', 'Rest', '{}', n FROM generate_series(1, 5000) n"
        )
      }
    }
  }

  /// The effects of one event are looked up, however many events might be some.
  @Test func oneEventIsShownAtOnce() async throws {
    let members = [
      "correlation_id", "correlationId", "$correlationId", "causation_id", "causationId", "$causationId",
    ]
    let indexes = members.map { member in
      "CREATE INDEX ON events ((metadata ->> '\(member)')) WHERE (metadata ->> '\(member)') IS NOT NULL;"
    }
    try await withStore(Self.fill + indexes.joined() + Self.vacuum) { db, _ in
      let cost = try await db.eventsRead { store in
        let context = try await store.context(of: .position(2))
        #expect(context.effects == [] && context.event.version == 1)
      }
      #expect(cost < 1000)
    }
  }

  private static let vacuum = "VACUUM ANALYZE events;"

  private func positions(_ store: EventStore, _ query: EventQuery) async throws -> [String] {
    var positions: [String] = []
    for try await event in store.events(matching: query) { positions.append("\(event.position ?? 0)") }
    return positions
  }

  private func time(_ minutes: Int) throws -> Timestamp {
    let start = try Timestamp(iso8601: "2026-01-01T00:00:00Z")
    return Timestamp(microseconds: start.microseconds + Int64(minutes) * 60_000_000)
  }

  /// The positions, and how many events the server reads for them.
  private func cost(of query: EventQuery, _ db: TestDatabase) async throws -> (found: [String], cost: Int) {
    var found: [String] = []
    let cost = try await db.eventsRead { found = try await positions($0, query) }
    return (found, cost)
  }
}
