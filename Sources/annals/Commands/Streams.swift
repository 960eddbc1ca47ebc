internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct Streams: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "streams",
    abstract: "List the streams, or their categories.",
    discussion: """
        annals streams order-1
        annals streams --sort events --limit 20
        annals streams --type OrderCanceled --since '7 days ago'
        annals streams --categories

      Listing by name is fast in a store of any size. Other orders, --until and
      --longer-than read the events of all streams. Without --exact, a number of
      events above 1,000 is an estimate (≈).
      """
  )

  @Argument(
    help: ArgumentHelp("The beginning of the names.", valueName: "prefix"),
    completion: .listedName
  )
  var prefix: String?

  @Flag(help: "List categories: what ids have before their first '-'.")
  var categories = false

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @Option(
    name: .customLong("type"),
    help: "Only with an event of this type; can be given again for more.",
    completion: .eventType
  )
  var types: [String] = []

  @Option(help: ArgumentHelp("Only with an event at this time or later.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only without an event after this time, or this day.", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("Only with more than N events.", valueName: "n"))
  var longerThan: Int64?

  @Option(help: ArgumentHelp("Only names after this one, for the next page.", valueName: "name"))
  var after: String?

  @Option(help: "Sort order: by name, or the most, latest or largest events first.")
  var sort: StreamOrder = .name

  @OptionGroup var content: ContentOptions
  @OptionGroup var extent: ListExtentOptions

  @Flag(help: "Count all events; do not estimate.")
  var exact = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if categories {
      try output.checkFields(of: ListedCategory.self)
      try checkCategories()
    } else {
      try output.checkFields(of: ListedStream.self)
    }
    if let longerThan, longerThan < 0 { throw ValidationError("--longer-than cannot be negative") }
  }

  private func checkCategories() throws {
    let given = [
      ("--category", category != nil), ("--type", !types.isEmpty), ("--since", since != nil),
      ("--until", until != nil), ("--after", after != nil),
      ("a filter by content", !content.conditions.isEmpty),
      ("--longer-than", longerThan != nil),
      ("--sort \(sort.rawValue)", sort == .last || sort == .bytes),
    ]
    if let (option, _) = given.first(where: \.1) {
      throw ValidationError("\(option) is for streams; for categories use 'annals stats --by category'")
    }
  }

  func run() async throws {
    let store = try await connection.store()
    let hasMore =
      if categories {
        try await listCategories(store)
      } else {
        try await listStreams(store)
      }
    if hasMore { extent.tellOfMore(categories ? "categories" : "streams") }
  }

  private func listStreams(_ store: EventStore) async throws -> Bool {
    var query = StreamQuery()
    query.prefix = prefix ?? ""
    query.category = category
    query.after = after
    query.events.types = types
    query.events.contents = content.conditions
    if let since { query.since = try await store.time(since) }
    if let until { query.until = try await store.times(until).upperBound }
    query.longerThan = longerThan
    query.order = sort.order
    query.limit = extent.limit
    query.isExact = exact
    let printer = Mutex(RecordPrinter<ListedStream>(output.style))
    let hasMore = try await store.listStreams(query) { stream in printer.withLock { $0.print(stream) } }
    printer.withLock { $0.finish() }
    return hasMore
  }

  private func listCategories(_ store: EventStore) async throws -> Bool {
    let printer = Mutex(RecordPrinter<ListedCategory>(output.style))
    let hasMore = try await store.listCategories(
      beginningWith: prefix ?? "",
      order: sort == .events ? .events : .name,
      limit: extent.limit,
      exact: exact
    ) { category in
      printer.withLock { $0.print(category) }
    }
    printer.withLock { $0.finish() }
    return hasMore
  }
}

/// The argument of `--sort` of a list of streams.
enum StreamOrder: String, CaseIterable, ExpressibleByArgument {
  case name, events, last, bytes

  var order: StreamQuery.Order {
    switch self {
    case .name: .name
    case .events: .events
    case .last: .last
    case .bytes: .bytes
    }
  }
}

extension ListedStream: Record {
  static let columns: [Column<Self>] = [
    Column("aggregate_id", .high) { .text($0.aggregateID) },
    Column("events", .high) { .count($0.events, isEstimate: $0.isEstimate) },
    Column("is_estimate", style: .aside) { .bool($0.isEstimate) },
    Column("first_version", .least) { Field($0.firstVersion) },
    Column("last_version", .low) { Field($0.lastVersion) },
    Column("first_time", .low, widths: 17...17) { .time($0.firstTime, isEstimate: $0.hasEstimatedTimes) },
    Column("last_time", widths: 17...17) { .time($0.lastTime, isEstimate: $0.hasEstimatedTimes) },
    Column("times_are_estimates", style: .aside) { .bool($0.hasEstimatedTimes) },
    Column("bytes", .low) { Field($0.bytes) },
  ]
}

extension ListedCategory: Record {
  static let columns: [Column<Self>] = [
    Column("category", .high) { .text($0.category) },
    Column("streams") { .count($0.streams, isEstimate: $0.isEstimate) },
    Column("events") { .count($0.events, isEstimate: $0.isEstimate) },
    Column("is_estimate", style: .aside) { .bool($0.isEstimate) },
  ]
}

extension Field {
  /// A number; for people with a sign if it is an estimate.
  static func count(_ number: Int64, isEstimate: Bool) -> Field {
    .number("\(number)", shown: (isEstimate ? "≈ " : "") + grouped(number))
  }

  /// A time that may be missing, or an estimate.
  static func time(_ time: Timestamp?, isEstimate: Bool) -> Field {
    guard let time else { return .null }
    return isEstimate ? .estimated("\(time)") : .text("\(time)")
  }
}
