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

  @Flag(help: "Go on with the events to come, as 'tail -f' does.")
  var follow = false

  @Option(help: "Remember under this name how far it got, and begin there the next time.")
  var checkpoint: String?

  @Option(help: "Most events a second.")
  var rate: Int?

  @Option(help: "End after as many seconds.")
  var timeLimit: Double?

  func validate() throws {
    if let rate, rate < 1 { throw ValidationError("--rate must be 1 or more") }
    if let timeLimit, timeLimit < 0 { throw ValidationError("--time-limit cannot be negative") }
    if checkpoint == "" { throw ValidationError("--checkpoint needs a name") }
  }

  func run() async throws {
    let store = try await connection.store()
    var query = EventQuery()
    query.aggregateID = aggregate
    try await filter.apply(to: &query, store)
    if options == ReplayOptions() {
      try await store.writeNDJSON(query) { StandardOutput.write($0) }
      return StandardOutput.flush()
    }
    _ = try await store.replay(query, options) { batch in
      StandardOutput.write(batch.lines)
      StandardOutput.flush()
    }
  }

  private var options: ReplayOptions {
    var options = ReplayOptions()
    (options.isFollowing, options.checkpoint, options.eventsPerSecond) = (follow, checkpoint, rate)
    options.timeLimit = timeLimit.map { .seconds($0) }
    return options
  }
}
