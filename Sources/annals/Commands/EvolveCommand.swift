internal import ArgumentParser

struct EvolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evolve",
    abstract: "Prove a change of event shape on all of history.",
    subcommands: [EvolveCheck.self]
  )
}
