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

  func validate() throws {
    if output.format == .table {
      try output.checkFields(of: TraceTreeRecord.self)
    } else {
      try output.checkFields(of: TracedEvent.self)
    }
  }

  func run() async throws {
    let store = try await connection.store()
    let events = try await store.trace(id) { members in
      StandardError.warn(
        "not searched for ids in \(members.joined(separator: ", ")): no index finds them, and no event of a sample has "
          + "them; see annals-trace(1)"
      )
    }
    if output.format == .table {
      output.print(events.map(TraceTreeRecord.init))
    } else {
      output.print(events)
    }
  }
}

/// A traced event for programs.
extension TracedEvent: Record {
  static let columns: [Column<Self>] =
    [
      Column("depth") { Field($0.depth) },
      Column("causation_id") { Field($0.causationID) },
      Column("correlation_id") { Field($0.correlationID) },
    ] + Event.columns.of(\.event)
}

/// A traced event for people: its type is indented below that of its cause.
struct TraceTreeRecord: Record {
  let traced: TracedEvent

  static let columns = shown + TracedEvent.columns.of(\.traced).besides(shown)

  private static let shown: [Column<Self>] = [
    .type("event_type") { $0.branch + $0.traced.event.type },
    Column("aggregate") { .text($0.traced.event.aggregateID) },
    Column("version", .low) { Field($0.traced.event.version) },
    .time("time") { $0.traced.event.timestamp },
    Column("id", .low) { .text("\($0.traced.event.id)") },
    Column("payload", .least) { .json($0.traced.event.data) },
  ]

  private static let deepest = 20

  private var branch: String {
    switch traced.depth {
    case 0: ""
    case ...Self.deepest: String(repeating: "   ", count: traced.depth - 1) + "└─ "
    // Deeper ones are not indented further and show their depth: otherwise a long chain's lines would be all indent.
    default: String(repeating: "   ", count: Self.deepest - 1) + "└─ \(traced.depth): "
    }
  }
}
