internal import FoundationEssentials
internal import LibPQ

/// What a replay would pass on, as PostgreSQL's planner estimates it from its statistics: no event is read.
public struct ReplayPlan: Sendable, Hashable {
  /// How many events of a type it would be.
  public struct TypeEstimate: Sendable, Hashable {
    /// Nil for all types that the statistics do not name.
    public let type: String?
    /// How many events of it, as estimated.
    public let events: Int64
  }

  /// By type, the most frequent first; the estimate without a type comes last.
  public internal(set) var types: [TypeEstimate] = []
  /// All of them.
  public var events: Int64 { types.reduce(0) { $0 + $1.events } }
  /// The positions between which it would look for events; nil if there are none.
  public internal(set) var positions: ClosedRange<Int64>?
}

extension StoreConnection {
  func planReplay(_ query: EventQuery, _ options: ReplayOptions) throws -> ReplayPlan {
    let table = try eventsTable()
    if options.isFollowing {
      try requireFollowable(keepsCheckpoint: options.checkpoint != nil)
    } else {
      try requireNames(in: query)
    }
    try requireContents(of: query)
    if query.fromPosition != nil || query.toPosition != nil { try table.requirePosition(for: "a position") }
    try requireComplete(for: query)
    var query = query
    if let checkpoint = options.checkpoint {
      let position = try checkpointPosition(checkpoint, for: query, start: options.start)
      query.afterPosition = position
    }
    var plan = ReplayPlan()
    if table.hasPosition {
      let ends = try connection.query(
        "SELECT min(position) AS lowest, max(position) AS highest FROM \(raw: relation) e"
      )
      // The planner never estimates 0 rows.
      guard let lowest = ends[0].optionalInt64("lowest"), query.afterPosition != .max else { return plan }
      let first = max(lowest, query.fromPosition ?? .min, query.afterPosition.map { $0 + 1 } ?? .min)
      let last = min(ends[0].int64("highest"), query.toPosition ?? .max)
      guard first <= last else { return plan }
      plan.positions = first...last
    }
    plan.types = try estimates(of: query)
    plan.limit(to: query.limit)
    return plan
  }

  private func estimates(of query: EventQuery) throws -> [ReplayPlan.TypeEstimate] {
    let known =
      try query.types.isEmpty ? frequentTypes() : (types: query.types, isAll: true)
    var types: [ReplayPlan.TypeEstimate] = []
    for type in Set(known.types.map { ByteString($0) }).map(\.string) {
      var ofType = query
      ofType.types = [type]
      types.append(ReplayPlan.TypeEstimate(type: type, events: try estimate(ofType)))
    }
    types.sort {
      $0.events == $1.events ? ByteString($0.type!) < ByteString($1.type!) : $0.events > $1.events
    }
    guard !known.isAll else { return types }
    let others = try estimate(query) - types.reduce(0) { $0 + $1.events }
    return others > 0 ? types + [ReplayPlan.TypeEstimate(type: nil, events: others)] : types
  }

  /// How many events the planner expects.
  private func estimate(_ query: EventQuery) throws -> Int64 {
    let table = try eventsTable(for: query)
    let condition = query.conditions(in: table).conjunction
    return try connection.plan(of: "SELECT FROM \(raw: table.source) e WHERE \(condition)").rows
  }

  /// The types that the statistics name, and whether these are all types.
  ///
  /// There are none for another framework's store, whose layout may make the types, or with upcasters, which may
  /// rename them.
  private func frequentTypes() throws -> (types: [String], isAll: Bool) {
    guard foreign == nil, upcasters.isEmpty else { return ([], false) }
    // For a partitioned table, the row of the whole (inherited).
    let sql: SQL = """
      SELECT name, n_distinct = count(*) OVER () AS is_all FROM (
        SELECT most_common_vals, n_distinct FROM pg_stats
        WHERE schemaname = \(table.schema) AND tablename = \(table.name) AND attname = 'event_type'
        ORDER BY inherited DESC LIMIT 1
      ) AS s, unnest(s.most_common_vals::text::text[]) WITH ORDINALITY AS t (name, place)
      ORDER BY place LIMIT \(Self.namedTypeLimit)
      """
    let rows = try connection.query(sql)
    return (rows.map { $0.string("name") }, isAll: rows.first { $0.bool("is_all") } ?? false)
  }

  /// Each type takes one query to the planner.
  private static let namedTypeLimit: Int64 = 100
}

extension ReplayPlan {
  /// The shares of the types stay, since it is not known which events come first.
  fileprivate mutating func limit(to limit: Int?) {
    guard let limit, events > limit else { return }
    let share = Double(limit) / Double(events)
    types = types.map {
      TypeEstimate(type: $0.type, events: Int64((Double($0.events) * share).rounded()))
    }
  }
}
