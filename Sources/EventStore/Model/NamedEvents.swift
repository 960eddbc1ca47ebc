/// Events that an operation selects by a name.
enum NamedEvents {
  case aggregate(String)
  case category(String)
  case type(String)
  /// Aggregates whose ids begin with this.
  case prefix(String)
  /// Categories that begin with this.
  case categoryPrefix(String)

  /// The error when there are none: a name without events is usually a mistyped one.
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
