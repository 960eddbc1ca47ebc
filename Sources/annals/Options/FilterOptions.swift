internal import ArgumentParser
internal import EventStore

/// Which events a command reads; several filters must all hold.
struct FilterOptions: ParsableArguments {
  @OptionGroup var events: EventFilterOptions

  @Option(help: "At most this many events.")
  var limit: Int?

  var content: ContentOptions { events.content }

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit cannot be negative") }
  }

  /// Adds the filters to a query; the server parses the times.
  func apply(to query: inout EventQuery, _ store: EventStore) async throws {
    try await events.apply(to: &query, store)
    query.limit = limit
  }

  static func parseCategory(_ text: String) throws -> String {
    if text.isEmpty { throw ValidationError("a category is the beginning of an aggregate id, before a '-'") }
    return text
  }
}

/// Conditions on events.
struct EventFilterOptions: ParsableArguments {
  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @Option(
    name: .customLong("type"),
    help: "Only events of this type; can be given again for more.",
    completion: .eventType
  )
  var types: [String] = []

  @Option(help: ArgumentHelp("Start at this position.", valueName: "n"))
  var fromPosition: Int64?

  @Option(help: ArgumentHelp("End at this position.", valueName: "n"))
  var toPosition: Int64?

  @Option(help: ArgumentHelp("Start at this time (UTC): ISO 8601, '2 hours ago'.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only events up to this time, or the end of this day.", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("Only events before this time, or before this day.", valueName: "time"))
  var before: String?

  @OptionGroup var content: ContentOptions

  /// Adds the filters to a query; the server parses the times.
  func apply(to query: inout EventQuery, _ store: EventStore) async throws {
    query.category = category
    query.types = types
    (query.fromPosition, query.toPosition) = (fromPosition, toPosition)
    if let since { query.since = try await store.time(since) }
    if let until { query.until = try await store.times(until).upperBound }
    if let before { query.before = try await store.time(before) }
    query.contents = content.conditions
  }
}
