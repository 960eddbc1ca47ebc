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
      let tree = try await annals(["trace", id])
      #expect(tree.standardOutput.contains("└─ 1499: T "), "\(tree.standardOutput.suffix(200))")
      #expect(tree.standardOutput.utf8.count < 500_000)
    }
  }

  private static let members = [
    "correlation_id", "correlationId", "$correlationId", "causation_id", "causationId", "$causationId",
  ]

  /// Works whose events spell their ids in all ways, among many events without any.
  private static let manyEvents = """
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'filler', 'F', '{}', n FROM generate_series(1, 120000) n;
    INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata)
    SELECT md5(n::text)::uuid, 'work-' || n / 10, 'T' || n % 10, '{}', n % 10 + 1,
           CASE WHEN n % 10 < 3 THEN jsonb_build_object((ARRAY['correlation_id', 'correlationId', '$correlationId'])[n % 3 + 1],
                                                        'work-' || n / 10)
                ELSE jsonb_build_object((ARRAY['causation_id', 'causationId', '$causationId'])[n % 3 + 1],
                                        md5((n - 1)::text)::uuid) END
    FROM generate_series(10, 499) n;
    """

  private static func index(_ member: String, isPartial: Bool = true) -> String {
    let value = "metadata ->> '\(member)'"
    return "CREATE INDEX ON events ((\(value))) \(isPartial ? "WHERE (\(value)) IS NOT NULL" : "");"
  }

  /// The result is the same, whichever spellings have an index.
  @Test func indexesChangeNothingThatIsFound() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        "ALTER TABLE events SET (autovacuum_enabled = false);" + Self.manyEvents + "ANALYZE events;"
      )
      var answers: [String] = []
      for (number, member) in ([""] + Self.members).enumerated() {
        if number > 0 { try await db.psql(Self.index(member, isPartial: number % 2 == 0)) }
        // The second id is that of an event without a correlation, which only its causes lead to.
        for (id, count) in [("work-7", 10), (try await db.psql("SELECT md5('75')::uuid"), 8)] {
          let run = try await annals(["trace", id, "-o", "ndjson"])
          #expect(run.standardOutput.split(separator: "\n").count == count, "\(run.standardOutput)")
          #expect(run.standardError.isEmpty)
          answers.append(run.standardOutput)
        }
      }
      #expect(Set(answers).count == 2)
      // With an index for each, the table is not read. The scans of earlier runs may be counted late, so several runs
      // are compared: one that reads the table adds at least one each time.
      func scans() async throws -> Int? {
        try await db.awaitEnd(of: "psql", "annals")
        return Int(
          try await db.psql("SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'events'::regclass")
        )
      }
      var counts: [Int?] = [try await scans()]
      repeat {
        #expect(try await annals(["trace", "work-9"]).exitCode == 0)
        counts.append(try await scans())
      } while counts.count < 5 && counts[counts.count - 1] != counts[counts.count - 2]
      #expect(counts[counts.count - 1] == counts[counts.count - 2], "\(counts)")
    }
  }

  /// A spelling without an index that no event of a sample has is worth a pass only to prove that there is nothing.
  @Test func aSpellingThatDoesNotOccurIsLeftOut() async throws {
    try await withEvents { db, annals in
      try await db.psql(
        """
        \(Self.index("correlationId")) \(Self.index("causationId"))
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata) VALUES
          (md5('1')::uuid, 'a', 'T', '{}', 1, '{"correlationId": "one"}'),
          (md5('2')::uuid, 'a', 'T', '{}', 2, jsonb_build_object('causationId', md5('1')::uuid)),
          (md5('3')::uuid, 'a', 'T', '{}', 3, '{"correlation_id": "rare"}');
        INSERT INTO events (aggregate_id, event_type, event_data, version, metadata)
        SELECT 'filler', 'F', '{}', n, jsonb_build_object('correlationId', n, 'text', repeat('x', 200))
        FROM generate_series(1, 150000) n;
        ANALYZE events;
        """
      )
      let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'events'::regclass"
      let left = "correlation_id, $correlationId, causation_id, $causationId"
      var isLeftOut = false
      // Chance may put the event that has one into the sample, but not every time.
      for _ in 1...6 where !isLeftOut {
        try await db.awaitEnd(of: "psql", "annals")
        let before = try await db.psql(scans)
        let run = try await annals(["trace", "one", "-o", "ndjson"])
        #expect(run.standardOutput.split(separator: "\n").count == 2)
        isLeftOut = run.standardError.hasPrefix("annals: not searched for ids in \(left): ")
        try await db.awaitEnd(of: "annals")
        if isLeftOut { #expect(try await db.psql(scans) == before) }
      }
      #expect(isLeftOut)
      // A rare id that needs a pass is found, and for a missing id everything is searched.
      let rare = try await annals(["trace", "rare", "-o", "ndjson"])
      #expect(rare.standardOutput.split(separator: "\n").count == 1, "\(rare)")
      #expect(try await annals(["trace", "none"]).exitCode == 4)
    }
  }

  @Test func theDoctorOffersTheIndexes() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill + "ANALYZE events;")
      for count in [3, 0] {
        let run = try await annals(["doctor", "-o", "ndjson"])
        let items = run.standardOutput.split(separator: "\n").filter { $0.contains("\"traces by ") }
        #expect(items.count == count, "\(run)")
        for item in items { try await db.psql(db.psql("SELECT $j$\(item)$j$::jsonb->>'advice'")) }
      }
      #expect(try await annals(["trace", "work-1"]).exitCode == 0)
    }
  }

  @Test func nothingIsStatus4() async throws {
    try await withEvents { _, annals in
      let run = try await annals(["trace", "work-3"])
      #expect(run.exitCode == 4)
    }
  }
}
