import EventStore
import TestSupport
import Testing

@Suite struct TypeShapeTests {
  /// 1000 events of three types; every fifth order has no items, and the last hundred events have a currency.
  static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT 'order-' || n, CASE WHEN n = 500 THEN 'Rare' WHEN n % 2 = 0 THEN 'Paid' ELSE 'Submitted' END,
      CASE WHEN n = 500 THEN '[1, "a", null, {"a.b": 2}]' WHEN n % 2 = 0 THEN '{"amount": 1.5}'
      ELSE jsonb_build_object('id', n, 'items',
        CASE WHEN n % 5 = 0 THEN '[]' WHEN n % 3 = 0 THEN '[{"sku": "x", "gift": true}, {"sku": "y"}]'
             ELSE '[{"sku": "x"}]' END::jsonb)
        || CASE WHEN n > 900 THEN '{"currency": null}' ELSE '{}' END::jsonb END,
      1, '2026-01-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(1, 1000) n;
    """

  @Test func typesAreCountedAndSampled() async throws {
    try await withStore { db, store in
      for sample in [nil, 100] {
        let types = try await store.eventTypes(sample: sample)
        #expect(types.map(\.type) == ["Submitted", "Paid", "Rare"])
        #expect(types.map(\.events) == [500, 499, 1])
        #expect(types[1].averageBytes == 15 && types[1].largestBytes == 15)
        #expect(types[2].isSampled == false && types[2].shapes == 1)
        #expect(types[0].isSampled == (sample != nil))
        #expect(types[0].examined == 500 || (50...150).contains(types[0].examined))
        #expect(types[0].firstSeen.description == "2026-01-01T00:01:00Z")
        #expect(types[0].lastSeen.description == "2026-01-01T16:39:00Z")
      }
      try await db.psql("UPDATE events SET aggregate_id = 'cart-1' WHERE event_type = 'Rare'")
      #expect(try await store.eventTypes(category: "cart").map(\.type) == ["Rare"])
      await #expect { try await store.eventTypes(category: "car") } throws: {
        ($0 as? EventStoreError)?.code == .notFound
      }
    }
  }

  /// The statistics of a large table estimate the number of events of frequent types; rare types are counted.
  @Test func theCountsOfALargeTableAreEstimates() async throws {
    let fill = """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      SELECT 'a', CASE WHEN n = 4 THEN 'Once' WHEN n > 119000 THEN 'Late' WHEN n % 3 = 0 THEN 'Paid' ELSE 'Submitted' END,
             '{}', n, '2026-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 120000) n;
      """
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      try await db.psql(fill)
      // Nothing to estimate by.
      try await db.psql("ALTER TABLE events SET (autovacuum_enabled = off)")
      let exact = try await store.eventTypes(exact: false)
      #expect(exact.map(\.events) == [79333, 39666, 1000, 1] && !exact.contains(where: \.isEstimate))
      try await db.psql("VACUUM ANALYZE events")
      let types = try await store.eventTypes(exact: false)
      #expect(types.map(\.type) == exact.map(\.type))
      #expect(types.map(\.isEstimate) == [true, true, false, false])
      #expect(types[2...].map(\.events) == [1000, 1])
      #expect((70_000...90_000).contains(types[0].events) && (30_000...50_000).contains(types[1].events))
      #expect(types.map(\.firstSeen) == exact.map(\.firstSeen))
      #expect(types.map(\.lastSeen) == exact.map(\.lastSeen))
      #expect(try await store.eventTypes().map(\.events) == exact.map(\.events))
      #expect(try await store.eventTypes(category: "a", exact: false).map(\.events) == exact.map(\.events))
      try await db.psql("DROP INDEX events_event_type_position_idx")
      #expect(try await store.eventTypes(exact: false).map(\.events) == exact.map(\.events))
    }
  }

  /// What happened first and last is in every sample.
  @Test func aSampleHasTheFirstAndTheLastEvent() async throws {
    try await withStore { db, store in
      // The last of these are rarer than the windows.
      try await db.psql("DELETE FROM events WHERE position BETWEEN 800 AND 998 AND event_type = 'Submitted'")
      for sample in [40, 60, 100] {
        let shape = try await store.shape(ofType: "Submitted", sample: sample)
        let whole = try #require(shape.paths.first { $0.path == "." })
        #expect(shape.isSampled)
        #expect(whole.firstSeen.description == "2026-01-01T00:01:00Z")
        #expect(whole.lastSeen.description == "2026-01-01T16:39:00Z")
      }
    }
  }

  @Test func aShapeSaysHowOftenAndWhen() async throws {
    try await withStore { db, store in
      let shape = try await store.shape(ofType: "Submitted", sample: nil)
      let paths = Dictionary(uniqueKeysWithValues: shape.paths.map { ($0.path, $0) })
      #expect(
        shape.paths.map(\.path)
          == [".", ".currency", ".id", ".items", ".items[]", ".items[].gift", ".items[].sku"]
      )
      // What the paths say against counting by hand.
      #expect(
        paths[".items[]"]?.events
          == Int64(
            try await db.psql(
              "SELECT count(*) FROM events WHERE event_type = 'Submitted' AND event_data->'items' <> '[]'"
            )
          )
      )
      #expect(paths[".currency"]?.events == 50 && paths[".currency"]?.types == ["null": 50])
      #expect(paths[".currency"]?.firstSeen.description == "2026-01-01T15:01:00Z")
      #expect(paths[".id"]?.example != nil && paths[".items"]?.example == nil)
      // Three kinds of items, with and without the currency.
      #expect(shape.variantCount == 6 && shape.variants.map(\.events).reduce(0, +) == 500)
    }
  }

  @Test func namesThatAreNotPlainAreQuoted() async throws {
    try await withStore { _, store in
      let shape = try await store.shape(ofType: "Rare", findingRequired: true)
      #expect(shape.paths.map(\.path) == [".", ".[]", #".[]."a.b""#])
      #expect(shape.paths[1].types == ["null": 1, "number": 1, "object": 1, "string": 1])
      #expect(
        shape.jsonSchema.hasSuffix(
          #""type":"array","items":{"type":["null","number","object","string"],"#
            + #""properties":{"a.b":{"type":"number"}},"required":["a.b"]}}"#
        )
      )
      await #expect { try await store.shape(ofType: "rare") } throws: {
        ($0 as? EventStoreError)?.code == .notFound
      }
    }
  }

  /// A member of the elements of an array is required when every element has it, not when every event has one.
  @Test func requiredIsWhatEveryObjectHas() async throws {
    try await withStore { _, store in
      let shape = try await store.shape(ofType: "Submitted", sample: nil, findingRequired: true)
      #expect(
        shape.paths.filter { $0.isRequired == true }.map(\.path) == [".id", ".items", ".items[].sku"]
      )
    }
  }

  @Test func aClassicTableIsReadWhole() async throws {
    try await withStore { db, store in
      let expected = try await store.shape(ofType: "Submitted", sample: nil)
      let types = try await store.eventTypes(sample: nil)
      try await db.psql("ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata")
      try await db.psql("ALTER TABLE events ALTER timestamp TYPE timestamp")
      let classic = try EventStore(connecting: db.conninfo)
      #expect(try await classic.eventTypes(sample: 10) == types)
      let shape = try await classic.shape(ofType: "Submitted", sample: 10)
      #expect(shape.paths.map(\.types) == expected.paths.map(\.types))
      #expect(shape.variants.map(\.members) == expected.variants.map(\.members))
    }
  }

  private func withStore(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let store = try EventStore(connecting: db.conninfo)
      _ = try await store.initialize()
      try await db.psql(TypeShapeTests.fill)
      try await body(db, store)
    }
  }
}
