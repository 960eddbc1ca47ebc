internal import ArgumentParser

struct LayoutsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layouts",
    abstract: "Show the layouts that read other frameworks' stores.",
    discussion: """
        annals layouts
        annals layouts show marten
        annals layouts write marten mine.sql
      """,
    subcommands: [LayoutsList.self, LayoutsShow.self, LayoutsWrite.self],
    defaultSubcommand: LayoutsList.self
  )
}
