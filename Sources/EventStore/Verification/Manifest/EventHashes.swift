internal import LibPQ

/// Reads the hashes of events, stream by stream, in the order of a manifest.
struct EventHashes {
  let table: EventsTable
  let connection: Connection

  /// Receives the hash of an event. An event without a version has the lowest number.
  typealias HashedEvent = (_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) throws -> Void

  /// Hashes all events. The server shares a COPY among its processes, a cursor never.
  func read(_ body: HashedEvent) throws {
    let hashes = statement().text
    var isFirst = true
    try connection.copyOut("COPY (\(hashes)) TO STDOUT (FORMAT binary)") { row in
      try Self.readHash(row, skipping: isFirst ? Self.copyHeaderBytes : 0, body)
      isFirst = false
    }
  }

  /// Hashes the events of some streams. COPY takes no parameters; the list of names must not be empty.
  ///
  /// - Parameter versions: for each of the names, the version after which events are read; nil for all events.
  func read(of names: [String], behind versions: [Int32]?, _ body: HashedEvent) throws {
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
    try forEachRow(of: statement(streams: join), body)
  }

  /// Hashes the events `e` for which conditions hold.
  func read(where conditions: [SQL], _ body: HashedEvent) throws {
    try forEachRow(of: statement(condition: conditions.conjunction), body)
  }

  private func forEachRow(of sql: SQL, _ body: HashedEvent) throws {
    try connection.forEachPage(of: sql) { page in
      // Read by number: there is a row for every event.
      for row in 0..<page.rowCount {
        try body(page.bytes(row, 0), page.int32(row, 1), Self.digest(page.bytes(row, 2), at: 0))
      }
    }
  }

  private func statement(streams: SQL = "", condition: SQL = "true") -> SQL {
    SQLTemplate.eventHashes.statement([
      "events": "\(raw: table.relation)", "timestamp": "\(raw: table.time)",
      "metadata": "\(raw: table.metadata)", "streams": streams, "condition": condition,
    ])
  }

  /// The signature, the flags and the length of the empty extension (manual, COPY, "Binary Format").
  private static let copyHeaderBytes = 19

  /// Reads a row of EventHashes.sql: the number of its fields, then each field's length and bytes. -1 fields are the
  /// end.
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
