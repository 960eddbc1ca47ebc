internal import LibPQ

/// The state of a store and its readers at one moment.
public struct StoreHealth: Sendable, Hashable {
  /// A reader that keeps a place in the store: a live projection, or a replay with a checkpoint.
  public struct Reader: Sendable, Hashable {
    /// The name of the projection or checkpoint.
    public let name: String
    /// Whether it is a projection; otherwise a replay.
    public let isProjection: Bool
    /// Its checkpoint: events up to there are done.
    public let position: Int64
    /// When the checkpoint last moved.
    public let movedAt: Timestamp
    /// Which events a replay passes on, in words; nil for a projection.
    public let filter: String?
    /// The session that uses the checkpoint now, in words; nil without one.
    public internal(set) var holder: String?
    /// Events after its checkpoint, counted up to a limit; see ``EventStore/EventStore/health(_:)``.
    public let lagEvents: Int64
    /// Whether there are more of them than ``lagEvents``.
    public let isLagLowerBound: Bool
    /// Seconds since the first of them happened; 0 without any.
    public let lagSeconds: Double
    /// Events that it gave up on.
    public let deadLetters: Int64
    /// The error that stopped its work.
    public let error: String?
  }

  /// The limits of a healthy store; nil means no limit.
  public struct Limits: Sendable, Hashable {
    /// The most events that a reader may be behind.
    public var lagEvents: Int64?
    /// The most seconds that a reader may be behind, and a standby behind its primary.
    public var lagSeconds: Double?
    /// The most events that readers may have given up on.
    public var deadLetters: Int64? = 0
    /// The most seconds since the newest event happened.
    public var ageSeconds: Double?
    /// A replay that is not running, and whose checkpoint has not moved for this long, is stale: its lag is no problem.
    public var staleSeconds: Double?

    /// No dead letters, and no other limit.
    public init() {}
  }

  /// When the store was examined, by the server's clock.
  public let time: Timestamp
  /// The highest position; 0 in an empty store.
  public let head: Int64
  /// Seconds since the newest event happened; nil in an empty store.
  public let ageSeconds: Double?
  /// All readers that keep a place in the store.
  public let readers: [Reader]
  /// The faults that keep readers from continuing from a position.
  public let positionFaults: [PositionFault]

  /// How far the server is behind its primary; nil if it is not a standby.
  public let replay: StandbyReplay?

  /// Events that readers gave up on.
  public var deadLetters: Int64 { readers.reduce(0) { $0 + $1.deadLetters } }
  /// How many events the reader that is furthest behind lacks.
  public var lagEvents: Int64 { readers.map(\.lagEvents).max() ?? 0 }
  /// Whether that reader lacks more events than ``lagEvents``.
  public var isLagLowerBound: Bool { readers.contains(where: \.isLagLowerBound) }
  /// How many seconds the reader that is furthest behind is late.
  public var lagSeconds: Double { readers.map(\.lagSeconds).max() ?? 0 }

  /// How many events after a checkpoint are counted, unless more are requested: counting millions takes seconds.
  static let lagLimit: Int64 = 100_000

  /// The limits that are exceeded, each in a sentence; none for a healthy store.
  ///
  /// - Parameter limits: those that ``EventStore/EventStore/health(_:)`` was given. A reader whose lag was only partly
  ///   counted does not pass with a higher limit.
  public func problems(_ limits: Limits) -> [String] {
    var problems = positionFaults.map(\.message)
    if let replay {
      let isLate = limits.lagSeconds.map { (replay.delaySeconds ?? .infinity) > $0 } == true
      if replay.isPaused || isLate { problems.append("this server is a standby: \(replay.description)") }
    }
    if let limit = limits.ageSeconds {
      if let ageSeconds, ageSeconds > limit {
        problems.append("the newest event is \(Int(clamping: ageSeconds)) s old")
      } else if ageSeconds == nil {
        problems.append("there is no event")
      }
    }
    for reader in readers {
      if reader.position > head {
        let ahead = ReaderAhead(reader: reader.name, position: reader.position)
        problems.append(ahead.message(storeEnd: head))
      }
      if let error = reader.error { problems.append("\(reader.name) stopped: \(error)") }
      if isStale(reader, limits) { continue }
      let isLate =
        limits.lagEvents.map { reader.isLagLowerBound || reader.lagEvents > $0 } == true
        || limits.lagSeconds.map { reader.lagSeconds > $0 } == true
      if isLate {
        problems.append(
          "\(reader.name) is \(reader.lag), \(Int(clamping: reader.lagSeconds)) s behind"
        )
      }
      if let limit = limits.deadLetters, reader.deadLetters > limit {
        problems.append("\(reader.name) has \(counted(reader.deadLetters, "dead letter"))")
      }
    }
    return problems
  }
}

extension StoreHealth {
  /// The replays that lag because nobody has run them for long; none without a limit for this.
  public func staleReaders(_ limits: Limits) -> [Reader] { readers.filter { isStale($0, limits) } }

  private func isStale(_ reader: Reader, _ limits: Limits) -> Bool {
    guard let limit = limits.staleSeconds, !reader.isProjection, reader.holder == nil, reader.lagEvents > 0
    else {
      return false
    }
    return Double(time.microseconds - reader.movedAt.microseconds) / 1e6 > limit
  }
}

extension StoreConnection {
  func health(_ limits: StoreHealth.Limits) throws -> StoreHealth {
    let lagLimit = max(StoreHealth.lagLimit, limits.lagEvents ?? 0)
    try eventsTable().requirePosition(for: "a check of readers")
    let hasReaders = try appliedMigration() > 0
    let projections = hasReaders ? try projectionStatus(nil, countsRows: false, lagLimit: lagLimit) : []
    // Such an event would not count as lag of any reader.
    try eventsTable().requirePositions(connection)
    let sql: SQL = """
      SELECT e.position AS head,
             least(1e12, greatest(-1e12, extract(epoch FROM clock_timestamp()) - extract(epoch FROM e."timestamp")))::float8
               AS age_seconds
      FROM \(raw: relation) e WHERE e.position IS NOT NULL ORDER BY e.position DESC LIMIT 1
      """
    var readers = StoreHealth.Reader.live(projections)
    if hasReaders { readers += try consumers(lagLimit: lagLimit) }
    // Read after the readers, so that none seems ahead of it because it has moved meanwhile.
    let newest = try connection.query(sql).first { ($0.int64("head"), $0.optionalFloat64("age_seconds")) }
    let holders = try AdvisoryLock.holders(of: readers.map(\.lock), connection)
    for index in readers.indices { readers[index].holder = holders[ByteString(readers[index].lock)] }
    let time = try connection.query("SELECT clock_timestamp() AS time")
    return StoreHealth(
      time: time[0].timestamp("time"),
      head: newest?.0 ?? 0,
      ageSeconds: newest?.1,
      readers: readers,
      positionFaults: try positionFaults().faults,
      replay: try standbyReplay()
    )
  }

  private func consumers(lagLimit: Int64) throws -> [StoreHealth.Reader] {
    let result = try connection.query(SQLTemplate.consumerStatus.sql, [.text(table.description)])
    let lags = try lags(behind: result.map { $0.int64("position") }, limit: lagLimit.saturatingAdd(1))
    return lags.indices.map { index in
      let (row, lag) = (result[index], lags[index])
      return StoreHealth.Reader(
        name: row.string("name"),
        isProjection: false,
        position: row.int64("position"),
        movedAt: row.timestamp("moved_at"),
        filter: row.string("filter"),
        lagEvents: min(lag.events, lagLimit),
        isLagLowerBound: lag.events > lagLimit,
        lagSeconds: lag.seconds,
        deadLetters: row.int64("dead_letters"),
        error: nil
      )
    }
  }
}

extension StoreHealth.Reader {
  /// How many events it is behind, in words.
  fileprivate var lag: String {
    isLagLowerBound ? "more than \(lagEvents) events" : counted(lagEvents, "event")
  }

  /// The name of the lock that a session holds while it uses the checkpoint.
  fileprivate var lock: String { isProjection ? "projection \(name)" : Checkpoint.lockName(name) }

  fileprivate static func live(_ projections: [ProjectionStatus]) -> [StoreHealth.Reader] {
    projections.filter(\.isLive).map {
      StoreHealth.Reader(
        name: $0.name,
        isProjection: true,
        position: $0.position,
        movedAt: $0.movedAt,
        filter: nil,
        lagEvents: $0.lagEvents,
        isLagLowerBound: $0.isLagLowerBound,
        lagSeconds: $0.lagSeconds,
        deadLetters: $0.deadLetters,
        error: $0.error
      )
    }
  }
}
