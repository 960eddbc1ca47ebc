internal import ArgumentParser
internal import EventStore
internal import LibPQ

struct Replay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Print events as NDJSON, in order, or pass them on.",
    // The example is here, so that the help is one screen.
    usage: """
      annals replay [<options>]
      annals replay --into april orders.sql --until 2024-04-01
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions

  @Option(help: "Only the events of one aggregate.", completion: .aggregateID)
  var aggregate: String?

  @OptionGroup var filter: FilterOptions

  @Flag(help: "Wait for new events, as 'tail -f' does.")
  var follow = false

  @Option(
    help: ArgumentHelp(
      "Continue where the last run with this name ended.",
      valueName: "name"
    ),
    completion: .checkpoint
  )
  var checkpoint: String?

  @Flag(help: "Wait while another process runs, then take over.")
  var standby = false

  @Option(help: ArgumentHelp("Where a new checkpoint begins: now, N or a time.", valueName: "place"))
  var start: String?

  @Option(
    help: ArgumentHelp(
      "Pass the events to this command, and read its answers.",
      valueName: "command"
    )
  )
  var exec: String?

  @Option(help: "Processes; a stream goes to one.")
  var workers = 1

  @Option(help: ArgumentHelp("Longest wait for an answer.", valueName: "duration"))
  var timeout: DurationArgument = "60s"

  @Option(help: "Retries of an event that it fails on.")
  var retries = 3

  @Flag(help: "Set aside an event that it fails on, and continue.")
  var park = false

  @Option(help: "Most events per second.")
  var rate: Int?

  @Option(help: ArgumentHelp("Stop after this time.", valueName: "duration"))
  var timeLimit: DurationArgument?

  @Flag(
    name: [.customShort("n"), .long],
    help: "Estimate the number of events; replay nothing."
  )
  var dryRun = false

  @OptionGroup var retry: RetryOptions
  @OptionGroup var wait: WaitOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var readModel: ReadModelOptions

  func validate() throws {
    if readModel.into != nil {
      let others = [
        ("--follow", follow), ("--checkpoint", checkpoint != nil), ("--exec", exec != nil),
        ("--rate", rate != nil), ("--time-limit", timeLimit != nil),
      ]
      if let other = others.first(where: \.1)?.0 {
        throw ValidationError("--into builds a read model once, in chunks; leave out \(other)")
      }
    }
    if let format = output.givenFormat, format != .ndjson, !dryRun {
      throw ValidationError("a replay prints NDJSON; -o \(format.rawValue) needs --dry-run")
    }
    if output.isExpanded || output.fields != nil, !dryRun {
      throw ValidationError("a replay prints whole events; -x and --fields need --dry-run")
    }
    try output.checkFields(of: ReplayPlanRecord.self)
    if let rate, rate < 1 { throw ValidationError("--rate must be 1 or more") }
    try timeout.requirePositive("--timeout")
    if !(1...100).contains(workers) { throw ValidationError("--workers must be from 1 to 100") }
    if workers > 1, exec == nil { throw ValidationError("--workers needs --exec") }
    if retries < 0 { throw ValidationError("--retries cannot be negative") }
    if park, exec == nil || checkpoint == nil {
      throw ValidationError("--park needs --exec, and a --checkpoint to keep the dead letters under")
    }
    if readModel.into != nil, !filter.content.sql.isEmpty {
      throw ValidationError("--where runs read-only; with --into write the condition into the handlers")
    }
    if start != nil, checkpoint == nil {
      throw ValidationError(
        "--start says where a --checkpoint begins; without one use --from-position or --since"
      )
    }
    if standby, checkpoint == nil || !follow {
      throw ValidationError("--standby needs a --checkpoint and --follow")
    }
    if checkpoint == "" { throw ValidationError("--checkpoint needs a name") }
  }

  func run() async throws {
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    await wait.apply(to: store)
    var query = EventQuery()
    query.aggregateID = aggregate
    try await filter.apply(to: &query, store)
    var options = options
    if let start { options.start = try await store.replayStart(start) }
    if dryRun {
      try await readModel.check(store)
      return try await printPlan(of: query, options, store)
    }
    if try await readModel.build(from: query, store) { return }
    if follow { Interruption.isTheEnd() }
    try await pass(on: query, options, store)
    try await store.requireReadable()
  }

  private func pass(on query: EventQuery, _ options: ReplayOptions, _ store: EventStore) async throws {
    if let exec {
      let handler = EventHandlerProcess(command: exec, timeout: timeout.duration)
      let replay = HandlerReplay(
        store: store,
        handler: handler,
        workers: workers,
        retries: retries,
        parks: park,
        query: query,
        options: options
      )
      return try await replay.run()
    }
    let status = ReadStatus("replay")
    if options == ReplayOptions(), try await !store.skipsEvents() {
      keepResultMemory()
      try await store.writeNDJSON(query) { lines in
        StandardOutput.writeJSON(lines)
        status.add(lines: lines)
      }
      return StandardOutput.flush()
    }
    _ = try await store.replay(query, options) { batch in
      StandardOutput.writeJSON(batch.lines)
      StandardOutput.flush()
      status.add(events: batch.count, upTo: batch.positions.last)
    }
  }

  private func printPlan(
    of query: EventQuery,
    _ options: ReplayOptions,
    _ store: EventStore
  ) async throws {
    let plan = try await store.planReplay(query, options)
    if output.format == .table {
      StandardOutput.print(plan.summary)
      if !plan.types.isEmpty { StandardOutput.print() }
    }
    if output.format != .table || !plan.types.isEmpty { ReplayPlanRecord.print(plan, output.style) }
    StandardOutput.flush()
  }

  private var options: ReplayOptions {
    var options = ReplayOptions()
    (options.isFollowing, options.checkpoint, options.eventsPerSecond) = (follow, checkpoint, rate)
    (options.timeLimit, options.retryTimeout) = (timeLimit?.duration, retry.timeout)
    options.isStandby = standby
    return options
  }
}
