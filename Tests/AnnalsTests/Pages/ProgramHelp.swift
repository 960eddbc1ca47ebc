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
