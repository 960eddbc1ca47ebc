/// A stream of the store as it is read, and its state in the manifest that it is compared with.
///
/// Where an event was redacted, a second digest has the hash before the redaction that the manifest has. If that digest
/// has the manifest's chain, redactions alone explain all differences.
struct ReadStream {
  /// As the store has it.
  private(set) var digest: StreamDigest
  /// As the manifest has it; nil if it has no such stream.
  let expected: StreamDigest?
  /// The versions of the events for which the manifest has a hash from before a redaction.
  private(set) var redacted: [Int32] = []

  /// The stream without redactions, from the first redacted event on.
  private var unredacted: StreamDigest?
  /// The chains at the length of `expected`.
  private var chain: SHA256.Digest?
  private var formerChain: SHA256.Digest?
  private var known: Set<EventDigest>?

  init(aggregateID: [UInt8], expected: StreamDigest?) {
    digest = StreamDigest(aggregateID: aggregateID)
    self.expected = expected
  }

  /// - Parameter former: the hashes before redactions.
  mutating func append(version: Int32, hash: SHA256.Digest, former: [SHA256.Digest]) {
    let before = former.isEmpty ? nil : formerHash(version, former)
    if before != nil {
      redacted.append(version)
      if unredacted == nil { unredacted = digest }
    }
    digest.append(version: version, hash: hash)
    unredacted?.append(version: version, hash: before ?? hash)
    guard expected?.events.count == digest.events.count else { return }
    (chain, formerChain) = (digest.chain, unredacted?.chain)
  }

  /// The one of the hashes that the manifest has at the version.
  private mutating func formerHash(_ version: Int32, _ former: [SHA256.Digest]) -> SHA256.Digest? {
    guard let expected else { return nil }
    let digests = known ?? Set(expected.events)
    known = digests
    return former.first { digests.contains(EventDigest(version: version, hash: $0)) }
  }

  /// The stream without the redactions since the manifest.
  var former: StreamDigest { unredacted ?? digest }

  var isAsExpected: Bool { isExtended && chain == expected?.chain }

  /// Whether it is as expected but for redactions.
  var isRedacted: Bool { isExtended && formerChain != nil && formerChain == expected?.chain }

  /// Whether all events behind those of the manifest have higher versions.
  private var isExtended: Bool {
    guard let expected, let last = expected.events.last else { return true }
    return digest.events.dropFirst(expected.events.count).first.map { $0.version > last.version } ?? true
  }
}
