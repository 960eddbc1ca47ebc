import FoundationEssentials
import TestSupport

/// What the program says of itself.
struct ProgramHelp: Decodable {
  struct Command: Decodable {
    let commandName: String
    let shouldDisplay: Bool
    let defaultSubcommand: String?
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// Without ArgumentParser's own `help`.
    var children: [Command] { (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" } }

    /// The options as they are typed, those of subcommands included; hidden ones are not.
    var options: Set<String> {
      let own = (arguments ?? []).filter(\.shouldDisplay).flatMap { $0.names ?? [] }.map(\.typed)
      return children.reduce(into: Set(own)) { $0.formUnion($1.options) }
    }

    /// This command and all below it, as their names are typed behind `annals`.
    func paths(prefix: [String] = []) -> [[String]] {
      children.flatMap { [prefix + [$0.commandName]] + $0.paths(prefix: prefix + [$0.commandName]) }
    }

    /// The paths of the commands that do something themselves.
    var leaves: [[String]] {
      children.flatMap { child in
        child.children.isEmpty ? [[child.commandName]] : child.leaves.map { [child.commandName] + $0 }
      }
    }
  }

  struct Argument: Decodable {
    let shouldDisplay: Bool
    let names: [Name]?
  }

  struct Name: Decodable {
    let kind: String
    let name: String
    var typed: String { (kind == "long" ? "--" : "-") + name }
  }

  let command: Command

  static func load() async throws -> Command {
    let run = try await AnnalsBinary.run(["--experimental-dump-help"])
    return try JSONDecoder().decode(ProgramHelp.self, from: Data(run.outputBytes)).command
  }
}

/// Files of the source tree, which tests find through their own place in it.
enum SourceTree {
  private static let root = String(#filePath.dropLast("/Tests/AnnalsTests/ProgramHelp.swift".count))

  static var isCI: Bool { ProcessInfo.processInfo.environment["CI"] != nil }

  static func path(_ name: String) -> String { root + "/" + name }

  static func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  static func read(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  static func list(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }

  /// Compares a text with the file that records it. A missing record is written, and the test fails once, so that
  /// somebody looks at it; `ANNALS_RECORD=1 swift test` writes all anew.
  ///
  /// - Returns: nil when both are the same, else what to do.
  static func difference(of text: String, from name: String) throws -> String? {
    let isRecording = ProcessInfo.processInfo.environment["ANNALS_RECORD"] != nil
    if exists(name), !isRecording {
      let recorded = try read(name)
      return recorded == text
        ? nil : "\(name) is out of date: run ANNALS_RECORD=1 swift test, and look at the change\n\(text)"
    }
    let isNew = try !exists(name) || read(name) != text
    try FileManager.default.createDirectory(
      atPath: path(name.split(separator: "/").dropLast().joined(separator: "/")),
      withIntermediateDirectories: true
    )
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return isNew && !isRecording ? "\(name) was missing and is recorded now: look at it and commit it" : nil
  }
}
