internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct Stats: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Count events by category, type or time, and bytes.",
    discussion: """
        annals stats
        annals stats --by type --exact
        annals stats --by category,type --sort bytes --top 10
        annals stats --by day --since '30 days ago'

      Without --exact, numbers of a large store are estimates (≈): from 100,000
      events on by PostgreSQL's statistics; with --by, from 1,000,000 events on
      by a sample. Events by stream are never estimated.
      """
  )

  @Option(
    help: ArgumentHelp(
      "category, type, stream, hour, day, week, month, or two of them.",
      valueName: "unit"
    ),
    completion: .list(GroupQuery.Unit.allCases.map(\.rawValue)),
    transform: GroupUnits.init(parsing:)
  )
  var by: GroupUnits?

  @Option(help: "Sort order; the default is by time for times, otherwise by events.")
  var sort: GroupOrder?

  @Option(help: ArgumentHelp("Only the first N; the default is 100, or all for times.", valueName: "n"))
  var top: Int?

  @Flag(help: "Show all groups.")
  var all = false

  @Option(help: ArgumentHelp("Only events at this time or later.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only events up to this time, or the end of this day.", valueName: "time"))
  var until: String?

  @OptionGroup var content: ContentOptions

  @Option(help: ArgumentHelp("Examine about N events, spread over history.", valueName: "n"))
  var sample: Int?

  @Flag(help: "Count all events; do not estimate.")
  var exact = false

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let top, top < 0 { throw ValidationError("--top cannot be negative") }
    if all, top != nil { throw ValidationError("--all and --top exclude each other") }
    if let sample, sample < 1 { throw ValidationError("--sample must be 1 or more") }
    if exact, sample != nil { throw ValidationError("--exact and --sample exclude each other") }
    guard let by else {
      try output.checkFields(of: StoreStatistics.self)
      let given = [
        ("--sort", sort != nil), ("--top", top != nil), ("--all", all), ("--since", since != nil),
        ("--until", until != nil), ("a filter by content", !content.conditions.isEmpty),
        ("--sample", sample != nil),
      ]
      if let (option, _) = given.first(where: \.1) {
        throw ValidationError("\(option) needs --by: it is about groups of events")
      }
      return
    }
    try output.checkFields(of: EventGroupRecord.self, among: by.fields)
    if sample != nil, sort == .streams {
      throw ValidationError(
        "a sample cannot tell how many streams there are; leave out --sample or --sort streams"
      )
    }
  }

  func run() async throws {
    let store = try await connection.store()
    guard let by else {
      let statistics = try await store.statistics(exact: exact)
      if output.format == .table, output.fields == nil { return output.printAlone(statistics) }
      return output.print([statistics])
    }
    let query = try await query(by, store)
    var style = output.style
    style.present = by.fields
    let printer = Mutex(RecordPrinter<EventGroupRecord>(style))
    let hasMore = try await store.groupEvents(query) { group in
      printer.withLock { $0.print(EventGroupRecord(group: group, units: by.units)) }
    }
    printer.withLock { $0.finish() }
    if hasMore, top == nil {
      StandardError.warn("these are the first \(Self.usualTop) groups; --all shows the others too")
    }
  }

  private static let usualTop = 100

  private func query(_ by: GroupUnits, _ store: EventStore) async throws -> GroupQuery {
    var query = GroupQuery(by: by.units)
    if let since { query.events.since = try await store.time(since) }
    if let until { query.events.until = try await store.times(until).upperBound }
    query.events.contents = content.conditions
    if let sort { query.order = sort.order }
    // A list in order of time must not end before the latest groups, which people look for.
    let isHistory = by.units[0].isTime && query.order == .name
    query.limit = all ? nil : top ?? (isHistory ? nil : Self.usualTop)
    query.extent =
      if exact || sort == .streams { .exact } else if let sample { .sample(sample) } else { .automatic }
    // Counting the streams of many events takes longer than all the rest.
    query.countsStreams = sort == .streams || output.fields?.has("streams") ?? true
    return query
  }
}

/// The argument of `--by`.
struct GroupUnits {
  let units: [GroupQuery.Unit]

  init(parsing text: String) throws {
    let words = text.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false)
    units = try words.map(String.init).map { word in
      guard let unit = GroupQuery.Unit(rawValue: word) else {
        let known = GroupQuery.Unit.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(word)' is no unit of --by; choose from \(known)")
      }
      return unit
    }
    if units.count > 2 { throw ValidationError("--by takes one unit, or two with a comma between them") }
    if units.count == 2, units[0] == units[1] {
      throw ValidationError("--by names '\(units[0].rawValue)' twice")
    }
  }

  /// The fields of the records.
  var fields: [String] {
    units.map(\.field) + EventGroupRecord.columns.map(\.name).dropFirst(GroupQuery.Unit.allCases.count)
  }
}

extension GroupQuery.Unit {
  /// The name of its field.
  var field: String {
    switch self {
    case .type: "event_type"
    case .stream: "aggregate_id"
    default: rawValue
    }
  }
}

/// The argument of `--sort` of groups.
enum GroupOrder: String, CaseIterable, ExpressibleByArgument {
  case name, events, bytes, streams, last

  var order: GroupQuery.Order {
    switch self {
    case .name: .name
    case .events: .events
    case .bytes: .bytes
    case .streams: .streams
    case .last: .last
    }
  }
}

/// A group; each unit by which it was made is a field.
struct EventGroupRecord: Record {
  let group: EventGroup
  let units: [GroupQuery.Unit]

  static let columns: [Column<Self>] =
    GroupQuery.Unit.allCases.map { unit in
      Column(unit.field, .high, holdsNames: unit == .type) { Field($0.name(unit)) }
    } + [
      Column("events", .high) { .count($0.group.events, isEstimate: $0.group.isEstimate) },
      Column("is_estimate", style: .aside) { .bool($0.group.isEstimate) },
      Column("streams") { Field($0.group.streams) },
      Column("bytes") { .count($0.group.bytes, isEstimate: $0.group.isEstimate) },
      Column("first_time", .low, widths: 17...17) {
        .time($0.group.firstTime, isEstimate: $0.group.isEstimate)
      },
      Column("last_time", .low, widths: 17...17) {
        .time($0.group.lastTime, isEstimate: $0.group.isEstimate)
      },
    ]

  private func name(_ unit: GroupQuery.Unit) -> String? {
    units.firstIndex(of: unit).flatMap { group.names[$0] }
  }
}

extension StoreStatistics: Record {
  static let columns: [Column<Self>] = [
    Column("events", .high) { .count($0.events, isEstimate: $0.isEstimate) },
    Column("streams", .high) { .count($0.streams, isEstimate: $0.isEstimate) },
    Column("types", .high) { Field($0.types) },
    Column("is_estimate", style: .aside) { .bool($0.isEstimate) },
    Column("oldest", widths: 17...17) { .time($0.oldest, isEstimate: false) },
    Column("newest", widths: 17...17) { .time($0.newest, isEstimate: false) },
    Column("events_last_hour") { .count($0.eventsLastHour, isEstimate: $0.isEstimate) },
    Column("events_last_day") { .count($0.eventsLastDay, isEstimate: $0.isEstimate) },
    Column("events_per_hour") { .rate($0.eventsPerHour, isEstimate: $0.isEstimate) },
    Column("events_per_day") { .rate($0.eventsPerDay, isEstimate: $0.isEstimate) },
    Column("table_bytes", .low) { Field($0.size?.table) },
    Column("index_bytes", .low) { Field($0.size?.indexes) },
    Column("toast_bytes", .low) { Field($0.size?.toast) },
    Column("total_bytes", .low) { Field($0.size?.total) },
    Column("bytes_per_event", .low) { .rate($0.bytesPerEvent, isEstimate: $0.isEstimate) },
    Column("growth_per_day", .low) { .rate($0.growthPerDay, isEstimate: true) },
  ]
}

extension Field {
  /// A number that does not count things, in hundredths; for people without decimals if it is large.
  static func rate(_ rate: Double?, isEstimate: Bool) -> Field {
    guard let rate, rate.magnitude < 1e15 else { return .null }
    let hundredths = Int64((rate * 100).rounded())
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    let fraction = "\(rest / 10)\(rest % 10)"
    let shown = whole >= 100 ? grouped(Int64(rate.rounded())) : "\(whole).\(fraction)"
    return .number("\(whole).\(fraction)", shown: (isEstimate ? "≈ " : "") + shown)
  }
}
