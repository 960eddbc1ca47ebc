import TestSupport
import Testing

/// A table that somebody made by hand may let any column be NULL.
@Suite struct IncompleteEventTests {
  @Test(arguments: ["id", "aggregate_id", "event_type", "event_data", "version", "timestamp", "position"])
  func nothingStumblesOverNULL(column: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE SEQUENCE positions START 4;
        CREATE TABLE events (id uuid, aggregate_id text, event_type text, event_data jsonb, version int,
          "timestamp" timestamptz, position bigint DEFAULT nextval('positions'));
        INSERT INTO events SELECT gen_random_uuid(), 's-1', 'T', '{}', v, now(), v FROM generate_series(1, 3) v;
        """
      )
      for condition in ["version = 2", "true"] {
        try await db.psql("UPDATE events SET \(column) = NULL WHERE \(condition)")
        for command in [
          ["stream", "s-1"], ["stream", "s-1", "-o", "json"], ["stream"], ["replay"], ["types"],
          ["types", "show", "T", "--json-schema"], ["types", "show", "T"], ["snapshot", "show", "s-1"],
          ["verify-versions"], ["watermark"], ["check"],
        ] {
          let run = try await AnnalsBinary.run(command, environment: db.environment)
          #expect(run.exitCode != nil, "\(command) with \(condition)")
          if let code = run.exitCode, ![0, 2, 4].contains(code) {
            #expect(
              run.standardError.contains("event of"),
              "\(command) with \(condition): \(run.standardError)"
            )
            #expect(run.standardError.contains(" has no "), "\(command) with \(condition)")
          }
        }
      }
    }
  }
}
