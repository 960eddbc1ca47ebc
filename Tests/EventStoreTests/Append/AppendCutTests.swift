import EventStore
import Synchronization
import TestSupport
import Testing

/// Cuts an append's connection at every step of the protocol, in both directions. Each time the store must have what
/// the append reported, and following the advice of its message must store exactly the input.
@Suite struct AppendCutTests {
  @Test(arguments: AppendUnderCuts.all)
  func whatIsSaidIsTrueWhereverTheConnectionIsCut(_ append: AppendUnderCuts) async throws {
    try await withStore { db, _ in
      let steps = try await append.steps(db)
      try #require(steps.count > 8, "too few steps: \(steps)")
      let runs = steps.enumerated().flatMap { number, step in
        [false, true].flatMap { isForGood in
          step.cuts(number).map { AppendRun(append: append, step: step, cut: $0, isForGood: isForGood) }
        }
      }
      // Most runs wait for the end of their patience, so that some of them go side by side.
      for first in stride(from: 0, to: runs.count, by: 8) {
        try await AppendRun.check(runs[first..<min(first + 8, runs.count)], db)
      }
    }
  }
}

/// A kind of append to cut.
struct AppendUnderCuts: Sendable, CustomTestStringConvertible {
  var lineCount = 6
  var batchSize: Int?
  var workers = 1
  var hasIDs = false
  /// Whether a line is long: then five are a chunk.
  var isLong = false
  /// Whether the events go to one stream in one call, with an expected version.
  var isStream = false

  static let all: [Self] =
    [
      Self(lineCount: 8, isLong: true), Self(lineCount: 3, isStream: true),
      Self(lineCount: 1, isStream: true),
    ]
    + [false, true].flatMap { hasIDs in
      [Self(batchSize: 4, hasIDs: hasIDs), Self(batchSize: 1, hasIDs: hasIDs)]
    }
    + [Self(), Self(batchSize: 2, workers: 2), Self(batchSize: 1, workers: 2, hasIDs: true)]

  var testDescription: String {
    isStream
      ? "\(lineCount) events to a stream"
      : "\(isLong ? "long " : "")lines \(hasIDs ? "with" : "without") ids, batches of \(batchSize ?? 0), \(workers) workers"
  }

  /// The input of a run: what it stores is found by the names of its streams.
  func text(_ run: String) -> String {
    let padding = String(repeating: "x", count: isLong ? 1_000_000 : 1)
    return (1...lineCount).map { n in
      let id = hasIDs ? #""id":"\#(Self.id(run, n))","# : ""
      let stream = "\(run)-\(n % 2)"
      return
        #"{\#(id)"aggregate_id":"\#(stream)","event_type":"T","event_data":{"n":\#(n),"x":"\#(padding)"}}"#
    }.joined(separator: "\n")
  }

  private static func id(_ run: String, _ n: Int) -> String {
    let digits = run.utf8.map { String($0, radix: 16) }.joined() + String(n, radix: 16)
    return "00000000-0000-4000-8000-" + String(("000000000000" + digits).suffix(12))
  }

  /// Appends the input; what could not be done is returned.
  func callAsFunction(_ conninfo: String, _ run: String, _ options: BulkAppendOptions) async
    -> EventStoreError?
  {
    do {
      let store = try EventStore(connecting: conninfo)
      if isStream {
        let events = (1...lineCount).map {
          NewEvent(id: EventID(Self.id(run, $0))!, type: "T", data: #"{"n":\#($0)}"#)
        }
        _ = try await store.append(
          events,
          to: "\(run)-0",
          expecting: .noStream,
          retryTimeout: options.retryTimeout
        )
      } else {
        let result = try await store.append(text: text(run), options: options)
        #expect(result.appendedCount + result.existingCount + options.skippedLines == lineCount, "\(result)")
      }
      return nil
    } catch let error as EventStoreError {
      return error
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  /// The steps of an append that nobody cuts.
  func steps(_ db: TestDatabase) async throws -> [ProtocolStep] {
    let seen = Mutex<(steps: [ProtocolStep], isBegun: Bool)>(([], false))
    let proxy = try ServerProxy(to: db) { message in
      seen.withLock { seen in
        let sql = String(decoding: message.body.prefix(100), as: UTF8.self)
        if sql.contains("BEGIN") || sql.contains("-- Appends") { seen.isBegun = true }
        let step = ProtocolStep(direction: message.direction, number: message.number)
        // Of earlier messages, such as the session's settings, every tenth; of the pieces of a long COPY, every 40th.
        let isPiece = message.direction == .toServer && message.type == UInt8(ascii: "d")
        if message.number % (isPiece ? 40 : 10) == 0 || (seen.isBegun && step.isStep(message)) {
          seen.steps.append(step)
        }
      }
      return .pass
    }
    defer { proxy.stop() }
    var options = BulkAppendOptions()
    (options.batchSize, options.workers) = (batchSize, workers)
    let error = await self(proxy.database.conninfo, "dry", options)
    #expect(error == nil)
    return seen.withLock(\.steps)
  }
}

/// A message at which a connection is cut.
struct ProtocolStep: Sendable {
  let direction: ServerProxy.Direction
  /// Its number among those of its direction.
  let number: Int

  /// Whether something is done or known once the message has arrived: a statement's Query, Execute and Sync and the end
  /// of a COPY; CommandComplete, CopyInResponse and ReadyForQuery (manual, "Message Formats").
  func isStep(_ message: ServerProxy.Message) -> Bool {
    (direction == .toServer ? "QESc" : "CGZ").utf8.contains(message.type)
  }

  /// Where in the message to cut, and who notices: neighbours differ.
  func cuts(_ index: Int) -> [ServerProxy.Action] {
    let early: ServerProxy.Action = index % 2 == 0 ? .cut(.before) : .cut(.within)
    guard direction == .toServer else { return [early] }
    // The server has it all, and may go on for a client that has left.
    return [early, index % 2 == 0 ? .cut(.after, .client) : .cut(.after)]
  }
}
