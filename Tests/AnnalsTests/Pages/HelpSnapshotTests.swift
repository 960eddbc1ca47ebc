import TestSupport
import Testing

/// A change of a help text is seen in the review of the change.
@Suite struct HelpSnapshotTests {
  private static let folder = "Tests/AnnalsTests/Snapshots"

  @Test func helpTexts() async throws {
    var expected: Set<String> = []
    for path in [[]] + (try await ProgramHelp.load()).paths() {
      let name = (["annals"] + path).joined(separator: "-") + ".txt"
      expected.insert(name)
      let run = try await AnnalsBinary.run(["help"] + path, environment: ["COLUMNS": "80"])
      #expect(run.exitCode == 0)
      let lines = run.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 60 && lines.allSatisfy { $0.count <= 80 }, "\(name) does not fit on a screen")
      if let difference = try SourceTree.difference(of: run.standardOutput, from: "\(Self.folder)/\(name)") {
        Issue.record("\(difference)")
      }
    }
    let stale = Set(try SourceTree.list(Self.folder)).subtracting(expected)
    #expect(stale.isEmpty, "no subcommand has these: delete them")
  }
}
