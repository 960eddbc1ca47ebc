import FoundationEssentials
import TestSupport
import Testing

private let realOrders = SourceTree.path("../shared/data/olist-events.ndjson.gz")

/// 8,135 orders of a shop, where the file is at hand: it may not be copied into the project.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: realOrders)))
struct RealOrdersSnapshotTests {
  static let reducer = """
    -- @reducer orders
    -- @initial
    SELECT '{"payments": 0, "paid": 0, "log": ""}'::jsonb
    -- @on PaymentProcessed
    SELECT state || jsonb_build_object('payments', (state->>'payments')::integer + 1,
      'paid', (state->>'paid')::numeric + (event.event_data->>'value')::numeric)
    -- @on *
    SELECT state || event.event_data || jsonb_build_object('log', md5(state->>'log' || event.event_type))
    """

  /// Snapshots are taken as history grows, each from the one before and a tail; every one must be the fold from the
  /// beginning.
  @Test(arguments: [true, false])
  func snapshotPlusTailIsTheFoldAtEveryVersion(isMerge: Bool) async throws {
    try await TestCluster.withDatabase { database in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(arguments, stdin: Self.reducer, environment: database.environment)
      }
      let options = isMerge ? [] : ["--reducer", "-"]
      #expect(try await annals(["init"]).exitCode == 0)
      let load = try await runShell(
        "gzip -dc \(realOrders) | \(AnnalsBinary.path) append --from -",
        environment: database.environment
      )
      try #require(load.exitCode == 0, "\(load.standardError)")
      try await database.psql(
        "ALTER TABLE events RENAME TO history; CREATE TABLE events (LIKE history INCLUDING ALL)"
      )
      let versions = try #require(Int(try await database.psql("SELECT max(version) FROM history")))
      for version in 1...versions {
        try await database.psql(
          "INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM history WHERE version = \(version)"
        )
        #expect(try await annals(["snapshot", "take", "--all"] + options).exitCode == 0)
      }
      #expect(try await database.psql("SELECT count(*) FROM annals.snapshots") == "37880")
      let verified = try await annals(["snapshot", "verify"] + options)
      #expect(verified.exitCode == 0, "\(verified.standardOutput.prefix(2000))")
      guard isMerge else { return }
      let wrong = try await database.psql(
        """
        SELECT count(*) FROM annals.snapshots s CROSS JOIN LATERAL (
          SELECT coalesce(jsonb_object_agg(key, value ORDER BY version), '{}') AS state FROM events e, jsonb_each(e.event_data)
          WHERE e.aggregate_id = s.aggregate_id AND e.version <= s.version) AS by_hand
        WHERE s.state IS DISTINCT FROM by_hand.state
        """
      )
      #expect(wrong == "0")
    }
  }
}
