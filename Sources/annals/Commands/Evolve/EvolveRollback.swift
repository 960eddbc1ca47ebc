internal import ArgumentParser
internal import EventStore

struct EvolveRollback: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Undo a swap: the old events get their name back.",
    discussion: "annals evolve rollback --into events_v2"
  )

  @Option(help: "The table that the events were copied into.", transform: ConnectionOptions.parseTable)
  var into: QualifiedName

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let store = try await connection.store(reason)
    try Confirmation.require("Give the name \(store.table) back to the old events?", yes: yes)
    try await store.rollBackEvolution(into)
    StandardError.note("\(store.table) has the old events again, and \(into) has the copy")
  }
}
