internal import ArgumentParser

struct EvolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evolve",
    abstract: "Prove a change of event shape, and carry it out on a copy.",
    subcommands: [EvolveCheck.self]
  )
}
