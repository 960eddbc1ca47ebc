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

  @Argument(help: "A layout that comes with annals.", completion: .list(Layout.shippedNames))
  var name: String

  func run() throws {
    guard let layout = Layout(shipped: name) else { throw CommandError.noLayout(name) }
    StandardOutput.writeRaw(layout.text)
    StandardOutput.flush()
  }
}
