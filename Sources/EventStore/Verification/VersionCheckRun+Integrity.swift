internal import LibPQ

extension VersionCheckRun {
  /// Compares the events with a manifest, writes a new one, or both in one pass.
  ///
  /// An incremental check with a manifest reads only what is new in the streams since.
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
      if check.isIncremental, reader != nil {
        try extendManifest(&run)
      } else {
        try forEachHash { try run.add(aggregateID: $0, version: $1, hash: $2) }
      }
      return try run.finish()
    }
  }

  /// Hashes events in the order of a manifest.
  ///
  /// - Parameters:
  ///   - names: the streams; all when it is nil.
  ///   - versions: for each of them, the version behind which its events are wanted.
  func forEachHash(
    of names: [String]? = nil,
    behind versions: [Int32]? = nil,
    _ body: (_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) throws -> Void
  ) throws {
    var (wanted, join) = ("", "")
    if let names {
      // COPY takes no parameters. Names stay out of what is filled in, as they may look like it.
      let rows = names.indices.map { "(\(quoteLiteral(names[$0])), \(versions?[$0] ?? 0))" }
      wanted = "WITH wanted (aggregate_id, version) AS (VALUES \(rows.joined(separator: ", ")))\n"
      join =
        "JOIN wanted w ON e.aggregate_id = w.aggregate_id\(versions == nil ? "" : " AND e.version > w.version")"
    }
    let hashes = sql(PackageResources.EventHashes_sql, ["streams": join])
    var isFirst = true
    try connection.copyOut("COPY (\(wanted)\(hashes)) TO STDOUT (FORMAT binary)") { row in
      try Self.readHash(row, skipping: isFirst ? Self.copyHeaderBytes : 0, body)
      isFirst = false
    }
  }

  /// The signature, the flags and the length of the empty extension (manual, COPY, "Binary Format").
  private static let copyHeaderBytes = 19

  /// Reads a row of EventHashes.sql: the number of its fields, then each behind its length. -1 fields end the data.
  private static func readHash(
    _ row: RawSpan,
    skipping header: Int,
    _ body: (_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) throws -> Void
  ) throws {
    guard row.load(at: header, as: Int16.self) != -1 else { return }
    let nameLength = Int(Int32(bigEndian: row.load(at: header + 2, as: Int32.self)))
    let name = header + 6
    let version = Int32(bigEndian: row.load(at: name + nameLength + 4, as: Int32.self))
    let hash = name + nameLength + 12
    var digest = SHA256.Digest(words: InlineArray(repeating: 0))
    for index in digest.words.indices {
      digest.words[index] = UInt32(bigEndian: row.load(at: hash + index * 4, as: UInt32.self))
    }
    try body(row.extracting(name..<name + nameLength), version, digest)
  }
}
