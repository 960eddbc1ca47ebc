import TestSupport
import Testing

@testable import EventStore

/// Events of other frameworks' stores with a payload that is no JSON.
@Suite struct UnreadableEventTests {
  /// The second event of three is broken.
  @Test(arguments: [
    ("commanded-bytea", "UPDATE events SET data = '\\x83' WHERE event_type = 'Paid'"),
    (
      "rails-event-store-bytea",
      "UPDATE event_store_events SET data = '\\x83', metadata = '\\x84' WHERE event_type = 'Paid'"
    ),
    ("pekko-jdbc", "UPDATE event_journal SET event_payload = '{' WHERE ordering = 3"),
    ("sqlstreamstore", "UPDATE messages SET json_data = 'x' WHERE type = 'Paid'"),
  ])
  func itIsShown(name: String, sql: String) async throws {
    let framework = try FrameworkStore.named(name)
    try await TestCluster.withDatabase { db in
      try await db.psql("\(framework.sql()); \(sql)")
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      for (query, count) in [(EventQuery(), 3), (EventQuery(aggregateID: framework.aggregateIDs[0]), 2)] {
        var payloads: [String] = []
        for try await event in store.events(matching: query) { payloads.append(event.data) }
        #expect(payloads.count == count && payloads.first == framework.payloads[0])
        #expect(payloads.last?.hasPrefix(#"{"unreadable": {"#) == true, "\(payloads)")
      }
      #expect(await store.unreadableEvents == 2)
    }
  }

  /// The time is in the payload, without which there is no event.
  @Test func withoutATimeItIsNamed() async throws {
    let framework = try FrameworkStore.named("pyeventsourcing")
    try await TestCluster.withDatabase { db in
      try await db.psql(
        "\(framework.sql()); UPDATE stored_events SET state = '\\x83' WHERE notification_id = 3"
      )
      let store = try EventStore(connecting: db.conninfo, layout: try framework.layout())
      let error = await #expect(throws: EventStoreError.self) {
        for try await _ in store.events(matching: EventQuery()) {}
      }
      let place = "position 3, stream \(framework.aggregateIDs[0]), version 2"
      #expect(error?.message.hasPrefix("\(place): the event cannot be read: invalid byte") == true)
    }
  }

  private static let layout = """
    -- @layout log
    -- @table public.log
    SELECT md5(number::text)::uuid AS id, stream AS aggregate_id, 'Set' AS event_type, body::jsonb AS event_data,
           revision AS version, '2026-01-01Z'::timestamptz AS "timestamp", note::jsonb AS metadata, number AS position
    FROM public.log
    """

  /// In any order, with a limit, without an index, and with more of them than a page has.
  @Test func manyOfThem() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE log (number bigint, stream text, revision int, body text, note text);
        INSERT INTO log SELECT n, 's-' || n % 2, (n + 1) / 2, CASE WHEN n BETWEEN 200 AND 499 THEN '{' ELSE n::text END,
          CASE WHEN n = 7 THEN 'x' END FROM generate_series(1, 1000) n;
        """
      )
      let store = try EventStore(
        connecting: db.conninfo,
        layout: try Layout(path: "log.sql", bytes: Array(Self.layout.utf8))
      )
      var query = EventQuery()
      for order in [EventQuery.Order.position, .version] {
        for reversed in [false, true] {
          (query.order, query.reversed, query.limit) = (order, reversed, 900)
          var events: [Event] = []
          for try await event in store.events(matching: query) { events.append(event) }
          #expect(events.count == 900 && Set(events.map(\.id)).count == 900)
          for event in events {
            let number = try #require(event.position)
            let isBroken = (200...499).contains(number)
            #expect(isBroken ? event.data.contains(#""sqlstate": "22P02""#) : event.data == "\(number)")
            #expect((event.metadata != nil) == (number == 7))
          }
        }
      }
      #expect(await store.unreadableEvents > 1000)
    }
  }
}
