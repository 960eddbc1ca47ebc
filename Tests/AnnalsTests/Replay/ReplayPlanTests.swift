import TestSupport
import Testing

@Suite struct ReplayPlanTests {
  static let fill = """
    ALTER TABLE events SET (autovacuum_enabled = off);
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp)
    SELECT (ARRAY['order-', 'cart-'])[n % 2 + 1] || n % 100, CASE WHEN n % 10 = 0 THEN 'Rare' ELSE 'Often' END, '{}',
           n / 100 + 1, '2026-01-01'::timestamptz + n * interval '1 minute'
    FROM generate_series(0, 9999) n;
    ANALYZE events;
    """

  /// The planner's figures are near the truth for these, whose columns are independent of each other.
  @Test(arguments: [
    ([], [9000, 1000]), (["--type", "Rare"], [1000]), (["--type", "Rare", "--type", "Often"], [9000, 1000]),
    (["--from-position", "5001"], [4500, 500]), (["--until", "2026-01-02T00:00:00Z"], [1296, 144]),
    (["--category", "cart"], [4500, 500]), (["--limit", "100"], [90, 10]),
  ])
  func aPlanIsNearTheTruth(filters: [String], expected: [Double]) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(["replay", "--dry-run", "-o", "csv"] + filters)
      #expect(run.exitCode == 0 && run.standardError == "")
      let rows = run.standardOutput.split(separator: "\r\n").map { $0.split(separator: ",") }
      #expect(rows[0] == ["event_type", "estimated_events", "from_position", "to_position"])
      #expect(rows.count == expected.count + 1)
      for (row, expected) in zip(rows.dropFirst(), expected) {
        let estimate = try #require(Double(row[1]))
        #expect(abs(estimate - expected) <= expected * 0.15, "\(run.standardOutput)")
      }
    }
  }

  /// It knows what ANALYZE has seen, and no event.
  @Test func nothingIsCounted() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      try await db.psql("UPDATE events SET event_type = 'Other'")
      var run = try await annals(["replay", "-n"])
      #expect(
        run.standardOutput.contains(" positions 1 to 10,000: an estimate from PostgreSQL's statistics\n")
      )
      #expect(run.standardOutput.contains("Often") && !run.standardOutput.contains("Other"))
      try await db.psql("DROP TABLE events")
      _ = try await annals(["init"])
      run = try await annals(["replay", "-n"])
      #expect(run.standardOutput == "no event to replay\n")
      try await db.psql(
        "ALTER TABLE events SET (autovacuum_enabled = off);"
          + "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 't', '{}', 1)"
      )
      run = try await annals(["replay", "-n"])
      #expect(run.standardOutput.contains("\n(other types)  "))
      run = try await annals(["replay", "-n", "-o", "ndjson"])
      #expect(run.standardOutput.hasPrefix(#"{"event_type":null,"estimated_events":"#))
    }
  }

  @Test func itSaysWhereACheckpointWouldBegin() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let plan = ["replay", "-n", "-o", "ndjson", "--checkpoint", "mail"]
      #expect(try await annals(plan).standardOutput.contains(#""from_position":1,"to_position":10000}"#))
      #expect(try await db.psql("SELECT count(*) FROM annals.checkpoints") == "0")
      #expect(try await annals(["replay", "--checkpoint", "mail", "--limit", "9000"]).exitCode == 0)
      let output = try await annals(plan).standardOutput
      #expect(output.contains(#""from_position":9001,"to_position":10000}"#))
      #expect(try await db.psql("SELECT position FROM annals.checkpoints") == "9000")
      let other = try await annals(plan + ["--type", "Rare"])
      #expect(other.exitCode == 1 && other.standardError.contains("belongs to another replay"))
    }
  }

  @Test(arguments: [
    (["-n", "--type", "Typo"], 4), (["-n", "--aggregate", "nobody"], 4), (["-o", "csv"], 64),
    (["-n", "--exec", "echo ran >&2; exit 1"], 0),
  ])
  func itEndsAsOtherCommandsDo(arguments: [String], status: Int) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(["replay"] + arguments)
      #expect(run.exitCode.map { Int($0) } == status)
      #expect((run.standardOutput == "") == (status != 0))
      #expect(!run.standardError.contains("ran"))
    }
  }

  @Test func aClassicTableHasAPlan() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      try await db.psql("ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata")
      let run = try await annals(["replay", "-n"])
      #expect(run.standardOutput.hasPrefix("about 10,000 events: an estimate"), "\(run.standardOutput)")
      let refused = try await annals(["replay", "-n", "--checkpoint", "mail"])
      #expect(refused.exitCode == 78 && refused.standardError.contains("--add-position"))
    }
  }
}
