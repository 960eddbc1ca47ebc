import TestSupport
import Testing

@Suite struct TraceCommandTests {
  /// Two works: one of five events over three aggregates, one that shares an aggregate with it.
  private static let fill = """
    INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata) VALUES
    ('00000000-0000-4000-8000-000000000001', 'order-1', 'OrderSubmitted', '{}', 1, '{"correlation_id": "work-1"}'),
    ('00000000-0000-4000-8000-000000000002', 'payment-1', 'PaymentRequested', '{}', 1,
     '{"correlation_id": "work-1", "causation_id": "00000000-0000-4000-8000-000000000001"}'),
    ('00000000-0000-4000-8000-000000000003', 'stock-1', 'StockReserved', '{}', 1,
     '{"correlation_id": "work-1", "causation_id": "00000000-0000-4000-8000-000000000001"}'),
    ('00000000-0000-4000-8000-000000000009', 'order-1', 'NoteAdded', '{}', 2, '{"correlation_id": "work-2"}'),
    ('00000000-0000-4000-8000-000000000004', 'payment-1', 'PaymentProcessed', '{}', 2,
     '{"correlation_id": "work-1", "causation_id": "00000000-0000-4000-8000-000000000002"}'),
    -- Without a correlation id, only its cause says where it belongs.
    ('00000000-0000-4000-8000-000000000005', 'order-1', 'OrderPaid', '{}', 3,
     '{"$causationId": "00000000-0000-4000-8000-000000000004"}');
    """

  private static let tree = """
    0 OrderSubmitted
    1 PaymentRequested
    2 PaymentProcessed
    3 OrderPaid
    1 StockReserved
    """

  @Test(arguments: ["work-1", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000005"])
  func theWholeWork(id: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(["trace", id, "-o", "csv"])
      let lines = run.standardOutput.split(separator: "\r\n").dropFirst().map { line in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        return "\(cells[0]) \(cells[6])"
      }
      #expect(lines.joined(separator: "\n") == Self.tree, "\(run.standardError)")
      let table = try await annals(["trace", id]).standardOutput.split(separator: "\n")
      #expect(table[3].hasPrefix("   └─ PaymentProcessed  payment-1"))
    }
  }

  @Test func eventsThatCauseEachOtherAreShownOnce() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let ring = #"'{"causation_id": "00000000-0000-4000-8000-000000000005"}'"#
      try await db.psql("UPDATE events SET metadata = \(ring) WHERE event_type = 'OrderSubmitted'")
      let run = try await annals(["trace", "work-1", "-o", "ndjson"])
      #expect(run.standardOutput.split(separator: "\n").count == 5)
    }
  }

  /// A chain of causes without a correlation id, traced from one of its events; {order} is that of the positions.
  @Test(arguments: ["i", "-i", "i % 7, i"], [1, 700, 1500])
  func aLongChain(order: String, from: Int) async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata)
        SELECT md5(i::text)::uuid, 'chain-' || i, 'T', '{}', 1,
               CASE WHEN i > 1 THEN jsonb_build_object('causation_id', md5((i - 1)::text)::uuid) END
        FROM generate_series(1, 1500) i ORDER BY \(order);
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata) VALUES
          (md5('beside')::uuid, 'beside', 'T', '{}', 1, jsonb_build_object('causationId', md5('3')::uuid)),
          (md5('lost')::uuid, 'lost', 'T', '{}', 1, jsonb_build_object('causationId', md5('nonesuch')::uuid)),
          (md5('other')::uuid, 'other', 'T', '{}', 1, '{"causation_id": "no uuid"}');
        """
      )
      let id = try await db.psql("SELECT md5('\(from)')::uuid")
      let run = try await annals(["trace", id, "-o", "csv"])
      let lines = run.standardOutput.split(separator: "\r\n").dropFirst()
      #expect(lines.count == 1501, "\(run.standardError)")
      #expect(lines.contains { $0.hasPrefix("1499,") && $0.contains("chain-1500") })
      #expect(lines.contains { $0.hasPrefix("3,") && $0.contains("beside") })
    }
  }

  @Test func nothingIsStatus4() async throws {
    try await withEvents { _, annals in
      let run = try await annals(["trace", "work-3"])
      #expect(run.exitCode == 4)
    }
  }
}
