internal import ArgumentParser
internal import EventStore

struct LayoutsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the layouts that come with annals.",
    discussion: """
        annals layouts
        annals layouts -o json

      Parameters are shown with the values that they have without --set.
      """
  )

  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: Layout.self) }

  func run() throws {
    output.print(Layout.shippedNames.compactMap { Layout(shipped: $0) })
  }
}

extension Layout: Record {
  static let columns: [Column<Self>] = [
    Column("name") { .text($0.name) },
    Column("reads") { Field($0.about) },
    Column("parameters") { .text($0.parameterText) },
  ]

  /// The parameters with their values.
  var parameterText: String { parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}
