internal import LibPQ

extension VersionCheckRun {
  /// Compares the streams of the store with those of a manifest, and reads only what is new.
  ///
  /// A stream with new events is found by their number, not by their positions: a writer that commits late adds events
  /// below positions that the manifest has seen. A chain continues with the hashes of the new events. If a stream then
  /// has another number of events than expected, it is read whole and compared.
  func extendManifest(_ run: inout IntegrityRun, _ hashes: EventHashes) throws {
    try connection.forEachPage(of: sql(.streamEnds)) { page in
      var streams: [ExtendedStream] = []
      // Read by number: there is a row for every stream.
      for row in 0..<page.rowCount {
        let name = page.string(row, 0)
        let known = try run.known(Array(name.utf8))
        streams.append(ExtendedStream(name, known, count: page.int64(row, 1), last: page.int32(row, 2)))
      }
      try readNewEvents(of: &streams, hashes)
      try readWhole(&streams, hashes)
      for stream in streams {
        try run.add(stream.digest)
        if let whole = stream.whole { try run.compare(whole) }
      }
    }
  }

  private func readNewEvents(of streams: inout [ExtendedStream], _ hashes: EventHashes) throws {
    let touched = streams.indices.filter { !streams[$0].isComplete }
    guard !touched.isEmpty else { return }
    let ends = touched.map { streams[$0].digest.events.last?.version ?? .min }
    var place = 0
    try hashes.read(of: touched.map { streams[$0].name }, behind: ends) {
      aggregateID,
      version,
      hash,
      former in
      while !streams[touched[place]].digest.isOf(aggregateID) { place += 1 }
      streams[touched[place]].append(version: version, hash: hash, former: former)
    }
  }

  private func readWhole(_ streams: inout [ExtendedStream], _ hashes: EventHashes) throws {
    let wrong = streams.indices.filter { !streams[$0].isComplete }
    guard !wrong.isEmpty else { return }
    for index in wrong { streams[index].beginAnew() }
    var place = 0
    try hashes.read(of: wrong.map { streams[$0].name }, behind: nil) { aggregateID, version, hash, former in
      while !streams[wrong[place]].digest.isOf(aggregateID) { place += 1 }
      streams[wrong[place]].append(version: version, hash: hash, former: former)
    }
  }
}

/// A stream that continues after its state in a manifest.
private struct ExtendedStream {
  let name: String
  let known: StreamDigest?
  /// How many events the store has in it, and the highest version.
  let count: Int64
  let last: Int32
  private var continued: StreamDigest
  /// The stream with all its events, if they were read.
  private(set) var whole: ReadStream?

  init(_ name: String, _ known: StreamDigest?, count: Int64, last: Int32) {
    (self.name, self.known, self.count, self.last) = (name, known, count, last)
    continued = known ?? StreamDigest(aggregateID: Array(name.utf8))
  }

  var digest: StreamDigest { whole?.digest ?? continued }

  /// Whether it has as many events as the store, up to the same version.
  var isComplete: Bool { digest.events.count == count && digest.events.last?.version == last }

  mutating func beginAnew() {
    whole = ReadStream(aggregateID: continued.aggregateID, expected: known)
  }

  mutating func append(version: Int32, hash: SHA256.Digest, former: [SHA256.Digest]) {
    if whole == nil {
      continued.append(version: version, hash: hash)
    } else {
      whole!.append(version: version, hash: hash, former: former)
    }
  }
}
