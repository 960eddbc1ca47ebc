internal import ArgumentParser

struct CheckpointsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoints",
    abstract: "Show and move the checkpoints of all readers.",
    discussion: """
        annals checkpoints
        annals checkpoints set mail now
        annals checkpoints rename mail letters
        annals checkpoints remove mail
      """,
    subcommands: [CheckpointsList.self, CheckpointsSet.self, CheckpointsRename.self, CheckpointsRemove.self],
    defaultSubcommand: CheckpointsList.self
  )
}
