internal import LibPQ

extension EventStore {
  /// Checks the versions of streams, and reports what it finds.
  ///
  /// All is read in one snapshot, so that concurrent writers cause no finding. The server does the reading: one
  /// aggregate over the streams tells how many of them need a closer look, and only those are examined. It needs SELECT
  /// on the events alone, and works on a standby.
  ///
  /// - Parameters:
  ///   - check: which streams, and which faults.
  ///   - integrity: a manifest to compare with or to write; it covers the whole store, whatever the selection is.
  ///   - report: is called on the store's thread for each finding; those of a stream follow one another.
  /// - Throws: ``EventStoreError``; `notFound` when a selected aggregate or category has no events; `invalidInput` when
  ///   the manifest was damaged.
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
  /// Checks the streams part by part in the order of their ids, for a time, from where the last such check ended.
  ///
  /// Each part is read in its own snapshot, so neither the server's memory nor the time depends on the size of the
  /// store. The place is kept in schema `annals` after each part. Faults of the store as a whole are looked for when a
  /// pass begins: ids and positions that no unique index keeps apart, readers, snapshots. A pass that reaches the end
  /// of the store ends the check; the next check begins again.
  ///
  /// - Parameters:
  ///   - check: which faults; of all streams, and without ``VersionCheck/isIncremental`` and ``VersionCheck/explains``,
  ///     which need the whole store at once.
  ///   - limit: no part begins after this time.
  ///   - partSize: about how many events a part has; a stream is not divided.
  ///   - report: is called on the store's thread for each finding.
  /// - Returns: the result of this check, with ``VersionCheckResult/checkedThrough`` if streams are left.
  /// - Throws: ``EventStoreError``; `failed` if schema `annals` does not exist, or has an earlier version.
  public nonisolated func verifyVersions(
    _ check: VersionCheck = VersionCheck(),
    within limit: Duration,
    partSize: Int = 1_000_000,
    reporting report: @Sendable (Finding) throws -> Void
  ) async throws -> VersionCheckResult {
    precondition(check.selection == .all && !check.isIncremental && !check.explains && partSize > 0)
    let end = ContinuousClock.now + limit
    var result = VersionCheckResult()
    result.checkedThrough = try await perform { try $0.placeOfPartialCheck(check) }
    if result.checkedThrough == nil { result.add(try await perform { try $0.verifyWhole(check, report) }) }
    repeat {
      let after = result.checkedThrough
      result.add(try await perform { try $0.verifyPart(check, after: after, events: partSize, report) })
    } while result.checkedThrough != nil && ContinuousClock.now < end
    return result
  }
}
