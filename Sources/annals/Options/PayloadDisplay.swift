internal import ArgumentParser
internal import EventStore

/// How much of a payload is shown to people.
enum PayloadDisplay: String, CaseIterable, ExpressibleByArgument {
  /// Over several lines below the event, with the metadata.
  case full
  /// On the event's own line, cut at the terminal's edge.
  case compact
  case none

  func field(_ event: Event) -> Field {
    self == .compact ? .json(event.data) : .null
  }

  func lines(_ event: Event) -> [String] {
    guard self == .full else { return [] }
    return PrettyJSON.lines(event.data) + (event.metadata.map { ["metadata"] + PrettyJSON.lines($0) } ?? [])
  }
}
