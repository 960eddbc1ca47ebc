/// The options of a rebuild.
public struct RebuildOptions: Sendable, Hashable {
  /// Events in a transaction.
  public var chunkSize: Int64 = 20_000
  /// Connections that share the events, for a file with `@parallel aggregate`; a resumed build keeps its number.
  public var workers = 1
  /// Starts again even if an interrupted build of the same file could be resumed.
  public var restarts = false
  /// Swaps the new generation in; otherwise it stays complete until a later run swaps it in.
  public var swaps = true
  /// The last position to apply; nil for all of history.
  public var lastPosition: Int64?
  /// Retired generations to keep for a rollback.
  public var keptGenerations = 1
  /// Stops after a chunk when this time has passed; the build can be resumed.
  public var timeLimit: Duration?
  /// How many events whose handler fails are set aside as dead letters of the new generation; the next one ends the
  /// build. Not for an error of the handler or the tables themselves (SQLSTATE class 42).
  public var mostDeadLetters = 0
  /// How long to try to connect again after the connection was lost.
  public var retryTimeout: Duration = .seconds(30)
  /// Compares the new tables with the live ones before the swap.
  public var compares = false
  /// How much may differ so that the swap is still made; implies `compares`.
  public var differenceLimit: DifferenceLimit?

  /// Uses one connection, resumes an interrupted build, and swaps without comparing.
  public init() {}

  /// `lastPosition`, or none.
  var finalPosition: Int64 { lastPosition ?? .max }
}

extension StoreConnection {
  /// How far a rebuild may go now; a given end is accepted if a layout cannot tell what is final.
  func finalPosition(for options: RebuildOptions) throws -> Int64 {
    min(try finalPosition(goesOn: options.lastPosition == nil), options.finalPosition)
  }
}

/// How much a new generation may differ from the live one: rows added, removed and changed together.
public enum DifferenceLimit: Sendable, Hashable {
  /// A number of rows.
  case rows(Int64)
  /// A share of the rows of the live tables.
  case percent(Double)
}

/// What a rebuild did.
public struct RebuildResult: Sendable, Hashable {
  /// How the rebuild ended.
  public enum Ending: Sendable, Hashable {
    /// It is live.
    case live
    /// It is complete and not swapped in, as `swaps` is off.
    case ready
    /// The time limit was reached.
    case outOfTime
    /// Checks found something.
    case checksFailed
    /// It differs from the live one by more than the limit.
    case tooDifferent
  }

  /// The name of the projection.
  public let projection: String
  /// The number of the build of the read model, from 1.
  public let generation: Int
  /// How it ended.
  public let ending: Ending
  /// Events that were handled, including those before an interruption.
  public let events: Int64
  /// The position up to which the read model holds history.
  public let position: Int64
  /// Whether it continued an interrupted build.
  public let isResumed: Bool
  /// The schema of the new tables while they are not live.
  public let schema: String
  /// The checks that found something; then the new generation is not swapped in, and the live one stays.
  public let failedChecks: [FailedCheck]
  /// The differences between the live tables and the new ones; empty unless a comparison was requested.
  public let differences: [TableDifference]
  /// The events of a complete build that were set aside as dead letters.
  public let deadLetters: Int
}

/// A check of a projection file that returned rows.
public struct FailedCheck: Sendable, Hashable {
  /// The words after `@check`.
  public let check: String
  /// The first rows, as JSON objects.
  public let rows: [String]
}
