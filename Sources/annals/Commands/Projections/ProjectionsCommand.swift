internal import ArgumentParser

struct Projections: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections",
    abstract: "Show the projections of a store, and look after them.",
    discussion: """
        annals projections
        annals projections orders          (with the generations that are kept)
        annals projections rollback orders
      """,
    subcommands: [
      ListProjections.self, RollBackProjection.self, DropProjection.self, PauseProjection.self,
      ResumeProjection.self, SetCheckpoint.self,
    ],
    defaultSubcommand: ListProjections.self
  )
}
