/// Where a writer's chunks come from.
protocol ChunkSource: AnyObject {
  /// The next events, at most this number; nil at the end.
  func next(_ maximumLines: Int) throws -> EventChunk?
  /// Reads ahead what ``next(_:)`` with the same argument will return, be it an error.
  func prefetch(_ maximumLines: Int)
  /// Sets a line aside, or throws when that is not allowed.
  func reject(_ line: RejectedLine) throws
  /// Notes that what was handed out is committed; returns the last line before which all lines are.
  func commit() -> Int
  /// Whether it is not known of something that was handed out whether it is committed.
  var isUncertain: Bool { get set }
}

/// Hands a reader's chunks to one writer.
final class LineSource: ChunkSource {
  private var reader: ChunkReader
  private var prefetched: Result<EventChunk?, any Error>?
  /// Number of the last line of the chunk that was handed out last.
  private var lastLine: Int

  init(_ reader: ChunkReader, skippedLines: Int) {
    self.reader = reader
    lastLine = skippedLines
  }

  /// Whether the end was reached: what came last is then committed, and an interruption comes too late.
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
