internal import LibPQ

extension EventStore {
  /// Checks the versions of streams, and hands over what it finds.
  ///
  /// All is read in one snapshot, so that writers at work cause no finding. The server does the reading: one aggregate
  /// over the streams tells how many of them need a closer look, and only those are looked at. Nothing but SELECT on the
  /// events is needed, and it works on a standby.
  ///
  /// - Parameters:
  ///   - check: which streams, and for what.
  ///   - integrity: a manifest to compare with or to write; it is of the whole store, whatever the selection is.
  ///   - report: is called on the store's thread for each finding; those of a stream follow one another.
  /// - Throws: ``EventStoreError``; `notFound` when an aggregate or category that was asked for has no events,
  ///   `invalidInput` when the manifest was damaged.
  public func verifyVersions(
    _ check: VersionCheck = VersionCheck(),
    integrity: IntegrityCheck = IntegrityCheck(),
    reporting report: @Sendable (Finding) throws -> Void
  ) async throws -> VersionCheckResult {
    let passedOn = PassedOn()
    return try await read(unless: passedOn) {
      try $0.verifyVersions(check, integrity: integrity.noting(passedOn)) {
        passedOn.set()
        try report($0)
      }
    }
  }
}
