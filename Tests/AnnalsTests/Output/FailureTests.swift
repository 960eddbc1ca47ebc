import EventStore
import TestSupport
import Testing

@Suite struct FailureTests {
  /// An aggregate id that moves the cursor must not do so from within an error message.
  @Test func anIDInAMessageCannotDriveTheTerminal() async throws {
    try await TestCluster.withDatabase { db in
      _ = try await AnnalsBinary.run(["init"], environment: db.environment)
      let run = try await AnnalsBinary.run(["stream", "a\u{1B}[2J\u{202E}b"], environment: db.environment)
      #expect(run.exitCode == 4)
      #expect(run.standardError.contains(#"a\u{1b}[2J\u{202e}b"#))
      #expect(!run.standardError.contains("\u{1B}"))
    }
  }

  @Test func aMessageOfSeveralLinesKeepsThem() async throws {
    let run = try await AnnalsBinary.run(["init", "-h", "/nonexistent"])
    #expect(run.exitCode == 69)
    #expect(run.standardError.contains("\nHINT:  "))
    #expect(!run.standardError.contains("\\"))
  }
}
