internal import ArgumentParser
internal import EventStore

struct CheckpointsRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove the checkpoint of a replay, with its dead letters; the events stay in the store."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The checkpoint.", completion: .checkpoint)
  var name: String

  func run() async throws {
    let store = try await connection.store(reason)
    let named = try await store.checkpoints().filter { $0.name.utf8.elementsEqual(name.utf8) }
    if let reader = named.first(where: { !$0.isProjection }) {
      let letters = counted(Int(reader.deadLetters), "dead letter")
      try Confirmation.require(
        "Remove checkpoint \(name) at position \(reader.position), with \(letters)?",
        yes: yes
      )
    }
    try await store.removeCheckpoint(name)
  }
}
