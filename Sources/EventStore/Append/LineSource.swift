/// Where a writer's chunks come from.
protocol ChunkSource: AnyObject {
  /// The next events, at most this number; nil at the end.
  func next(_ maximumLines: Int) throws -> EventChunk?
  /// Reads ahead what ``next(_:)`` with the same argument will return, even if it is an error.
  func prefetch(_ maximumLines: Int)
  /// Sets a line aside, or throws when that is not allowed.
  func reject(_ line: RejectedLine) throws
  /// Notes that the chunk from ``next(_:)`` is committed; returns the last line up to which all lines are.
  func commit() -> Int
  /// Whether the outcome of some chunk from ``next(_:)`` is not known.
  var isUncertain: Bool { get set }
}

/// Passes a reader's chunks to one writer.
final class LineSource: ChunkSource {
  private var reader: ChunkReader
  private var prefetched: Result<EventChunk?, any Error>?
  /// Number of the last line of the last chunk that was returned.
  private var lastLine: Int

  init(_ reader: ChunkReader, skippedLines: Int) {
    self.reader = reader
    lastLine = skippedLines
  }

  /// Whether the end was reached: then the last chunk is committed, and an interruption comes too late.
  private var isAtEnd = false
  var isUncertain = false

  var rejectedCount: Int { reader.rejectedCount }
  var hasMadeIDs: Bool { reader.hasMadeIDs }

  func next(_ maximumLines: Int) throws -> EventChunk? {
    defer { prefetched = nil }
    if isAtEnd { return nil }
    let chunk = try (prefetched ?? Result { try reader.next(maximumLines) }).get()
    isAtEnd = chunk == nil
    if let line = chunk?.entries.last?.line { lastLine = line }
    return chunk
  }

  func prefetch(_ maximumLines: Int) {
    if prefetched == nil { prefetched = Result { try reader.next(maximumLines) } }
  }

  func reject(_ line: RejectedLine) throws { try reader.reject(line, hint: nil) }

  func commit() -> Int { lastLine }
}
