internal import ArgumentParser
internal import EventStore

struct ProjectionsResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let the catch-up of a paused projection go on."
  )

  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    try await connection.store().resumeProjection(name)
  }
}
