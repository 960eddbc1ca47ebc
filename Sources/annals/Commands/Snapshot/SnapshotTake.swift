internal import ArgumentParser
internal import EventStore

struct SnapshotTake: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "take",
    abstract: "Store the states of aggregates.",
    discussion: """
        annals snapshot take order-42
        annals snapshot take --all --every 100 --workers 4

      Snapshots that are up to date are skipped. Run it again to resume an interrupted run.
      """
  )

  @OptionGroup var aggregates: SelectionOptions

  @Flag(help: "All aggregates.")
  var all = false

  @Option(help: "Only aggregates with this many events since the last snapshot.")
  var every = 1

  @Option(help: "Connections to use.")
  var workers = 1

  @OptionGroup var retry: RetryOptions
  @OptionGroup var reducer: ReducerOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions

  func validate() throws {
    if (aggregates.selection == .all) != all {
      throw ValidationError("name aggregates, or use --category, or --all")
    }
    if every < 1 { throw ValidationError("--every must be 1 or more") }
    if !(1...64).contains(workers) { throw ValidationError("--workers must be from 1 to 64") }
  }

  func run() async throws {
    let reducer = try reducer.load()
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    _ = try await self.reducer.takesKnownTypes(reducer, store)
    let progress = ProgressLine("taking snapshots")
    let tally = try await store.takeSnapshots(
      of: aggregates.selection,
      reducer: reducer,
      every: every,
      workers: workers,
      retryTimeout: retry.timeout
    ) {
      progress.show($0)
    }
    progress.finish()
    StandardError.note("\(Field.counted(tally.taken, "snapshot")) taken")
    if let first = tally.firstIncomplete { throw Self.incomplete(tally.incomplete, first: first) }
  }

  private static func incomplete(_ count: Int64, first: String) -> CommandError {
    let what = count == 1 ? "one stream lacks a version" : "\(count) streams lack versions"
    return CommandError(
      .partlyDone,
      "\(what), and no snapshot was taken of \(count == 1 ? "it" : "them"): '\(first)'"
        + (count == 1 ? "" : " is the first"),
      code: "incompleteStreams",
      hint: Advice.text("\(.verify()) lists what is missing.")
    )
  }
}
