internal import ArgumentParser
internal import EventStore

struct ProjectionsShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a generation, or the file that built it.",
    discussion: """
        annals projections show orders --generation 3 --file > orders.sql

      Without --generation it is the live one.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Option(help: ArgumentHelp("This generation instead of the live one.", valueName: "n"))
  var generation: Int?

  @Flag(help: "Print the projection file that built it.")
  var file = false

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func validate() throws { try output.checkFields(of: ProjectionStatus.self) }

  func run() async throws {
    let store = try await connection.store()
    // This also reports a missing projection when no record is shown.
    let text = try await store.projectionFile(of: name, generation: generation)
    if file {
      StandardOutput.writeRaw(text)
      StandardOutput.flush()
    } else {
      let statuses = try await store.projections(name)
      let shown = statuses.filter { generation == nil ? $0.isLive : $0.generation == generation }
      output.print(shown.map(GenerationRecord.init))
    }
  }
}

/// A generation with the upcasters that its events go through.
private struct GenerationRecord: Record {
  let status: ProjectionStatus

  static let columns: [Column<Self>] =
    ProjectionStatus.columns[...].of(\.status) + [
      Column("upcasters") { Field(upcasters: $0.status.upcasters) }
    ]
}

extension Field {
  /// Only JSON distinguishes an empty list from one that is not known.
  fileprivate init(upcasters: [String]?) {
    self = upcasters.map { .json(JSONObject.list($0)) } ?? .null
  }
}
