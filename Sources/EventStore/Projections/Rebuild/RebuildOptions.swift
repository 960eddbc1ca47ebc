/// How a rebuild goes.
public struct RebuildOptions: Sendable, Hashable {
  /// Events a transaction.
  public var chunkSize: Int64 = 20_000
  /// Connections that share the events, for a file with `@parallel aggregate`; a resumed build keeps its number.
  public var workers = 1
  /// Starts again where an interrupted build of the same file could be resumed.
  public var restarts = false
  /// Puts the new generation in the place of the live one; otherwise it waits, complete, for a run that does.
  public var swaps = true
  /// The last position to apply; nil for all of history.
  public var lastPosition: Int64?
  /// Retired generations to keep for a rollback.
  public var keptGenerations = 1
  /// Stops after a chunk when so much time has passed; the build can be resumed.
  public var timeLimit: Duration?
  /// How long to try to connect again after the connection was lost.
  public var retryTimeout: Duration = .seconds(30)
  /// Compares the new tables with the live ones before the swap.
  public var compares = false
  /// How much may differ for the swap to be made; implies `compares`.
  public var differenceLimit: DifferenceLimit?

  /// Builds by one connection, resumes what was interrupted, and swaps without comparing.
  public init() {}

  /// `lastPosition`, or none.
  var finalPosition: Int64 { lastPosition ?? .max }
}

extension StoreConnection {
  /// Up to where a rebuild may go now; a given end is taken at its word where a layout cannot tell what is final.
  func finalPosition(for options: RebuildOptions) throws -> Int64 {
    min(try finalPosition(goesOn: options.lastPosition == nil), options.finalPosition)
  }
}

/// How much a new generation may differ from the live one: rows added, removed and changed together.
public enum DifferenceLimit: Sendable, Hashable {
  /// A number of rows.
  case rows(Int64)
  /// Of the rows of the live tables.
  case percent(Double)
}

/// What a rebuild did.
public struct RebuildResult: Sendable, Hashable {
  /// Why the new generation is where it is.
  public enum Ending: Sendable, Hashable {
    /// It is live.
    case live
    /// It is complete and waits, as `swaps` is off.
    case ready
    /// The time limit came first.
    case outOfTime
    /// Checks found something.
    case checksFailed
    /// It differs from the live one by more than the limit.
    case tooDifferent
  }

  /// The name of the projection.
  public let projection: String
  /// Which build of the read model it is, from 1.
  public let generation: Int
  /// How far it came.
  public let ending: Ending
  /// Events that were handled, those before an interruption included.
  public let events: Int64
  /// The position up to which the read model holds history.
  public let position: Int64
  /// Whether it went on with a build that had been interrupted.
  public let isResumed: Bool
  /// Where the new tables are while they are not live.
  public let schema: String
  /// The checks that found something; then the new generation is kept aside and the live one stays.
  public let failedChecks: [FailedCheck]
  /// What changes from the live tables to the new ones; empty unless it was asked for.
  public let differences: [TableDifference]
}

/// A check of a projection file that yielded rows.
public struct FailedCheck: Sendable, Hashable {
  /// The words behind `@check`.
  public let check: String
  /// The first rows, as JSON objects.
  public let rows: [String]
}
