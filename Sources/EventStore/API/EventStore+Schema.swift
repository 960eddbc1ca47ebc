internal import LibPQ

extension EventStore {
  /// Makes a database ready: creates the events table unless it is there, and brings schema `annals` up to date.
  ///
  /// It is one transaction, and can be run again at any time. An events table that is there stays as it is.
  ///
  /// - Parameters:
  ///   - addPosition: also adds the columns that a classic table lacks; the table is locked while they are filled.
  ///   - dryRun: changes nothing.
  /// - Returns: the steps, and what the table still lacks.
  /// - Throws: ``EventStoreError``; nothing is changed then.
  @discardableResult
  public func initialize(addPosition: Bool = false, dryRun: Bool = false) async throws -> InitializationResult
  {
    try await perform { try $0.initialize(addPosition: addPosition, dryRun: dryRun) }
  }
}
