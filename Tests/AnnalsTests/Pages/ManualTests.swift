import TestSupport
import Testing

@testable import annals

/// The manual pages say what the program says.
@Suite struct ManualTests {
  @Test func everySubcommandHasAPage() async throws {
    for command in try await ProgramHelp.load().children {
      let name = command.commandName
      #expect(SourceTree.exists("man/annals-\(name).1"), "man/annals-\(name).1 is missing")
    }
  }

  @Test func theMainPageListsTheSubcommands() async throws {
    let listed = try ManualPage("annals.1").items(in: "SUBCOMMANDS").compactMap { item in
      item.first == "Xr" ? String(item[1].dropFirst("annals-".count)) : nil
    }
    let program = Set(try await ProgramHelp.load().children.map(\.commandName))
    #expect(program.subtracting(listed).isEmpty)
    #expect(Set(listed).subtracting(program).isEmpty)
  }

  /// What annals(1) describes for all, the other pages need not repeat.
  @Test func optionsAreThoseOfTheProgram() async throws {
    let program = try await ProgramHelp.load()
    let main = try ManualPage("annals.1")
    let common = main.options(in: "COMMON OPTIONS").union(main.options(in: "OPTIONS"))
    #expect(common == Self.commonOptions)
    for command in program.children where SourceTree.exists("man/annals-\(command.commandName).1") {
      let page = try ManualPage("annals-\(command.commandName).1")
      let described = page.options(in: "OPTIONS")
      let expected = command.options
      let missing = expected.subtracting(described).subtracting(common)
      #expect(missing.isEmpty, "\(page.name) does not describe \(missing.sorted())")
      let surplus = described.subtracting(expected)
      #expect(surplus.isEmpty, "\(page.name) describes \(surplus.sorted()), which the program does not know")
      let isReferred =
        page.text.contains("COMMON OPTIONS")
        || page.section("OPTIONS").contains { $0.hasPrefix(".Xr annals 1") }
      let inherited = expected.intersection(common).subtracting(described).subtracting(Self.helpOptions)
      #expect(
        isReferred || inherited.isEmpty,
        "\(page.name), OPTIONS, neither describes \(inherited.sorted()) nor refers to annals(1)"
      )
    }
  }

  private static let helpOptions: Set<String> = ["--help", "-?", "--version"]
  private static let commonOptions: Set<String> = helpOptions.union([
    "-h", "--host", "-p", "--port", "-U", "--username", "-d", "--dbname", "--table", "--layout", "--set",
    "--columns", "-o", "--output", "-x", "--expanded", "--fields", "--response-timeout",
    "--max-staleness", "--reason",
  ])

  @Test func partsOfASubcommandAreListed() async throws {
    for command in try await ProgramHelp.load().children where !command.children.isEmpty {
      guard SourceTree.exists("man/annals-\(command.commandName).1") else { continue }
      let page = try ManualPage("annals-\(command.commandName).1")
      for part in command.children where part.commandName != command.defaultSubcommand {
        #expect(
          page.text.contains("Cm \(part.commandName)"),
          "\(page.name) does not name \(part.commandName)"
        )
      }
    }
  }

  @Test func exitStatusesAreThoseOfTheProgram() throws {
    let listed = try ManualPage("annals.1").items(in: "EXIT STATUS").compactMap {
      $0.last.flatMap { Int32($0) }
    }
    #expect(listed.sorted() == ExitStatus.allCases.map(\.rawValue).sorted())
  }

  @Test func referencesLeadSomewhere() throws {
    for name in try SourceTree.list("man") {
      for line in try ManualPage(name).lines where line.hasPrefix(".Xr annals") {
        let words = line.split(separator: " ")
        let target = "\(words[1]).\(words[2])"
        #expect(SourceTree.exists("man/\(target)"), "\(name) refers to \(target)")
      }
    }
  }

  @Test func mandocFindsNothing() async throws {
    let look = try await runShell("command -v mandoc")
    guard look.exitCode == 0 else {
      if SourceTree.isCI { Issue.record("mandoc is not there; make setup installs it") }
      return
    }
    let run = try await runShell("cd '\(SourceTree.path("man"))' && mandoc -T lint -W warning *")
    #expect(run.standardOutput + run.standardError == "")
    #expect(run.exitCode == 0)
  }
}

/// A manual page in mdoc, as far as the tests read it.
private struct ManualPage {
  let name: String
  let text: String
  var lines: [Substring] { text.split(separator: "\n") }

  init(_ name: String) throws {
    self.name = name
    text = try SourceTree.read("man/" + name)
  }

  func section(_ name: String) -> [Substring] {
    Array(lines.drop { $0 != ".Sh \(name)" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") })
  }

  /// The words after each `.It` of a section.
  func items(in section: String) -> [[String]] {
    self.section(section).filter { $0.hasPrefix(".It ") }.map {
      $0.split(separator: " ").dropFirst().map(String.init)
    }
  }

  /// `.It Fl n , Fl -dry-run` and `.It Fl n , -dry-run` give `-n` and `--dry-run`.
  func options(in section: String) -> Set<String> {
    var options: Set<String> = []
    for item in items(in: section) {
      var isFlag = false
      for word in item where word != "," {
        let isMacro = word.count == 2 && word.first?.isUppercase == true
        if isMacro {
          isFlag = word == "Fl"
        } else if isFlag {
          options.insert("-" + word.replacing("\\&", with: "").replacing("\\-", with: "-"))
        }
      }
    }
    return options
  }
}
