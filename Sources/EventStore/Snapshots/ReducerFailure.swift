internal import LibPQ

extension StoreConnection {
  /// Runs `body`, which folds streams; if a reducer fails, names the event.
  ///
  /// - Parameter suspects: the aggregates that `body` folds; it is only called after a failure.
  func namingPoison<T>(
    of reducer: Reducer,
    to point: PointInStream = .head,
    suspects: @autoclosure () throws -> [String],
    _ body: () throws -> T
  ) throws -> T {
    do {
      return try body()
    } catch let error as PostgresError where error.isAboutData {
      for aggregateID in try suspects() {
        if let poison = try poison(in: aggregateID, to: point, reducer) { throw poison }
      }
      throw error
    }
  }

  /// The event that a reducer fails for, as an error; nil if it does not fail for this aggregate.
  private func poison(
    in aggregateID: String,
    to point: PointInStream,
    _ reducer: Reducer
  ) throws -> EventStoreError? {
    guard var failure = try failure(in: aggregateID, to: point, reducer) else { return nil }
    let events = try eventsTable()
    let base = base(of: aggregateID, to: point, from: nil, in: events)
    let versions = try connection.query(
      """
      SELECT e.version, e.event_type FROM (\(base)) AS b
      JOIN \(raw: relation) AS e ON \(events.isOf(aggregateID)) AND e.version <= b.upto ORDER BY e.version
      """
    )
    // Bisection: the fold up to `sound` works, the one up to `failing` does not.
    var (sound, failing) = (-1, versions.rowCount - 1)
    while failing - sound > 1 {
      let middle = (sound + failing) / 2
      let version = PointInStream.version(Int(versions[middle].int32("version")))
      if let earlier = try self.failure(in: aggregateID, to: version, reducer) {
        (failing, failure) = (middle, earlier)
      } else {
        sound = middle
      }
    }
    let key = EventPages.Key(
      position: nil,
      aggregateID: aggregateID,
      version: versions[failing].int32("version")
    )
    if let event = try unreadableEvent(key) { return EventStoreError(event, failure) }
    return reducer.failure(
      failure.message,
      at: versions[failing].int32("version"),
      of: aggregateID,
      type: versions[failing].string("event_type"),
      sqlState: failure.sqlState
    )
  }

  /// The event of a layout that cannot be read; nil if it can, or if the look would end the transaction of the caller.
  private func unreadableEvent(_ key: EventPages.Key) throws -> UnreadableEvent? {
    guard foreign != nil, !connection.isInTransaction else { return nil }
    return try unreadableEvents(among: [key], .stream, of: key.aggregateID).first
  }

  private func failure(
    in aggregateID: String,
    to point: PointInStream,
    _ reducer: Reducer
  ) throws -> PostgresError? {
    let events = try eventsTable()
    let base = base(of: aggregateID, to: point, from: nil, in: events)
    let fold = Fold(reducer, of: events, stream: aggregateID)
      .query(base: base, result: "SELECT count(state) FROM annals_fold")
    do {
      if connection.isInTransaction {
        // The error must not end the transaction of the caller, which continues the search.
        try connection.savepoint { _ = try connection.run(fold) }
      } else {
        _ = try connection.run(fold)
      }
      return nil
    } catch let error as PostgresError where error.isAboutData {
      return error
    }
  }

  /// The error when the state became NULL.
  func nullState(
    at version: Int32,
    of aggregateID: String,
    _ reducer: Reducer
  ) throws -> EventStoreError {
    let event = try connection.query(
      "SELECT event_type FROM \(raw: relation) e WHERE aggregate_id = \(aggregateID) AND version = \(version)"
    )
    var error = reducer.failure(
      "the state became NULL",
      at: version,
      of: aggregateID,
      type: event.first { $0.string("event_type") }
    )
    error.hint = "An expression with NULL is NULL: use coalesce() for a member that may be missing."
    return error
  }
}

extension EventStoreError {
  fileprivate init(_ event: UnreadableEvent, _ error: PostgresError) {
    self.init(.failed, event.message, hint: UnreadableEvent.advice, sqlState: error.sqlState)
  }
}

extension Reducer {
  /// - Parameter type: nil for the beginning, before the first event.
  fileprivate func failure(
    _ message: String,
    at version: Int32,
    of aggregateID: String,
    type: String?,
    sqlState: String? = nil
  ) -> EventStoreError {
    let section = type.map(statement(for:)) ?? initial
    let event = type.map { "the event at version \(version) of '\(aggregateID)' (\($0))" } ?? "@initial"
    let line = section.map { ":\($0.location.line)" } ?? ""
    return EventStoreError(
      .failed,
      "\(path)\(line): the reducer failed for \(event): \(message)",
      hint: "Fix the reducer; nothing was stored for this aggregate.",
      sqlState: sqlState
    )
  }

  private func statement(for type: String) -> SQLStatement? {
    let type = ByteString(type)
    let handler =
      handlers.first { $0.types.contains(type) } ?? handlers.first { $0.types.contains(SectionFile.anyType) }
    return handler?.statement
  }
}
