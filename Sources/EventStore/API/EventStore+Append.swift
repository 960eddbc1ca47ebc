internal import LibPQ

extension EventStore {
  /// Appends events to one stream, all of them or none, in one statement that also decides their versions.
  ///
  /// An event that is stored already, with the same id and the same content, is not stored again: the append then
  /// succeeds with the stored version. So an append may be repeated when its outcome is not known. When the connection
  /// is lost, the store does so itself: it connects again and finds the outcome by the ids.
  ///
  /// Without an expectation (``ExpectedVersion/any``, ``ExpectedVersion/exists``), an append that loses a race against
  /// other writers of the stream is run again until it wins.
  ///
  /// ```swift
  /// let paid = NewEvent(type: "PaymentProcessed", data: #"{"amount": 12.5}"#)
  /// let receipts = try await store.append([paid], to: "order-42", expecting: .version(1))
  /// ```
  ///
  /// - Parameters:
  ///   - events: in the order in which they are stored.
  ///   - aggregateID: the stream, 1 to 255 characters.
  ///   - expected: what the stream must look like.
  ///   - retryTimeout: how long to try to connect again after the connection was lost.
  /// - Returns: where each event is, in order.
  /// - Throws: ``EventStoreError``: `versionConflict` when the stream is not as expected, when another event has one of
  ///   the ids, or when some of the events are stored and others are not; `invalidInput` for something that is not an
  ///   event. Nothing is appended then. After `connectionLost` it is not known whether the events were appended.
  @discardableResult
  public func append(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion = .any,
    retryTimeout: Duration = .seconds(30)
  ) async throws -> [AppendReceipt] {
    guard !events.isEmpty else { return [] }
    return try await perform(seeing: .permitted) {
      try $0.append(events, to: aggregateID, expecting: expected, retryTimeout: retryTimeout)
    }
  }

  /// Tells what ``append(_:to:expecting:retryTimeout:)`` would do: it runs the same statement and rolls it back.
  ///
  /// The sequence of the positions still moves on, as in every transaction that is rolled back.
  ///
  /// - Returns: the receipts that it would return, without positions of new events.
  /// - Throws: what it would throw.
  public func previewAppend(
    _ events: [NewEvent],
    to aggregateID: String,
    expecting expected: ExpectedVersion = .any
  ) async throws -> [AppendReceipt] {
    try await perform(seeing: .permitted) {
      try $0.previewAppend(events, to: aggregateID, expecting: expected)
    }
  }

  /// Appends the events of an NDJSON input, one a line, with COPY; by default all of them or none.
  ///
  /// A line has aggregate_id, event_type and event_data, and may have id, version or expected_version, timestamp and
  /// metadata. Its event gets the next version of its stream; if the line has a version, it must be that one. An event
  /// that is stored already, with the same id and content, is skipped. So an input whose events have ids can be
  /// appended again after an interruption. Memory stays bounded whatever the input's size.
  ///
  /// ```swift
  /// let result = try await store.append(lines: { try input.nextBytes() })
  /// ```
  ///
  /// - Parameters:
  ///   - read: returns the next bytes of the input, as many as there are; nil at its end. It is called on the store's
  ///     thread and may block; in a cancelled task it should throw `CancellationError`.
  ///   - options: batches, rejects, and callbacks.
  /// - Returns: counts, and how far the input is committed.
  /// - Throws: ``EventStoreError``, naming the line; with a batch size, its detail says which lines are committed.
  public func append(
    lines read: @escaping @Sendable () throws -> [UInt8]?,
    options: BulkAppendOptions = BulkAppendOptions()
  ) async throws -> BulkAppendResult {
    try await appendLines(read, options)
  }
}
