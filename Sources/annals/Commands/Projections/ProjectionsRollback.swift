internal import ArgumentParser
internal import EventStore

struct ProjectionsRollback: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Put the previous generation back in place of the live one."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    let outcome = try await connection.store(reason).rollBackProjection(name)
    StandardError.warn(
      "\(name): generation \(outcome.generation) is live again, at position \(outcome.position), "
        + "\(Field.counted(outcome.eventsBehind, "event")) behind; "
        + "bring it up to date with \(Advice.command("project")) and its file"
    )
  }
}
