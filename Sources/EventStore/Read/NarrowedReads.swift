internal import LibPQ

/// Narrowing a read to a range of positions.
///
/// The order of positions is roughly the order of times, but an index on both would slow down every append; and a
/// category, or a type, may begin late. An index finds all such events, but has to read all of them. A walk along the
/// positions finds the first one after reading all before it, and PostgreSQL often chooses it, because it assumes that
/// they are evenly distributed. A sample of the events tells which way is shorter.
extension StoreConnection {
  /// Ends a read before the first of its events that is too late for it.
  ///
  /// - Returns: the position before that event; nil if there is no such event.
  func endAtTime(_ query: inout EventQuery) throws -> Int64? {
    let table = try eventsTable()
    var all = query
    (all.until, all.before) = (nil, nil)
    var late: [SQL] = []
    if let until = query.until { late.append("e.\"timestamp\" > \(table.stored(until))") }
    if let before = query.before { late.append("e.\"timestamp\" >= \(table.stored(before))") }
    let isLate: SQL = "(\(late.joined(separator: " OR ")))"
    let isWalked = try sample(of: isLate, within: query).map { $0.matching > $0.before } ?? true
    let source: SQL = """
      \(raw: query.selected(from: table.source)) e WHERE \((all.conditions(in: table) + [isLate]).conjunction)
      """
    let first = try run(
      isWalked
        ? "SELECT (SELECT e.position FROM \(source) ORDER BY e.position LIMIT 1)"
        : "SELECT min(e.position + 0) FROM \(source)",
      for: query
    )
    guard let first = first.optionalInt64(0, 0) else { return nil }
    let last = first.saturatingAdd(-1)
    query.toPosition = min(query.toPosition ?? last, last)
    return last
  }

  /// The position of the last event until a time; nil if there is none, or no event at all.
  func position(until time: Timestamp) throws -> Int64? {
    let table = try eventsTable()
    try table.requirePosition(for: "a place in time")
    let search = SQLTemplate.positionUntil.statement([
      "events": SQL(raw: relation), "time": table.stored(time),
    ])
    return try connection.query(search).optionalInt64(0, 0)
  }

  /// Narrows a read to the range of the positions of its events, unless its pages find these sooner.
  ///
  /// A stream is read by its own index, and completely, including events without a position.
  func narrowIfShorter(_ query: inout EventQuery, following: Bool) throws {
    let table = try eventsTable()
    let conditions = query.selection(in: table)
    guard query.goesByPosition, table.hasPosition, !conditions.isEmpty else { return }
    // The pages walk over the events before the first match, and at their end over those after the last match. The end
    // comes when most has been written, and may never come, so it counts for less.
    if let sample = try sample(of: conditions.conjunction, within: query) {
      let isBackward = query.reversed || query.last != nil
      let (first, second) = isBackward ? (sample.behind, sample.before) : (sample.before, sample.behind)
      guard sample.matching <= first + second / 8 else { return }
    } else if !query.hasTimes {
      return
    }
    // "+ 0" keeps the planner from walking the positions from either end to the first match.
    let sql: SQL = """
      SELECT min(position + 0) AS first, max(position + 0) AS last FROM \(raw: relation) e
      WHERE \((conditions + query.range.conditions(in: table)).conjunction)
      """
    let range = try connection.query(sql)
    // Later events have higher positions than all existing ones.
    guard let first = range[0].optionalInt64("first"), let last = range[0].optionalInt64("last") else {
      // No position is in this range. A limit of 0 would end the read before the rest, and a checkpoint with it.
      if !following { (query.fromPosition, query.toPosition) = (.max, .min) }
      return
    }
    query.fromPosition = max(query.fromPosition ?? first, first)
    if !following { query.toPosition = min(query.toPosition ?? last, last) }
  }

  /// The places of the events for which a condition holds, from a sample spread evenly over the range of a query: how
  /// many of the sample match, how many events are before the first match, and how many after the last; nil if no index
  /// finds an event by its position.
  func sample(
    of condition: SQL,
    within query: EventQuery
  ) throws -> (before: Int, matching: Int, behind: Int)? {
    let table = try eventsTable()
    guard table.hasPosition, try table.hasUniqueKey(["position"], connection) else { return nil }
    let sql: SQL = """
      SELECT coalesce((SELECT \(condition) FROM \(raw: relation) e WHERE e.position >= p.position
                       ORDER BY e.position LIMIT 1), false) AS matches
      FROM (SELECT min(e.position)::numeric AS first, max(e.position)::numeric AS last
            FROM \(raw: relation) e WHERE \(query.range.conditions(in: table).conjunction)) AS r
      CROSS JOIN generate_series(0, 63) AS n
      CROSS JOIN LATERAL (SELECT (r.first + (r.last - r.first) * n / 63)::bigint) AS p (position)
      ORDER BY n
      """
    let matches = try run(sql, for: query).map { $0.bool("matches") }
    return (
      before: matches.prefix { !$0 }.count, matching: matches.count { $0 },
      behind: matches.reversed().prefix { !$0 }.count
    )
  }
}

extension EventQuery {
  /// The bounds of the query alone.
  fileprivate var range: EventQuery {
    var range = EventQuery()
    (range.fromPosition, range.afterPosition, range.toPosition) = (fromPosition, afterPosition, toPosition)
    return range
  }

  /// The query's conditions on an event as it is stored, without its bounds.
  fileprivate func selection(in table: EventsTable) -> [SQL] {
    var selection = EventQuery()
    (selection.since, selection.until, selection.before) = (since, until, before)
    (selection.category, selection.aggregateIDs) = (category, aggregateIDs)
    // Upcasters may give events another type.
    if table.source.hasSameBytes(as: table.relation) { selection.types = types }
    return selection.conditions(in: table)
  }
}
