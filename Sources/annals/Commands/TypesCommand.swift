internal import ArgumentParser
internal import EventStore

struct TypesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types",
    abstract: "Show the event types and what they look like.",
    discussion: """
        annals types
        annals types show OrderShipped
      """,
    subcommands: [TypesList.self, TypesShow.self],
    defaultSubcommand: TypesList.self
  )
}

struct TypesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the event types.",
    discussion: """
        annals types
        annals types --category order --all

      Events are counted; payload bytes and shapes come from a sample of each type.
      """
  )

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @OptionGroup var sample: SampleOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let store = try await connection.store()
    let types = try await store.eventTypes(category: category, sample: sample.limit(default: 1000))
    if output.isForTerminal {
      let recent = try await store.eventsPerHour(category: category)
      let rows = types.map { type in
        let counts = recent.first { $0.type.utf8.elementsEqual(type.type.utf8) }?.counts
        return TypeAtTerminal(summary: type, recent: counts ?? [])
      }
      RecordPrinter.print(rows, .table)
    } else {
      RecordPrinter.print(types, output.format)
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
  static let columns = [
    "event_type", "events", "share", "first_seen", "last_seen", "avg_bytes", "max_bytes", "shapes",
    "examined",
  ].map(Column.init)

  var fields: [Field] {
    [
      .text(type), .integer(events), .share(share), .text(firstSeen.description), .text(lastSeen.description),
      .integer(Int64(averageBytes.rounded())), .integer(largestBytes), .integer(shapes), .integer(examined),
    ]
  }
}

/// A type with pictures of its share, and of its events in the last day.
struct TypeAtTerminal: Record {
  let summary: EventTypeSummary
  /// Events per hour; empty without any.
  let recent: [Int64]

  static let columns =
    Array(EventTypeSummary.columns[..<3]) + [Column(""), Column("last_24_h")] + EventTypeSummary.columns[3...]

  var fields: [Field] {
    let plain = summary.fields
    return Array(plain[..<3]) + [.text(Graph.bar(summary.share)), .text(Graph.sparkline(recent))]
      + plain[3...]
  }
}

extension Field {
  /// A share from 0 to 1, for people in per cent. What is not all is never shown as 100, nor some as 0.
  static func share(_ share: Double) -> Field {
    let thousandths = Int((share * 1000).rounded())
    let rounded = share < 1 ? min(thousandths, 999) : thousandths
    let shown = share > 0 && rounded == 0 ? "<0.1%" : "\(rounded / 10).\(rounded % 10)%"
    return .number("\((share * 1_000_000).rounded() / 1_000_000)", shown: shown)
  }
}
