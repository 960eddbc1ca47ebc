internal import Glibc
internal import Synchronization

/// Shares one reader's lines between writers, so that the events of an aggregate keep their order.
///
/// A writer that needs lines reads until it has some, and leaves lines of other writers for them. While one writer
/// waits for input, the others continue with the lines that there are.
final class SharedLines: Sendable {
  private struct State {
    var reader: ChunkReader
    /// Lines that were read and not returned, by writer: full chunks, and the one that is being filled.
    var full: [[EventChunk]]
    var filling: [EventChunk]
    var waitingBytes = 0
    /// The first line that each writer has and did not commit.
    var firstLines: [Int?]
    var isAtEnd = false
    /// A line that ended the append: nothing is read after it.
    var failedLine: Int?
    /// The last line that any writer has committed.
    var highestCommittedLine = 0
    var isUncertain = false

    /// All lines up to it are committed, or hold no event.
    var lastCommittedLine: Int {
      var open = failedLine ?? reader.lineNumber + 1
      for writer in filling.indices {
        let waiting = full[writer].first ?? filling[writer]
        open = min(open, firstLines[writer] ?? waiting.entries.first?.line ?? .max)
      }
      return open - 1
    }

    /// Reads one line, into the chunk of its writer.
    mutating func read(_ maximumLines: Int) throws {
      do {
        if let writer = try reader.appendNext(to: &filling) {
          if filling[writer].isFull(maximumLines) { moveOn(writer) }
        } else {
          isAtEnd = true
          for writer in filling.indices where !filling[writer].entries.isEmpty { moveOn(writer) }
        }
      } catch let error as InputNeeded {
        throw error
      } catch {
        (isAtEnd, failedLine) = (true, reader.lineNumber)
        throw error
      }
    }

    private mutating func moveOn(_ writer: Int) {
      waitingBytes += filling[writer].size
      full[writer].append(filling[writer])
      filling[writer] = EventChunk()
    }

    mutating func take(_ writer: Int) -> EventChunk {
      let chunk = full[writer].removeFirst()
      waitingBytes -= chunk.size
      firstLines[writer] = chunk.entries[0].line
      return chunk
    }
  }

  /// The reader has used all input that was read.
  private struct InputNeeded: Error {}

  private let state: Mutex<State>
  /// Reads the input. It is locked meanwhile, which may be long; when both are locked, this is locked before `state`.
  private let input: Mutex<@Sendable () throws -> [UInt8]?>
  private let supply: Supply

  /// Input that was read and not taken by the reader; nil at the input's end.
  private final class Supply: Sendable {
    let next = Mutex<[UInt8]??>(.none)

    func take() throws -> [UInt8]? {
      try next.withLock { next in
        guard let bytes = next else { throw InputNeeded() }
        if bytes != nil { next = .none }
        return bytes
      }
    }
  }

  /// The most bytes that are read ahead for busy writers, when one aggregate has long runs.
  private static let maximumWaitingBytes = 4 << 20

  init(
    _ read: @escaping @Sendable () throws -> [UInt8]?,
    _ options: BulkAppendOptions,
    _ table: EventsTable,
    writers: Int
  ) {
    let supply = Supply()
    self.supply = supply
    input = Mutex(read)
    state = Mutex(
      State(
        reader: ChunkReader({ try supply.take() }, options, table),
        full: Array(repeating: [], count: writers),
        filling: Array(repeating: EventChunk(), count: writers),
        firstLines: Array(repeating: nil, count: writers)
      )
    )
  }

  var hasMadeIDs: Bool { state.withLock { $0.reader.hasMadeIDs } }

  /// Notes the final state of the lines.
  func report(_ result: inout BulkAppendResult) {
    state.withLock { state in
      result.rejectedCount = state.reader.rejectedCount
      result.lastCommittedLine = state.lastCommittedLine
      result.hasCommittedBeyond = state.highestCommittedLine > state.lastCommittedLine
      result.isUncertain = state.isUncertain
    }
  }

  /// The lines of one writer.
  func share(_ writer: Int) -> Share { Share(lines: self, writer: writer) }

  final class Share: ChunkSource {
    private let lines: SharedLines
    private let writer: Int
    /// The last line of what was returned last.
    private var lastLine = 0

    fileprivate init(lines: SharedLines, writer: Int) {
      (self.lines, self.writer) = (lines, writer)
    }

    /// Each call must name the same number of lines.
    func next(_ maximumLines: Int) throws -> EventChunk? {
      while true {
        switch try lines.take(writer, maximumLines) {
        case .chunk(let chunk):
          lastLine = chunk.lines.upperBound
          return chunk
        case .end: return nil
        case .tooMuchWaits:
          try Task.checkCancellation()
          usleep(1000)
        }
      }
    }

    /// The next lines may be another writer's.
    func prefetch(_ maximumLines: Int) {}

    func reject(_ line: RejectedLine) throws {
      try lines.state.withLock { try $0.reader.reject(line, hint: nil) }
    }

    func commit() -> Int {
      lines.state.withLock { state in
        state.firstLines[writer] = nil
        state.highestCommittedLine = max(state.highestCommittedLine, lastLine)
        return state.lastCommittedLine
      }
    }

    var isUncertain: Bool {
      get { lines.state.withLock { $0.isUncertain } }
      set { lines.state.withLock { $0.isUncertain = newValue } }
    }
  }

  private enum Taken {
    case chunk(EventChunk)
    case end
    /// The other writers are behind, and there is nothing for this one.
    case tooMuchWaits
  }

  private func take(_ writer: Int, _ maximumLines: Int) throws -> Taken {
    while true {
      do {
        return try state.withLock { state in
          while state.full[writer].isEmpty {
            if state.isAtEnd { return .end }
            if state.waitingBytes > Self.maximumWaitingBytes { return .tooMuchWaits }
            try state.read(maximumLines)
          }
          return .chunk(state.take(writer))
        }
      } catch is InputNeeded {
        try fetch()
      }
    }
  }

  private func fetch() throws {
    try input.withLock { read in
      let isNeeded = !state.withLock(\.isAtEnd) && supply.next.withLock { $0 == nil }
      guard isNeeded else { return }
      do {
        let bytes = try read()
        supply.next.withLock { $0 = .some(bytes) }
      } catch {
        state.withLock { $0.isAtEnd = true }
        throw error
      }
    }
  }
}
