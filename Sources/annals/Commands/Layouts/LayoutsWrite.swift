internal import ArgumentParser
internal import EventStore

struct LayoutsWrite: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Write the file of a layout, to make your own of it.",
    discussion: """
        annals layouts write marten
        annals layouts write marten mine.sql
        annals stream --layout ./mine.sql
      """
  )

  @OptionGroup var argument: ShippedLayoutArgument

  @Argument(help: "The file to write; NAME.sql when left out.", completion: .file(extensions: ["sql"]))
  var file: String?

  @Flag(help: "Replace the file when it is there.")
  var force = false

  func run() throws {
    let text = try argument.layout.text
    let path = file ?? argument.name + ".sql"
    if !force, CLibrary.status(of: path) != nil {
      throw CommandError.unwritable(
        path,
        "it is there",
        hint: "Name another file, or replace it with --force."
      )
    }
    try OutputFile.write(text, to: path)
  }
}
