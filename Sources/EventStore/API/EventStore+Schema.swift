internal import LibPQ

extension EventStore {
  /// Makes a database ready: creates the events table unless it is there, and brings schema `annals` up to date.
  ///
  /// It is one transaction, and can be run again at any time. An events table that is there stays as it is.
  ///
  /// - Parameters:
  ///   - addPosition: also adds the columns that a classic table lacks; the table is locked while they are filled.
  ///   - partitions: creates the events table in so many partitions by the hash of the aggregate's id, as
  ///     ``partitionCounts`` allows. An id is then unique within its stream only. A table that is there must be so
  ///     already.
  ///   - dryRun: changes nothing.
  /// - Returns: the steps, and what the table still lacks.
  /// - Throws: ``EventStoreError``; nothing is changed then.
  @discardableResult
  public func initialize(
    addPosition: Bool = false,
    partitions: Int? = nil,
    dryRun: Bool = false
  ) async throws -> InitializationResult {
    try await perform {
      try $0.initialize(addPosition: addPosition, partitions: partitions, dryRun: dryRun)
    }
  }

  /// How many partitions a table of events can be created with. Each has five indexes, and a read of the whole store
  /// merges all of them.
  public static let partitionCounts = 1...1024
}
