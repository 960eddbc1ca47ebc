internal import ArgumentParser
internal import EventStore

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one event, its cause, and what it changed.",
    discussion: """
        annals show 0b0a8f5e-6f0c-4b43-9d9e-3c1f6a9d2f11
        annals show @1406
      """
  )

  @Argument(
    help: ArgumentHelp("The id of the event, or @ and its position.", valueName: "id|@position"),
    transform: parseReference
  )
  var event: EventReference

  @OptionGroup var reducer: ReducerOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions
  @OptionGroup var output: OutputOptions

  private static func parseReference(_ text: String) throws -> EventReference {
    if text.utf8.first == UInt8(ascii: "@"), let position = Int64(text.dropFirst()) {
      return .position(position)
    }
    if let id = EventID(text) { return .id(id) }
    throw ValidationError("an event is named by its id, a UUID, or by @ and its position")
  }

  func validate() throws {
    if output.format == .table {
      try output.checkFields(of: RelatedEventRow.self)
    } else {
      try output.checkFields(of: RelatedEventRecord.self)
    }
  }

  func run() async throws {
    let reducer = try reducer.load()
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    let context = try await store.context(of: event, reducer: reducer)
    let event = context.event
    let missing = try await store.missingVersions(ofStream: event.aggregateID, upTo: event.version)
    StreamGaps(aggregateID: event.aggregateID, missing: missing).warn("the state")
    if context.effects == nil {
      StandardError.warn("not searched for effects: no index finds them; see annals-trace(1)")
    }
    guard output.format == .table else { return output.print(context.records) }
    output.print(context.records.map(RelatedEventRow.init))
    guard output.fields == nil else { return }
    StandardOutput.print()
    output.print(context.changes)
  }
}

extension EventContext {
  /// The event and its related events, in the order in which they happened.
  var records: [RelatedEventRecord] {
    let related: [(String, Event?)] = [("cause", cause), ("previous", previous)]
    let before = related.compactMap { relation, event in
      event.map { RelatedEventRecord(relation: relation, event: $0) }
    }
    let this = RelatedEventRecord(
      relation: "event",
      event: event,
      stateBefore: stateBefore,
      stateAfter: stateAfter
    )
    let after =
      [next].compactMap(\.self).map { RelatedEventRecord(relation: "next", event: $0) }
      + (effects ?? []).map { RelatedEventRecord(relation: "effect", event: $0) }
    return before + [this] + after
  }
}

/// An event, and its relation to the requested one.
struct RelatedEventRecord: Record {
  let relation: String
  let event: Event
  var stateBefore: String?
  var stateAfter: String?

  static let columns =
    [Column<Self>("relation", .high) { .text($0.relation) }] + Event.columns.of(\.event)
    + [
      Column("state_before", .least, style: .optional) { Field(json: $0.stateBefore) },
      Column("state_after", .least, style: .optional) { Field(json: $0.stateAfter) },
    ]
}

/// The same for people: the changes are shown below, instead of the states.
struct RelatedEventRow: Record {
  let related: RelatedEventRecord

  static let columns = shown + RelatedEventRecord.columns.of(\.related).besides(shown)

  private static let shown: [Column<Self>] = [
    Column("relation", .high) { .text($0.related.relation) },
    Column("position") { Field($0.related.event.position) },
    Column("aggregate") { .text($0.related.event.aggregateID) },
    Column("version") { Field($0.related.event.version) },
    .time("time") { $0.related.event.timestamp },
    .type("event_type") { $0.related.event.type },
    Column("payload", .low, widths: 16...48) { .json($0.related.event.data) },
  ]
}
