internal import ArgumentParser
internal import EventStore

struct DeadLettersShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a dead letter with its cause."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "The event's position.", completion: .deadLetter)
  var position: Int64

  func run() async throws {
    let letters = try await connection.store().deadLetters(of: name, at: position, all: true)
    guard let letter = letters.last else {
      throw CommandError(
        .notFound,
        "\(name) has no dead letter at position \(position)",
        code: "notFound",
        hint: Advice.text("List them with \(.deadLetters).")
      )
    }
    output.printAlone(letter)
  }
}
