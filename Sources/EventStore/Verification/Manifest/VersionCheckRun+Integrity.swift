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

  /// What is done with an event of a manifest.
  typealias HashedEvent = (_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) throws -> Void

  /// Hashes all events in the order of a manifest. The server shares a COPY among its processes, a cursor never.
  func forEachHash(_ body: HashedEvent) throws {
    let hashes = sql(.eventHashes, ["streams": ""]).text
    var isFirst = true
    try connection.copyOut("COPY (\(hashes)) TO STDOUT (FORMAT binary)") { row in
      try Self.readHash(row, skipping: isFirst ? Self.copyHeaderBytes : 0, body)
      isFirst = false
    }
  }

  /// Hashes events of some streams in the order of a manifest. COPY takes no parameters, and the names must be some.
  ///
  /// - Parameter versions: for each of the names, the version behind which its events are wanted; nil for all events.
  func forEachHash(of names: [String], behind versions: [Int32]?, _ body: HashedEvent) throws {
    let names = Parameter.textArray(names)
    let join: SQL =
      if let versions {
        """
        JOIN unnest(\(names), \(Parameter.int4Array(versions))) AS w (aggregate_id, version)
          ON e.aggregate_id = w.aggregate_id AND e.version > w.version
        """
      } else {
        "JOIN unnest(\(names)) AS w (aggregate_id) ON e.aggregate_id = w.aggregate_id"
      }
    try connection.forEachPage(of: sql(.eventHashes, ["streams": join])) { page in
      // By number: there is a row for every event.
      for row in 0..<page.rowCount {
        try body(page.bytes(row, 0), page.int32(row, 1), Self.digest(page.bytes(row, 2), at: 0))
      }
    }
  }

  /// The signature, the flags and the length of the empty extension (manual, COPY, "Binary Format").
  private static let copyHeaderBytes = 19

  /// Reads a row of EventHashes.sql: the number of its fields, then each behind its length. -1 fields end the data.
  private static func readHash(_ row: RawSpan, skipping header: Int, _ body: HashedEvent) throws {
    guard row.load(at: header, as: Int16.self) != -1 else { return }
    let nameLength = Int(Int32(bigEndian: row.load(at: header + 2, as: Int32.self)))
    let name = header + 6
    let version = Int32(bigEndian: row.load(at: name + nameLength + 4, as: Int32.self))
    let hash = digest(row, at: name + nameLength + 12)
    try body(row.extracting(name..<name + nameLength), version, hash)
  }

  private static func digest(_ bytes: RawSpan, at offset: Int) -> SHA256.Digest {
    var digest = SHA256.Digest(words: InlineArray(repeating: 0))
    for index in digest.words.indices {
      digest.words[index] = UInt32(bigEndian: bytes.load(at: offset + index * 4, as: UInt32.self))
    }
    return digest
  }
}
