internal import ArgumentParser
internal import EventStore

struct Replay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Print events as NDJSON, in the order of the whole store.",
    discussion: """
      annals replay > backup.ndjson
      annals replay --type OrderShipped --since yesterday
      annals replay | annals append -d copy --from -
      """
  )

  @OptionGroup var connection: ConnectionOptions

  @Option(help: "Only the events of one aggregate.")
  var aggregate: String?

  @OptionGroup var filter: FilterOptions

  func run() async throws {
    let store = try await connection.store()
    var query = EventQuery()
    query.aggregateID = aggregate
    try await filter.apply(to: &query, store)
    try await store.writeNDJSON(query) { StandardOutput.write($0) }
    StandardOutput.flush()
  }
}
