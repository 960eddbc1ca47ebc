/// Events that somebody asks for by a name.
enum NamedEvents {
  case aggregate(String)
  case category(String)
  case type(String)
  /// Aggregates whose ids begin so.
  case prefix(String)
  /// Categories that begin so.
  case categoryPrefix(String)

  /// That there are none: a name that matches nothing is a mistake in the name far more often than an empty answer.
  func missing(in table: QualifiedName) -> EventStoreError {
    let (what, hint): (String, Hint?) =
      switch self {
      case .aggregate(let id): ("aggregate '\(id)'", nil)
      case .category(let category):
        (
          "category '\(category)'",
          "An aggregate's category is the beginning of its id, before a '-', unless a layout says otherwise."
        )
      case .prefix(let prefix): ("an aggregate whose id begins with '\(prefix)'", nil)
      case .categoryPrefix(let prefix): ("a category that begins with '\(prefix)'", nil)
      case .type(let type): ("type '\(type)'", "\(.types) lists the types.")
      }
    return EventStoreError(.notFound, "\(table) has no event of \(what)", hint: hint)
  }
}
