internal import LibPQ

/// An event, or a run of events, whose handler failed.
struct PoisonEvent: Sendable {
  let failure: HandlerFailure
  let sqlState: String?
  let message: String
  /// The handler's line in the projection file.
  let location: SQLLocation

  /// Nil for an error outside the handlers: a lost connection, a cancellation, an event that could not be read.
  init?(_ error: PostgresError, in apply: GeneratedCode) {
    guard
      error.kind == .statement, error.sqlState != SQLState.queryCanceled,
      let failure = error.detail.flatMap(HandlerFailure.init(errorDetail:)),
      let location = apply.location(inContext: failure.context)
    else { return nil }
    self.failure = failure
    self.location = location
    (sqlState, message) = (error.sqlState, error.message)
  }

  /// What failed, for people.
  var subject: String {
    if let id = failure.aggregateID, let version = failure.version, let type = failure.eventType {
      return "the event at position \(failure.lastPosition ?? 0) (\(id), version \(version), \(type))"
    }
    return "the events at positions \(failure.firstPosition ?? 0) to \(failure.lastPosition ?? 0)"
  }
}

extension EventStoreError {
  /// A rebuild stops at a poison event.
  init(_ event: PoisonEvent, file: String) {
    let causes = [event.failure.detail, event.failure.hint].compactMap(\.self)
    self.init(
      .failed,
      "\(file):\(event.location.line): the handler failed for \(event.subject): \(event.message)",
      detail: causes.isEmpty ? nil : causes.joined(separator: " "),
      hint: "Mend the handler and run the rebuild again; the live read model is as it was.",
      sqlState: event.sqlState
    )
  }
}
