internal import ArgumentParser
internal import EventStore

struct DeadLettersShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a dead letter with its cause and the event's payload."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "The event's position.", completion: .deadLetter)
  var position: Int64

  func validate() throws { try output.checkFields(of: DeadLetter.self) }

  func run() async throws {
    let store = try await connection.store()
    let letters = try await store.deadLetters(of: name, at: position, all: true)
    guard let letter = letters.last else {
      throw CommandError(
        .notFound,
        "\(name) has no dead letter at position \(position)",
        code: "notFound",
        hint: Advice.text("List them with \(.deadLetters).")
      )
    }
    let event = try await store.event(of: letter)
    output.printAlone(DeadLetterRecord(letter: letter, payload: event?.data))
    if event == nil { StandardError.warn("the store has no event at position \(position) any more") }
  }
}

/// A dead letter with the contents of the event.
private struct DeadLetterRecord: Record {
  let letter: DeadLetter
  let payload: String?

  static let columns: [Column<Self>] =
    DeadLetter.columns[...].of(\.letter) + [Column("event_data") { Field(json: $0.payload) }]
}
