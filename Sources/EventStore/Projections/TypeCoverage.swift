internal import LibPQ

/// How the types of event that a projection's handlers take meet those that there are in the store.
public struct TypeCoverage: Sendable, Hashable {
  /// A type that a handler takes, and of which there is no event.
  public struct UnknownType: Sendable, Hashable {
    /// The type as the file has it.
    public let type: String
    /// The line of its handler in the file.
    public let line: Int
    /// A type of the store with nearly the same name.
    public let nearest: String?
  }

  /// The types of handlers that no event has, in the order of the file; none while the store has no events.
  public let unknown: [UnknownType]
  /// The types of events that no handler takes; none when they were not asked for.
  public let unhandled: [String]
}

extension StoreConnection {
  /// Reads the types of all events, as upcasters show them; without those that no handler takes, only where a handler
  /// lacks its events, since an index tells that every handler has some.
  func typeCoverage(of file: Projection, withUnhandled: Bool) throws -> TypeCoverage {
    if !withUnhandled {
      let lacking: SQL = """
        SELECT FROM unnest(\(Parameter.textArray(file.handledTypes))::text[]) AS t (type)
        WHERE NOT EXISTS (SELECT FROM \(raw: try eventSource()) AS s WHERE s.event_type::text = t.type) LIMIT 1
        """
      if try connection.query(lacking).isEmpty { return TypeCoverage(of: file, []) }
    }
    let types = try connection.strings("SELECT DISTINCT event_type::text FROM \(raw: eventSource()) AS s")
    return TypeCoverage(of: file, types)
  }
}

extension TypeCoverage {
  /// - Parameter stored: the types of the store's events, each once.
  init(of file: Projection, _ stored: [String]) {
    let handled = Set(file.handledTypes)
    let known = Set(stored.map { ByteString($0) })
    let others = known.subtracting(handled).sorted().map(\.string)
    var unknown: [UnknownType] = []
    var seen: Set<ByteString> = [SectionFile.anyType]
    for handler in file.handlers where !stored.isEmpty {
      for type in handler.types where !known.contains(type) && seen.insert(type).inserted {
        // A name that another handler has is not the one that is missing here.
        let nearest = SectionFile.nearest(to: type.string, among: others)
        unknown.append(UnknownType(type: type.string, line: handler.location.line, nearest: nearest))
      }
    }
    self.unknown = unknown
    unhandled = file.handlesEveryType ? [] : others
  }
}
