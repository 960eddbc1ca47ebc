internal import ArgumentParser
internal import EventStore

struct DeadLettersRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Apply dead letters to the live read model, or pass them to a command, in their order.",
    discussion: """
        annals dead-letters retry orders
        annals dead-letters retry orders --file orders.sql    (repaired handlers)
        annals dead-letters retry mail --exec ./mail          (those of checkpoint mail)

      They are applied after later events. If the order matters, rebuild the read model.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Option(
    help: "The repaired projection file; it becomes that of the live generation.",
    completion: .file(extensions: ["sql"])
  )
  var file: String?

  @Option(
    help: ArgumentHelp("Pass the events of a checkpoint to this command again.", valueName: "command")
  )
  var exec: String?

  @Option(help: ArgumentHelp("Longest wait for an answer.", valueName: "duration"))
  var timeout: DurationArgument = "60s"

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "Only the events at these positions.", completion: .deadLetter)
  var positions: [Int64] = []

  func validate() throws {
    try timeout.requirePositive("--timeout")
    if file != nil, exec != nil {
      throw ValidationError("--file is for a projection, --exec for a checkpoint")
    }
  }

  func run() async throws {
    let repaired = try file.map { try Projection(path: $0, bytes: try InputFile.read($0)) }
    let store = try await connection.store(reason)
    try await upcasters.apply(to: store)
    let result: DeadLetterRetryResult
    if let exec {
      let handler = EventHandlerProcess(command: exec, timeout: timeout.duration)
      result = try await store.retryDeadLetters(ofCheckpoint: name, at: positions) {
        try await handler.retry($0)
      }
    } else {
      result = try await store.retryDeadLetters(of: name, at: positions, with: repaired)
    }
    StandardError.note("\(name): \(result.applied) applied, \(result.failed) failed again")
    if result.failed > 0 { throw EndWithStatus(status: .partlyDone) }
  }
}
