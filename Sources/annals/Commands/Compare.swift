internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct Compare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Find the events in which two stores differ.",
    discussion: """
        annals compare --with dbname=restored            all events
        annals compare --with store.manifest             with a manifest
        annals compare order-42 --with backup.ndjson     one stream, by field

      Prints what is only here, only there, changed or moved, and exits with
      status 2; prints nothing and exits with 0 when nothing differs. Positions
      do not count. NDJSON is what replay and export print.
      """
  )

  @OptionGroup var aggregates: SelectionOptions
  @OptionGroup var other: OtherStoreOptions
  @OptionGroup var content: ContentOptions

  @Option(help: ArgumentHelp("Print at most n differences; all are counted.", valueName: "n"))
  var maxDifferences: Int?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try output.checkFields(of: StoreDifference.self)
    if let maxDifferences, maxDifferences < 0 { throw ValidationError("--max-differences is 0 or more") }
  }

  func run() async throws {
    let store = try await connection.store()
    let other = try await other.store(as: connection)
    var comparison = Comparison()
    comparison.selection = aggregates.selection
    comparison.contents = content.conditions
    let limit = maxDifferences ?? .max
    let state = Mutex((printer: RecordPrinter<StoreDifference>(output.style), count: 0))
    let result = try await store.compare(comparison, with: other) { difference in
      state.withLock { state in
        if state.count < limit { state.printer.print(difference) }
        state.count += 1
      }
    }
    let hidden = state.withLock { state in
      state.printer.finish()
      return state.count - min(limit, state.count)
    }
    StandardOutput.flush()
    if hidden > 0 {
      StandardError.warn("\(Field.counted(Int64(hidden), "difference")) not shown (--max-differences)")
    }
    StandardError.note(Self.summary(result))
    if !result.isEqual { throw EndWithStatus(status: .findings) }
  }

  private static func summary(_ result: ComparisonResult) -> String {
    func extent(_ extent: ComparisonResult.Extent) -> String {
      "\(Field.counted(extent.events, "event")) of \(Field.counted(extent.aggregates, "aggregate"))"
    }
    if result.isEqual { return "equal: \(extent(result.here))" }
    let counts = StoreDifference.Kind.allCases.compactMap { kind in
      result.counts[kind].map { "\(Field.grouped($0)) \(kind.rawValue)" }
    }
    let aggregates = Field.counted(result.differingAggregates, "aggregate")
    return "\(aggregates) differ: \(counts.joined(separator: ", ")); "
      + "here \(extent(result.here)), there \(extent(result.there))"
  }
}

extension StoreDifference: Record {
  static let columns: [Column<Self>] = [
    Column("kind", .high) { .text($0.kind.rawValue) },
    Column("aggregate_id", .high) { .text($0.aggregateID) },
    Column("version", .high) { Field($0.version) },
    Column("last_version") { Field($0.lastVersion) },
    Column("version_there") { Field($0.versionThere) },
    Column("events", .low) { Field($0.events) },
    Column("path") { Field($0.field?.path) },
    Column("here") { Field(json: $0.field?.here) },
    Column("there") { Field(json: $0.field?.there) },
  ]
}
