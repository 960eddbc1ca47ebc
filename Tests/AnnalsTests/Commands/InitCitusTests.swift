import TestSupport
import Testing

/// What can be tested of `init --citus` without Citus.
@Suite struct InitCitusTests {
  @Test func theSQLIsShownAndNothingIsDoneWithoutTheExtension() async throws {
    try await TestCluster.withDatabase { db in
      func annals(_ arguments: String...) async throws -> ProgramRun {
        try await AnnalsBinary.run(arguments, environment: db.environment)
      }
      let script = try await annals("init", "-n", "--citus", "--table", "sales.\"it's\"").standardOutput
      #expect(
        script.contains("PRIMARY KEY (id, aggregate_id)") && script.contains("UNIQUE (aggregate_id, version)")
      )
      #expect(script.contains(#"CREATE INDEX ON "sales"."it's" (position)"#))
      #expect(
        script.contains(#"SELECT create_distributed_table('"sales"."it''s"', 'aggregate_id');"#),
        "\(script)"
      )
      guard try await db.psql("SELECT count(*) FROM pg_extension WHERE extname = 'citus'") == "0" else {
        return
      }

      let refused = try await annals("init", "--citus")
      #expect(refused.exitCode == 78)
      #expect(refused.standardError.contains("extension citus is not installed"), "\(refused.standardError)")
      #expect(refused.standardError.contains("HINT:  CREATE EXTENSION citus;"))
      #expect(try await db.psql("SELECT count(*) FROM pg_class WHERE relname = 'events'") == "0")
      for option in ["--add-position", "--partitions=4"] {
        #expect(try await annals("init", "--citus", option).exitCode == 64)
      }
      // Without Citus's function the rest of the script is sound.
      try await db.psql(
        "CREATE FUNCTION create_distributed_table(regclass, text) RETURNS void LANGUAGE sql AS ''"
      )
      try await db.psql(try await annals("init", "-n", "--citus").standardOutput)
      #expect(try await annals("append", "a", "T", "{}").exitCode == 0)
      let there = try await annals("init", "-n", "--citus")
      #expect(there.exitCode == 78 && there.standardError.contains("Citus does not distribute it"))
    }
  }
}
