internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct SnapshotList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the stored snapshots.",
    discussion: """
        annals snapshot list
        annals snapshot list order-42 -o json
      """
  )

  @OptionGroup var aggregates: SelectionOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws { try output.checkFields(of: SnapshotSummary.self) }

  func run() async throws {
    let store = try await connection.store()
    let printer = Mutex(RecordPrinter<SnapshotSummary>(output.style))
    try await store.listSnapshots(of: aggregates.selection) { snapshot in
      printer.withLock { $0.print(snapshot) }
    }
    printer.withLock { $0.finish() }
  }
}

extension SnapshotSummary: Record {
  static let columns: [Column<Self>] = [
    Column("aggregate_id", .high) { .text($0.aggregateID) },
    Column("version") { Field($0.version) },
    Column("position", .low) { Field($0.position) },
    Column("reducer") { .text($0.reducer) },
    Column("reducer_version", .low) { Field($0.reducerVersion) },
    Column("reducer_hash", .least) { .text($0.reducerHash) },
    Column("status", .high) { .text($0.isStale ? "stale" : "valid") },
    .time("taken_at") { $0.takenAt },
    Column("bytes", .low) { Field($0.bytes) },
  ]
}
