internal import ArgumentParser
internal import EventStore

struct ProjectionsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the projections: state, checkpoint, lag. This is the default."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "Only this projection, with all its generations.", completion: .projection)
  var name: String?

  func run() async throws {
    let records = try await connection.store().projections(name).map(ProjectionRecord.init)
    if output.isForTerminal {
      RecordPrinter.print(records.map(ProjectionAtTerminal.init), .table)
    } else {
      RecordPrinter.print(records, output.format)
    }
  }
}

struct ProjectionRecord: Record {
  let status: ProjectionStatus

  static let columns = [
    "name", "version", "generation", "state", "position", "lag_events", "lag_seconds", "rows", "events",
    "dead_letters", "moved_at", "error",
  ].map(Column.init)

  var fields: [Field] {
    [
      .text(status.name), Field(status.version), .integer(Int64(status.generation)),
      .text(status.state.rawValue), .integer(status.position), .integer(status.lagEvents),
      .number(String(status.lagSeconds), shown: Field.grouped(Int64(Int(clamping: status.lagSeconds)))),
      Field(status.rows), .integer(status.events), .integer(status.deadLetters),
      .text(status.movedAt.description), Field(status.error),
    ]
  }
}

/// A projection with a picture of how far it is.
struct ProjectionAtTerminal: Record {
  let record: ProjectionRecord

  static let columns =
    Array(ProjectionRecord.columns[..<4]) + [Column("done")] + ProjectionRecord.columns[4...]

  var fields: [Field] {
    let plain = record.fields
    return Array(plain[..<4]) + [.text(Graph.bar(record.status.done))] + plain[4...]
  }
}

extension ProjectionStatus {
  /// The share of history that it has handled, holes in the positions aside.
  var done: Double {
    let done = max(0, Double(position))
    return lagEvents == 0 ? 1 : done / (done + Double(lagEvents))
  }
}
