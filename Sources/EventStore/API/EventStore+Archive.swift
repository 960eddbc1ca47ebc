extension EventStore {
  /// Finds out what would be archived, in one snapshot, and changes nothing.
  ///
  /// - Parameter selection: which streams.
  /// - Throws: ``EventStoreError``; `notFound` for a stream, a category or a type that the store does not have;
  ///   `invalidDefinition` for a table without a unique key of aggregate and version.
  public func planArchive(_ selection: ArchiveSelection) async throws -> ArchivePlan {
    try await perform { try $0.planArchive(selection) }
  }

  /// Moves events into the archive, a table beside that of the store with the same columns, which the first run creates.
  ///
  /// The archive belongs to the history of the store: appended events continue the versions of archived streams, and
  /// ``includeArchive()`` reads both. An `EventStore` that appended before the archive was created never looks
  /// there: make a new one. Each chunk is a transaction with its row in the audit, so no event is ever in two
  /// places or in none, and a second run continues an interrupted one.
  ///
  /// An event stays in the table if a projection or a checkpoint has not met it yet, and so does the store's last event.
  ///
  /// - Parameters:
  ///   - selection: which streams.
  ///   - options: the size of a chunk, and who is told of the progress.
  /// - Throws: ``EventStoreError``; `invalidInput` without a reason, see ``giveReason(_:)``; as ``planArchive(_:)``.
  @discardableResult
  public func archive(
    _ selection: ArchiveSelection,
    _ options: ArchiveOptions = ArchiveOptions()
  ) async throws -> ArchiveResult {
    try await perform { try $0.archive(selection, options) }
  }

  /// Finds out which archived events would be moved back, and changes nothing.
  ///
  /// - Throws: ``EventStoreError``, as ``unarchive(_:_:)``.
  public func planUnarchive(_ selection: ArchiveSelection) async throws -> ArchivePlan {
    try await perform { try $0.planUnarchive(selection) }
  }

  /// Moves archived events back into the table, with the positions that they had. Readers that were made after the events
  /// were archived, and without them, will not see them.
  ///
  /// - Parameters:
  ///   - selection: which streams, by their last archived event.
  ///   - options: the size of a chunk, and who is told of the progress.
  /// - Throws: ``EventStoreError``; `notFound` when there is no archive, or a stream is not in it; `invalidInput` without
  ///   a reason; `versionConflict` when another event has the place of one.
  @discardableResult
  public func unarchive(
    _ selection: ArchiveSelection,
    _ options: ArchiveOptions = ArchiveOptions()
  ) async throws -> ArchiveResult {
    try await perform { try $0.unarchive(selection, options) }
  }

  /// Reads the archived events together with the others from now on.
  ///
  /// - Returns: whether the store has an archive; without one nothing changes.
  /// - Throws: ``EventStoreError``; `invalidDefinition` when the archive is gone.
  @discardableResult
  public func includeArchive() async throws -> Bool {
    let found = try await perform { try $0.findArchive() }
    archive = found
    return found != nil
  }
}
