internal import LibPQ

/// A place in a stream at which to look at the state.
public enum PointInStream: Sendable, Hashable {
  /// After the last event.
  case head
  /// After the event of this version.
  case version(Int)
  /// After the last event, by version, that is not later. If times do not rise with the versions, events before it may
  /// be later.
  case time(Timestamp)

  /// The condition on the stream's events `e`; the last one that meets it is the point.
  func condition(in events: EventsTable) -> SQL {
    switch self {
    case .head: "true"
    case .version(let version): "e.version = \(Int64(version))"
    case .time(let time): "e.\"timestamp\" <= \(events.stored(time))"
    }
  }
}

extension PointInStream: CustomStringConvertible {
  public var description: String {
    switch self {
    case .head: "head"
    case .version(let version): "version \(version)"
    case .time(let time): time.description
    }
  }
}
