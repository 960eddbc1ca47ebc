internal import LibPQ

/// A check of the integrity of the events themselves.
///
/// A manifest has, for each stream, a chain of SHA-256 hashes over all columns of its events except the position, so a
/// copy of the store has an equal manifest. It is a separate file: the store's tables are not changed.
public struct IntegrityCheck: Sendable {
  /// Compares with a manifest: returns its next bytes, nil at its end.
  public var readManifest: (@Sendable () throws -> [UInt8]?)?
  /// Receives the bytes of a new manifest.
  public var writeManifest: (@Sendable ([UInt8]) throws -> Void)?

  /// Neither compares with a manifest nor writes one.
  public init() {}

  /// The same, noting when a manifest is read or written: then a check cannot begin again.
  func noting(_ passedOn: PassedOn) -> IntegrityCheck {
    var noting = self
    if let readManifest {
      noting.readManifest = {
        passedOn.set()
        return try readManifest()
      }
    }
    if let writeManifest {
      noting.writeManifest = {
        passedOn.set()
        try writeManifest($0)
      }
    }
    return noting
  }

  var isWanted: Bool { readManifest != nil || writeManifest != nil }
}

/// Reads a manifest line by line, and checks it with its footer.
struct ManifestReader {
  private var lines: LineReader
  private var root = SHA256()
  private(set) var aggregates: Int64 = 0
  private(set) var events: Int64 = 0
  private var previous: [UInt8]?
  private var hasFooter = false

  /// - Throws: ``EventStoreError`` with code `invalidInput` if it is not a manifest.
  init(_ read: @escaping () throws -> [UInt8]?) throws {
    lines = LineReader(read: read)
    let format = ManifestFormat.format
    guard let header = try nextMembers(), header.members["annals_manifest"] == Array("\(format)".utf8) else {
      throw broken("this is not a manifest of format \(format)")
    }
  }

  /// The next stream; nil after the last one, if the footer is right.
  mutating func next() throws -> StreamDigest? {
    guard !hasFooter else { return nil }
    guard let (members, range) = try nextMembers() else { throw broken("it ends without its last line") }
    if members["root"] != nil {
      try checkFooter(members)
      return nil
    }
    guard let stream = ManifestFormat.stream(members) else {
      throw broken("line \(lines.lineNumber) is damaged")
    }
    if let previous, !previous.lexicographicallyPrecedes(stream.aggregateID) {
      throw broken("line \(lines.lineNumber) is out of order")
    }
    previous = stream.aggregateID
    var hash = root
    hash.update(lines.buffer.span.extracting(range))
    hash.update([UInt8(ascii: "\n")].span)
    root = hash
    aggregates += 1
    events += Int64(stream.events.count)
    return stream
  }

  private mutating func nextMembers() throws -> (members: [ByteString: [UInt8]], range: Range<Int>)? {
    guard let range = try lines.next() else { return nil }
    do {
      return (try ManifestFormat.members(of: lines.buffer.span.extracting(range)), range)
    } catch {
      throw broken("line \(lines.lineNumber), column \(error.offset + 1): \(error.message)")
    }
  }

  private mutating func checkFooter(_ members: [ByteString: [UInt8]]) throws {
    hasFooter = true
    let expected = root
    guard members["root"] == Array(expected.finish().description.utf8),
      members["events"] == Array(String(events).utf8),
      members["aggregates"] == Array(String(aggregates).utf8)
    else { throw broken("its lines do not have the root that its last line states") }
  }

  private func broken(_ detail: String) -> EventStoreError {
    EventStoreError(
      .invalidInput,
      "the manifest cannot be trusted",
      detail: detail,
      hint: "Use the copy that is stored elsewhere, and check its signature."
    )
  }
}

/// Writes a manifest stream by stream.
struct ManifestWriter {
  private let write: ([UInt8]) throws -> Void
  private var root = SHA256()
  private var aggregates: Int64 = 0
  private var events: Int64 = 0

  init(_ write: @escaping ([UInt8]) throws -> Void) {
    self.write = write
  }

  func begin(store: String, createdAt: Timestamp, headPosition: Int64?) throws {
    try write(ManifestFormat.header(store: store, createdAt: createdAt, headPosition: headPosition))
  }

  mutating func add(_ stream: StreamDigest) throws {
    let line = ManifestFormat.line(stream)
    root.update(line.span)
    aggregates += 1
    events += Int64(stream.events.count)
    try write(line)
  }

  /// Writes the footer; returns the manifest's root.
  consuming func finish() throws -> SHA256.Digest {
    let root = root.finish()
    try write(ManifestFormat.footer(aggregates: aggregates, events: events, root: root))
    return root
  }
}
