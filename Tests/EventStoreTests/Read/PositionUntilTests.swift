import TestSupport
import Testing

@testable import EventStore

/// The place of a time in the order of positions.
@Suite struct PositionUntilTests {
  private static func time(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

  /// Positions with holes of any size, and several events of one time.
  @Test func isThatOfTheLastEventUntilThen() async throws {
    let events: [(position: Int64, seconds: Int64)] = [
      (-5, 10), (0, 20), (1, 20), (7, 30), (1_000_000_000_000, 40), (.max, 50),
    ]
    let rows = events.map { position, seconds in
      """
      (\(position), 'a', 'T', '{}', \(events.firstIndex { $0.position == position }! + 1),
       timestamptz '2000-01-01Z' + interval '\(seconds) s')
      """
    }
    let sql = """
      INSERT INTO events (position, aggregate_id, event_type, event_data, version, timestamp)
      OVERRIDING SYSTEM VALUE VALUES \(rows.joined(separator: ","))
      """
    try await withStore(sql) { _, store in
      for seconds in stride(from: Int64(5), through: 55, by: 5) {
        let position = try await store.position(until: Self.time(seconds))
        #expect(position == events.last { $0.seconds <= seconds }?.position, "\(seconds)")
      }
    }
    try await withStore { _, store in
      let position = try await store.position(until: Self.time(0))
      #expect(position == nil)
    }
  }

  /// Of 20,000 events a few are read, wherever the time is.
  @Test func readsFewEvents() async throws {
    let sql = """
      INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
      SELECT 'a', 'T', '{}', n, timestamptz '2000-01-01Z' + n * interval '1 s' FROM generate_series(1, 20000) AS n
      """
    try await withStore(sql) { database, _ in
      let count = try await database.eventsRead { store in
        for seconds in [Int64(0), 1, 7777, 19_999, 20_000, 30_000] {
          let position = try await store.position(until: Self.time(seconds))
          #expect(position == (seconds == 0 ? nil : min(seconds, 20_000)))
        }
      }
      #expect(count < 6 * 40)
    }
  }
}
