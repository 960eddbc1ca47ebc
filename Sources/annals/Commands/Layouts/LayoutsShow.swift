internal import ArgumentParser
internal import EventStore

struct LayoutsShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print the file of a layout.",
    discussion: """
        annals layouts show marten
      """
  )

  @OptionGroup var argument: ShippedLayoutArgument

  func run() throws {
    StandardOutput.writeRaw(try argument.layout.text)
    StandardOutput.flush()
  }
}
