import FoundationEssentials
import TestSupport
import Testing

/// A command line that README or the EXAMPLES of a manual page show.
struct ShownCommand: Sendable, Hashable {
  var text: String
  /// What stands below it, when anything does.
  var output: [String] = []
}

/// What README and the manual show to be typed, in the order of the page.
struct ShownPage: Sendable, CustomTestStringConvertible {
  /// As "README.md" or "man/annals-append.1".
  let name: String
  private(set) var commands: [ShownCommand] = []
  /// SQL files and scripts that are shown whole.
  private(set) var files: [String] = []
  /// Blocks in a language that nobody has taught this type.
  private(set) var unknown: [String] = []

  var testDescription: String { name }

  static func all() throws -> [ShownPage] {
    try [readme()] + SourceTree.list("man").map { try manual("man/\($0)") }
  }

  /// Markdown's fenced blocks: `sh` and `console` hold commands, `sql` files.
  static func readme() throws -> ShownPage {
    var page = ShownPage(name: "README.md")
    let fences = try SourceTree.read(page.name).split(separator: "```", omittingEmptySubsequences: false)
    for block in fences.enumerated().filter({ $0.offset % 2 == 1 }).map(\.element) {
      let lines = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      switch lines[0] {
      case "sh", "console", "sql": page.add(Array(lines.dropFirst().dropLast()))
      case "swift", "text": break
      default: page.unknown.append(lines[0])
      }
    }
    return page
  }

  /// A page that consists of examples.
  static let cookbook = "man/annals-cookbook.7"

  /// The `.Dl` lines and `.Bd` blocks of EXAMPLES; of the cookbook, those of all sections.
  static func manual(_ name: String) throws -> ShownPage {
    var page = ShownPage(name: name)
    var block: [String]?
    let lines = try SourceTree.read(name).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init
    )
    let examples = lines.drop { $0 != ".Sh EXAMPLES" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") }
    for line in name == cookbook ? lines[...] : examples {
      if line == ".Ed" {
        page.add(block ?? [])
        block = nil
      } else if line.hasPrefix(".Bd ") {
        block = []
      } else if line.hasPrefix(".Dl ") {
        page.add([String(line.dropFirst(4))])
      } else {
        // "\&" keeps a full stop at the beginning from being read as a macro.
        block?.append(line.replacing("\\&", with: "").replacing("\\e", with: "\\"))
      }
    }
    return page
  }

  private mutating func add(_ block: [String]) {
    let first = block.first ?? ""
    if first.hasPrefix("-- @") || first.hasPrefix("#!") {
      files.append(block.joined(separator: "\n") + "\n")
    } else if first.hasPrefix("[") {
      // A unit of systemd.
      commands += block.filter { $0.hasPrefix("ExecStart=") }.map {
        ShownCommand(text: String($0.dropFirst(10)))
      }
    } else if block.contains(where: { $0.hasPrefix("$ ") }) {
      addSession(block)
    } else {
      addLines(block)
    }
  }

  /// Commands behind a prompt, each with its output below it; "> " continues a command.
  private mutating func addSession(_ lines: [String]) {
    for line in lines {
      if line.hasPrefix("$ ") {
        commands.append(ShownCommand(text: String(line.dropFirst(2))))
      } else if line.hasPrefix("> "), commands[commands.count - 1].output.isEmpty {
        commands[commands.count - 1].text += "\n" + line.dropFirst(2)
      } else {
        commands[commands.count - 1].output.append(line)
      }
    }
  }

  /// A command a line, unless the line ends in the middle of one.
  private mutating func addLines(_ lines: [String]) {
    var open = ""
    // What a crontab sets is for cron alone.
    let isCrontab = lines.contains { Self.withoutTime($0) != $0 }
    for line in lines where !line.isEmpty && !(isCrontab && !line.contains(" ")) {
      open += Self.withoutTime(line)
      if ["&&", "|", "\\"].contains(where: open.hasSuffix) {
        open += "\n"
      } else {
        commands.append(ShownCommand(text: open))
        open = ""
      }
    }
  }

  /// The command of a line of a crontab.
  private static func withoutTime(_ line: String) -> String {
    let fields = line.split(separator: " ", maxSplits: 5)
    guard fields.count == 6, fields.prefix(5).allSatisfy({ Int($0) != nil || $0 == "*" }) else { return line }
    return String(fields[5])
  }
}
