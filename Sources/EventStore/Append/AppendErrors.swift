internal import LibPQ

extension AppendStatements {
  /// The error when the stream is not as expected, with the event that the last writer stored.
  func versionConflict(
    _ aggregateID: String,
    expected: ExpectedVersion,
    actual: Int,
    line: Int = 0,
    _ connection: Connection
  ) throws(PostgresError) -> EventStoreError {
    let state = actual == 0 ? "has no events" : "is at version \(actual)"
    // NULL would sort before all versions.
    let result = try connection.query(
      """
      SELECT \(raw: table.columns) FROM \(raw: table.name.sql) AS e
      WHERE aggregate_id = \(aggregateID) AND version IS NOT NULL ORDER BY version DESC LIMIT 1
      """
    )
    let isWhole = (try? EventPages.requireComplete(result)) != nil
    let last = result.isEmpty || !isWhole ? nil : result.event(0)
    let again = actual == 0 ? ExpectedVersion.noStream : .version(actual)
    let remedy: Hint =
      line == 0
      ? "If the event still applies, append it again with \(.append(expecting: again))."
      : "The expected version includes the lines before. Omit version and expected_version to append anyway."
    var conflict = EventStoreError(
      .versionConflict,
      "version conflict: \(aggregateID) \(state), expected \(expected.described)",
      detail: last.map {
        "The last event is version \($0.version), \($0.type), of \($0.timestamp), id \($0.id)."
      },
      // The command ends the hint without quotes around it, since they would nest with those of the name.
      hint: remedy + " Look first: \(.stream(aggregateID: aggregateID))"
    ).at(line: line)
    conflict.actualVersion = actual
    return conflict
  }

  /// The error when another event has the same id.
  func idConflict(_ stored: StoredEvent, _ chunk: EventChunk) -> EventStoreError {
    let entry = chunk.entries[stored.index]
    let type = String(decoding: entry.eventType, as: UTF8.self)
    return EventStoreError(
      .versionConflict,
      "another event already has the id \(entry.id)",
      detail: "Stored is \(stored.aggregateID) version \(stored.version), \(stored.eventType), of "
        + "\(stored.timestamp); given is \(type) for \(chunk.aggregateID(of: stored.index)). "
        + "They differ in \(stored.differences).",
      hint: entry.isIDOfRun
        ? "A run id belongs to one input, whose lines keep their numbers: use another \(.runID()) for another input."
        : "Events are never changed: give the new event another id, or omit the id."
    )
  }

  /// The error when a part of one append is stored: another append stored it.
  func partialConflict(_ stored: [StoredEvent], of count: Int, _ chunk: EventChunk) -> EventStoreError {
    let versions = stored.map { String($0.version) }.joined(separator: ", ")
    return EventStoreError(
      .versionConflict,
      "\(stored.count) of the \(count) events are stored already, the others are not",
      detail: "Stored in \(chunk.aggregateID(of: stored[0].index)) as version \(versions).",
      hint: "Append the others alone."
    )
  }
}

extension ExpectedVersion {
  /// The last versions of a stream that this expectation allows; an empty stream has 0.
  var allowedHeads: ClosedRange<Int> {
    switch self {
    case .any: 0...Int(Int32.max)
    case .noStream: 0...0
    case .exists: 1...Int(Int32.max)
    case .version(let version): version...version
    }
  }

  var described: String {
    switch self {
    case .any: "any version"
    case .noStream: "no events"
    case .exists: "at least one event"
    case .version(let version): "version \(version)"
    }
  }
}

extension EventStoreError {
  private static let notKnown = "it is not known whether"

  /// The connection was lost for good after events were sent and before the answer.
  static func unknownOutcome(_ error: PostgresError, ids: [EventID]) -> EventStoreError {
    let subject = ids.count == 1 ? "the event was" : "the events were"
    let same = ids.count == 1 ? "the same id, \(ids[0])" : "the same ids"
    return EventStoreError(
      .connectionLost,
      "the connection was lost, and \(notKnown) \(subject) stored",
      detail: ([error.message] + ids.map { "id \($0)" }).joined(separator: "; "),
      hint: "Append again with \(same): a stored event is not stored twice.",
      sqlState: error.sqlState
    )
  }

  /// The connection was lost for good after COMMIT, or the statement of a single event, was sent and before the answer.
  ///
  /// - Parameter transaction: its id (xid8), if it was known in time.
  static func unknownOutcome(
    _ error: PostgresError,
    lines: ClosedRange<Int>,
    transaction: String?
  ) -> EventStoreError {
    let place =
      lines.count == 1 ? "line \(lines.lowerBound)" : "lines \(lines.lowerBound) to \(lines.upperBound)"
    return EventStoreError(
      .connectionLost,
      "the connection was lost, and \(notKnown) the events sent last, of \(place), are stored",
      detail: "\(error.message).",
      hint: transaction.map { "SELECT pg_xact_status('\($0)') tells what became of their transaction." },
      sqlState: error.sqlState
    )
  }

  /// The connection was lost for good before COMMIT was sent.
  static func lostBeforeCommit(_ error: PostgresError) -> EventStoreError {
    EventStoreError(
      .connectionLost,
      "the connection was lost before the commit",
      detail: "\(error.message).",
      sqlState: error.sqlState
    )
  }

  static func fullStream(_ aggregateID: String) -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "\(aggregateID) is full: its last event has the highest possible version, \(Int32.max)"
    )
  }

  func at(line: Int) -> EventStoreError {
    guard line > 0 else { return self }
    var error = self
    error.message = "line \(line): \(message)"
    return error
  }

  /// Adds what is committed of an input, and how to continue so that nothing is lost or stored twice.
  ///
  /// - Parameter hasMadeIDs: whether there were lines without ids: only the same run gives them the same ids again.
  func addingProgress(
    _ result: BulkAppendResult,
    _ options: BulkAppendOptions,
    hasMadeIDs: Bool
  ) -> EventStoreError {
    let last = result.lastCommittedLine
    let isAnyCommitted = last > options.skippedLines && !options.isDryRun
    var facts = [detail]
    if isAnyCommitted {
      facts.append(
        "Lines 1 to \(last) are committed\(result.hasCommittedBeyond ? ", and some after them" : "")."
      )
    } else if result.hasCommittedBeyond {
      facts.append("Some lines are committed.")
    } else if !result.isUncertain {
      facts.append("Nothing was appended.")
    }
    // The failure that ends the append may concern one batch, while the outcome of another connection is not known.
    if result.isUncertain, !message.contains(Self.notKnown) {
      facts.append("It is not known whether other lines are committed.")
    }
    var error = self
    error.detail = facts.compactMap(\.self).joined(separator: " ")
    if isAnyCommitted || result.hasCommittedBeyond || result.isUncertain {
      var resume: Hint = "To continue, run the command again"
      var with: Hint = " with "
      if hasMadeIDs, let runID = options.runID {
        resume = resume + with + "\(.runID(runID))"
        with = " "
      }
      if isAnyCommitted { resume = resume + with + "\(.skipLines(last))" }
      resume = resume + ": a stored event is not stored twice."
      error.hint = hint.map { $0 + " " + resume } ?? resume
    } else if code == .connectionLost {
      error.hint = "Run the command again."
    }
    return error
  }

  /// The server refused events: if it cannot store the data, the input is at fault.
  static func refusedEvent(_ error: PostgresError) -> EventStoreError {
    var failure = EventStoreError(error)
    failure.code = .invalidInput
    return failure
  }
}
