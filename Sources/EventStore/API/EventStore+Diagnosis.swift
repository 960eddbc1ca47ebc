internal import LibPQ

extension EventStore {
  /// Examines the server, the events table, its indexes, the role's rights and schema `annals`.
  ///
  /// It changes nothing and needs no rights, so that it can report the missing ones; it also runs on a standby.
  ///
  /// - Throws: ``EventStoreError``, above all `cannotConnect`.
  package func diagnose() async throws -> [DiagnosisItem] {
    try await read { try $0.diagnose() }
  }

  /// Examines the store, its live projections and the replays with a checkpoint.
  ///
  /// Without schema `annals` there are no readers to examine.
  ///
  /// - Parameter limits: the limits that will be applied: the events after a checkpoint are counted up to 100,000, or
  ///   up to the limit if that is higher.
  /// - Throws: ``EventStoreError``; `invalidDefinition` for a table without positions, `permissionDenied` when the
  ///   schema exists and may not be read: what cannot be seen must not count as healthy.
  public func health(_ limits: StoreHealth.Limits = StoreHealth.Limits()) async throws -> StoreHealth {
    try await read { try $0.health(limits) }
  }
}
