internal import ArgumentParser
internal import EventStore

struct ProjectionsResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Resume the catch-up of a paused projection."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    try await connection.store(reason).resumeProjection(name)
  }
}
