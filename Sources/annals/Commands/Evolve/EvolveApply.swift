internal import ArgumentParser
internal import EventStore

struct EvolveApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Copy the store through the upcasters of a plan.",
    discussion: """
        annals evolve apply currency.plan --into events_v2
        annals evolve apply currency.plan --into events_v2 --swap

      The old table is not changed. Run the command again to resume an interrupted copy, or to copy the events that \
      were appended to the old table since.
      """
  )

  @Argument(help: "The plan: see 'annals evolve plan'.", completion: .file())
  var plan: String

  @Option(help: "The new table.", transform: ConnectionOptions.parseTable)
  var into: QualifiedName

  @Option(help: "Events per transaction.")
  var chunk: Int64 = 50_000

  @Flag(help: "At the end exchange the names of the two tables, in one short transaction.")
  var swap = false

  @Flag(help: "Do not ask before the swap.")
  var yes = false

  @Flag(name: [.customShort("n"), .long], help: "Print the SQL and change nothing.")
  var dryRun = false

  @OptionGroup var progress: ProgressOptions
  @OptionGroup var retry: RetryOptions
  @OptionGroup var wait: WaitOptions
  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if chunk < 1 { throw ValidationError("--chunk must be 1 or more") }
    if into == (try connection.table) { throw ValidationError("--into must name another table") }
  }

  func run() async throws {
    let plan = try EvolutionPlan(path: plan, bytes: try InputFile.read(plan))
    let store = try await connection.store(reason)
    await wait.apply(to: store)
    if dryRun {
      StandardOutput.writeRaw(try await store.evolutionScript(plan, into: into))
      return StandardOutput.flush()
    }
    if swap {
      try Confirmation.require("Give the name \(store.table) to the copy, once it is complete?", yes: yes)
    }
    let line = progress.line("copying")
    defer { line.finish() }
    let outcome = try await store.applyEvolution(
      plan,
      into: into,
      chunkSize: chunk,
      swap: swap,
      retryTimeout: retry.timeout
    ) {
      line.show($0)
    }
    line.finish()
    let events = Field.counted(outcome.events, "event")
    StandardError.note(
      outcome.isSwapped
        ? "\(store.table) now has \(events) in the new shape; \(outcome.copy) has the old events"
        : "\(outcome.copy) has \(events), converted from \(store.table)"
    )
  }
}
