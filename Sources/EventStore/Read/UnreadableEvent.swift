internal import LibPQ

/// An event of another framework's store with a payload or metadata that the layout cannot cast to JSON.
struct UnreadableEvent: Sendable {
  let key: EventPages.Key
  /// The server's error for the payload; nil if it can be read.
  let data: PostgresError?
  /// The server's error for the metadata; nil if they can be read.
  let metadata: PostgresError?

  /// Its place, for people.
  var place: String {
    let position = key.position.map { "position \($0), " } ?? ""
    return "\(position)stream \(key.aggregateID), version \(key.version)"
  }

  var message: String {
    let part = data == nil ? "the metadata" : "the payload"
    return "\(place): \(part) cannot be read: \((data ?? metadata)?.message ?? "")"
  }

  /// The event `e` of this key, in SQL without parameters.
  var isThis: String {
    let place = "e.aggregate_id = \(quoteLiteral(key.aggregateID)) AND e.version = \(key.version)"
    return key.position.map { "\(place) AND e.position = \($0)" } ?? place
  }

  /// Whether an error is that of this event.
  func fails(as error: PostgresError) -> Bool {
    [data, metadata].contains { $0 != nil && $0?.sqlState == error.sqlState }
  }

  /// What to do about it.
  static let advice: Hint =
    "Change the SELECT of the layout so that it can be read, or is left out; see \(.manual(.layoutFiles))."

  /// The placeholder for a value: what is known of it, as JSON.
  static func json(_ error: PostgresError) -> String {
    let fields = [("sqlstate", error.sqlState), ("message", error.message), ("detail", error.detail)]
    let known = fields.compactMap { name, text in
      text.map { "\"\(name)\": \(ManifestFormat.quoted(Array($0.utf8)))" }
    }
    return "{\"unreadable\": {\(known.joined(separator: ", "))}}"
  }
}

extension EventPages {
  /// The most events that are searched for unreadable ones: a page of broken ones takes two statements for each.
  private static let searchedRows = 128

  /// Reads the page again when a value of it could not be cast, with a placeholder for each such value.
  ///
  /// - Returns: nil if no payload is the cause, or the store is annals' own.
  mutating func readablePage(_ store: StoreConnection, after error: PostgresError) throws -> QueryResult? {
    guard store.foreign != nil, error.isAboutData, !store.connection.isInTransaction else { return nil }
    limitRows(to: Self.searchedRows)
    guard let keys = try keys(store.connection), let last = keys.last else { return nil }
    unreadable = try store.unreadableEvents(among: keys[...], order, of: query.aggregateID)
    let source = try store.eventsTable().source(showing: unreadable, through: store.upcasters)
    do {
      // Without an index the server computes all rows before it sorts them, including those after the page.
      return try store.connection.query(statement(of: columns, from: source, upTo: last))
    } catch {
      guard error.isAboutData else { throw error }
      guard let first = unreadable.first else { return nil }
      // Other columns may be part of the payload, such as the time.
      throw EventStoreError(
        .failed,
        "\(first.place): the event cannot be read: \(error.message)",
        detail: error.detail,
        hint: UnreadableEvent.advice,
        sqlState: error.sqlState
      )
    }
  }

  /// The keys of the events of the page; no other columns are computed. Nil if one has no key.
  private func keys(_ connection: Connection) throws -> [Key]? {
    let columns = "\(table.position) AS position, e.aggregate_id, e.version"
    let rows = try connection.query(statement(of: columns, from: table.source))
    let keys = rows.map { Key($0) }.compactMap(\.self)
    return keys.count == rows.rowCount ? keys : nil
  }
}

extension EventPages.Key {
  /// Nil for an event without an aggregate or a version.
  init?(_ row: borrowing Row) {
    guard let aggregateID = row.optionalString("aggregate_id"), let version = row.optionalInt32("version")
    else { return nil }
    self.init(position: row.optionalInt64("position"), aggregateID: aggregateID, version: version)
  }
}

extension StoreConnection {
  /// The events among some that cannot be read, in their order, by bisection.
  ///
  /// - Parameters:
  ///   - keys: all events from the first to the last, of the aggregate if it is given.
  ///   - stopsAtFirst: finds at most one.
  func unreadableEvents(
    among keys: ArraySlice<EventPages.Key>,
    _ order: EventPages.Order,
    of aggregateID: String?,
    stopsAtFirst: Bool = false
  ) throws -> [UnreadableEvent] {
    guard let first = keys.first, let last = keys.last else { return [] }
    let table = try eventsTable()
    var conditions = [order.isBetween(first, last)]
    if let aggregateID { conditions.append(table.isOf(aggregateID)) }
    if keys.count == 1 {
      let key = UnreadableEvent(key: first, data: nil, metadata: nil)
      let condition = (conditions + [SQL(raw: key.isThis)]).conjunction
      let data = try failure(ofReading: "e.event_data", condition)
      let metadata = try failure(ofReading: table.metadata, condition)
      if data == nil, metadata == nil { return [] }
      return [UnreadableEvent(key: first, data: data, metadata: metadata)]
    }
    let both = "(e.event_data, \(table.metadata))"
    if try failure(ofReading: both, conditions.conjunction) == nil { return [] }
    let middle = keys.startIndex + keys.count / 2
    let found = try unreadableEvents(
      among: keys[..<middle],
      order,
      of: aggregateID,
      stopsAtFirst: stopsAtFirst
    )
    if stopsAtFirst, !found.isEmpty { return found }
    return try found
      + unreadableEvents(among: keys[middle...], order, of: aggregateID, stopsAtFirst: stopsAtFirst)
  }

  /// The first event of the store that cannot be read, searched from the beginning for some seconds; nil if none was
  /// found, or events have no position.
  func firstUnreadableEvent() throws -> UnreadableEvent? {
    guard try eventsTable().hasPosition, !connection.isInTransaction else { return nil }
    let end = ContinuousClock.now + .seconds(5)
    var position = Int64.min
    while ContinuousClock.now < end {
      let rows = try connection.query(
        """
        SELECT e.position, e.aggregate_id, e.version FROM \(raw: relation) e
        WHERE e.position > \(position) ORDER BY e.position LIMIT 10000
        """
      )
      let keys = rows.map { EventPages.Key($0) }.compactMap(\.self)
      guard let last = keys.last?.position else { return nil }
      let found = try unreadableEvents(among: keys[...], .position, of: nil, stopsAtFirst: true)
      if let first = found.first { return first }
      position = last
    }
    return nil
  }

  private func failure(ofReading value: String, _ condition: SQL) throws -> PostgresError? {
    do {
      _ = try connection.query("SELECT count(\(raw: value)) FROM \(raw: relation) e WHERE \(condition)")
      return nil
    } catch {
      guard error.isAboutData else { throw error }
      return error
    }
  }

  /// Tells the operator of events of a page that could not be read, and counts them.
  func report(_ unreadable: [UnreadableEvent]) {
    for event in unreadable {
      unreadableEvents += 1
      if unreadableEvents <= Self.namedEvents { notify(event.message) }
    }
  }

  /// The most events that are named.
  private static let namedEvents = 10
}

extension EventPages.Order {
  fileprivate func isBetween(_ first: EventPages.Key, _ last: EventPages.Key) -> SQL {
    switch self {
    case .position: "e.position BETWEEN SYMMETRIC \(first.position) AND \(last.position)"
    case .stream: "e.version BETWEEN SYMMETRIC \(Int64(first.version)) AND \(Int64(last.version))"
    case .aggregates:
      """
      ((e.aggregate_id, e.version) BETWEEN (\(first.aggregateID), \(first.version)) AND (\(last.aggregateID), \(last.version))
        OR (e.aggregate_id, e.version) BETWEEN (\(last.aggregateID), \(last.version)) AND (\(first.aggregateID), \(first.version)))
      """
    }
  }
}
