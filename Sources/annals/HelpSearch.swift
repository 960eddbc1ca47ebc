internal import ArgumentParser
internal import EventStore
internal import FoundationEssentials

/// `annals help -k WORD`: the commands and options with a word in their name or help, as `man -k` finds pages.
struct HelpSearch {
  static let abstract = "Find commands and options by a word."

  private let words: [String]

  init(for words: [String]) {
    self.words = words.map { $0.lowercased() }
  }

  /// The words of a command line that requests such a search; nil for another command line.
  ///
  /// - Throws: ``CommandError`` when there is no word.
  static func words(in arguments: [String]) throws -> [String]? {
    guard arguments.first == "help", arguments.dropFirst().first == "-k" else { return nil }
    let words = arguments.dropFirst(2).filter { !$0.isEmpty }
    guard !words.isEmpty else {
      throw CommandError(
        .usage,
        "missing value for '-k'",
        code: "usage",
        hint: "Give the word to search for, as in 'annals help -k backup'."
      )
    }
    return words
  }

  /// Prints a line for each match of all words.
  ///
  /// - Throws: ``CommandError`` when there is no match.
  func print() throws {
    let found = try matches()
    guard !found.isEmpty else {
      throw CommandError(
        .notFound,
        "no command or option has '\(words.joined(separator: " "))' in its name or help",
        code: "notFound",
        hint: "Try a shorter word. 'annals help' lists the subcommands."
      )
    }
    let width = found.reduce(0) { max($0, $1.name.count) } + 2
    for match in found {
      let padding = String(repeating: " ", count: width - match.name.count)
      StandardOutput.print(match.name + padding + match.help)
    }
    StandardOutput.flush()
  }

  /// A match: a command or an option, as it is typed, and its line of help.
  struct Match {
    var name: String
    var help: String
  }

  /// In the order of the help. An option of many commands comes last, and only once.
  func matches() throws -> [Match] {
    let commands = try Self.commands()
    let shared = Dictionary(grouping: commands.flatMap(\.options), by: \.self).filter {
      $0.value.count > Self.mostLines
    }
    var found: [Match] = []
    for command in commands {
      if has(command.name, command.abstract, command.prose) {
        found.append(Match(name: command.name, help: command.abstract))
      }
      for option in command.options where shared[option] == nil && has(option.names, option.help) {
        found.append(Match(name: command.name + " " + option.names, help: option.help))
      }
    }
    let common = shared.keys.filter { has($0.names, $0.help) }.sorted { $0.names < $1.names }
    return found + common.map { Match(name: "annals <subcommand> " + $0.names, help: $0.help) }
  }

  /// An option that more commands have is shown once.
  private static let mostLines = 3

  private func has(_ texts: String...) -> Bool {
    let text = texts.joined(separator: "\n").lowercased().unicodeScalars
    return words.allSatisfy { text.firstRange(of: $0.unicodeScalars) != nil }
  }
}

extension HelpSearch {
  /// A command as its help describes it.
  private struct Command {
    let name: String
    let abstract: String
    /// The rest of the help, without the examples.
    let prose: String
    let options: [Option]
  }

  private struct Option: Hashable {
    /// As they are typed: `-h, --host`.
    let names: String
    let help: String
  }

  /// All commands, without ArgumentParser's own `help`.
  private static func commands() throws -> [Command] {
    try JSONDecoder().decode(Dump.self, from: Data(Annals._dumpHelp().utf8)).command.described(below: [])
  }

  /// What ArgumentParser prints for `--experimental-dump-help`.
  private struct Dump: Decodable {
    let command: DumpedCommand
  }

  private struct DumpedCommand: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let subcommands: [DumpedCommand]?
    let arguments: [DumpedArgument]?

    func described(below parents: [String]) -> [Command] {
      let path = parents + [commandName]
      let lines = (discussion ?? "").unicodeScalars.split(separator: "\n").filter { $0.first != " " }
      let own = Command(
        name: path.joined(separator: " "),
        abstract: abstract ?? "",
        prose: lines.map { String($0) }.joined(separator: "\n"),
        options: (arguments ?? []).compactMap(\.option)
      )
      let children = (subcommands ?? []).filter { $0.commandName != "help" }
      return [own] + children.flatMap { $0.described(below: path) }
    }
  }

  private struct DumpedArgument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String
    }

    let shouldDisplay: Bool
    let names: [Name]?
    let abstract: String?

    var option: Option? {
      guard shouldDisplay, let names else { return nil }
      let typed = names.map { ($0.kind == "long" ? "--" : "-") + $0.name }
      // A short name first, as in the help.
      let sorted = typed.filter { $0.utf8.count == 2 } + typed.filter { $0.utf8.count > 2 }
      return Option(names: sorted.joined(separator: ", "), help: abstract ?? "")
    }
  }
}
