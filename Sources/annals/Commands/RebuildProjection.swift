internal import ArgumentParser
internal import EventStore

struct RebuildProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild-projection",
    abstract: "Build a read model anew from history and swap it in.",
    discussion: """
      annals rebuild-projection Examples/orders/orders.sql
      annals rebuild-projection -n orders.sql
      annals rebuild-projection --workers 2 --max-diff 1% orders.sql

      The new tables grow beside the live ones, which stay readable and complete until one short
      transaction exchanges them. An interrupted rebuild goes on where it was when it is run again.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions

  @Flag(
    name: [.customShort("n"), .long],
    help: "Say what would be done and how long it takes; change nothing."
  )
  var dryRun = false

  @OptionGroup var build: RebuildBuildOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "Projections: see annals-projection(5).", completion: .file(extensions: ["sql"]))
  var files: [String]

  func run() async throws {
    let definitions = try files.map { ($0, try InputFile.read($0)) }
    let store = try await connection.store()
    try await upcasters.apply(to: store)
    var isPending = false
    for (path, definition) in definitions {
      if dryRun {
        let plan = try await store.planRebuild(definition, path: path)
        RecordPrinter.printAlone(RebuildPlanRecord(plan: plan), output.format)
        if !plan.problems.isEmpty { isPending = true }
      } else if try await !rebuild(definition, path, store) {
        isPending = true
      }
    }
    if isPending { throw EndWithStatus(status: .findings) }
  }

  /// Returns false when work is left.
  private func rebuild(_ definition: [UInt8], _ path: String, _ store: EventStore) async throws -> Bool {
    let line = progress.line("rebuilding \(path)")
    defer { line.finish() }
    let outcome: RebuildOutcome
    do {
      outcome = try await store.rebuildProjection(definition, path: path, options: build.options) {
        line.show(done: $0.position, of: $0.finalPosition, events: $0.events)
      }
    } catch is CancellationError {
      line.finish()
      throw CommandError(
        Interruption.status ?? .interrupted,
        "interrupted",
        code: "interrupted",
        detail: "The chunk under way was rolled back; what was committed before is kept.",
        hint: "Run the same command to go on; --restart begins anew."
      )
    }
    line.finish()
    RebuildReport(outcome, path: path).print(
      showsDifferences: build.diff || build.maxDiff != nil,
      output.format
    )
    return outcome.ending == .live || outcome.ending == .ready
  }
}
