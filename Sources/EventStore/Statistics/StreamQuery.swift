/// Which streams to list. Everything that is set must hold; a new query means all of them.
public struct StreamQuery: Sendable, Hashable {
  /// What the ids begin with.
  public var prefix = ""
  /// Only ids behind this one, in the order of bytes; there need not be such a stream.
  public var after: String?
  /// The aggregates whose id is this, or begins with it and a `-`.
  public var category: String?
  /// What one event of the stream must be: only the query's conditions on an event count, such as its types.
  public var events = EventQuery()
  /// The earliest time of the stream's latest event, included.
  public var since: Timestamp?
  /// The latest time of the stream's latest event, included.
  public var until: Timestamp?
  /// Only streams of more events than this.
  public var longerThan: Int64?

  /// What comes first.
  public var order = Order.name
  /// At most as many streams, the first in that order; nil for all.
  public var limit: Int?
  /// Whether all events of a long stream are counted, and looked at for their times. Otherwise its two ends must do.
  public var isExact = false

  /// An order of streams. Streams of the same place in it come by name.
  public enum Order: Sendable, Hashable {
    /// By the bytes of the id; where the table's index has another order and nothing else is asked for, by that one.
    case name
    /// Those of the most events first.
    case events
    /// Those of the latest events first.
    case last
    /// Those of the largest events first.
    case bytes
  }

  /// All streams, by name.
  public init() {}
}

/// A stream in a list.
public struct ListedStream: Sendable, Hashable {
  /// The aggregate.
  public let aggregateID: String
  /// How many events there are.
  public let events: Int64
  /// Whether that number comes from the first and the last version, as if no version were missing.
  public let isEstimate: Bool
  /// The lowest version; nil where no event has one.
  public let firstVersion: Int?
  /// The highest version.
  public let lastVersion: Int?
  /// The earliest time of an event; nil where none has one.
  public let firstTime: Timestamp?
  /// The latest time of an event.
  public let lastTime: Timestamp?
  /// Whether these are the times of the events of the lowest and the highest version, and the others were not looked at.
  public let hasEstimatedTimes: Bool
  /// The bytes that payloads and metadata take in the table; nil where not all events were looked at.
  public let bytes: Int64?
}

/// A category in a list.
public struct ListedCategory: Sendable, Hashable {
  /// The category.
  public let category: String
  /// How many streams are of it.
  public let streams: Int64
  /// How many events are of it.
  public let events: Int64
  /// Whether these numbers are estimates, by PostgreSQL's statistics.
  public let isEstimate: Bool

  /// An order of categories. Those of the same place in it come by name.
  public enum Order: Sendable, Hashable {
    /// By the bytes of the name, or nearly so where names are found one by one.
    case name
    /// Those of the most events first.
    case events
  }
}
