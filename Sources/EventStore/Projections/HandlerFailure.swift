internal import FoundationEssentials

/// Which events a handler failed on, and why, from the DETAIL in which `annals_apply` reports it.
package struct HandlerFailure: Sendable, Equatable, Decodable {
  /// The same as `lastPosition` for `@on`; the run's first position for `@batch`. Nil when reading the events
  /// failed, before any was handled.
  package let firstPosition: Int64?
  package let lastPosition: Int64?
  /// Nil for a run.
  package let aggregateID: String?
  package let version: Int32?
  package let eventType: String?
  /// DETAIL and HINT of the error itself.
  package let detail: String?
  package let hint: String?
  /// Where the error arose, for ``GeneratedCode/location(inContext:)``. If that finds no line of the file, the
  /// failure was in reading the events, and the named event is the last one handled before.
  package let context: String

  private enum CodingKeys: String, CodingKey {
    case firstPosition = "first_position"
    case lastPosition = "last_position"
    case aggregateID = "aggregate_id"
    case version
    case eventType = "event_type"
    case detail
    case hint
    case context
  }

  /// An event that could not be read.
  package init(reading event: String, version: Int32, type: String, at position: Int64, detail: String?) {
    (firstPosition, lastPosition) = (position, position)
    (aggregateID, self.version, eventType) = (event, version, type)
    (self.detail, hint, context) = (detail, nil, "")
  }

  /// Nil if the text is not the DETAIL of an error of `annals_apply`.
  package init?(errorDetail: String) {
    guard let failure = try? JSONDecoder().decode(Self.self, from: Data(errorDetail.utf8)) else { return nil }
    self = failure
  }
}
