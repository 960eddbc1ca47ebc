internal import ArgumentParser
internal import EventStore

struct CheckpointsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the checkpoints of replays and projections. This is the default."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: StoreHealth.Reader.self) }

  func run() async throws {
    output.print(try await connection.store().checkpoints())
  }
}

extension StoreHealth.Reader: Record {
  static let columns: [Column<Self>] = [
    Column("name", .high) { .text($0.name) },
    Column("kind", .high) { .text($0.isProjection ? "projection" : "replay") },
    Column("position", .high) { Field($0.position) },
    Column("lag_events", .high) {
      .number("\($0.lagEvents)", shown: Field.grouped($0.lagEvents) + ($0.isLagLowerBound ? "+" : ""))
    },
    Column("lag_is_lower_bound", style: .aside) { .bool($0.isLagLowerBound) },
    Column("lag_seconds") {
      .number("\($0.lagSeconds)", shown: Field.grouped(Int64(Int(clamping: $0.lagSeconds))))
    },
    .time("moved_at") { $0.movedAt },
    Column("dead_letters", .low) { Field($0.deadLetters) },
    Column("holder", .low) { Field($0.holder) },
    Column("filter", .least) { Field($0.filter) },
  ]
}
