internal import LibPQ

/// What a manifest says of one event.
struct EventDigest: Hashable {
  let version: Int32
  /// The first 48 bits of the event's SHA-256: enough to name an event within its stream, while the chain proves it.
  let prefix: UInt64

  static let prefixDigits = 12
}

/// What a manifest says of one stream: the chain of its events' hashes, and the beginning of each hash.
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
    let prefix = UInt64(eventHash.words[0]) << 16 | UInt64(eventHash.words[1] >> 16)
    events.append(EventDigest(version: version, prefix: prefix))
  }

  func isOf(_ otherID: RawSpan) -> Bool {
    guard aggregateID.count == otherID.byteCount else { return false }
    for index in aggregateID.indices where aggregateID[index] != otherID[index] { return false }
    return true
  }

  var name: String { String(decoding: aggregateID, as: UTF8.self) }
}

/// How a stream differs from what the manifest says of it.
enum StreamDifference: Hashable {
  case changed(version: Int32)
  case removed(version: Int32)
  case added(version: Int32)
  case moved(version: Int32, to: Int32)
  case cutOff(version: Int32)

  var version: Int32 {
    switch self {
    case .changed(let version), .removed(let version), .added(let version), .moved(let version, _),
      .cutOff(let version):
      version
    }
  }

  /// What became of each event of the manifest; events after its last version were appended since, and are no fault.
  ///
  /// An event is known again by its hash wherever it is; only then are what is left on both sides paired by version.
  static func between(_ old: [EventDigest], _ new: [EventDigest]) -> [StreamDifference] {
    var differences: [StreamDifference] = []
    let last = old.map(\.version).max() ?? .min
    let newLast = new.map(\.version).max() ?? .min
    var (lost, found) = (subtract(new, from: old), subtract(old, from: new))

    var places = Dictionary(grouping: found.indices, by: { found[$0].prefix })
    var taken: Set<Int> = []
    lost.removeAll { event in
      guard let place = places[event.prefix]?.popLast() else { return false }
      taken.insert(place)
      differences.append(.moved(version: event.version, to: found[place].version))
      return true
    }
    found = found.indices.filter { !taken.contains($0) }.map { found[$0] }

    var replacements = Dictionary(grouping: found, by: \.version)
    for event in lost {
      if replacements[event.version]?.popLast() != nil {
        differences.append(.changed(version: event.version))
      } else if event.version > newLast {
        differences.append(.cutOff(version: event.version))
      } else {
        differences.append(.removed(version: event.version))
      }
    }
    for event in replacements.values.joined() where event.version <= last {
      differences.append(.added(version: event.version))
    }
    return differences.sorted { $0.version < $1.version }
  }

  /// Those of `events` that are not among `others`, as often as they are more often there.
  private static func subtract(_ others: [EventDigest], from events: [EventDigest]) -> [EventDigest] {
    var counts = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
    return events.filter { event in
      guard let count = counts[event], count > 0 else { return true }
      counts[event] = count - 1
      return false
    }
  }
}
