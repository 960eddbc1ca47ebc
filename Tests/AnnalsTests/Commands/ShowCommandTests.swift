import TestSupport
import Testing

/// One event with what is around it.
@Suite struct ShowCommandTests {
  private func withShop(
    _ body: (TestDatabase, _ annals: ([String]) async throws -> ProgramRun) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      let annals = { (arguments: [String]) in
        try await AnnalsBinary.run(arguments, environment: db.environment)
      }
      _ = try await annals(["init"])
      try await db.psql(
        """
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, metadata) VALUES
          ('00000000-0000-4000-8000-000000000001', 'cart-1', 'Checked', '{"a": 1}', 1, NULL),
          ('00000000-0000-4000-8000-000000000002', 'order-1', 'Submitted', '{"total": 5, "open": true}', 1,
           '{"causation_id": "00000000-0000-4000-8000-000000000001"}'),
          ('00000000-0000-4000-8000-000000000003', 'order-1', 'Paid', '{"open": false, "by": "card"}', 2, NULL),
          ('00000000-0000-4000-8000-000000000004', 'mail-1', 'Sent', '{}', 1,
           '{"causationId": "00000000-0000-4000-8000-000000000003"}'),
          ('00000000-0000-4000-8000-000000000005', 'order-1', 'Shipped', '{"open": null}', 3, NULL)
        """
      )
      try await body(db, annals)
    }
  }

  private func id(_ number: Int) -> String { "00000000-0000-4000-8000-00000000000\(number)" }

  @Test func anEventIsShownInItsPlace() async throws {
    try await withShop { _, annals in
      for name in [id(3), "@3", id(3).uppercased()] {
        let fields = ["--fields", "relation,id,state_before,state_after", "-o", "csv"]
        let run = try await annals(["show", name] + fields)
        #expect(
          run.standardOutput.replacing("\r\n", with: "\n") == """
            relation,id,state_before,state_after
            previous,\(id(2)),,
            event,\(id(3)),"{""open"": true, ""total"": 5}","{""by"": ""card"", ""open"": false, ""total"": 5}"
            next,\(id(5)),,
            effect,\(id(4)),,

            """
        )
      }
      let table = try await annals(["show", "@3"]).standardOutput
      #expect(table.contains("changed") && table.contains(".open") && table.contains(".by"), "\(table)")
    }
  }

  @Test func theFirstEventHasACauseAndNothingBefore() async throws {
    try await withShop { _, annals in
      let run = try await annals([
        "show", "@2", "-o", "ndjson", "--fields", "relation,aggregate_id,state_before",
      ])
      #expect(
        run.standardOutput == """
          {"relation":"cause","aggregate_id":"cart-1"}
          {"relation":"event","aggregate_id":"order-1"}
          {"relation":"next","aggregate_id":"order-1"}

          """
          || run.standardOutput == """
            {"relation":"cause","aggregate_id":"cart-1","state_before":null}
            {"relation":"event","aggregate_id":"order-1","state_before":null}
            {"relation":"next","aggregate_id":"order-1","state_before":null}

            """
      )
    }
  }

  @Test func whatIsNotThereIsNamed() async throws {
    try await withShop { _, annals in
      for name in [id(9), "@99"] {
        let run = try await annals(["show", name])
        #expect(run.exitCode == 4 && run.standardError.contains("has no event"), "\(run.standardError)")
      }
      for name in ["order-1", "@x", "3", "@"] {
        let run = try await annals(["show", name])
        #expect(run.exitCode == 64)
      }
    }
  }
}
