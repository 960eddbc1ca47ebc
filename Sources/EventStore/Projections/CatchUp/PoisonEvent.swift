internal import LibPQ

/// An event, or a run of events, whose handler failed or that could not be read.
struct PoisonEvent: Error {
  let failure: HandlerFailure
  let sqlState: String
  let message: String
  /// The handler's line in the projection file; nil if the event could not be read.
  let location: SQLLocation?

  /// Nil for an error outside the handlers, and for one that is not about the event: a lost connection, a cancellation,
  /// a deadlock, a full disk.
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

  /// - Parameter type: the event's.
  fileprivate init(_ event: UnreadableEvent, type: String, _ error: PostgresError) {
    failure = HandlerFailure(
      reading: event.key.aggregateID,
      version: event.key.version,
      type: type,
      at: event.key.position ?? 0,
      detail: error.detail
    )
    location = nil
    (sqlState, message) = (error.sqlState ?? "", error.message)
  }

  /// A place in the file for a message, followed by a colon.
  func place(in file: String) -> String { "\(file):\(location.map { "\($0.line):" } ?? "")" }

  /// Whether any event would fail this way: the handler or the tables are wrong (class 42, "syntax error or access rule
  /// violation"), not the event.
  var isOfHandler: Bool { sqlState.utf8.starts(with: "42".utf8) }

  /// What failed, for people.
  var subject: String {
    if let id = failure.aggregateID, let version = failure.version, let type = failure.eventType {
      return "the event at position \(failure.lastPosition ?? 0) (\(id), version \(version), \(type))"
    }
    return "the events at positions \(failure.firstPosition ?? 0) to \(failure.lastPosition ?? 0)"
  }

  /// The server's detail of the error.
  var cause: String? {
    let words = [failure.detail, failure.hint].compactMap(\.self)
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

// MARK: - Setting it aside

extension PoisonEvent {
  /// What follows a chunk that failed: the chunk is divided until the event is alone.
  enum NextStep {
    case apply(upTo: Int64)
    case park(at: Int64)
  }

  /// - Parameter position: that after which the failed chunk begins.
  func nextStep(after position: Int64) -> NextStep {
    let first = max(failure.firstPosition ?? .min, position + 1)
    let last = max(failure.lastPosition ?? first, first)
    if first > position + 1 { return .apply(upTo: first - 1) }
    return last > first ? .apply(upTo: first.middle(to: last)) : .park(at: first)
  }
}

extension Generation {
  /// Notes an event as a dead letter, in the transaction of the caller.
  func park(
    _ position: Int64,
    _ poison: PoisonEvent,
    attempts: Int,
    from relation: String,
    _ connection: Connection
  ) throws {
    _ = try connection.query(
      """
      INSERT INTO annals.dead_letters (projection, generation, position, aggregate_id, version, event_type, attempts,
                                       sqlstate, message, detail)
      SELECT \(projection), \(number), position, aggregate_id, version, event_type, \(Int32(attempts)),
             \(poison.sqlState), \(poison.message), \(poison.cause)
      FROM \(raw: relation) e WHERE position = \(position)
      """
    )
  }

  /// The number of its dead letters.
  func parkedCount(_ connection: Connection) throws(PostgresError) -> Int {
    let sql: SQL = """
      SELECT count(*) FROM annals.dead_letters
      WHERE projection = \(projection) AND generation = \(number) AND state = 'parked'
      """
    return Int(try connection.query(sql).int64(0, 0))
  }
}

extension PostgresError {
  /// The error as it was before `annals_apply` added the event to its DETAIL.
  var inItsOwnWords: PostgresError {
    guard let failure = detail.flatMap(HandlerFailure.init(errorDetail:)) else { return self }
    var error = self
    (error.detail, error.hint, error.context) = (failure.detail, failure.hint, failure.context)
    return error
  }
}

extension EventStoreError {
  /// The error of a rebuild, which stops at a poison event.
  init(_ event: PoisonEvent, file: String) {
    let what =
      event.location == nil
      ? "\(event.subject) cannot be read" : "\(event.place(in: file)) the handler failed for \(event.subject)"
    self.init(
      .failed,
      "\(what): \(event.message)",
      detail: "SQLSTATE \(event.sqlState)." + (event.cause.map { " \($0)" } ?? ""),
      hint: event.location == nil
        ? "Change the SELECT of the layout so that it can be read, or is left out; see \(.manual(.layoutFiles))."
        : "Fix the handler, and run the rebuild again; the live read model is unchanged.",
      sqlState: event.sqlState
    )
  }
}

extension StoreConnection {
  /// The first event of a chunk that cannot be read, if an error may be about that; nil for another error.
  ///
  /// - Parameter start: the position after which the chunk begins; nil for the beginning of the store.
  func unreadableEvent(behind error: any Error, after start: Int64?, upTo end: Int64) throws -> PoisonEvent? {
    guard foreign != nil, let error = error as? PostgresError, error.isAboutData else { return nil }
    let sql: SQL = """
      SELECT e.position, e.aggregate_id, e.version FROM \(raw: relation) e
      WHERE e.position > \(start ?? .min) AND e.position <= \(end) ORDER BY e.position
      """
    let keys = try connection.query(sql).map { EventPages.Key($0) }.compactMap(\.self)
    let found = try unreadableEvents(among: keys[...], .position, of: nil, stopsAtFirst: true)
    guard let event = found.first, let cause = event.data ?? event.metadata else { return nil }
    let type: SQL = "SELECT e.event_type FROM \(raw: relation) e WHERE \(raw: event.isThis) LIMIT 1"
    return PoisonEvent(event, type: try connection.query(type).first { $0.string("event_type") } ?? "", cause)
  }
}
