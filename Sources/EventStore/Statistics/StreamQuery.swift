/// Which streams to list. Everything that is set must hold; a new query means all of them.
public struct StreamQuery: Sendable, Hashable {
  /// The prefix of the ids.
  public var prefix = ""
  /// Only ids after this one, in the order of bytes; there need not be such a stream.
  public var after: String?
  /// The aggregates whose id is this, or begins with it and a `-`.
  public var category: String?
  /// A condition on one event of the stream: only the query's conditions on an event count, such as its types.
  public var events = EventQuery()
  /// The earliest time of the stream's latest event, included.
  public var since: Timestamp?
  /// The latest time of the stream's latest event, included.
  public var until: Timestamp?
  /// Only streams with more events than this.
  public var longerThan: Int64?

  /// What comes first.
  public var order = Order.name
  /// At most as many streams, the first in that order; nil for all.
  public var limit: Int?
  /// Whether to count and read all events of a long stream. Otherwise only its two ends are read.
  public var isExact = false

  /// An order of streams. Equal streams come by name.
  public enum Order: Sendable, Hashable {
    /// By the bytes of the id; if the table's index has another order and the query no other condition, by that order.
    case name
    /// By most events.
    case events
    /// By the latest event.
    case last
    /// By the largest total of bytes.
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
  /// Whether that number is derived from the first and the last version, as if no version were missing.
  public let isEstimate: Bool
  /// The lowest version; nil if no event has one.
  public let firstVersion: Int?
  /// The highest version.
  public let lastVersion: Int?
  /// The earliest time of an event; nil if no event has one.
  public let firstTime: Timestamp?
  /// The latest time of an event.
  public let lastTime: Timestamp?
  /// Whether these are the times of the lowest and the highest version, and the other events were not read.
  public let hasEstimatedTimes: Bool
  /// The bytes that payloads and metadata take in the table; nil if not all events were read.
  public let bytes: Int64?
}

/// A category in a list.
public struct ListedCategory: Sendable, Hashable {
  /// The category.
  public let category: String
  /// How many streams it has.
  public let streams: Int64
  /// How many events it has.
  public let events: Int64
  /// Whether these numbers are estimates from PostgreSQL's statistics.
  public let isEstimate: Bool

  /// An order of categories. Equal ones come by name.
  public enum Order: Sendable, Hashable {
    /// By the bytes of the name, or nearly so if names are found one by one.
    case name
    /// By most events.
    case events
  }
}
