internal import ArgumentParser
internal import EventStore

struct LayoutsWrite: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Write the file of a layout, to change it.",
    usage: """
      annals layouts write <name> [<file>] [--force]
      annals layouts write --table <table> --columns <name=column> [<file>]
      """,
    discussion: """
        annals layouts write marten mine.sql
        annals layouts write --table app.log --columns aggregate_id=entity log.sql
        annals stream --layout ./mine.sql

      With --columns it writes a layout of that table, and needs no name.
      """
  )

  @Argument(help: "A layout that comes with annals.", completion: .list(Layout.shippedNames))
  var name: String?

  @Argument(help: "The file to write; NAME.sql when left out.", completion: .file(extensions: ["sql"]))
  var file: String?

  @Flag(help: "Replace the file when it is there.")
  var force = false

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if connection.givenColumns == nil, name == nil {
      throw ValidationError("give the name of a layout, or --columns")
    }
    if connection.givenColumns != nil, file != nil {
      throw ValidationError("--columns makes a layout, which needs no name: give the file alone")
    }
    if connection.givenLayout != nil || !connection.givenParameters.isEmpty {
      throw ValidationError("a layout is written as it is: leave out --layout and --set")
    }
  }

  func run() async throws {
    let (layout, path) = try await written()
    if !force, CLibrary.status(of: path) != nil {
      throw CommandError.unwritable(
        path,
        "it exists",
        hint: "Name another file, or replace it with --force."
      )
    }
    try OutputFile.write(layout.text, to: path)
  }

  private func written() async throws -> (Layout, path: String) {
    guard connection.givenColumns == nil, let name else {
      guard let layout = try await connection.store().foreign else {
        preconditionFailure("columns make a layout")
      }
      return (layout, try name ?? connection.table.name + ".sql")
    }
    guard let layout = Layout(shipped: name) else { throw CommandError.noLayout(name) }
    return (layout, file ?? name + ".sql")
  }
}
