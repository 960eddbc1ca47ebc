internal import ArgumentParser
internal import EventStore

struct DeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters",
    abstract: "Look after the events that a handler gave up on.",
    discussion: """
        annals dead-letters list
        annals dead-letters retry orders --file orders.sql
        annals dead-letters retry mail --exec ./mail
      """,
    subcommands: [
      ListDeadLetters.self, ShowDeadLetter.self, RetryDeadLetters.self, DiscardDeadLetters.self,
    ]
  )
}

struct ListDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List dead letters; exits with 2 when there are any."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Also those that were applied or discarded, and those of earlier generations.")
  var all = false

  @Argument(help: "Only those of this projection, or checkpoint.", completion: .consumer)
  var name: String?

  func run() async throws {
    let letters = try await connection.store().deadLetters(of: name, all: all)
    var printer = RecordPrinter<DeadLetterRecord>(output.format)
    for letter in letters { printer.print(DeadLetterRecord(letter: letter)) }
    printer.finish()
    if letters.contains(where: { $0.state == .parked }) { throw EndWithStatus(status: .findings) }
  }
}

struct ShowDeadLetter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a dead letter with its cause."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "The event's position.", completion: .deadLetter)
  var position: Int64

  func run() async throws {
    let letters = try await connection.store().deadLetters(of: name, at: position, all: true)
    guard let letter = letters.last else {
      throw CommandError(
        .notFound,
        "\(name) has no dead letter at position \(position)",
        code: "notFound",
        hint: "List them with 'annals dead-letters list'."
      )
    }
    RecordPrinter.printAlone(DeadLetterRecord(letter: letter), output.format)
  }
}

struct RetryDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Apply dead letters to the live read model, or pass them to a command, in their order.",
    discussion: """
        annals dead-letters retry orders
        annals dead-letters retry orders --file orders.sql    (with mended handlers)
        annals dead-letters retry mail --exec ./mail          (those of checkpoint mail)

      They come after events that they were meant to precede. Where that matters, rebuild.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Option(
    help: "The mended projection file; it becomes that of the live generation.",
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
    let definition = try file.map { try InputFile.read($0) }
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    let retry: DeadLetterRetry
    if let exec {
      let handler = EventHandlerProcess(command: exec, timeout: timeout.duration)
      retry = try await store.retryParkedEvents(under: name, at: positions) { try await handler.retry($0) }
    } else {
      retry = try await store.retryDeadLetters(of: name, at: positions, with: definition, path: file)
    }
    StandardError.note("\(name): \(retry.applied) applied, \(retry.failed) failed again")
    if retry.failed > 0 { throw EndWithStatus(status: .partlyDone) }
  }
}

struct DiscardDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Give dead letters up; the events stay in the store."
  )

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The projection, or the checkpoint.", completion: .consumer)
  var name: String

  @Argument(help: "Only the events at these positions.", completion: .deadLetter)
  var positions: [Int64] = []

  func run() async throws {
    let store = try await connection.store()
    let what = positions.isEmpty ? "all dead letters" : "\(positions.count) dead letters"
    try Console.confirm("Discard \(what) of \(name)?", yes: yes)
    let count = try await store.discardDeadLetters(of: name, at: positions)
    StandardError.note("\(name): \(count) discarded")
  }
}

struct DeadLetterRecord: Record {
  let letter: DeadLetter

  static let columns = [
    "projection", "checkpoint", "position", "aggregate_id", "version", "event_type", "state", "attempts",
    "failed_at", "sqlstate", "message", "detail",
  ].map(Column.init)

  var fields: [Field] {
    [
      Field(letter.projection), Field(letter.checkpoint), .integer(letter.position),
      .text(letter.aggregateID), Field(letter.version), .text(letter.eventType), .text(letter.state.rawValue),
      .integer(Int64(letter.attempts)), .text(letter.failedAt.description), Field(letter.sqlState),
      .text(letter.message), Field(letter.detail),
    ]
  }
}
