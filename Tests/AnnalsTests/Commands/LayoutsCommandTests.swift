import EventStore
import FoundationEssentials
import TestSupport
import Testing

@Suite struct LayoutsCommandTests {
  @Test func eachShippedLayoutIsListedInOneLine() async throws {
    let table = try await AnnalsBinary.run(["layouts"])
    #expect(table.standardOutput.split(separator: "\n").count == Layout.shippedNames.count + 1)
    let run = try await AnnalsBinary.run(["layouts", "list", "-o", "ndjson"])
    #expect(run.exitCode == 0)
    let lines = run.standardOutput.split(separator: "\n").map(String.init)
    #expect(lines.count == Layout.shippedNames.count)
    for (line, name) in zip(lines, Layout.shippedNames) {
      #expect(line.hasPrefix(#"{"name":"\#(name)","reads":""#) && !line.contains(#""reads":"","#), "\(line)")
    }
    #expect(
      lines.contains {
        $0.contains("patchlevel") && $0.hasSuffix(#","parameters":"schema=public table=event_store"}"#)
      }
    )
  }

  /// What is shown and written is a layout.
  @Test func oneToStartFrom() async throws {
    let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func annals(_ words: String) async throws -> ProgramRun {
      try await runShell("cd \(folder) && '\(AnnalsBinary.path)' \(words)")
    }
    let shown = try await annals("layouts show message-db").standardOutput
    #expect(try Layout(path: "shown", bytes: Array(shown.utf8)).name == "message-db")
    for (words, file) in [("", "message-db.sql"), ("mine.sql", "mine.sql")] {
      #expect(try await annals("layouts write message-db \(words)").exitCode == 0)
      #expect(try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) == shown)
    }
    try "mine".write(toFile: "\(folder)/mine.sql", atomically: true, encoding: .utf8)
    let refused = try await annals("layouts write message-db mine.sql")
    #expect(refused.exitCode == 1)
    #expect(
      refused.standardError == """
        annals: error: cannot write mine.sql: it exists
        HINT:  Name another file, or replace it with --force.

        """
    )
    #expect(try String(contentsOfFile: "\(folder)/mine.sql", encoding: .utf8) == "mine")
    #expect(try await annals("layouts write --force message-db mine.sql").exitCode == 0)
    #expect(try String(contentsOfFile: "\(folder)/mine.sql", encoding: .utf8) == shown)
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func aNameThatIsNone() async throws {
    for command in ["show", "write"] {
      let run = try await AnnalsBinary.run(["layouts", command, "martin"])
      #expect(run.exitCode == 64)
      #expect(run.standardError.contains("there is no layout 'martin'"))
      #expect(
        run.standardError.contains("Did you mean 'marten'? 'annals layouts' lists"),
        "\(run.standardError)"
      )
    }
  }

  @Test func theManualDescribesEach() throws {
    let page = try SourceTree.read("man/annals-layout.5")
    for name in Layout.shippedNames {
      #expect(page.contains(".It Cm \(name)\n"), "annals-layout(5) does not describe \(name)")
    }
  }
}
