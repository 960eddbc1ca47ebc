internal import LibPQ

/// Which events a reader has met: how many, and the sum of the hashes of their ids, in which order does not matter.
///
/// It is kept with the reader's checkpoint and moves in the same transaction. What the store has up to the checkpoint must
/// be the same; if it is not, an event came below the checkpoint after the reader had passed, or one was removed.
struct SeenEvents: Sendable, Hashable {
  var count: Int64 = 0
  var hash: Int64 = 0

  static func += (total: inout SeenEvents, more: SeenEvents) {
    total.count += more.count
    // Each hash has 32 bits: a sum of as many as fit into a table stays far from the ends.
    total.hash &+= more.hash
  }

  /// The hash of event `e` as an integer of 32 bits.
  static let hash = "coalesce(pg_catalog.uuid_hash(e.id), 0)"
  /// What to select of events `e`.
  static let columns = "count(*), coalesce(sum(\(hash)), 0)::bigint"
}

extension QueryResult {
  /// A row of ``SeenEvents/columns``; nil where they are NULL.
  borrowing func seenEvents(_ row: Int, _ column: Int) -> SeenEvents? {
    guard let count = optionalInt64(row, column), let hash = optionalInt64(row, column + 1) else {
      return nil
    }
    return SeenEvents(count: count, hash: hash)
  }
}

extension Projection {
  /// The events that its handlers are for, of those that a FROM item has.
  ///
  /// - Parameter positions: from the first to the last, included; nil has no end.
  func seenEvents(
    of source: String,
    from first: Int64? = nil,
    upTo last: Int64,
    _ connection: Connection
  ) throws -> SeenEvents {
    let sql = """
      SELECT \(SeenEvents.columns) FROM \(source) AS e
      WHERE ($1::bigint IS NULL OR e.position >= $1) AND e.position <= $2 AND ($4 OR e.event_type = ANY ($3))
      """
    let row = try connection.query(
      sql,
      [.int8(first), .int8(last), .textArray(handledTypes), .bool(handlesEveryType)]
    )
    return row.seenEvents(0, 0) ?? SeenEvents()
  }
}

extension Generation {
  /// Takes what the store has up to the checkpoint now for what was met.
  ///
  /// - Parameter source: the FROM item of the events as its handlers read them; nil where nobody can tell.
  func takeAsSeen(_ file: Projection?, of source: String?, _ connection: Connection) throws {
    var seen: SeenEvents?
    if let file, let source { seen = try file.seenEvents(of: source, upTo: position, connection) }
    let sql = """
      UPDATE annals.generations SET seen_events = $3, seen_hash = $4 WHERE projection = $1 AND number = $2
      """
    _ = try connection.query(
      sql,
      [.text(projection), .int4(number), .int8(seen?.count), .int8(seen?.hash)]
    )
  }
}

extension StoreConnection {
  /// The events that match.
  func seenEvents(of query: EventQuery) throws -> SeenEvents {
    let table = try eventsTable()
    let conditions = query.conditions(in: table)
    let sql = "SELECT \(SeenEvents.columns) FROM \(table.source) e \(conditions.clause(and: "true"))"
    return try connection.query(sql, conditions.parameters).seenEvents(0, 0) ?? SeenEvents()
  }

  /// What readers have met is of events as they were: nobody can tell what it is of other ones.
  func forgetSeenEvents() throws {
    let generations = """
      UPDATE annals.generations SET seen_events = NULL, seen_hash = NULL
      WHERE projection IN (SELECT name FROM annals.projections WHERE store = $1)
      """
    let checkpoints = "UPDATE annals.checkpoints SET seen_events = NULL, seen_hash = NULL WHERE store = $1"
    for sql in [generations, checkpoints] { _ = try connection.query(sql, [.text(table.description)]) }
  }
}
