internal import ArgumentParser
internal import EventStore

struct ProjectionsDrop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop",
    abstract: "Remove a projection with its tables; events are never removed."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    let store = try await connection.store(reason)
    let generations = try await store.projections(name).count
    try Confirmation.require("Drop projection \(name), \(generations) generations with all tables?", yes: yes)
    try await store.dropProjection(name)
  }
}
