internal import ArgumentParser
internal import EventStore
internal import FoundationEssentials

struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page about traffic, growth, readers, faults.",
    discussion: """
        annals report
        annals report --html shop.html --history shop.ndjson

      The page is one file without a script. It shows no payloads. The exit status is 2 when somebody must act.
      """
  )

  @Option(help: ArgumentHelp("Write the page to this file; - is standard output.", valueName: "file"))
  var html: String?

  @Flag(help: "Print the report as text; the default without --html.")
  var text = false

  @Option(help: ArgumentHelp("Draw trends from this NDJSON file, and add this run.", valueName: "file"))
  var history: String?

  @Option(
    help: ArgumentHelp("Use the findings of 'verify-versions -o json'; check nothing.", valueName: "file")
  )
  var verify: String?

  @Option(
    help: ArgumentHelp("Traffic from this time on; the last 90 days when left out.", valueName: "time")
  )
  var since: String?

  @Flag(help: "Show numbers instead of the ids of streams.")
  var noIds = false

  @Option(help: ArgumentHelp("Make the report as if it were this time.", valueName: "time"))
  var now: String?

  @Option(help: ArgumentHelp("How long each part may take.", valueName: "duration"))
  var partTimeout: DurationArgument = "60s"

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    try partTimeout.requirePositive("--part-timeout")
    if html == "-", text { throw ValidationError("--html - and --text both write to standard output") }
  }

  func run() async throws {
    let store = try await connection.store()
    let past = try history.map { try ReportHistory($0, of: "\(store.table)") }
    let findings = try verify.map { try FindingsFile($0) }
    var options = ReportOptions(now: try await time(store), partLimit: partTimeout.duration)
    if let since { options.since = try await store.time(since) }
    options.verifies = findings == nil
    // Report that a file cannot be written before the server works for it.
    let file = try html.flatMap { $0 == "-" ? nil : try OutputFile($0) }

    let report = try await store.report(options)
    let run = ReportDocument.run(report, findings)
    let document = ReportDocument(
      report,
      findings: findings,
      history: (past?.runs ?? []).filter { $0.time < report.now } + [(report.now, run)],
      complaint: past?.complaint,
      hidesIDs: noIds
    )
    if html != nil {
      let page = ReportPage(document: document).text
      if let file {
        try file.write(Array(page.utf8))
        try file.finish()
      } else {
        StandardOutput.writeRaw(page)
      }
    }
    if text || html == nil { StandardOutput.writeRaw(ReportText(document: document).text) }
    StandardOutput.flush()
    if let complaint = past?.complaint { StandardError.warn(complaint) }
    try past?.append(run)
    if document.isBad { throw EndWithStatus(status: .findings) }
  }

  /// The time of the option, or of SOURCE_DATE_EPOCH for reproducible output, or of the clock.
  private func time(_ store: EventStore) async throws -> Timestamp {
    if let now { return try await store.time(now) }
    if let epoch = CLibrary.environment("SOURCE_DATE_EPOCH") {
      guard let seconds = Int64(epoch), (0...253_402_300_799).contains(seconds) else {
        throw CommandError(
          .usage,
          "SOURCE_DATE_EPOCH is '\(epoch)', which is no number of seconds since 1970",
          code: "usage"
        )
      }
      return Timestamp(secondsSince1970: seconds)
    }
    return Timestamp(secondsSince1970: Int64(Date().timeIntervalSince1970))
  }
}
