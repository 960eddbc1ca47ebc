internal import LibPQ

/// An event, or a run of events, whose handler failed.
struct PoisonEvent: Error {
  let failure: HandlerFailure
  let sqlState: String
  let message: String
  /// The handler's line in the projection file.
  let location: SQLLocation

  /// Nil for an error outside the handlers, and for one that says nothing of the event: a lost connection, a
  /// cancellation, a deadlock, a full disk.
  init?(_ error: PostgresError, in apply: GeneratedCode) {
    guard
      error.isAboutStatement, let sqlState = error.sqlState,
      let failure = error.detail.flatMap(HandlerFailure.init(errorDetail:)),
      let location = apply.location(inContext: failure.context)
    else { return nil }
    self.failure = failure
    self.location = location
    (self.sqlState, message) = (sqlState, error.message)
  }

  /// Whether any event would fail so: the handler or the tables are wrong (class 42, "syntax error or access rule
  /// violation"), not the event.
  var isOfHandler: Bool { sqlState.utf8.starts(with: "42".utf8) }

  /// What failed, for people.
  var subject: String {
    if let id = failure.aggregateID, let version = failure.version, let type = failure.eventType {
      return "the event at position \(failure.lastPosition ?? 0) (\(id), version \(version), \(type))"
    }
    return "the events at positions \(failure.firstPosition ?? 0) to \(failure.lastPosition ?? 0)"
  }

  /// The server's own words beyond the message.
  var cause: String? {
    let words = [failure.detail, failure.hint].compactMap(\.self)
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

extension PostgresError {
  /// The error as it was before `annals_apply` put what it knows of the event into its DETAIL.
  var inItsOwnWords: PostgresError {
    guard let failure = detail.flatMap(HandlerFailure.init(errorDetail:)) else { return self }
    var error = self
    (error.detail, error.hint, error.context) = (failure.detail, failure.hint, failure.context)
    return error
  }
}

extension EventStoreError {
  /// A rebuild stops at a poison event.
  init(_ event: PoisonEvent, file: String) {
    self.init(
      .failed,
      "\(file):\(event.location.line): the handler failed for \(event.subject): \(event.message)",
      detail: "SQLSTATE \(event.sqlState)." + (event.cause.map { " \($0)" } ?? ""),
      hint: "Repair the handler, and run the rebuild again; the live read model is as it was.",
      sqlState: event.sqlState
    )
  }
}
