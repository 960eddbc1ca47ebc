internal import ArgumentParser
internal import EventStore

struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Show related events as a tree of causes and effects.",
    discussion: """
        annals trace 0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11

      The ids are correlation_id and causation_id of the events' metadata (or correlationId, causationId).
      """
  )

  @Argument(help: "A correlation id, or the id of an event.")
  var id: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let store = try await connection.store()
    let events = try await store.trace(id)
    if output.format == .table {
      var printer = RecordPrinter<TraceRow>(.table)
      for event in events { printer.print(TraceRow(traced: event)) }
      return printer.finish()
    }
    var printer = RecordPrinter<TraceRecord>(output.format)
    for event in events { printer.print(TraceRecord(traced: event)) }
    printer.finish()
  }
}

/// A traced event for programs.
struct TraceRecord: Record {
  let traced: TracedEvent

  static let columns =
    ["depth", "causation_id", "correlation_id"].map(Column.init) + EventRecord.columns

  var fields: [Field] {
    [.integer(Int64(traced.depth)), Field(traced.causationID), Field(traced.correlationID)]
      + EventRecord(event: traced.event).fields
  }
}

/// A traced event for people: its type is indented below its cause's.
struct TraceRow: Record {
  let traced: TracedEvent

  static let columns = ["event_type", "aggregate", "version", "time", "id", "payload"].map(Column.init)

  var fields: [Field] {
    let event = traced.event
    let indent = traced.depth == 0 ? "" : String(repeating: "   ", count: traced.depth - 1) + "└─ "
    return [
      .text(indent + event.type), .text(event.aggregateID), .integer(Int64(event.version)),
      .text(event.timestamp.description), .text(event.id.description), .json(event.data),
    ]
  }
}
