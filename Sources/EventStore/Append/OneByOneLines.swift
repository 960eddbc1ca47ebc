/// Returns a reader's events one at a time; an aggregate's next event waits until the one before it is settled.
///
/// Any connection takes any event. If each aggregate had a fixed connection, all would soon wait for the slowest one:
/// with 8, two or three were busy.
struct OneByOneLines {
  private var reader: ChunkReader
  /// The aggregates that have an event under way or ready, with the events that wait after it.
  private var waiting: [[UInt8]: ArraySlice<EventChunk>] = [:]
  private var waitingBytes = 0
  /// Events that no longer wait for another.
  private var ready: [EventChunk] = []
  /// The lines of events that are under way or ready, and of the line that ended the reading.
  private var openLines: Set<Int> = []
  private var isAtEnd = false

  /// Bytes that may wait after the events under way, when one aggregate has a long run.
  private static let maximumWaitingBytes = 4 << 20

  init(_ reader: ChunkReader) {
    self.reader = reader
  }

  /// The last line of all that are stored.
  private(set) var highestStoredLine = 0

  var rejectedCount: Int { reader.rejectedCount }
  var hasMadeIDs: Bool { reader.hasMadeIDs }

  /// All lines up to it are settled, or hold no event. Waiting events come after open ones.
  var lastSettledLine: Int { (openLines.min() ?? reader.lineNumber + 1) - 1 }

  /// The next event; nil when there is none now.
  ///
  /// - Parameter mayWait: whether to wait for more input.
  mutating func next(mayWait: Bool) throws -> EventChunk? {
    while ready.isEmpty {
      guard !isAtEnd, waitingBytes <= Self.maximumWaitingBytes else { return nil }
      guard mayWait || reader.hasLineAtHand, let chunk = try read() else { return nil }
      if waiting[chunk.entries[0].aggregateID]?.append(chunk) != nil {
        waitingBytes += chunk.size
      } else {
        waiting[chunk.entries[0].aggregateID] = []
        openLines.insert(chunk.entries[0].line)
        return chunk
      }
    }
    return ready.removeFirst()
  }

  private mutating func read() throws -> EventChunk? {
    do {
      let chunk = try reader.next(1)
      isAtEnd = chunk == nil
      return chunk
    } catch {
      isAtEnd = true
      openLines.insert(reader.lineNumber)
      throw error
    }
  }

  /// Notes that an event is stored, or set aside.
  mutating func settle(_ chunk: EventChunk, isStored: Bool) {
    let entry = chunk.entries[0]
    openLines.remove(entry.line)
    if isStored { highestStoredLine = max(highestStoredLine, entry.line) }
    if let next = waiting[entry.aggregateID]?.popFirst() {
      waitingBytes -= next.size
      openLines.insert(next.entries[0].line)
      ready.append(next)
    } else {
      waiting[entry.aggregateID] = nil
    }
  }

  /// Sets a line aside, or throws when that is not allowed.
  mutating func reject(_ line: RejectedLine) throws { try reader.reject(line, hint: nil) }
}
