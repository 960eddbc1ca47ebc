internal import ArgumentParser
internal import EventStore

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run all consumers of a file: read models and commands.",
    discussion: """
        annals run shop.consumers.sql
        annals run --once shop.consumers.sql     (from cron)

      A file names consumers, each with its own checkpoint. One that fails is started again; the others \
      continue. See annals-run(1).
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Flag(help: "Pass on all events, then exit.")
  var once = false

  @Flag(help: "Wait while another process runs, then take over.")
  var standby = false

  @Flag(name: [.customShort("n"), .long], help: "Check the file, and run nothing.")
  var dryRun = false

  @OptionGroup var retry: RetryOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "The file of consumers.", completion: .file(extensions: ["sql"]))
  var file: String

  func validate() throws {
    if once, standby { throw ValidationError("--standby and --once exclude each other") }
  }

  func run() async throws {
    let consumers = try ConsumerFile(path: file, bytes: try InputFile.read(file))
    var members: [Supervisor.Member] = []
    for consumer in consumers.consumers { members.append(try await member(consumer, of: consumers)) }
    if dryRun { return }
    if !once { Interruption.isTheEnd() }
    let count = members.count == 1 ? "1 consumer" : "\(members.count) consumers"
    StandardError.note("running \(count) of \(file): \(members.map(\.name).joined(separator: ", "))")
    try await Supervisor(members: members, once: once).run()
  }

  /// What runs a consumer, with a connection of its own.
  private func member(
    _ consumer: ConsumerFile.Consumer,
    of file: ConsumerFile
  ) async throws -> Supervisor.Member {
    let store = try await connection.store()
    await store.onNotice { StandardError.warn("\(consumer.name): \($0)") }
    try await upcasters.apply(to: store)
    await wait.apply(to: store)
    switch consumer.work {
    case .projection(let path):
      let projection = try Projection(path: path, bytes: try InputFile.read(path))
      let options = options(of: consumer)
      return Supervisor.Member(name: consumer.name) {
        let result = try await store.project(projection, options: options)
        if result.isPaused {
          StandardError.warn("\(consumer.name): projection \(result.projection) is paused")
          return .findings
        }
        return result.deadLetters > 0 ? .partlyDone : nil
      }
    case .command(let command):
      let timeout = DurationArgument(argument: consumer.timeout ?? "60s")
      guard let timeout, timeout.duration > .zero else {
        throw file.fault("this is no duration", of: "timeout", consumer, hint: DurationArgument.hint)
      }
      let handler = EventHandlerProcess(command: command, timeout: timeout.duration)
      let replay = replayOptions(of: consumer)
      return Supervisor.Member(name: consumer.name) {
        var (query, options) = (EventQuery(), replay)
        (query.types, query.category) = (consumer.types, consumer.category)
        if let start = consumer.start { options.start = try await store.replayStart(start) }
        try await HandlerReplay(
          store: store,
          handler: handler,
          workers: consumer.workers,
          retries: consumer.attempts - 1,
          parks: true,
          query: query,
          options: options,
          name: consumer.name
        ).run()
        return nil
      }
    }
  }

  private func options(of consumer: ConsumerFile.Consumer) -> CatchUpOptions {
    var options = CatchUpOptions()
    (options.once, options.isStandby, options.attempts) = (once, standby, consumer.attempts)
    if once { options.retryTimeout = retry.timeout }
    return options
  }

  private func replayOptions(of consumer: ConsumerFile.Consumer) -> ReplayOptions {
    var options = ReplayOptions()
    (options.checkpoint, options.isFollowing, options.isStandby) = (consumer.name, !once, standby)
    options.retryTimeout = retry.timeout
    return options
  }
}
