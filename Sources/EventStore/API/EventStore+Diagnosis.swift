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
}
