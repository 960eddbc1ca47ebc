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

  func run() async throws {
    let store = try await connection.store()
    let printer = Mutex(RecordPrinter<SnapshotSummary>(output.format))
    try await store.listSnapshots(of: aggregates.selection) { snapshot in
      printer.withLock { $0.print(snapshot) }
    }
    printer.withLock { $0.finish() }
  }
}

extension SnapshotSummary: Record {
  static let columns = [
    "aggregate_id", "version", "position", "reducer", "reducer_version", "reducer_hash", "status", "taken_at",
    "bytes",
  ].map(Column.init)

  var fields: [Field] {
    [
      .text(aggregateID), .integer(Int64(version)), Field(position), .text(reducer),
      .integer(Int64(reducerVersion)), .text(reducerHash), .text(isStale ? "stale" : "valid"),
      .text(takenAt.description), .integer(Int64(bytes)),
    ]
  }
}
