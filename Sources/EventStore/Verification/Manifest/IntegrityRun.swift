internal import LibPQ

/// Reads the streams of the store and those of a manifest side by side, both in the order of the aggregates.
struct IntegrityRun {
  private var reader: ManifestReader?
  private var writer: ManifestWriter?
  private let report: VersionCheckRun.Report

  /// The stream of the store that is being read.
  private var current: ReadStream?
  /// The stream of the manifest that comes next.
  private var expected: StreamDigest?

  init(reader: ManifestReader?, writer: ManifestWriter?, report: @escaping VersionCheckRun.Report) throws {
    (self.reader, self.writer, self.report) = (reader, writer, report)
    expected = try self.reader?.next()
  }

  mutating func add(
    aggregateID: RawSpan,
    version: Int32,
    hash: SHA256.Digest,
    former: [SHA256.Digest]
  ) throws {
    if current?.digest.isOf(aggregateID) != true {
      try endStream()
      var bytes: [UInt8] = []
      bytes.append(aggregateID)
      try skipManifest(before: bytes)
      current = ReadStream(aggregateID: bytes, expected: try takeExpected(bytes))
    }
    current!.append(version: version, hash: hash, former: former)
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
    try writer?.add(stream.digest)
    try compare(stream)
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

  func compare(_ stream: ReadStream) throws {
    guard let expected = stream.expected, !stream.isAsExpected else { return }
    let others = stream.isRedacted ? [] : StreamDifference.between(expected.events, stream.former.events)
    let differences = (stream.redacted.map { StreamDifference.redacted(version: $0) } + others)
      .sorted { $0.version < $1.version }
    let name = stream.digest.name
    for finding in Finding.findings(of: differences, aggregateID: name) { try report(finding) }
    if others.isEmpty, !stream.isRedacted { try report(.changedUnnamed(aggregateID: name)) }
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
