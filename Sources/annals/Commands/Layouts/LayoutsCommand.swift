internal import ArgumentParser
internal import EventStore

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

/// The name of a layout that comes with annals.
struct ShippedLayoutArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A layout that comes with annals.", valueName: "name"),
    completion: .list(Layout.shippedNames)
  )
  var name: String

  var layout: Layout {
    get throws {
      guard let layout = Layout(shipped: name) else { throw CommandError.noLayout(name) }
      return layout
    }
  }
}
