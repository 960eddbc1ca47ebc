internal import ArgumentParser

struct ProjectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections",
    abstract: "Show projections; roll back, pause and drop them.",
    discussion: """
        annals projections
        annals projections orders          (with the generations that are kept)
        annals projections show orders --file
        annals projections rollback orders
      """,
    subcommands: [
      ProjectionsList.self, ProjectionsShow.self, ProjectionsRollback.self,
      ProjectionsDiscard.self, ProjectionsDrop.self, ProjectionsPause.self, ProjectionsResume.self,
      ProjectionsSetCheckpoint.self,
    ],
    defaultSubcommand: ProjectionsList.self
  )
}
