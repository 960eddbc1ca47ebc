internal import ArgumentParser
internal import EventStore

struct RebuildProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild-projection",
    abstract: "Build a read model anew from history and swap it in.",
    discussion: """
      annals rebuild-projection Examples/orders/orders.sql

      The new tables grow beside the live ones, which stay readable and complete until one short
      transaction exchanges them. An interrupted rebuild goes on where it was when it is run again.
      """
  )

  @OptionGroup var connection: ConnectionOptions

  @Option(help: "Positions a transaction.")
  var chunk: Int64 = 20_000

  @Argument(help: "The projection: see annals-projection(5).", completion: .file(extensions: ["sql"]))
  var file: String

  func validate() throws {
    if chunk < 1 { throw ValidationError("--chunk must be 1 or more") }
  }

  func run() async throws {
    let definition = try InputFile.read(file)
    let store = try await connection.store()
    let progress = ProgressLine("rebuilding")
    let outcome = try await store.rebuildProjection(definition, path: file) {
      progress.show(done: $0.position, of: $0.finalPosition, events: $0.events)
    }
    progress.finish()
    guard outcome.ending == .live else { throw Self.report(outcome.failedChecks, of: outcome) }
    if StandardError.isTerminal {
      let events = Field.grouped(outcome.events)
      let how = outcome.isResumed ? "resumed and finished" : "finished"
      StandardError.write(
        "\(outcome.projection): \(how) generation \(outcome.generation), \(events) events; it is live\n"
      )
    }
  }

  private static func report(_ checks: [FailedCheck], of outcome: RebuildOutcome) -> CommandError {
    for check in checks {
      StandardError.write("annals: check failed: \(TextEscaping.forPeople(check.check))\n")
      for row in check.rows { StandardError.write("  \(TextEscaping.forPeople(row))\n") }
    }
    return CommandError(
      .findings,
      "the new generation \(outcome.generation) of \(outcome.projection) does not pass its checks",
      code: "checkFailed",
      detail: "It is kept aside; the live read model is as it was.",
      hint: "Mend the file and run the rebuild again."
    )
  }
}
