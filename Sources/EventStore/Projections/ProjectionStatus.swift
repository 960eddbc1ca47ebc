internal import LibPQ

/// The status of one generation of a projection.
public struct ProjectionStatus: Sendable, Hashable {
  /// The state of a generation.
  public enum State: String, Sendable, Hashable {
    /// Its tables are the live ones.
    case live
    /// Live, but not kept current until it is resumed.
    case paused
    /// Live, but the catch-up was last given another file.
    case stale
    /// Work on it stopped with an ``ProjectionStatus/error``.
    case failed
    /// It is being built, or its build was interrupted.
    case building
    /// Complete, not live.
    case ready
    /// Was live; kept for a rollback.
    case retired
  }

  /// The name of the projection.
  public let name: String
  /// The number of the build of the read model, from 1.
  public let generation: Int
  /// The version in the projection file.
  public let version: Int32
  /// The state of the generation.
  public let state: State
  /// Whether its tables are the live ones, also while it is paused or failed.
  public let isLive: Bool
  /// The checkpoint.
  public let position: Int64
  /// The highest position of the store; 0 in an empty one.
  package let headPosition: Int64
  /// Events of the store after the checkpoint, counted up to 100,000.
  public let lagEvents: Int64
  /// Whether there are more of them than ``lagEvents``.
  public let isLagLowerBound: Bool
  /// Seconds since the first of them happened; 0 without any.
  public let lagSeconds: Double
  /// Rows of its tables; the planner's estimate if they are larger than 64 MB, or the role may not read all of them.
  /// Nil if there is no estimate either.
  public let rows: Int64?
  /// Events that were handled.
  public let events: Int64
  /// Events that it lacks because their handlers failed.
  public let deadLetters: Int64
  /// The error that stopped the work on it.
  public let error: String?
  /// When its checkpoint moved last.
  public let movedAt: Timestamp
  /// The paths of the upcasters that its events go through; nil if an earlier version did not record them.
  public let upcasters: [String]?
}

extension StoreConnection {
  func projectionStatus(
    _ name: String?,
    countsRows: Bool,
    lagLimit: Int64 = StoreHealth.lagLimit
  ) throws -> [ProjectionStatus] {
    try requireSchema()
    try eventsTable().requirePosition(for: "a projection")
    if let name { try requireProjection(name) }
    let result = try connection.query(
      SQLTemplate.projectionStatus.sql,
      [.text(table.description), .text(name), .bool(countsRows)]
    )
    let head = result.isEmpty ? nil : try readHead().position
    let lags = try lags(behind: result.map { $0.int64("position") }, limit: lagLimit.saturatingAdd(1))
    return try lags.indices.map { index in
      let (row, lag) = (result[index], lags[index])
      let (estimate, query) = (row.optionalInt64("estimated_rows"), row.string("counting_query"))
      return ProjectionStatus(
        name: row.string("name"),
        generation: Int(row.int32("generation")),
        version: row.int32("version"),
        state: ProjectionStatus.State(rawValue: row.string("state")) ?? .failed,
        isLive: row.bool("is_live"),
        position: row.int64("position"),
        headPosition: head ?? 0,
        lagEvents: min(lag.events, lagLimit),
        isLagLowerBound: lag.events > lagLimit,
        lagSeconds: lag.seconds,
        rows: try estimate.map { try $0 + count(query) },
        events: row.int64("events"),
        deadLetters: row.int64("dead_letters"),
        error: row.optionalString("error"),
        movedAt: row.timestamp("moved_at"),
        upcasters: Self.upcasters(row.optionalString("upcasters"), of: row.string("definition"))
      )
    }
  }

  /// Adds up the rows of the tables in a query; 0 when it is empty.
  private func count(_ query: String) throws -> Int64 {
    query.isEmpty
      ? 0 : try connection.query("SELECT sum(n)::bigint FROM (\(raw: query)) AS counts (n)").int64(0, 0)
  }
}
