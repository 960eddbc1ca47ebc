/// How to group events, and which.
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
  /// Which events: only the query's conditions on an event, such as its category, types and times.
  public var events = EventQuery()

  /// What comes first; equal groups come by name.
  public var order: Order
  /// At most as many groups, the first in that order; nil for all.
  public var limit: Int?
  /// How many events are read.
  public var extent = Extent.automatic
  /// Whether to count the different streams of each group; PostgreSQL then sorts the events.
  public var countsStreams = true

  /// An order of groups.
  public enum Order: Sendable, Hashable {
    /// By the names of their values; times from the earliest on.
    case name
    /// By most events.
    case events
    /// By the largest total of bytes.
    case bytes
    /// By most streams.
    case streams
    /// By the latest event.
    case last
  }

  /// How many events are read.
  public enum Extent: Sendable, Hashable {
    /// All events of a store of up to a million, or if they are grouped by stream; otherwise about 100,000.
    case automatic
    /// About this number of events, spread over history. A store without positions is read whole.
    case sample(Int)
    /// All events.
    case exact
  }

  /// All events, in order of time if the first unit is a span of time, otherwise by most events.
  public init(by units: [Unit]) {
    self.units = units
    order = units.first?.isTime == true ? .name : .events
  }
}

/// Events that have values in common.
public struct EventGroup: Sendable, Hashable {
  /// The values that they have in common, in the order of the units of the query; nil if the events have no value.
  /// Times are written as `2026-11-23T10:00:00Z`, `2026-11-23`, `2026-W48` and `2026-11`.
  public let names: [String?]
  /// How many events there are.
  public let events: Int64
  /// Whether these numbers are estimates, from a sample.
  public let isEstimate: Bool
  /// How many streams these events belong to; nil if that was not requested, and in a sample, which cannot tell.
  public let streams: Int64?
  /// The bytes that payloads and metadata take in the table.
  public let bytes: Int64
  /// The earliest time of an event that was read.
  public let firstTime: Timestamp?
  /// The latest time of an event that was read.
  public let lastTime: Timestamp?
}
