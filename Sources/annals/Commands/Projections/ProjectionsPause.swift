internal import ArgumentParser
internal import EventStore

struct ProjectionsPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Stop the catch-up of a projection until it is resumed."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    try await connection.store(reason).pauseProjection(name)
  }
}
