internal import LibPQ

/// Reads the streams of the store and those of a manifest side by side, both in the order of the aggregates.
struct IntegrityRun {
  private var reader: ManifestReader?
  private var writer: ManifestWriter?
  private let report: VersionCheckRun.Report

  /// The stream of the store that is being read, and the manifest's stream that it is compared with.
  private var current: StreamDigest?
  private var expected: StreamDigest?
  /// The chain of `current` at the length of `expected`.
  private var comparedChain: SHA256.Digest?

  init(reader: ManifestReader?, writer: ManifestWriter?, report: @escaping VersionCheckRun.Report) throws {
    (self.reader, self.writer, self.report) = (reader, writer, report)
    expected = try self.reader?.next()
  }

  mutating func add(aggregateID: RawSpan, version: Int32, hash: SHA256.Digest) throws {
    if current?.isOf(aggregateID) != true {
      try endStream()
      var bytes: [UInt8] = []
      bytes.append(aggregateID)
      try skipManifest(before: bytes)
      current = StreamDigest(aggregateID: bytes)
      comparedChain = nil
    }
    current!.append(version: version, hash: hash)
    if expected?.events.count == current!.events.count { comparedChain = current!.chain }
  }

  /// - Returns: the root of the new manifest.
  mutating func finish() throws -> SHA256.Digest? {
    try endStream()
    while let stream = expected {
      try reportGone(stream)
      expected = try reader?.next()
    }
    return try writer?.finish()
  }

  private mutating func endStream() throws {
    guard let stream = current else { return }
    current = nil
    try writer?.add(stream)
    guard let expected = try takeExpected(stream.aggregateID) else { return }
    try compare(stream, comparedChain, expected)
  }

  /// A stream in the manifest; nil if the manifest has none of that name.
  private mutating func takeExpected(_ aggregateID: [UInt8]) throws -> StreamDigest? {
    guard let stream = expected, stream.aggregateID == aggregateID else { return nil }
    expected = try reader?.next()
    return stream
  }

  /// The streams of the manifest that the store no longer has.
  private mutating func skipManifest(before aggregateID: [UInt8]) throws {
    while let stream = expected, stream.aggregateID.lexicographicallyPrecedes(aggregateID) {
      try reportGone(stream)
      expected = try reader?.next()
    }
  }

  func compare(
    _ stream: StreamDigest,
    _ comparedChain: SHA256.Digest?,
    _ expected: StreamDigest
  ) throws {
    let appended = stream.events.dropFirst(expected.events.count)
    let isExtended = appended.first.map { $0.version > expected.events.last!.version } ?? true
    if comparedChain == expected.chain, isExtended { return }
    let differences = StreamDifference.between(expected.events, stream.events)
    for finding in Finding.findings(of: differences, aggregateID: stream.name) { try report(finding) }
    if differences.isEmpty { try report(.changedUnnamed(aggregateID: stream.name)) }
  }

  private func reportGone(_ stream: StreamDigest) throws {
    try report(.gone(aggregateID: stream.name, events: stream.events))
  }
}

// MARK: - Stream by stream

extension IntegrityRun {
  /// A stream in the manifest; nil if the manifest has none of that name. Streams must be asked for in order.
  mutating func known(_ aggregateID: [UInt8]) throws -> StreamDigest? {
    try skipManifest(before: aggregateID)
    return try takeExpected(aggregateID)
  }

  /// Adds a stream to the new manifest.
  mutating func add(_ stream: StreamDigest) throws { try writer?.add(stream) }
}
