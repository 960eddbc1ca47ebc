internal import ArgumentParser
internal import EventStore

struct RebuildProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild-projection",
    abstract: "Build a read model from history and swap it in.",
    discussion: """
        annals rebuild-projection Examples/orders/orders.sql
        annals rebuild-projection -n orders.sql
        annals rebuild-projection --workers 2 --max-diff 1% orders.sql
        annals rebuild-projection orders.sql revenue.sql    (in one pass)

      It fills new tables beside the live ones and exchanges them in one short transaction. Readers see the live \
      tables until then. Run an interrupted rebuild again to resume it.
      """
  )

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var upcasters: UpcasterOptions
  @OptionGroup var archive: ArchiveReadOptions

  @Flag(
    name: [.customShort("n"), .long],
    help: "Print what it would do and how long; change nothing."
  )
  var dryRun = false

  @Flag(help: "Build nothing and exit with 2 when the store has no event of a type that a handler names.")
  var strict = false

  @OptionGroup var build: RebuildOptionGroup
  @OptionGroup var retry: RetryOptions
  @OptionGroup var wait: WaitOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "Projections: see annals-projection(5).", completion: .file(extensions: ["sql"]))
  var files: [String]

  func validate() throws {
    if dryRun {
      try output.checkFields(of: RebuildPlan.self)
    } else {
      try output.checkFields(of: TableDifference.self)
    }
  }

  func run() async throws {
    let projections = try files.map { try Projection(path: $0, bytes: try InputFile.read($0)) }
    let store = try await connection.store(reason)
    try await upcasters.apply(to: store)
    try await archive.apply(to: store)
    await wait.apply(to: store)
    let statuses = try await dryRun ? plan(projections, store) : rebuild(projections, store)
    // A failure is more important than pending work.
    let mild: [ExitStatus] = [.findings, .partlyDone]
    if let status = statuses.first(where: { !mild.contains($0) }) ?? statuses.first {
      throw EndWithStatus(status: status)
    }
  }

  /// Returns the statuses of the files other than 0, as ``rebuild(_:_:)`` does.
  private func plan(_ projections: [Projection], _ store: EventStore) async throws -> [ExitStatus] {
    var statuses: [ExitStatus] = []
    for projection in projections {
      let plan = try await store.planRebuild(projection, upTo: build.options.lastPosition)
      output.printAlone(plan)
      plan.coverage.report(path: projection.path)
      if !plan.problems.isEmpty || strict && !plan.coverage.unknown.isEmpty { statuses.append(.findings) }
    }
    return statuses
  }

  private func rebuild(_ projections: [Projection], _ store: EventStore) async throws -> [ExitStatus] {
    guard try await takesKnownTypes(projections, store) || !strict else { return [.findings] }
    let line = progress.line("rebuilding \(files.count == 1 ? files[0] : "\(files.count) projections")")
    defer { line.finish() }
    var options = build.options
    options.retryTimeout = retry.timeout
    let results: [Result<RebuildResult, EventStoreError>]
    do {
      results = try await store.rebuildProjections(projections, options: options) {
        line.show($0)
      }
    } catch is CancellationError {
      line.finish()
      throw CommandError(
        Interruption.status ?? .interrupted,
        "interrupted",
        code: "interrupted",
        detail: "What was committed is kept; the rest is rolled back.",
        hint: "Run the same command to resume; --restart starts again."
      )
    }
    line.finish()
    return zip(files, results).compactMap { report($1, path: $0) }
  }

  /// Whether every type that the handlers take has events; reports each type that has none.
  private func takesKnownTypes(_ projections: [Projection], _ store: EventStore) async throws -> Bool {
    var unknown = 0
    for projection in projections {
      let coverage = try await store.typeCoverage(of: projection)
      coverage.report(path: projection.path)
      unknown += coverage.unknown.count
    }
    return unknown == 0
  }

  /// Reports the result of a file; returns a status other than 0.
  private func report(_ result: Result<RebuildResult, EventStoreError>, path: String) -> ExitStatus? {
    switch result {
    case .success(let outcome):
      // With only a limit, as cron runs it, nothing is printed when nothing differs.
      let differs = outcome.differences.contains { $0.count > 0 }
      RebuildReport(outcome, path: path).print(
        showsDifferences: build.diff || build.maxDiff != nil && differs,
        output.style
      )
      guard outcome.ending == .live || outcome.ending == .ready else { return .findings }
      return outcome.deadLetters > 0 ? .partlyDone : nil
    case .failure(let error):
      let failure = Failure(error)
      failure.print(asJSON: output.format.isJSON)
      return failure.status
    }
  }
}
