internal import ArgumentParser

struct TypesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types",
    abstract: "Show the event types and what they look like.",
    discussion: """
        annals types
        annals types show OrderShipped
      """,
    subcommands: [TypesList.self, TypesShow.self],
    defaultSubcommand: TypesList.self
  )
}
