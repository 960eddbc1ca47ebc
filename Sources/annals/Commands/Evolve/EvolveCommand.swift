internal import ArgumentParser

struct EvolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evolve",
    abstract: "Check a change of event shape, and copy the store.",
    discussion: """
        annals evolve check currency.sql
        annals evolve plan currency.sql --out currency.plan
        annals evolve apply currency.plan --into events_v2
      """,
    subcommands: [EvolveCheck.self, EvolvePlan.self, EvolveApply.self, EvolveRollback.self]
  )
}
