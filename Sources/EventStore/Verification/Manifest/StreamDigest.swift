internal import LibPQ

/// One event in a manifest.
struct EventDigest: Hashable {
  let version: Int32
  /// The first 48 bits of the event's SHA-256: enough to identify an event within its stream; the chain proves it.
  let prefix: UInt64

  static let prefixDigits = 12

  init(version: Int32, prefix: UInt64) {
    (self.version, self.prefix) = (version, prefix)
  }

  init(version: Int32, hash: SHA256.Digest) {
    self.init(version: version, prefix: UInt64(hash.words[0]) << 16 | UInt64(hash.words[1] >> 16))
  }
}

/// One stream in a manifest: the chain of its events' hashes, and the beginning of each hash.
struct StreamDigest {
  /// UTF-8.
  let aggregateID: [UInt8]
  private(set) var chain: SHA256.Digest
  private(set) var events: [EventDigest] = []

  /// A stream without events; the chain begins with the hash of its name.
  init(aggregateID: [UInt8]) {
    self.aggregateID = aggregateID
    var hash = SHA256()
    hash.update(aggregateID.span)
    chain = hash.finish()
  }

  init(aggregateID: [UInt8], chain: SHA256.Digest, events: [EventDigest]) {
    (self.aggregateID, self.chain, self.events) = (aggregateID, chain, events)
  }

  /// Adds the next event: the chain becomes the hash of the chain so far, the version and the event's hash.
  mutating func append(version: Int32, hash eventHash: SHA256.Digest) {
    var hash = SHA256()
    hash.update(chain)
    hash.update(word: UInt32(bitPattern: version))
    hash.update(eventHash)
    chain = hash.finish()
    events.append(EventDigest(version: version, hash: eventHash))
  }

  func isOf(_ otherID: RawSpan) -> Bool {
    guard aggregateID.count == otherID.byteCount else { return false }
    for index in aggregateID.indices where aggregateID[index] != otherID[index] { return false }
    return true
  }

  var name: String { String(decoding: aggregateID, as: UTF8.self) }
}

/// How a stream differs from its state in the manifest.
enum StreamDifference: Hashable {
  case changed(version: Int32)
  case removed(version: Int32)
  case added(version: Int32)
  case moved(version: Int32, to: Int32)
  case cutOff(version: Int32)
  /// Changed by a redaction that is recorded.
  case redacted(version: Int32)

  var version: Int32 {
    switch self {
    case .changed(let version), .removed(let version), .added(let version), .moved(let version, _),
      .cutOff(let version), .redacted(let version):
      version
    }
  }

  /// What happened to each event of the manifest; events after its last version were appended since, and are no fault.
  static func between(_ old: [EventDigest], _ new: [EventDigest]) -> [StreamDifference] {
    let pairs = EventPairs(old, new)
    let last = old.map(\.version).max() ?? .min
    let newLast = new.map(\.version).max() ?? .min
    let differences =
      pairs.moved.map { StreamDifference.moved(version: $0.from, to: $0.to) }
      + pairs.changed.map { .changed(version: $0) }
      + pairs.lost.map { $0 > newLast ? .cutOff(version: $0) : .removed(version: $0) }
      + pairs.added.filter { $0 <= last }.map { .added(version: $0) }
    return differences.sorted { $0.version < $1.version }
  }
}

/// The events in which two readings of a stream differ, by version.
struct EventPairs {
  /// The events that are the same at another version.
  private(set) var moved: [(from: Int32, to: Int32)] = []
  /// The versions that have another event.
  private(set) var changed: [Int32] = []
  /// The versions of events that only the first reading has.
  private(set) var lost: [Int32] = []
  /// The versions of events that only the second reading has.
  private(set) var added: [Int32] = []

  /// An event is recognized by its hash wherever it is; only then is the rest of both sides paired by version.
  init(_ old: [EventDigest], _ new: [EventDigest]) {
    let (unmatched, found) = (Self.subtract(new, from: old), Self.subtract(old, from: new))

    var places = Dictionary(grouping: found.indices, by: { found[$0].prefix })
    var taken: Set<Int> = []
    var gone: [EventDigest] = []
    for event in unmatched {
      if let place = places[event.prefix]?.popLast() {
        taken.insert(place)
        moved.append((event.version, found[place].version))
      } else {
        gone.append(event)
      }
    }

    let others = found.indices.filter { !taken.contains($0) }.map { found[$0] }
    var replacements = Dictionary(grouping: others, by: \.version)
    for event in gone {
      if replacements[event.version]?.popLast() != nil {
        changed.append(event.version)
      } else {
        lost.append(event.version)
      }
    }
    added = replacements.values.joined().map(\.version).sorted()
  }

  /// The events of `events` that are not among `others`; duplicates count as often as they occur.
  private static func subtract(_ others: [EventDigest], from events: [EventDigest]) -> [EventDigest] {
    var counts = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
    return events.filter { event in
      guard let count = counts[event], count > 0 else { return true }
      counts[event] = count - 1
      return false
    }
  }
}
