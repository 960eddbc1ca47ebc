internal import LibPQ

extension VersionCheckRun {
  /// Compares the events with a manifest, writes a new one, or both in one pass.
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
    return try withoutActuallyEscaping(report) { report in
      var run = try IntegrityRun(reader: reader, writer: writer, report: report)
      var isFirst = true
      try connection.copyOut("COPY (\(sql(PackageResources.EventHashes_sql))) TO STDOUT (FORMAT binary)") {
        row in
        try Self.addEvent(row, skipping: isFirst ? Self.copyHeaderBytes : 0, to: &run)
        isFirst = false
      }
      return try run.finish()
    }
  }

  /// The signature, the flags and the length of the empty extension (manual, COPY, "Binary Format").
  private static let copyHeaderBytes = 19

  /// Reads a row of EventHashes.sql: the number of its fields, then each behind its length. -1 fields end the data.
  private static func addEvent(_ row: RawSpan, skipping header: Int, to run: inout IntegrityRun) throws {
    guard row.load(at: header, as: Int16.self) != -1 else { return }
    let nameLength = Int(Int32(bigEndian: row.load(at: header + 2, as: Int32.self)))
    let name = header + 6
    let version = Int32(bigEndian: row.load(at: name + nameLength + 4, as: Int32.self))
    let hash = name + nameLength + 12
    var digest = SHA256.Digest(words: InlineArray(repeating: 0))
    for index in digest.words.indices {
      digest.words[index] = UInt32(bigEndian: row.load(at: hash + index * 4, as: UInt32.self))
    }
    try run.add(aggregateID: row.extracting(name..<name + nameLength), version: version, hash: digest)
  }
}
