import EventStore
import TestSupport
import Testing

@Suite struct WatermarkCommandTests {
  @Test func theWatermarkIsPublished() async throws {
    try await TestCluster.withDatabase { database in
      func run(_ arguments: String...) async throws -> ProgramRun {
        try await AnnalsBinary.run(["watermark"] + arguments, environment: database.environment)
      }
      try await EventStore(connecting: database.conninfo).initialize()
      try await database.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', 'Added', '{}', 1)"
      )
      let published = try await run("--publish")
      #expect(published.exitCode == 0, "\(published.standardError)")
      #expect(published.standardOutput.isEmpty && published.standardError.isEmpty)
      let shown = try await run("-o", "ndjson", "--fields", "head,published")
      #expect(shown.standardOutput == "{\"head\":1,\"published\":1}\n")
      #expect(try await run("--every", "1s").exitCode == 64)
      #expect(try await run("--publish", "--every", "0").exitCode == 64)
    }
  }
}
