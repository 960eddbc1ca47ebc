/// What to check, and by which rules.
public struct VersionCheck: Sendable, Hashable {
  /// The streams that are checked.
  public var selection = AggregateSelection.all
  /// Of these, check only the streams that have events after the place up to which the last such check found no error.
  ///
  /// The place is kept in schema `annals`, one for each value of ``firstVersion``.
  public var isIncremental = false
  /// The version that a stream begins with, 0 or 1; nil for that of the layout, which is 1 unless it says otherwise.
  public var firstVersion: Int?
  /// The kinds of finding to look for.
  public var kinds = Set(Finding.Kind.allCases)
  /// Look for the causes of missing versions, and for holes in the order of the whole store.
  public var explains = false
  /// Report warnings as errors, but for holes in positions, which rollbacks leave.
  public var isStrict = false
  /// Findings that are known, and left out.
  public var baseline: Baseline?
  /// Processes of the server that share reading the events, as far as its `max_parallel_workers` goes; nil leaves it to
  /// the server's settings.
  public var workers: Int?

  /// All streams, from version 1, with all kinds of finding.
  public init() {}
}

/// What a check went through, and what it found.
public struct VersionCheckResult: Sendable, Hashable {
  /// Events that were checked.
  public internal(set) var events: Int64 = 0
  /// Streams that were checked.
  public internal(set) var aggregates: Int64 = 0
  /// The highest position when the check began; nil in a table without positions.
  public internal(set) var headPosition: Int64?
  /// How many findings there are of each kind; a kind that was not found is missing.
  public internal(set) var counts: [Finding.Kind: Int] = [:]
  /// How many findings were left out as known.
  public internal(set) var known = 0
  /// How many of the findings are errors.
  public internal(set) var errors = 0
  /// The last stream of a check that ended before the end of the store; nil when nothing is left.
  public internal(set) var checkedThrough: String?
  /// The root of the manifest that was written, in hexadecimal digits: equal for equal events, in any database.
  public internal(set) var manifestRoot: String?
}
