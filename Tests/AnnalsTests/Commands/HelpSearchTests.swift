import TestSupport
import Testing

@testable import annals

/// `annals help -k WORD`.
@Suite struct HelpSearchTests {
  @Test func commandsAndOptionsByTheirNamesAndHelp() async throws {
    let run = try await AnnalsBinary.run(["help", "-k", "CAUSE"])
    #expect(run.exitCode == 0 && run.standardError == "")
    let lines = run.standardOutput.split(separator: "\n").map(String.init)
    #expect(
      lines.contains { $0.hasPrefix("annals show ") && $0.hasSuffix("its cause, and what it changed.") }
    )
    #expect(lines.contains { $0.hasPrefix("annals trace ") })
    let exec = try await AnnalsBinary.run(["help", "-k", "--exec"]).standardOutput
    #expect(exec.contains("annals replay --exec  "))
    #expect(exec.contains("annals dead-letters retry --exec  "))
  }

  /// The same help stands in many subcommands, and what is an example is no help.
  @Test func anOptionOfManyCommandsIsShownOnce() throws {
    let port = try HelpSearch(for: ["server", "port"]).matches()
    #expect(port.map(\.name) == ["annals <subcommand> -p, --port"])
    let names = try HelpSearch(for: ["ndjson"]).matches().map(\.name)
    #expect(names.contains("annals export") && !names.contains("annals doctor"))
  }

  @Test func allWordsAreLookedFor() throws {
    let both = try HelpSearch(for: ["live", "model"]).matches()
    let one = try HelpSearch(for: ["model"]).matches()
    #expect(!both.isEmpty && both.count < one.count)
    #expect(both.allSatisfy { match in one.contains { $0.name == match.name } })
  }

  @Test func nothingFound() async throws {
    let run = try await AnnalsBinary.run(["help", "-k", "xyzzy"])
    #expect(run.exitCode == 4 && run.standardOutput == "")
    #expect(
      run.standardError == """
        annals: error: no command or option has 'xyzzy' in its name or help
        HINT:  Try a shorter word. 'annals help' lists the subcommands.

        """
    )
  }
}
