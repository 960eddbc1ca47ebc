internal import ArgumentParser
internal import EventStore

struct EvolveCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Apply upcasters to all events, and report what fails.",
    discussion: """
        annals evolve check currency.sql
        annals evolve check upcasters/ --sample 100000

      Nothing is written. Exit status 2 when something was found.
      """
  )

  @Argument(
    help: "Upcaster files, or folders of them, in the order in which they apply: see annals-upcaster(5).",
    completion: .file(extensions: ["sql"])
  )
  var files: [String]

  @Option(help: "Try about as many events, spread over history; default: all.")
  var sample: Int?

  @Option(help: "Compare the shapes of about as many events of a type; 0 for all.")
  var compare = 1000

  @Option(
    name: .customLong("projection"),
    help: "A projection file whose types are known, beside those of the live projections.",
    completion: .file(extensions: ["sql"])
  )
  var projections: [String] = []

  @Option(help: "Print at most n failing events; all are counted.")
  var maxFailures = 100

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try output.checkFields(of: EvolutionFinding.self)
    if let sample, sample < 1 { throw ValidationError("--sample must be 1 or more") }
    if compare < 0 { throw ValidationError("--compare must be 0 or more") }
    if maxFailures < 0 { throw ValidationError("--max-failures must be 0 or more") }
  }

  func run() async throws {
    let upcasters = try UpcasterOptions.load(files)
    var options = EvolutionCheckOptions()
    (options.sample, options.failureLimit) = (sample, maxFailures)
    options.comparedPerType = compare == 0 ? nil : compare
    options.projections = try projections.map { try Projection(path: $0, bytes: try InputFile.read($0)) }
    let store = try await connection.store()
    let progress = ProgressLine("checking")
    let result = try await store.check(upcasters, options) { progress.show($0) }
    progress.finish()
    output.print(result.findings)
    StandardError.note(Self.summary(result))
    if !result.counts.isEmpty { throw EndWithStatus(status: .findings) }
  }

  static func summary(_ result: EvolutionCheckResult) -> String {
    let found = EvolutionFinding.Kind.allCases.compactMap { kind in
      result.counts[kind].map { "\(Field.grouped($0)) \(kind.rawValue)" }
    }
    return "\(Field.counted(result.events, "event")) tried, \(Field.grouped(result.changed)) change: "
      + (found.isEmpty ? "no findings" : found.joined(separator: ", "))
  }
}

extension EvolutionFinding: Record {
  static let columns: [Column<Self>] = [
    Column("kind", .high) { .text($0.kind.rawValue) },
    .type("event_type") { $0.eventType },
    Column("path") { Field($0.path) },
    Column("events") { Field($0.events) },
    Column("aggregate_id", .low) { Field($0.aggregateID) },
    Column("version", .low) { Field($0.version) },
    Column("position", .low) { Field($0.position) },
    Column("rules", .low) { .text($0.rules.joined(separator: ", ")) },
    Column("detail", .high) { .text($0.detail) },
  ]
}
