internal import ArgumentParser
internal import EventStore

struct Stream: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Show the events of one aggregate, or of the whole store.",
    discussion: """
      annals stream order-42
      annals stream order-42 -o ndjson | jq .event_data
      annals stream --category order --since '2 hours ago'
      """
  )

  @Argument(help: "The aggregate whose stream to show; without it, the whole store.")
  var aggregateID: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var filter: FilterOptions

  @Option(help: "Begin at this version.")
  var fromVersion: Int?

  @Option(help: "End at this version.")
  var toVersion: Int?

  @Flag(help: "Show the last event first.")
  var reverse = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let store = try await connection.store()
    let query = try await query(store)
    if output.format == .ndjson {
      try await store.writeNDJSON(query) { StandardOutput.write($0) }
      return StandardOutput.flush()
    }
    let events = store.events(matching: query)
    switch output.format {
    case .table where aggregateID != nil: try await printTable(events)
    case .table: try await printRecords(events, as: StoreRow.init)
    default: try await printRecords(events, as: EventRecord.init)
    }
  }

  private func query(_ store: EventStore) async throws -> EventQuery {
    var query = aggregateID.map { EventQuery(aggregateID: $0) } ?? EventQuery()
    try await filter.apply(to: &query, store)
    (query.fromVersion, query.toVersion, query.reversed) = (fromVersion, toVersion, reverse)
    query.waitsForWriters = false
    return query
  }

  private func printTable(_ events: EventSequence) async throws {
    var previous: Timestamp?
    try await printRecords(events) { event in
      defer { previous = event.timestamp }
      return StreamRow(event: event, previous: previous)
    }
  }

  private func printRecords<R: Record>(_ events: EventSequence, as record: (Event) -> R) async throws {
    var printer = RecordPrinter<R>(output.format)
    for try await event in events { printer.print(record(event)) }
    printer.finish()
  }
}
