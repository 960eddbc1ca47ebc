/// The scope and the rules of a check.
public struct VersionCheck: Sendable, Hashable {
  /// The streams that are checked.
  public var selection = AggregateSelection.all
  /// Of these, check only the streams with events after the place up to which the last such check found no error.
  ///
  /// The place is kept in schema `annals`, one for each value of ``firstVersion``.
  public var isIncremental = false
  /// The version of a stream's first event, 0 or 1; nil for that of the layout, which is 1 unless it says otherwise.
  public var firstVersion: Int?
  /// The kinds of finding to look for.
  public var kinds = Set(Finding.Kind.allCases)
  /// Look for the causes of missing versions, and for holes in the order of the whole store.
  public var explains = false
  /// Report warnings as errors, except holes in positions, which rollbacks leave, and not redactions.
  public var isStrict = false
  /// Known findings, which are left out.
  public var baseline: Baseline?
  /// Processes of the server that share the reading, within its `max_parallel_workers`; nil uses its settings.
  public var workers: Int?

  /// All streams, from version 1, with all kinds of finding.
  public init() {}
}

/// The result of a check.
public struct VersionCheckResult: Sendable, Hashable {
  /// Events that were checked.
  public internal(set) var events: Int64 = 0
  /// Streams that were checked.
  public internal(set) var aggregates: Int64 = 0
  /// The highest position when the check began; nil in a table without positions.
  public internal(set) var headPosition: Int64?
  /// How many findings there are of each kind; a kind without findings is missing.
  public internal(set) var counts: [Finding.Kind: Int] = [:]
  /// How many findings were left out because they are known.
  public internal(set) var known = 0
  /// How many of the findings are errors.
  public internal(set) var errors = 0
  /// The last stream of a check that ended before the end of the store; nil when nothing is left.
  public internal(set) var checkedThrough: String?
  /// The root of the new manifest, in hexadecimal digits: equal for equal events, in any database.
  public internal(set) var manifestRoot: String?
}
