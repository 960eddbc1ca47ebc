internal import ArgumentParser
internal import EventStore

struct CheckpointsRename: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Give the checkpoint of a replay another name, with its dead letters."
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The checkpoint.", completion: .checkpoint)
  var name: String

  @Argument(help: "Its new name.")
  var newName: String

  func validate() throws {
    if newName.isEmpty { throw ValidationError("a checkpoint needs a name") }
  }

  func run() async throws {
    try await connection.store(reason).renameCheckpoint(name, to: newName)
  }
}
