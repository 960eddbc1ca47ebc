internal import ArgumentParser
internal import EventStore

struct DeadLettersList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List dead letters; exits with 2 when there are any."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Also those that were applied or discarded, and those of earlier generations.")
  var all = false

  @Argument(help: "Only those of this projection, or checkpoint.", completion: .consumer)
  var name: String?

  func run() async throws {
    let letters = try await connection.store().deadLetters(of: name, all: all)
    var printer = RecordPrinter<DeadLetterRecord>(output.format)
    for letter in letters { printer.print(DeadLetterRecord(letter: letter)) }
    printer.finish()
    if letters.contains(where: { $0.state == .parked }) { throw EndWithStatus(status: .findings) }
  }
}

struct DeadLetterRecord: Record {
  let letter: DeadLetter

  static let columns = [
    "projection", "checkpoint", "position", "aggregate_id", "version", "event_type", "state", "attempts",
    "failed_at", "sqlstate", "message", "detail",
  ].map(Column.init)

  var fields: [Field] {
    [
      Field(letter.projection), Field(letter.checkpoint), .integer(letter.position),
      .text(letter.aggregateID), Field(letter.version), .text(letter.eventType), .text(letter.state.rawValue),
      .integer(Int64(letter.attempts)), .text(letter.failedAt.description), Field(letter.sqlState),
      .text(letter.message), Field(letter.detail),
    ]
  }
}
