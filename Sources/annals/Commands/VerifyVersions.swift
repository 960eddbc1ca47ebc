internal import ArgumentParser
internal import EventStore

struct VerifyVersions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-versions",
    abstract: "Check that no version is missing, doubled or out of place.",
    discussion: """
      Prints one line a finding and exits with status 2; prints nothing and exits with 0 when there is none.

        annals verify-versions                     the whole store
        annals verify-versions order-42 order-43   two streams
        annals verify-versions --category order    streams named order-...
      """
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: ArgumentHelp("The aggregates to check; all when none is named.", valueName: "aggregate-id"))
  var aggregateIDs: [String] = []

  @Option(help: "Check the aggregates whose id is this up to the first '-'.")
  var category: String?

  @Option(help: "The version that a stream begins with, 0 or 1.")
  var firstVersion = 1

  @Option(help: "Print at most so many findings; all are counted.")
  var maxFindings: Int?

  func validate() throws {
    if category != nil, !aggregateIDs.isEmpty {
      throw ValidationError("name aggregates or a --category, not both")
    }
    if !(0...1).contains(firstVersion) { throw ValidationError("--first-version is 0 or 1") }
    if let maxFindings, maxFindings < 0 { throw ValidationError("--max-findings is 0 or more") }
  }

  func run() async throws {
    let store = try await connection.store()
    let report = FindingReport(output.format, limit: maxFindings)
    let result = try await store.verifyVersions(check) { report.print($0) }
    report.end(result)
    if !result.counts.isEmpty { throw EndWithStatus(status: .findings) }
  }

  private var check: VersionCheck {
    var check = VersionCheck()
    check.firstVersion = firstVersion
    if let category { check.scope = .category(category) }
    if !aggregateIDs.isEmpty { check.scope = .aggregates(aggregateIDs) }
    return check
  }
}
