internal import LibPQ

/// Which events a reader has met: their number, and the sum of the hashes of their ids, which does not depend on order.
///
/// It is kept with the reader's checkpoint and moves in the same transaction. The store must have the same up to the
/// checkpoint. If not, an event came below the checkpoint after the reader had passed, or one was removed.
struct SeenEvents: Sendable, Hashable {
  var count: Int64 = 0
  var hash: Int64 = 0

  static func += (total: inout SeenEvents, more: SeenEvents) {
    total.count += more.count
    // Each hash has 32 bits: the sum of as many as fit into a table is far from the limits.
    total.hash &+= more.hash
  }

  /// The hash of event `e` as an integer of 32 bits.
  static let hash = "coalesce(pg_catalog.uuid_hash(e.id), 0)"
  /// The columns to select from events `e`.
  static let columns = "count(*) AS seen_events, coalesce(sum(\(hash)), 0)::bigint AS seen_hash"
}

extension Row {
  /// A row with ``SeenEvents/columns``; nil where they are NULL.
  var seenEvents: SeenEvents? {
    guard let count = optionalInt64("seen_events"), let hash = optionalInt64("seen_hash") else { return nil }
    return SeenEvents(count: count, hash: hash)
  }
}

extension Projection {
  /// The events of a FROM item that the handlers are for.
  ///
  /// - Parameter positions: from the first to the last, included; nil means no end.
  func seenEvents(
    of source: String,
    from first: Int64? = nil,
    upTo last: Int64,
    _ connection: Connection
  ) throws -> SeenEvents {
    var conditions: [SQL] = ["e.position <= \(last)"]
    if let first { conditions.append("e.position >= \(first)") }
    if !handlesEveryType { conditions.append("e.event_type = ANY (\(Parameter.textArray(handledTypes)))") }
    let sql: SQL = """
      SELECT \(raw: SeenEvents.columns) FROM \(raw: source) AS e WHERE \(conditions.conjunction)
      """
    let result = try connection.query(sql)
    return result[0].seenEvents ?? SeenEvents()
  }
}

extension Generation {
  /// Takes the events that the store has up to the checkpoint now as met.
  ///
  /// - Parameter source: the FROM item of the events as its handlers read them; nil if that is not known.
  func takeAsSeen(_ file: Projection?, of source: String?, _ connection: Connection) throws {
    var seen: SeenEvents?
    if let file, let source { seen = try file.seenEvents(of: source, upTo: position, connection) }
    _ = try connection.query(
      "UPDATE annals.generations SET seen_events = \(seen?.count), seen_hash = \(seen?.hash) WHERE \(isThis)"
    )
  }
}

extension StoreConnection {
  /// The events that match.
  func seenEvents(of query: EventQuery) throws -> SeenEvents {
    let table = try eventsTable()
    let sql: SQL = """
      SELECT \(raw: SeenEvents.columns) FROM \(raw: table.source) e WHERE \(query.conditions(in: table).conjunction)
      """
    let result = try connection.query(sql)
    return result[0].seenEvents ?? SeenEvents()
  }

  /// Readers have met the events as they were: nothing is known about the new ones.
  func forgetSeenEvents() throws {
    let store = table.description
    _ = try connection.query(
      """
      UPDATE annals.generations SET seen_events = NULL, seen_hash = NULL
      WHERE projection IN (SELECT name FROM annals.projections WHERE store = \(store))
      """
    )
    _ = try connection.query(
      "UPDATE annals.checkpoints SET seen_events = NULL, seen_hash = NULL WHERE store = \(store)"
    )
  }
}
