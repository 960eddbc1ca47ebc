import EventStore
import Synchronization
import TestSupport

/// Counts and adds, so that an event that is missed or folded twice shows.
let orderReducer = """
  -- @reducer order
  -- @version 3
  -- @initial
  SELECT '{"payments": 0, "total": 0}'::jsonb
  -- @on Paid
  WITH paid AS (SELECT (event.event_data->>'amount')::numeric AS amount)
  SELECT state || jsonb_build_object(
    'payments', (state->>'payments')::integer + 1, 'total', (state->>'total')::numeric + paid.amount)
  FROM paid
  -- @on Shipped, Delivered
  SELECT state || jsonb_build_object('status', event.event_type, 'at', event.version)
  """

extension TestDatabase {
  /// - Parameter rows: aggregate_id, event_type, event_data, version, timestamp.
  func insertEvents(_ rows: String) async throws {
    try await psql(
      "INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp) VALUES \(rows)"
    )
  }

  /// Streams `order-1`, `order-2` … whose events come in turns.
  func insertSeries(aggregates: Int, events: Int) async throws {
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT 'order-' || a, (ARRAY['Paid', 'Shipped', 'Noted', 'Delivered'])[1 + v % 4],
        jsonb_build_object('amount', a * v, 'last', v, 'field' || v % 3, md5(a::text || v)), v
      FROM generate_series(1, \(events)) AS v, generate_series(1, \(aggregates)) AS a
      """
    )
  }

  func hideEvents(after version: Int) async throws {
    try await psql("CREATE TABLE hidden AS SELECT * FROM events WHERE version > \(version)")
    try await psql("DELETE FROM events WHERE version > \(version)")
  }

  func showEvents() async throws {
    try await psql("INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM hidden; DROP TABLE hidden")
  }
}

/// What a store said.
final class Notices: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }

  func add(_ text: String) {
    texts.withLock { $0.append(text) }
  }
}
