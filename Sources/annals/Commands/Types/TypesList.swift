internal import ArgumentParser
internal import EventStore

struct TypesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the event types.",
    discussion: """
        annals types
        annals types --category order --all

      Payload bytes and shapes come from a sample of each type. In a large table the
      counts of frequent types are estimates (≈) unless --exact is given.
      """
  )

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @Flag(help: "Count all events; do not estimate.")
  var exact = false

  @OptionGroup var sample: SampleOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if output.isForTerminal {
      try output.checkFields(of: PicturedTypeRecord.self)
    } else {
      try output.checkFields(of: EventTypeSummary.self)
    }
  }

  func run() async throws {
    let store = try await connection.store()
    let limit = sample.limit(default: 1000)
    let types = try await store.eventTypes(category: category, sample: limit, exact: exact)
    if output.isForTerminal {
      let recent = try await store.eventsPerHour(category: category)
      let rows = types.map { type in
        let counts = recent.first { $0.type.utf8.elementsEqual(type.type.utf8) }?.counts
        return PicturedTypeRecord(summary: type, recent: counts ?? [])
      }
      output.print(rows)
    } else {
      output.print(types)
    }
    let examined = types.reduce(0) { $0 + $1.examined }
    if types.contains(where: \.isSampled) {
      StandardError.note(
        "bytes and shapes are those of a sample, \(Field.grouped(examined)) events; see --all"
      )
    }
  }
}

extension EventTypeSummary: Record {
  static let columns: [Column<Self>] = [
    .type("event_type") { $0.type },
    Column("events") {
      .number("\($0.events)", shown: ($0.isEstimate ? "≈ " : "") + Field.grouped($0.events))
    },
    Column("is_estimate", style: .aside) { .bool($0.isEstimate) },
    Column("share") { .share($0.share) },
    .time("first_seen", .least) { $0.firstSeen },
    .time("last_seen") { $0.lastSeen },
    Column("avg_bytes", .low) { .integer(Int64($0.averageBytes.rounded())) },
    Column("max_bytes", .low) { Field($0.largestBytes) },
    Column("shapes", .low) { Field($0.shapes) },
    Column("examined", .least) { Field($0.examined) },
  ]
}

/// A type with bars for its share, and for its events in the last day.
struct PicturedTypeRecord: Record {
  let summary: EventTypeSummary
  /// Events per hour; empty without any.
  let recent: [Int64]

  static let columns: [Column<Self>] =
    EventTypeSummary.columns[..<4].of(\.summary) + [
      Column("bar", .low) { .text(Graph.bar($0.summary.share)) },
      Column("last_24_h", .low) { .text(Graph.sparkline($0.recent)) },
    ] + EventTypeSummary.columns[4...].of(\.summary)
}

extension Field {
  /// A share from 0 to 1, for people in per cent. It is 100 only for all, and 0 only for nothing.
  static func share(_ share: Double) -> Field {
    let thousandths = Int((share * 1000).rounded())
    let rounded = share < 1 ? min(thousandths, 999) : thousandths
    let shown = share > 0 && rounded == 0 ? "<0.1%" : "\(rounded / 10).\(rounded % 10)%"
    return .number("\((share * 1_000_000).rounded() / 1_000_000)", shown: shown)
  }
}
