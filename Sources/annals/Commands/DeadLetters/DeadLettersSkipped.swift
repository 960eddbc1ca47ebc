internal import ArgumentParser
internal import EventStore

struct DeadLettersSkipped: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "skipped",
    abstract: "List the events that are skipped."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: SkippedEvent.self) }

  func run() async throws {
    output.print(try await connection.store().skippedEvents())
  }
}

extension SkippedEvent: Record {
  static let columns: [Column<Self>] = [
    Column("position") { Field($0.position) },
    Column("aggregate_id") { .text($0.aggregateID) },
    Column("version", .low) { Field($0.version) },
    .type("event_type", .normal) { $0.eventType },
    Column("id", .least) { .text("\($0.id)") },
    Column("role", .low) { .text($0.role) },
    .time("skipped_at", .low) { $0.skippedAt },
    Column("reason", .high) { .text($0.reason) },
  ]
}
