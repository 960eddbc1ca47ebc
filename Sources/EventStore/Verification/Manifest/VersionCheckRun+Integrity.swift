internal import LibPQ

extension VersionCheckRun {
  /// Compares the events with a manifest, writes a new one, or both in one pass.
  ///
  /// An incremental check with a manifest reads only new events.
  ///
  /// - Returns: the root of the new manifest.
  func checkIntegrity(_ integrity: IntegrityCheck, headPosition: Int64?, _ report: Report) throws -> SHA256
    .Digest?
  {
    let now = try connection.query("SELECT current_timestamp").int64(0, 0)
    let writer = integrity.writeManifest.map { ManifestWriter($0) }
    try writer?.begin(
      store: "\(layout.name)",
      createdAt: Timestamp(microseconds: now),
      headPosition: headPosition
    )
    let reader = try integrity.readManifest.map { try ManifestReader($0) }
    var hashes = EventHashes(table: layout, connection: connection)
    if reader != nil { hashes.readsRedactions = try connection.hasRedactions(of: layout.name) }
    return try withoutActuallyEscaping(report) { report in
      var run = try IntegrityRun(reader: reader, writer: writer, report: report)
      if check.isIncremental, reader != nil {
        try extendManifest(&run, hashes)
      } else {
        try hashes.read { try run.add(aggregateID: $0, version: $1, hash: $2, former: $3) }
      }
      return try run.finish()
    }
  }
}
