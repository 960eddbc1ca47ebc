/// How ``EventStore/append(lines:options:)`` treats its input.
public struct BulkAppendOptions: Sendable {
  /// Lines in one transaction; nil for all or nothing.
  public var batchSize: Int?
  /// Connections that append side by side, each its own batches; the events of one aggregate stay in order. More than
  /// one needs a batch size of at most ``maximumSharedBatchSize``; callbacks are then called on several threads.
  public var workers = 1
  /// Lines to skip at the beginning, because they were committed before.
  public var skippedLines = 0
  /// A member of the payload that gives an event without an id its id, the same in each run (UUID version 8).
  public var idField: String?
  /// Names the run. An event without an id gets one that is made from this name and the number of its line, so the same
  /// input can be appended again under the same name, and stored events are not stored twice. With nil, a name is made
  /// up; errors show it.
  public var runID: String?
  /// How many lines that are not events may be set aside before the append fails.
  public var maximumRejects = 0
  /// Stores the events in one transaction that is rolled back: the server checks them, and nothing is left but unused
  /// positions and dead rows.
  public var isDryRun = false
  /// How long to try to connect again after the connection was lost.
  public var retryTimeout: Duration = .seconds(30)

  /// Called with each line that is set aside.
  public var onReject: (@Sendable (RejectedLine) throws -> Void)?
  /// Called as events are stored; what was reported since the last call of `onCommit` is not committed yet.
  public var onReceipts: (@Sendable ([AppendReceipt]) -> Void)?
  /// Called after each commit, with the number of the last line up to which all lines are committed.
  public var onCommit: (@Sendable (_ lastLine: Int) -> Void)?

  /// Largest batch with several workers.
  public static let maximumSharedBatchSize = EventChunk.maximumLines

  /// Everything in one transaction, over one connection.
  public init() {}
}

/// A line that is not an event, or that the server refused.
public struct RejectedLine: Sendable, Hashable {
  /// Number of the line, from 1.
  public var line: Int
  /// The line as it was, without its line feed.
  public var bytes: [UInt8]
  /// Why, for people.
  public var reason: String
}

/// What a bulk append did.
public struct BulkAppendResult: Sendable, Hashable {
  /// Events that were stored; in a dry run, the events that would be stored.
  public internal(set) var appendedCount = 0
  /// Events that an earlier append had stored.
  public internal(set) var existingCount = 0
  /// Lines that were set aside.
  public internal(set) var rejectedCount = 0
  /// Number of the last line up to which all lines are committed; 0 when there is none.
  public internal(set) var lastCommittedLine = 0
  /// Whether lines after that one are committed as well.
  var hasCommittedBeyond = false
  /// Whether it is not known whether some lines are committed.
  var isUncertain = false
}
