import EventStore
import FoundationEssentials
import PostgresSandbox
import TestSupport
import Testing

/// Servers that stop, and sessions that end, at whatever moment of a swap.
@Suite struct SwapInterruptionTests {
  private static let rounds = Int(ProcessInfo.processInfo.environment["ANNALS_TEST_STOPS"] ?? "") ?? 4

  /// The rule for any live generation: it is the only one, and complete up to its checkpoint.
  private static let faults = """
    SELECT 'live generations: ' || count(*) FROM annals.generations WHERE state = 'live' HAVING count(*) <> 1;
    SELECT 'row of ' || coalesce(e.id, s.id) FROM
      (SELECT aggregate_id COLLATE "default" AS id, count(*) AS events, sum((event_data->>'n')::bigint)::bigint AS total
       FROM events WHERE position <= (SELECT position FROM annals.generations WHERE state = 'live') GROUP BY 1) AS e
      FULL JOIN public.sums AS s USING (id, events, total) WHERE (e.*) IS NULL OR (s.*) IS NULL;
    SELECT 'misplaced: ' || g.schema_name FROM annals.generations AS g
    WHERE (to_regclass(g.schema_name || '.sums') IS NULL) <> (g.state = 'live');
    SELECT 'lacks ' || name FROM unnest(ARRAY['sums_pkey', 'sums_total', 'by_hand']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_indexes WHERE tablename = 'sums' AND schemaname = 'public' AND indexname = name);
    SELECT 'lacks the trigger' WHERE NOT EXISTS (
      SELECT FROM pg_trigger WHERE tgrelid = 'public.sums'::regclass AND tgname = 'same');
    """

  /// Rebuilds, does harm at a random moment after the load, and checks the result.
  private func interrupt(
    _ shop: Shop,
    with harm: (Task<RebuildResult, any Error>) async throws -> Void
  ) async throws {
    _ = try await shop.store().initialize()
    try await shop.append(2000)
    try await shop.rebuild(sums)
    try await shop.psql(
      """
      CREATE INDEX by_hand ON sums (events, total);
      CREATE TRIGGER same BEFORE UPDATE ON sums FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
      """
    )
    try await shop.rebuild(sums)
    for _ in 1...Self.rounds {
      try await shop.append(3)
      let number = try await shop.psql("SELECT max(number) + 1 FROM annals.generations")
      let rebuild = Task { try await shop.rebuild(sums) }
      let isReady = "SELECT FROM annals.generations WHERE number = \(number) AND state <> 'building'"
      try await until { try await shop.psql("SELECT EXISTS (\(isReady))") == "t" }
      let milliseconds = Double.random(in: 0...60)
      try await Task.sleep(for: .milliseconds(milliseconds))
      try await harm(rebuild)
      _ = await rebuild.result
      try await until { (try? await shop.psql("SELECT 1")) != nil }
      #expect(try await shop.psql(Self.faults) == "", "after \(milliseconds) ms")
      try await shop.rebuild(sums)
      #expect(try await shop.psql(Self.faults) == "")
      #expect(try await shop.sums() == shop.expectedSums())
      _ = try await shop.store().rollBackProjection("sums")
      #expect(try await shop.psql(Self.faults) == "")
    }
  }

  @Test func anImmediateStopLeavesOneWholeGeneration() async throws {
    try await TestCluster.withServer { sandbox, database in
      try await interrupt(Shop(database: database)) { _ in
        try await sandbox.stop(.immediate)
        try await sandbox.start()
      }
    }
  }

  @Test func anEndedSessionLeavesOneWholeGeneration() async throws {
    try await TestCluster.withDatabase { database in
      let shop = Shop(database: database)
      try await interrupt(shop) { _ in
        try await shop.psql(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'annals' AND datname = current_database()
          """
        )
      }
    }
  }

  @Test func aCancelledTaskLeavesOneWholeGeneration() async throws {
    try await TestCluster.withDatabase { database in
      try await interrupt(Shop(database: database)) { $0.cancel() }
    }
  }
}
