internal import LibPQ

extension EventStore {
  /// Names that begin with a text, for completion: the first ones in their order.
  ///
  /// - Throws: ``EventStoreError``, also when the search takes longer than the timeout.
  package func names(
    of kind: NameKind,
    beginningWith prefix: String,
    limit: Int,
    timeoutMilliseconds: Int
  ) async throws -> [String] {
    try await read(seeing: .permitted) {
      try $0.names(of: kind, beginningWith: prefix, limit: limit, timeoutMilliseconds: timeoutMilliseconds)
    }
  }

  /// Counts the events that match, in one statement; the limits of the query apply, its order does not.
  ///
  /// - Throws: ``EventStoreError``; `notFound` for a name that the store does not have.
  public func count(_ query: EventQuery) async throws -> Int64 {
    try await read(seeing: .permitted) { try $0.count(query) }
  }

  /// Sums a stream up; nil when it has no event.
  public func summary(ofStream aggregateID: String) async throws -> StreamSummary? {
    try await read(seeing: .permitted) { try $0.summary(ofStream: aggregateID) }
  }

  /// The versions that a stream lacks between its first and its last event, and before its first one, which may have
  /// version 0 or 1. A stream that the store does not have lacks none.
  ///
  /// - Parameters:
  ///   - aggregateID: the aggregate.
  ///   - first: only what is missing before an event of a later version than this.
  ///   - last: only what is missing before an event up to this version.
  public func missingVersions(
    ofStream aggregateID: String,
    from first: Int? = nil,
    upTo last: Int? = nil
  ) async throws -> [ClosedRange<Int>] {
    try await read(seeing: .permitted) {
      try $0.missingVersions(ofStream: aggregateID, from: first, upTo: last)
    }
  }

  /// Reads a time as ``times(_:)`` does; for a day, week, month or year, returns its beginning.
  public func time(_ text: String) async throws -> Timestamp {
    try await times(text).lowerBound
  }

  /// Reads a time as people write it; the server parses it, in UTC and by its own clock.
  ///
  /// A day, a week, a month or a year (`yesterday`, `2026-11-23`, `2026-W48`, `2026-11`, `2026`) is a range to its last
  /// microsecond. Any other time is a moment, so both ends are the same.
  ///
  /// - Parameter text: ISO 8601, anything else that PostgreSQL accepts as a timestamptz, or an interval and `ago`
  ///   (`2 hours ago`).
  /// - Returns: the first and the last time.
  /// - Throws: ``EventStoreError`` with code `invalidInput`.
  public func times(_ text: String) async throws -> ClosedRange<Timestamp> {
    try await read { try $0.times(text) }
  }

  /// The events that belong together by correlation and causation, across aggregates: an event's effects follow it.
  ///
  /// It uses the fields correlation_id and causation_id of the metadata, and their spellings correlationId,
  /// causationId, $correlationId and $causationId. Fields with an index are looked up in it; for the others each step
  /// reads the whole table. In a large table where only some have an index, a field that no event of a sample has is
  /// left out.
  ///
  /// - Parameters:
  ///   - id: a correlation id, or the id of an event.
  ///   - report: is called with the fields that were left out, if any.
  /// - Throws: ``EventStoreError``; `notFound` when the store has neither such an event nor such a correlation.
  public func trace(
    _ id: String,
    reportingUnsearched report: @Sendable ([String]) -> Void = { _ in }
  ) async throws -> [TracedEvent] {
    try await read(seeing: .permitted) { try $0.trace(id, reportingUnsearched: report) }
  }

  /// Shows an event in its context: the events before and after it in its stream, its cause and its effects, and what
  /// it changed in the state of its aggregate.
  ///
  /// - Parameters:
  ///   - reference: which event.
  ///   - reducer: what folds the events of the stream.
  /// - Throws: ``EventStoreError``; `notFound` when there is no such event.
  public func context(of reference: EventReference, reducer: Reducer = .merge) async throws -> EventContext {
    try await read(seeing: .permitted) { try $0.context(of: reference, reducer) }
  }

  /// The position of the last event until a time, to find a place in history. It reads a few events; the order of times
  /// may differ from the order of positions.
  ///
  /// - Returns: nil if no event is as early.
  /// - Throws: ``EventStoreError``; `invalidDefinition` if the table has no positions.
  package func position(until time: Timestamp) async throws -> Int64? {
    try await read(seeing: .permitted) { try $0.position(until: time) }
  }

  /// Reads the end of history, without waiting for writers.
  ///
  /// - Throws: ``EventStoreError``; `invalidDefinition` if nobody can tell which positions are final.
  public func watermark() async throws -> Watermark {
    try await read { try $0.watermark() }
  }

  /// Publishes the position up to which history is final, so that readers on standbys can follow up to there.
  ///
  /// It waits for the transactions that write events now, as a reader on the primary does.
  ///
  /// - Returns: what is published.
  /// - Throws: ``EventStoreError``; `permissionDenied` on a standby, `locked` when a writer did not end in time,
  ///   `invalidDefinition` if nobody can tell which positions are final.
  @discardableResult
  public func publishWatermark() async throws -> PublishedWatermark {
    try await perform { try $0.publishWatermark() }
  }

  /// Publishes the position up to which history is final, again and again until the task is cancelled.
  ///
  /// - Parameters:
  ///   - pause: how long to wait before the next time.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  /// - Throws: as ``publishWatermark()``.
  public nonisolated func publishWatermark(
    every pause: Duration,
    retryTimeout: Duration = .seconds(30)
  ) async throws -> Never {
    while true {
      try await reconnecting(within: retryTimeout) { _ = try await publishWatermark() }
      try await Task.sleep(for: pause)
    }
  }

  /// The events that match, as a sequence to loop over.
  ///
  /// ```swift
  /// for try await event in store.events(matching: EventQuery(aggregateID: "order-42")) { … }
  /// ```
  ///
  /// - Parameters:
  ///   - query: which events.
  ///   - following: continues after the last event, and waits for new ones. Every event comes
  ///     once, in the order of positions whatever order the query has.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  public nonisolated func events(
    matching query: EventQuery,
    following: Bool = false,
    retryTimeout: Duration = .seconds(30)
  ) -> EventSequence {
    var reader = EventReader(query, following: following)
    reader.retryTimeout = retryTimeout
    return EventSequence(store: self, reader: reader)
  }

  /// Whether the whole store has an order; a classic table is read by aggregate and version.
  public func hasPositions() async throws -> Bool {
    try await read(seeing: .permitted) { try $0.eventsTable().hasPosition }
  }

  /// Writes the events that match as NDJSON, one event on each line, in memory that does not grow with their number.
  ///
  /// A line has the fields position (if the table has it), aggregate_id, version, event_type, timestamp, id,
  /// event_data and metadata (if the event has any). Payloads are the text that PostgreSQL prints, byte for byte.
  ///
  /// A long history without filters is read by two connections at a time, if the server allows a second one.
  ///
  /// - Parameters:
  ///   - query: which events.
  ///   - write: gets whole lines, about a megabyte at a time; the server works on the next ones meanwhile.
  /// - Throws: ``EventStoreError``; `notFound` when the query names a type, an aggregate or a category that the
  ///   store does not have; what `write` throws.
  @discardableResult
  public nonisolated func writeNDJSON(
    _ query: EventQuery,
    to write: @Sendable ([UInt8]) throws -> Void
  ) async throws -> ReadResult {
    try await writeLines(of: query, to: write)
  }
}
