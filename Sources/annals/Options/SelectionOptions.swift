internal import ArgumentParser
internal import EventStore

/// Which aggregates a command works on.
struct SelectionOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The aggregates.", valueName: "ID"), completion: .aggregateID)
  var ids: [String] = []

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  func validate() throws {
    if category != nil, !ids.isEmpty { throw ValidationError("name aggregates or a --category, not both") }
  }

  /// All aggregates by default.
  var selection: AggregateSelection {
    if let category { return .category(category) }
    return ids.isEmpty ? .all : .aggregates(ids)
  }
}
