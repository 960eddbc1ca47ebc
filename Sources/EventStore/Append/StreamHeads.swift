/// The last versions of streams: as they were read, and as this writer has added to them since.
///
/// A version that follows a head seen here can be taken by another writer first, and then violates the unique pair. It
/// can never leave a gap: a head that was seen is committed, or this transaction's own, and streams only grow.
struct StreamHeads {
  /// By the UTF-8 bytes of the aggregate's id.
  private var versions: [[UInt8]: Int32] = [:]
  private var size = 0

  /// In bytes: enough for the heads of about 150,000 streams.
  private static let maximumSize = 16 << 20

  /// What a head takes besides the bytes of its key.
  private static let entrySize = 64

  /// Marks a head that is about to be looked up.
  private static let unknown: Int32 = -1

  subscript(aggregateID: [UInt8]) -> Int32? { versions[aggregateID] }

  /// Adds the unknown streams of a chunk's events; returns their ids.
  mutating func addUnknown(_ chunk: EventChunk, _ indexes: ArraySlice<Int>) -> [[UInt8]] {
    var added: [[UInt8]] = []
    for index in indexes {
      let aggregateID = chunk.entries[index].aggregateID
      guard versions[aggregateID] == nil else { continue }
      versions[aggregateID] = Self.unknown
      size += aggregateID.count + Self.entrySize
      added.append(aggregateID)
    }
    return added
  }

  mutating func set(_ aggregateID: [UInt8], _ version: Int32) {
    versions[aggregateID] = version
  }

  /// The next version of a known stream, if its head is what the event expects and there is room for one more.
  mutating func advance(_ aggregateID: [UInt8], expecting expected: ExpectedVersion) -> Int32? {
    guard let place = versions.index(forKey: aggregateID) else { return nil }
    let head = versions.values[place]
    guard expected.allowedHeads.contains(Int(head)), head < Int32.max else { return nil }
    versions.values[place] = head + 1
    return head + 1
  }

  mutating func forget(_ chunk: EventChunk, _ indexes: ArraySlice<Int>) {
    for index in indexes where versions.removeValue(forKey: chunk.entries[index].aggregateID) != nil {
      size -= chunk.entries[index].aggregateID.count + Self.entrySize
    }
  }

  mutating func removeAll() {
    versions.removeAll()
    size = 0
  }

  /// Keeps the memory bounded whatever the number of streams.
  mutating func shrink() {
    if size > Self.maximumSize { removeAll() }
  }
}
