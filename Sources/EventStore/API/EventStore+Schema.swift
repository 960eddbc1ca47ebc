internal import LibPQ

extension EventStore {
  /// Makes a database ready: creates the events table if it is missing, and brings schema `annals` up to date.
  ///
  /// It is one transaction, and can be run again at any time. An existing events table stays as it is.
  ///
  /// - Parameters:
  ///   - addPosition: also adds the columns that a classic table lacks; the table is locked while they are filled.
  ///   - partitions: the number of partitions of a new events table, by the hash of the aggregate's id; see
  ///     ``partitionCounts``. An id is then unique only within its stream. An existing table must have them.
  ///   - distributed: lets Citus distribute the table by the aggregate's id, which needs its extension; not with
  ///     `partitions`. An id is then unique only within its stream. An existing table must be distributed.
  ///   - notifies: whether a trigger tells followers of each transaction that appends, so that they do not have to ask; nil
  ///     leaves the table as it is. It costs writers: their commits wait for each other.
  ///   - dryRun: changes nothing.
  /// - Returns: the steps, and what the table still lacks.
  /// - Throws: ``EventStoreError``; nothing is changed then.
  @discardableResult
  public func initialize(
    addPosition: Bool = false,
    partitions: Int? = nil,
    distributed: Bool = false,
    notifies: Bool? = nil,
    dryRun: Bool = false
  ) async throws -> InitializationResult {
    try await perform {
      try $0.initialize(
        addPosition: addPosition,
        partitions: partitions,
        distributed: distributed,
        notifies: notifies,
        dryRun: dryRun
      )
    }
  }

  /// How many partitions a table of events can be created with. Each has five indexes, and a read of the whole store
  /// merges all of them.
  public static let partitionCounts = 1...1024

  /// Adds the column position to a classic table, as ``initialize(addPosition:partitions:distributed:notifies:dryRun:)`` does,
  /// but without stopping writers: it takes longer, and locks the table only for two moments.
  ///
  /// An interrupted run leaves a table that writers can use; the next run continues. The table must be a plain one, and
  /// the database initialized.
  ///
  /// - Parameters:
  ///   - chunkSize: events in a transaction.
  ///   - progress: how many events have their position.
  /// - Returns: how many events had no position; nil when the column was there.
  /// - Throws: ``EventStoreError``; `locked` when other sessions used the table all the time.
  public func addPositionOnline(
    chunkSize: Int64 = 10_000,
    progress: @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Int64? {
    try await perform { try $0.addPositionOnline(chunkSize: chunkSize, progress) }
  }

  /// What ``addPositionOnline(chunkSize:progress:)`` would run, as SQL; empty when the column is there.
  public func positionBackfillScript() async throws -> String {
    try await perform { try $0.positionBackfillScript() }
  }
}
