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

  func validate() throws { try output.checkFields(of: DeadLetter.self) }

  func run() async throws {
    let letters = try await connection.store().deadLetters(of: name, all: all)
    output.print(letters)
    if letters.contains(where: { $0.state == .parked }) { throw EndWithStatus(status: .findings) }
  }
}

extension DeadLetter: Record {
  static let columns: [Column<Self>] = [
    Column("projection") { Field($0.projection) },
    Column("checkpoint") { Field($0.checkpoint) },
    Column("position") { Field($0.position) },
    Column("aggregate_id") { .text($0.aggregateID) },
    Column("version", .low) { Field($0.version) },
    .type("event_type", .normal) { $0.eventType },
    Column("state", .low) { .text($0.state.rawValue) },
    Column("attempts", .least) { Field($0.attempts) },
    .time("failed_at", .low) { $0.failedAt },
    Column("sqlstate", .low) { Field($0.sqlState) },
    Column("message", .high) { .text($0.message) },
    Column("detail", .low) { Field($0.detail) },
  ]
}
