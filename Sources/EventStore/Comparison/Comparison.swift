internal import LibPQ

/// Which events of two stores are compared.
public struct Comparison: Sendable {
  /// Which streams. For named streams, the differing fields are reported too.
  public var selection = AggregateSelection.all
  /// What the events contain; not for a manifest, which does not have it.
  public var contents: [ContentCondition] = []

  /// All events.
  public init() {}
}

/// The store, or the file, to compare with.
public enum ComparedStore: Sendable {
  /// Another store.
  case store(EventStore)
  /// A file: returns its next bytes, nil at its end.
  ///
  /// It is a manifest, or NDJSON as ``EventStore/writeNDJSON(_:to:)`` writes it. The events of NDJSON may come in any
  /// order; the first store's server sorts them in a temporary table.
  case file(@Sendable () throws -> [UInt8]?)
}

extension Comparison {
  /// The conditions on the events `e` of a table.
  func conditions(in table: EventsTable) -> [SQL] {
    (selection == .all ? [] : [selection.condition(in: table)]) + query.allConditions(in: table)
  }

  /// What the events contain, as a query.
  var query: EventQuery {
    var query = EventQuery()
    query.contents = contents
    return query
  }

  /// Whether each differing event is examined, and not only reported.
  var isByEvent: Bool { if case .aggregates = selection { true } else { false } }

  /// Whether a stream is among those that are compared, by its id alone.
  func includes(_ aggregateID: [UInt8]) -> Bool {
    switch selection {
    case .all: return true
    case .aggregates(let ids): return ids.contains { aggregateID.elementsEqual($0.utf8) }
    case .category(let category):
      let rest = aggregateID.dropFirst(category.utf8.count)
      return aggregateID.starts(with: category.utf8) && (rest.first.map { $0 == UInt8(ascii: "-") } ?? true)
    }
  }

  /// Refuses a selection that neither store has: a mistyped name must not count as equal streams.
  func requireFound(_ result: ComparisonResult, in table: QualifiedName) throws {
    guard contents.isEmpty, result.here.events == 0, result.there.events == 0 else { return }
    switch selection {
    case .all: break
    case .aggregates(let ids): throw NamedEvents.aggregate(ids.first ?? "").missing(in: table)
    case .category(let category): throw NamedEvents.category(category).missing(in: table)
    }
  }
}
