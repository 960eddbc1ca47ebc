import TestSupport
import Testing

@testable import annals

/// What matters in a table can be read at a terminal of 80 columns; `script` makes one.
@Suite struct NarrowTerminalTests {
  private static let type = "Shop.Ordering.Events.OrderPlaced, Shop.Ordering"
  private static let id = "0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11"

  /// Two streams with long names, of which the second lacks a version that was there.
  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT a, '\(type)', jsonb_build_object('customer', 'Zoe\u{301} 注文 ' || v, 'note', repeat('x', 100)), v,
      timestamptz '2024-04-01T09:00:00.123456Z' + v * interval '61 min'
    FROM unnest(ARRAY['\(id)', '注文-é-' || repeat('9', 40)]) a, generate_series(1, 5) v;
    DELETE FROM events WHERE version = 3 AND aggregate_id LIKE '注%';
    """

  /// The lines without colours.
  private func lines(_ command: String, width: Int = 80, in db: TestDatabase) async throws -> [String] {
    let run = try await runShell(
      "script -qec \"'\(AnnalsBinary.path)' \(command)\" /dev/null < /dev/null",
      environment: db.environment.merging(["TERM": "xterm", "COLUMNS": "\(width)", "ANNALS_PAGER": ""]) { $1 }
    )
    return run.standardOutput.split(separator: "\r\n").map {
      String($0.replacing(/\u{1B}\[[0-9]+m/, with: ""))
    }
  }

  private static let cases: [(command: String, shown: [String])] = [
    ("stream \(id)", ["  \(type)"]),
    ("stream", ["  Shop.Ordering.Events.OrderPlaced…"]),
    ("verify-versions --explain", ["CAUSE", "  deleted"]),
    ("verify-versions", ["DETAIL", "  version 3 is missing: 2 is followed by 4"]),
    ("types", ["  100.0%"]),
    ("snapshot show \(id) --diff 2 4", ["NEW", "\"Zoe\u{301} 注文 2\"", "\"Zoe\u{301} 注文 4\""]),
    ("snapshot show \(id) --blame .customer", ["VALUE", "\"Zoe\u{301} 注文 5\""]),
    ("snapshot show \(id) -o table", ["STATE", "{\"note\": \"xxxx"]),
  ]

  @Test(arguments: cases)
  func whatMattersIsShown(command: String, shown: [String]) async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let lines = try await lines(command, in: db)
      // What is above a table or below it is no part of it.
      let table = lines.drop { $0.contains(": 5 events, ") }.filter { !$0.hasPrefix("annals: ") }
      #expect(table.count > 1)
      #expect(table.allSatisfy { Terminal.columns(of: $0) <= 80 }, "\(table)")
      for text in shown { #expect(table.contains { $0.contains(text) }, "\(text) is not in \(table)") }
    }
  }

  /// Qualified names differ at their ends.
  @Test(arguments: ["stream", "stream \(id)", "trace c-1", "types", "snapshot show \(id) --blame"])
  func typesAreToldApart(command: String) async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let type = "replace(event_type, 'Shop.Ordering.', 'MyCompany.Shop.Ordering.Domain.')"
      try await db.psql("UPDATE events SET event_type = \(type), metadata = '{\"correlation_id\": \"c-1\"}'")
      for width in [50, 60, 80] {
        let lines = try await lines(command, width: width, in: db)
        #expect(
          lines.contains { $0.contains(".OrderPlaced") || $0.contains("…OrderPlaced") },
          "\(lines)"
        )
        #expect(
          lines.allSatisfy { $0.contains(": 5 events, ") || Terminal.columns(of: $0) <= width },
          "\(lines)"
        )
      }
    }
  }

  @Test func whatFailedIsShown() async throws {
    let file = """
      -- @projection customers_by_name
      -- @create
      CREATE TABLE customers (id text PRIMARY KEY);
      -- @on Added
      INSERT INTO customers VALUES (event.aggregate_id);
      """
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      try await db.psql("UPDATE events SET event_type = 'Added'")
      for (arguments, status) in [
        (["rebuild-projection", "--to-position", "1", "-"], 0),
        (["project", "--once", "--attempts", "0", "-"], 5),
      ] as [([String], Int32)] {
        let run = try await AnnalsBinary.run(arguments, stdin: file, environment: db.environment)
        #expect(run.exitCode == status, "\(run.standardError)")
      }
      let letters = try await lines("dead-letters list", in: db)
      #expect(letters.allSatisfy { Terminal.columns(of: $0) <= 80 })
      #expect(letters.contains { $0.contains("  duplicate key value violates ") }, "\(letters)")
      try await db.psql(
        "UPDATE annals.generations SET error = '{\"message\": \"duplicate key value violates\"}'"
      )
      let projections = try await lines("projections", in: db)
      #expect(projections.first?.contains("DEAD LETTERS  ERROR") == true, "\(projections)")
      #expect(projections.contains { $0.contains("  duplicate key value") }, "\(projections)")
    }
  }

  /// SQL that is advised is pasted.
  @Test func anAdviceIsWhole() async throws {
    try await withEvents { db, _ in
      try await db.psql("DROP INDEX events_event_type_position_idx")
      let lines = try await lines("doctor", width: 40, in: db)
      let advice = #"CREATE INDEX CONCURRENTLY ON "public"."events" (event_type, position);"#
      #expect(lines.contains { $0.hasPrefix("  -> ") && $0.hasSuffix(advice) }, "\(lines)")
    }
  }

  /// A file, or another program, gets all of it.
  @Test func nothingIsCutElsewhere() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let run = try await AnnalsBinary.run(
        ["stream"],
        environment: db.environment.merging(["COLUMNS": "80"]) { $1 }
      )
      #expect(run.standardOutput.contains(String(repeating: "x", count: 100)))
      #expect(run.standardOutput.contains("注文-é-" + String(repeating: "9", count: 40)))
      #expect(!run.standardOutput.contains("…"))
    }
  }
}
