/// Which events to read. Everything that is set must hold; a new query means the whole store.
public struct EventQuery: Sendable, Hashable {
  /// The events of one aggregate.
  public var aggregateID: String?
  /// The events of some aggregates; empty for all.
  var aggregateIDs: [String] = []
  /// The aggregates whose id is this, or begins with it and a `-`.
  public var category: String?
  /// The event's type is one of these; empty for all.
  public var types: [String] = []
  /// What the event contains: all of these.
  public var contents: [ContentCondition] = []

  /// The first place in the whole store, included.
  public var fromPosition: Int64?
  /// The last place in the whole store, included.
  public var toPosition: Int64?
  /// The place in the whole store after which to begin; the next number need not exist.
  package var afterPosition: Int64?
  /// The first place in the stream, included.
  public var fromVersion: Int?
  /// The last place in the stream, included.
  public var toVersion: Int?
  /// The earliest time, included.
  public var since: Timestamp?
  /// The latest time, included.
  public var until: Timestamp?
  /// The end of the time range, excluded.
  public var before: Timestamp?

  /// The order of the events.
  public var order = Order.position
  /// Last first.
  public var reversed = false
  /// At most as many events, the first in the given order.
  public var limit: Int?
  /// Only the last ones, as many as that.
  public var last: Int?

  /// Whether to wait, in position order, until no event can appear any more among those that are read.
  ///
  /// A reader that will continue after the last event needs this; one that only shows the events does not.
  public var waitsForWriters = true

  /// An order of events.
  public enum Order: Sendable, Hashable {
    /// By place in the whole store; in a table without positions by aggregate and version.
    case position
    /// By aggregate and version.
    case version
  }

  /// All events, in the order of the store.
  public init() {}

  /// The events of one stream, by version.
  public init(aggregateID: String) {
    self.aggregateID = aggregateID
    order = .version
  }
}
