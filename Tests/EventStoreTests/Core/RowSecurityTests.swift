import EventStore
import TestSupport
import Testing

/// A role under a policy, which sees 5 of 12 events.
@Suite struct RowSecurityTests {
  private func withTenant(_ body: (Shop, EventStore) async throws -> Void) async throws {
    try await Shop.open { shop in
      let role = "tenant_\(shop.database.name)"
      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT CASE WHEN n <= 5 THEN 'mine-' ELSE 'theirs-' END || n, 'Added', jsonb_build_object('n', n), 1
        FROM generate_series(1, 12) AS n;
        CREATE ROLE \(role) LOGIN;
        GRANT ALL ON SCHEMA public, annals TO \(role);
        GRANT CREATE ON DATABASE \(shop.database.name) TO \(role);
        GRANT ALL ON ALL TABLES IN SCHEMA annals TO \(role);
        GRANT SELECT, INSERT ON events TO \(role);
        ALTER TABLE events ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON events USING (aggregate_id LIKE 'mine-%');
        """
      )
      let conninfo = shop.database.conninfo.split(separator: " ").filter { !$0.hasPrefix("user=") }
      try await body(shop, EventStore(connecting: (conninfo + ["user=\(role)"]).joined(separator: " ")))
      try await shop.psql("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
  }

  private func expectRefusal(
    _ what: Comment,
    _ body: () async throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    let error = await #expect(throws: EventStoreError.self, what, sourceLocation: sourceLocation) {
      try await body()
    }
    #expect(error?.code == .permissionDenied, what, sourceLocation: sourceLocation)
    #expect(error?.hint?.description.contains("BYPASSRLS") == true, what, sourceLocation: sourceLocation)
  }

  @Test func whatMustSeeEverythingIsRefused() async throws {
    try await withTenant { shop, tenant in
      let file = Array(sums.utf8)
      await expectRefusal("rebuild") {
        _ = try await tenant.rebuildProjection(try Projection(path: "sums.sql", bytes: file))
      }
      await expectRefusal("read model aside") {
        _ = try await tenant.buildReadModel(
          try Projection(path: "sums.sql", bytes: file),
          from: EventQuery(),
          into: "aside"
        )
      }
      await expectRefusal("snapshots") { try await tenant.takeSnapshots(of: .all) }
      await expectRefusal("verification") { _ = try await tenant.verifyVersions { _ in } }
      await expectRefusal("export") { _ = try await tenant.export { _, _ in } }
      await expectRefusal("health") { _ = try await tenant.health() }
      await expectRefusal("types") { _ = try await tenant.eventTypes() }
      var options = ReplayOptions()
      options.checkpoint = "mail"
      await expectRefusal("checkpoint") { _ = try await tenant.replay(EventQuery(), options) { _ in } }
      try await shop.rebuild(sums)
      await expectRefusal("catch-up") {
        var options = CatchUpOptions()
        options.once = true
        try await tenant.project(try Projection(path: "sums.sql", bytes: file), options: options)
      }
      // Nothing was left behind by any of them.
      #expect(try await shop.psql("SELECT count(*) FROM annals.snapshots") == "0")
      #expect(try await shop.psql("SELECT coalesce(max(position), 0) FROM annals.checkpoints") == "0")
      #expect(try await shop.psql("SELECT count(*) FROM sums") == "12")
    }
  }

  @Test func readingAndAppendingGoOnWithWhatThePolicyPermits() async throws {
    try await withTenant { shop, tenant in
      var count = 0
      for try await _ in tenant.events(matching: EventQuery()) { count += 1 }
      #expect(count == 5)
      #expect(try await tenant.writeNDJSON(EventQuery()) { _ in }.count == 5)
      _ = try await tenant.append([NewEvent(type: "Added", data: "{}")], to: "mine-1")
      // One store may do both, in any order.
      await expectRefusal("types") { _ = try await tenant.eventTypes() }
      #expect(try await tenant.writeNDJSON(EventQuery()) { _ in }.count == 6)
    }
  }
}
