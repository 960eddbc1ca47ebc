internal import LibPQ

/// Reads the hashes of events, stream by stream, in the order of a manifest.
struct EventHashes {
  let table: EventsTable
  let connection: Connection
  /// Whether to read also which hashes an event had before it was redacted; ``StoreConnection/hasRedactions()``.
  var readsRedactions = false

  /// Receives the hash of an event, and those that it had before redactions, the last one first. An event without a
  /// version has the lowest number.
  typealias HashedEvent = (
    _ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest, _ former: [SHA256.Digest]
  ) throws -> Void

  /// Hashes all events. The server shares a COPY among its processes, a cursor never.
  func read(_ body: HashedEvent) throws {
    let hashes = statement().text
    var isFirst = true
    try connection.copyOut("COPY (\(hashes)) TO STDOUT (FORMAT binary)") { row in
      try readHash(row, skipping: isFirst ? Self.copyHeaderBytes : 0, body)
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
        let hash = Self.digest(page.bytes(row, 2), at: 0)
        let former = readsRedactions ? Self.former(page.bytes(row, 3), before: hash) : []
        try body(page.bytes(row, 0), page.int32(row, 1), hash, former)
      }
    }
  }

  private func statement(streams: SQL = "", condition: SQL = "true") -> SQL {
    SQLTemplate.eventHashes.statement([
      "events": "\(raw: table.relation)", "timestamp": "\(raw: table.time)",
      "metadata": "\(raw: table.metadata)", "streams": streams, "condition": condition,
      "redactions": readsRedactions ? "\(raw: redactions)" : "",
    ])
  }

  /// Only redactions whose row in the audit is there count. A literal, since COPY takes no parameters.
  private var redactions: String {
    """
    , (SELECT string_agg(d.hash_before || d.hash_after, '' ORDER BY d.audit)
       FROM annals.redactions d JOIN annals.audit a ON a.id = d.audit AND a.action = 'redact' AND a.store = d.store
       WHERE d.aggregate_id = e.aggregate_id COLLATE "C" AND d.version = e.version
         AND d.store = \(quoteLiteral(table.name.description)) AND d.event_id = e.id)
    """
  }

  /// The signature, the flags and the length of the empty extension (manual, COPY, "Binary Format").
  private static let copyHeaderBytes = 19

  /// Reads a row of EventHashes.sql: the number of its fields, then each field's length and bytes. -1 fields are the
  /// end.
  private func readHash(_ row: RawSpan, skipping header: Int, _ body: HashedEvent) throws {
    guard row.load(at: header, as: Int16.self) != -1 else { return }
    let nameLength = Int(Int32(bigEndian: row.load(at: header + 2, as: Int32.self)))
    let name = header + 6
    let version = Int32(bigEndian: row.load(at: name + nameLength + 4, as: Int32.self))
    let hashPlace = name + nameLength + 12
    let hash = Self.digest(row, at: hashPlace)
    var former: [SHA256.Digest] = []
    if readsRedactions {
      // The length is -1 for NULL.
      let start = hashPlace + 32 + 4
      let length = Int(Int32(bigEndian: row.load(at: start - 4, as: Int32.self)))
      if length > 0 { former = Self.former(row.extracting(start..<start + length), before: hash) }
    }
    try body(row.extracting(name..<name + nameLength), version, hash, former)
  }

  /// The hashes before redactions, as far as each leads to the next one and the last to today's.
  private static func former(_ pairs: RawSpan, before hash: SHA256.Digest) -> [SHA256.Digest] {
    var former: [SHA256.Digest] = []
    for start in stride(from: pairs.byteCount - 64, through: 0, by: -64) {
      guard digest(pairs, at: start + 32) == former.last ?? hash else { break }
      former.append(digest(pairs, at: start))
    }
    return former
  }

  private static func digest(_ bytes: RawSpan, at offset: Int) -> SHA256.Digest {
    var digest = SHA256.Digest(words: InlineArray(repeating: 0))
    for index in digest.words.indices {
      digest.words[index] = UInt32(bigEndian: bytes.load(at: offset + index * 4, as: UInt32.self))
    }
    return digest
  }
}

extension Connection {
  /// Whether a store has redacted events, as far as the role may see it.
  func hasRedactions(of table: QualifiedName) throws -> Bool {
    guard try canReadOwnTables(["redactions", "audit"]) else { return false }
    let found = try query("SELECT FROM annals.redactions WHERE store = \(table.description) LIMIT 1")
    return !found.isEmpty
  }
}
