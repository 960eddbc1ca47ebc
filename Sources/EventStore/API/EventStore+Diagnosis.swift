internal import LibPQ

extension EventStore {
  /// Looks at the server, the events table, its indexes, the role's rights and schema `annals`.
  ///
  /// It changes nothing and takes no right at all, so that it can say which ones are missing; it also runs on a standby.
  ///
  /// - Throws: ``EventStoreError``, above all `cannotConnect`.
  package func diagnose() async throws -> [DiagnosisItem] {
    try await read { try $0.diagnose() }
  }
}
