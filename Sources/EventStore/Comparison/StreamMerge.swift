internal import LibPQ

/// Reads the streams of two stores side by side, both in the order of a manifest.
struct StreamMerge {
  private let nextThere: () throws -> StreamDigest?
  private let report: (StoreDifference) throws -> Void
  /// Whether each event is a difference of its own, instead of several consecutive ones.
  private let isByEvent: Bool
  private var there: StreamDigest?
  private var hasBegun = false
  private(set) var result = ComparisonResult()

  init(
    byEvent isByEvent: Bool,
    _ nextThere: @escaping () throws -> StreamDigest?,
    _ report: @escaping (StoreDifference) throws -> Void
  ) {
    (self.isByEvent, self.nextThere, self.report) = (isByEvent, nextThere, report)
  }

  /// Adds the next stream of the first store.
  mutating func add(_ here: StreamDigest) throws {
    if !hasBegun { try advance() }
    result.here.add(here)
    while let there, there.aggregateID.lexicographicallyPrecedes(here.aggregateID) {
      try reportAll(of: there, as: .onlyThere)
      try advance()
    }
    if let there, there.aggregateID == here.aggregateID {
      if there.chain != here.chain { try reportDifferences(here, there) }
      try advance()
    } else {
      try reportAll(of: here, as: .onlyHere)
    }
  }

  /// Reads the rest of the other store.
  mutating func finish() throws -> ComparisonResult {
    if !hasBegun { try advance() }
    while let there {
      try reportAll(of: there, as: .onlyThere)
      try advance()
    }
    return result
  }

  private mutating func advance() throws {
    hasBegun = true
    there = try nextThere()
    if let there { result.there.add(there) }
  }

  private mutating func reportAll(of stream: StreamDigest, as kind: StoreDifference.Kind) throws {
    let isHere = kind == .onlyHere
    try report(
      StoreDifference.between(
        here: isHere ? stream.events : [],
        there: isHere ? [] : stream.events,
        aggregateID: stream.name
      )
    )
  }

  private mutating func reportDifferences(_ here: StreamDigest, _ there: StreamDigest) throws {
    let differences = StoreDifference.between(
      here: here.events,
      there: there.events,
      aggregateID: here.name,
      inRuns: !isByEvent
    )
    try report(differences.isEmpty ? [.changedUnnamed(here)] : differences)
  }

  private mutating func report(_ differences: [StoreDifference]) throws {
    result.differingAggregates += 1
    for difference in differences {
      result.counts[difference.kind, default: 0] += Int64(difference.events)
      try report(difference)
    }
  }
}

extension ComparisonResult.Extent {
  fileprivate mutating func add(_ stream: StreamDigest) {
    aggregates += 1
    events += Int64(stream.events.count)
  }
}

/// Joins the hashes of events to digests of streams.
struct DigestBuilder {
  private var current: StreamDigest?

  /// Adds the next event.
  ///
  /// - Returns: the stream that ended before it.
  mutating func add(_ aggregateID: RawSpan, _ version: Int32, _ hash: SHA256.Digest) -> StreamDigest? {
    if current?.isOf(aggregateID) == true {
      current!.append(version: version, hash: hash)
      return nil
    }
    let ended = finish()
    var bytes: [UInt8] = []
    bytes.append(aggregateID)
    var stream = StreamDigest(aggregateID: bytes)
    stream.append(version: version, hash: hash)
    current = stream
    return ended
  }

  /// - Returns: the last stream.
  mutating func finish() -> StreamDigest? {
    defer { current = nil }
    return current
  }
}
