extension EventStore {
  /// Finds out what a redaction would change, in one snapshot, and changes nothing.
  ///
  /// - Parameter redaction: which values of which events.
  /// - Throws: ``EventStoreError``; `notFound` for a stream, a category or a type that the store does not have;
  ///   `invalidDefinition` when a trigger of the table may keep or change values.
  public func planRedaction(_ redaction: Redaction) async throws -> RedactionPlan {
    try await perform { try $0.planRedaction(redaction) }
  }

  /// Takes values out of events: payloads and metadata change, and nothing else of an event.
  ///
  /// It works in chunks, each a transaction with its row in the audit and with the hashes of each event before and
  /// after. An event that needs no change is not touched, so a second run continues an interrupted one. Then it deletes
  /// the snapshots and the error messages that may hold the values.
  ///
  /// The values stay in dead rows until a vacuum, in the server's logs of changes, in backups, on replicas, in exports
  /// and in other systems.
  ///
  /// - Parameters:
  ///   - redaction: which values of which events.
  ///   - options: what else is done.
  /// - Returns: counts, and what still holds values.
  /// - Throws: ``EventStoreError``; `invalidInput` without a reason, see ``giveReason(_:)``; as ``planRedaction(_:)``.
  @discardableResult
  public func redact(
    _ redaction: Redaction,
    _ options: RedactionOptions = RedactionOptions()
  ) async throws -> RedactionResult {
    try await perform { try $0.redact(redaction, options) }
  }
}
