internal import LibPQ

extension EventStore {
  /// Checks the versions of streams, and hands over what it finds.
  ///
  /// All is read in one snapshot, so that writers at work cause no finding. The server does the reading: one aggregate
  /// over the streams tells how many of them need a closer look, and only those are looked at. Nothing but SELECT on the
  /// events is needed, and it works on a standby.
  ///
  /// - Parameter report: is called on the store's thread for each finding; those of a stream follow one another.
  /// - Throws: ``EventStoreError``; `notFound` when an aggregate or category that was asked for has no events.
  public func verifyVersions(
    _ check: VersionCheck = VersionCheck(),
    reporting report: @Sendable (Finding) throws -> Void
  ) async throws -> VersionCheckResult {
    try await perform { connection in
      let layout = try layout(connection)
      return try connection.transaction(.repeatableReadOnly) {
        var result = VersionCheckResult()
        let run = VersionCheckRun(check: check, layout: layout, connection: connection)
        try run.requireAggregates()
        var counts: [Finding.Kind: Int] = [:]
        try run.checkVersions(&result) { finding in
          counts[finding.kind, default: 0] += 1
          try report(finding)
        }
        result.counts = counts
        return result
      }
    }
  }
}
