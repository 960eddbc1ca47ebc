internal import ArgumentParser
internal import EventStore

struct Project: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project",
    abstract: "Keep read models current.",
    discussion: """
        annals project orders.sql revenue.sql
        annals project --once orders.sql         (from cron)
        annals project orders                    (by the file that built it)

      Each projection runs by itself, on its own connection. A failing event is retried and then set \
      aside as a dead letter: see 'annals dead-letters'.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Flag(help: "Apply all events, then exit.")
  var once = false

  @Flag(help: "Wait while another process runs, then take over.")
  var standby = false

  @Option(help: "Attempts at a failing event before it becomes a dead letter.")
  var attempts = 3

  @Option(
    help: ArgumentHelp(
      "Wait before the second attempt; each further wait is twice as long.",
      valueName: "duration"
    )
  )
  var retryDelay: DurationArgument = "1s"

  @Option(help: "Events per transaction.")
  var chunk: Int64 = 5_000

  @Option(help: ArgumentHelp("Longest interval between queries for new events.", valueName: "duration"))
  var poll: DurationArgument = "200ms"

  @Option(
    help: ArgumentHelp(
      "How long to try to connect again; 30s with --once, otherwise forever.",
      valueName: "duration"
    )
  )
  var retryTimeout: DurationArgument?

  @OptionGroup var wait: WaitOptions
  @OptionGroup var progress: ProgressOptions

  @Argument(
    help: ArgumentHelp("Files, see annals-projection(5), or names of projections.", valueName: "projection"),
    completion: .file(extensions: ["sql"])
  )
  var projections: [String]

  func validate() throws {
    if attempts < 0 { throw ValidationError("--attempts cannot be negative") }
    if once, standby { throw ValidationError("--standby and --once exclude each other") }
    if chunk < 1 { throw ValidationError("--chunk must be 1 or more") }
  }

  func run() async throws {
    let arguments = try projections.map { try ProjectionArgument($0) }
    if !once { Interruption.isTheEnd() }
    var status: ExitStatus?
    try await withThrowingTaskGroup(of: ExitStatus?.self) { group in
      for argument in arguments {
        let store = try await connection.store()
        try await upcasters.apply(to: store)
        await wait.apply(to: store)
        let projection = try await argument.projection(in: store)
        group.addTask { try await project(projection, isNamed: argument.isName, store) }
      }
      for try await ended in group { status = status ?? ended }
    }
    if let status { throw EndWithStatus(status: status) }
  }

  /// Reports a failure itself, so that the other projections continue; returns a status other than 0.
  private func project(
    _ projection: Projection,
    isNamed: Bool,
    _ store: EventStore
  ) async throws -> ExitStatus? {
    var options = options
    options.followsGenerations = isNamed
    let line = progress.line(projection.path)
    defer { line.finish() }
    // The next step reports faults of the store, and may also wait for a server that is down.
    let coverage = try? await store.typeCoverage(of: projection, byIndexAlone: true)
    coverage?.reportUnknown(path: projection.path)
    do {
      let outcome = try await store.project(projection, options: options) {
        line.show($0)
      }
      line.finish()
      if outcome.isPaused {
        StandardError.warn("\(projection.path): projection \(outcome.projection) is paused")
        return .findings
      }
      return outcome.deadLetters > 0 ? .partlyDone : nil
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      guard projections.count > 1 else { throw error }
      line.finish()
      let failure = Failure(error)
      failure.print(asJSON: false)
      return failure.status
    }
  }

  private var options: CatchUpOptions {
    var options = CatchUpOptions()
    (options.once, options.isStandby) = (once, standby)
    options.attempts = attempts
    options.retryDelay = retryDelay.duration
    options.chunkSize = chunk
    options.retryTimeout = retryTimeout?.duration
    options.pollInterval = poll.duration
    return options
  }
}
