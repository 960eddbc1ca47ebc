internal import ArgumentParser
internal import EventStore

struct DeadLettersDiscard: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Discard dead letters; the events stay in the store."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "Only the events at these positions.", completion: .deadLetter)
  var positions: [Int64] = []

  func run() async throws {
    let store = try await connection.store(reason)
    let what = positions.isEmpty ? "all dead letters" : counted(positions.count, "dead letter")
    try Confirmation.require("Discard \(what) of \(name)?", yes: yes)
    let count = try await store.discardDeadLetters(of: name, at: positions)
    StandardError.note("\(name): \(count) discarded")
  }
}
