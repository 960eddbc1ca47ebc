internal import ArgumentParser
internal import EventStore

struct DeadLettersSkip: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skip",
    abstract: "Have projections, rebuilds and replays leave an event out.",
    discussion: """
        annals dead-letters skip 1895 --reason 'test order, paid twice'
        annals dead-letters skip --undo 1895

      Its dead letters are discarded. The event stays in the store, and in read models that have applied it.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not leave it out any more.")
  var undo = false

  @Argument(
    help: ArgumentHelp("The position of the event, or its id.", valueName: "position|id"),
    transform: parseReference
  )
  var event: EventReference

  private static func parseReference(_ text: String) throws -> EventReference {
    if let position = Int64(text) { return .position(position) }
    if let id = EventID(text) { return .id(id) }
    throw ValidationError("an event is named by its position or by its id, a UUID")
  }

  func validate() throws {
    if !undo, reason.text == nil { throw ValidationError("skipping an event needs a --reason") }
  }

  func run() async throws {
    let store = try await connection.store(reason)
    if undo {
      let event = try await store.unskip(event)
      StandardError.note("\(event.name): not skipped any more; rebuild what has passed it")
    } else {
      let result = try await store.skip(event)
      let letters = result.deadLetters == 0 ? "" : "; \(counted(result.deadLetters, "dead letter")) discarded"
      StandardError.note(
        "\(result.event.name): \(result.wasSkipped ? "was skipped before" : "skipped")\(letters)"
      )
    }
  }
}

extension SkippedEvent {
  fileprivate var name: String { "position \(position) (\(aggregateID), version \(version), \(eventType))" }
}
