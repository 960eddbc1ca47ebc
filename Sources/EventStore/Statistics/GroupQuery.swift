/// How to put events together, and which.
public struct GroupQuery: Sendable, Hashable {
  /// What the events of a group have in common.
  public enum Unit: String, Sendable, Hashable, CaseIterable {
    /// The beginning of the aggregate's id, before a `-`, unless a layout says otherwise.
    case category
    /// The event type.
    case type
    /// The aggregate.
    case stream
    /// The hour, in UTC.
    case hour
    /// The day, in UTC.
    case day
    /// The week of ISO 8601, in UTC.
    case week
    /// The month, in UTC.
    case month

    /// Whether it is a span of time.
    public var isTime: Bool { self == .hour || self == .day || self == .week || self == .month }
  }

  /// One unit, or several that are joined.
  public var units: [Unit]
  /// Which events count: only the query's conditions on an event, such as its category, types and times.
  public var events = EventQuery()

  /// What comes first; groups of the same place come by name.
  public var order: Order
  /// At most as many groups, the first in that order; nil for all.
  public var limit: Int?
  /// How many events are looked at.
  public var extent = Extent.automatic
  /// Whether the different streams of each group are counted, for which PostgreSQL sorts the events.
  public var countsStreams = true

  /// An order of groups.
  public enum Order: Sendable, Hashable {
    /// By the names of what they have in common; times from the earliest on.
    case name
    /// Those of the most events first.
    case events
    /// Those of the largest events first.
    case bytes
    /// Those of the most streams first.
    case streams
    /// Those of the latest events first.
    case last
  }

  /// How many events are looked at.
  public enum Extent: Sendable, Hashable {
    /// All events of a store of up to a million, or when they are put together by stream; else about 100,000.
    case automatic
    /// About as many events, spread over history. A store without positions is read whole.
    case sample(Int)
    /// All events.
    case exact
  }

  /// All events, in order of time where the first unit is a span of time, else those of the most events first.
  public init(by units: [Unit]) {
    self.units = units
    order = units.first?.isTime == true ? .name : .events
  }
}

/// Events that have something in common.
public struct EventGroup: Sendable, Hashable {
  /// What they have in common, in the order of the units of the query; nil for what events have no value of. Times are
  /// written as `2026-11-23T10:00:00Z`, `2026-11-23`, `2026-W48` and `2026-11`.
  public let names: [String?]
  /// How many events there are.
  public let events: Int64
  /// Whether these numbers are estimates, from a sample.
  public let isEstimate: Bool
  /// How many streams these events are of; nil where that is not asked for, and in a sample, which
  /// cannot tell.
  public let streams: Int64?
  /// The bytes that payloads and metadata take in the table.
  public let bytes: Int64
  /// The earliest time of an event that was looked at.
  public let firstTime: Timestamp?
  /// The latest time of an event that was looked at.
  public let lastTime: Timestamp?
}
