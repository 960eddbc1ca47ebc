internal import ArgumentParser
internal import EventStore

struct VerifyVersions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-versions",
    abstract: "Find missing, doubled and misplaced versions.",
    discussion: """
        annals verify-versions                     the whole store
        annals verify-versions order-42 order-43   two streams
        annals verify-versions --category order    streams named order-...

      Prints one line a finding and exits with status 2; prints nothing and exits with 0 when there is none.
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @OptionGroup var aggregates: SelectionOptions

  @Flag(help: "Check only what is new; with --against, hash only that.")
  var incremental = false

  @Option(
    help: ArgumentHelp("Check part by part; the next run continues.", valueName: "duration")
  )
  var timeLimit: DurationArgument?

  @OptionGroup var wait: WaitOptions

  @Option(help: ArgumentHelp("First version of a stream, 0 or 1.", valueName: "n"))
  var firstVersion: Int?

  @Option(help: ArgumentHelp("Print at most n findings; all are counted.", valueName: "n"))
  var maxFindings: Int?

  @Option(
    help: "Look for these kinds of finding only, separated by commas; 'versions' is all that versions show."
  )
  var only: FindingKinds?

  @Option(
    help: "Leave out these kinds of finding.",
    completion: .list(FindingKinds.allValueStrings),
    transform: FindingKinds.parse
  )
  var skip: FindingKinds?

  @Option(
    help: "Exit with 2 for these kinds only, not for all errors.",
    completion: .list(FindingKinds.allValueStrings),
    transform: FindingKinds.parse
  )
  var failOn: FindingKinds?

  @Flag(help: "Add likely causes of gaps, and holes in positions.")
  var explain = false

  @Flag(help: "Treat warnings (time_order, classic_table) as errors.")
  var strict = false

  @Option(help: "Parallel processes of the server.")
  var workers: Int?

  @Option(help: ArgumentHelp("Ignore the findings that this file lists.", valueName: "file"))
  var baseline: String?

  @Option(help: ArgumentHelp("Write the findings to a file for --baseline.", valueName: "file"))
  var writeBaseline: String?

  @Option(help: ArgumentHelp("Also write a manifest of all events.", valueName: "file"))
  var manifest: String?

  @Option(help: ArgumentHelp("Also compare all events with a manifest.", valueName: "file"))
  var against: String?

  @Option(help: ArgumentHelp("Write Prometheus metrics to this *.prom file.", valueName: "file"))
  var metricsFile: String?

  func validate() throws {
    if explain {
      try output.checkFields(of: ExplainedFindingRecord.self)
    } else {
      try output.checkFields(of: Finding.self)
    }
    if manifest != nil || against != nil, aggregates.selection != .all {
      throw ValidationError("a manifest covers the whole store: omit aggregates and --category")
    }
    if incremental, aggregates.selection != .all || only != nil {
      throw ValidationError(
        "--incremental checks the whole store and excludes --category and --only"
      )
    }
    if timeLimit != nil, let other = notByParts {
      throw ValidationError("--time-limit checks all streams part by part and excludes \(other)")
    }
    if baseline != nil, writeBaseline != nil {
      throw ValidationError("--write-baseline writes all findings; leave --baseline out")
    }
    if let firstVersion, !(0...1).contains(firstVersion) {
      throw ValidationError("--first-version is 0 or 1")
    }
    if let workers, !(1...64).contains(workers) { throw ValidationError("--workers must be from 1 to 64") }
    if let maxFindings, maxFindings < 0 { throw ValidationError("--max-findings is 0 or more") }
  }

  /// An option that needs the whole store at once.
  private var notByParts: String? {
    if aggregates.selection != .all { return "the names of aggregates or a category" }
    let given = [
      ("--incremental", incremental), ("--explain", explain), ("--write-baseline", writeBaseline != nil),
      ("--manifest", manifest != nil), ("--against", against != nil), ("--metrics-file", metricsFile != nil),
    ]
    return given.first { $0.1 }?.0
  }

  func run() async throws {
    if explain {
      try await run { ExplainedFindingRecord(finding: $0) }
    } else {
      try await run { $0 }
    }
  }

  private func run<R: Record & SendableMetatype>(record: @escaping @Sendable (Finding) -> R) async throws {
    let store = try await connection.store()
    // Archived events belong to their streams.
    try await store.includeArchive()
    await wait.apply(to: store)
    // cron mails what is printed; a warning alone is no reason for a mail.
    let isQuiet = output.format == .table && !StandardOutput.isTerminal && !explain
    let failing = failOn?.kinds
    let report = FindingReport(output.style, limit: maxFindings, record: record) { finding in
      !isQuiet || finding.severity == .error || failing?.contains(finding.kind) == true
    }
    let metrics = try metricsFile.map { try OutputFile($0) }
    let newManifest = try manifest.map { try OutputFile($0) }
    var integrity = IntegrityCheck()
    if let newManifest { integrity.writeManifest = { try newManifest.write($0) } }
    if let against { integrity.readManifest = try InputFile(against).next }
    let newBaseline = try writeBaseline.map { try BaselineFile($0, of: store) }

    let clock = ContinuousClock()
    let start = clock.now
    @Sendable func handle(_ finding: Finding) {
      newBaseline?.add(finding)
      report.print(finding)
    }
    let result =
      if let timeLimit {
        try await store.verifyVersions(try check, within: timeLimit.duration, reporting: handle)
      } else {
        try await store.verifyVersions(try check, integrity: integrity, reporting: handle)
      }
    report.end(result)
    try newManifest?.finish()
    try newBaseline?.finish()
    try metrics?.write(
      Array(VerificationMetrics(result, duration: clock.now - start, table: store.table).text.utf8)
    )
    try metrics?.finish()
    if isFailure(result) { throw EndWithStatus(status: .findings) }
  }

  private func isFailure(_ result: VersionCheckResult) -> Bool {
    guard let failOn else { return result.errors > 0 }
    return result.counts.keys.contains { failOn.kinds.contains($0) }
  }

  private var check: VersionCheck {
    get throws {
      var check = check(of: aggregates.selection)
      check.baseline = try baseline.map { try Baseline(path: $0, bytes: InputFile.read($0)) }
      return check
    }
  }

  private func check(of selection: AggregateSelection) -> VersionCheck {
    var check = VersionCheck()
    check.firstVersion = firstVersion
    check.isStrict = strict
    check.explains = explain
    check.workers = workers
    // The findings of a manifest are never left out silently.
    if let only { check.kinds = only.kinds.union(against == nil ? [] : Finding.Kind.integrity) }
    if let skip { check.kinds.subtract(skip.kinds) }
    check.selection = selection
    check.isIncremental = incremental
    return check
  }
}
