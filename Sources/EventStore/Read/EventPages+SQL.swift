internal import LibPQ

extension EventPages {
  /// The columns of a page.
  var columns: String { table.columns + (isRemembered ? ", \(SeenEvents.hash) AS id_hash" : "") }

  /// - Parameter end: the last event of the page, if it is known.
  func statement(of columns: String, from source: String, upTo end: Key? = nil) -> SQL {
    let bounds = [
      last.map { bound(query.reversed ? "<" : ">", $0) }, end.map { bound(query.reversed ? ">=" : "<=", $0) },
    ]
    // What the search has checked is not computed again: 6 of 14 ms for a page of 8,192 events (EXPLAIN ANALYZE).
    let wanted = search.map { search -> [SQL] in
      ["e.position = ANY (\(Parameter.int8Array(Array(search.places.prefix(rowsAsked)))))"]
    }
    let conditions = (wanted ?? query.conditions(in: table)) + bounds.compactMap(\.self)
    return firstRows(
      of: """
        SELECT \(raw: columns) FROM \(raw: source) e
        WHERE \(conditions.conjunction) ORDER BY \(raw: ordering)
        """
    )
  }

  /// A page must not end between events of one place, since the next page begins after it. WITH TIES is used only if
  /// there can be such events: with it, a sort keeps more than the first rows.
  private func firstRows(of rest: SQL) -> SQL {
    if ties == .none { return "\(rest) LIMIT \(raw: "\(rowsAsked)")" }
    let limit = ties == .cut ? remaining.map { " LIMIT \($0)" } ?? "" : ""
    if isByRange { return "\(rest) OFFSET \(raw: "\(skippedRows)\(limit)")" }
    return """
      SELECT * FROM (\(rest) FETCH FIRST \(raw: "\(skippedRows + rowsAsked)") ROWS WITH TIES) AS page
      OFFSET \(raw: "\(skippedRows)\(limit)")
      """
  }

  /// Whether the end of a page is looked up before the page is read. Citus lets each shard do a LIMIT, but does WITH
  /// TIES itself, and then gets the rest of the store for each page. On plain PostgreSQL one statement is faster.
  var isByRange: Bool { table.isDistributed && ties != .none && order == .position }

  /// The place of the last event of the next page; nil if the page is not full.
  func endOfRange(_ connection: Connection) throws(PostgresError) -> Key? {
    let bounds = [last.map { bound(query.reversed ? "<" : ">", $0) }].compactMap(\.self)
    let end = try connection.query(
      """
      SELECT e.position FROM \(raw: table.source) e WHERE \((query.conditions(in: table) + bounds).conjunction)
      ORDER BY \(raw: ordering) LIMIT 1 OFFSET \(raw: "\(skippedRows + rowsAsked - 1)")
      """
    )
    return end.first { Key(position: $0.int64("position"), aggregateID: "", version: 0) }
  }

  private var ordering: String {
    let direction = query.reversed ? "DESC" : "ASC"
    let columns = order == .position ? ["position"] : ["aggregate_id", "version"]
    return columns.map { "e.\($0) \(direction)" }.joined(separator: ", ")
  }

  private func bound(_ comparison: String, _ key: Key) -> SQL {
    switch order {
    case .position: "e.position \(raw: comparison) \(key.position)"
    case .stream: "e.version \(raw: comparison) \(key.version)"
    case .aggregates: "(e.aggregate_id, e.version) \(raw: comparison) (\(key.aggregateID), \(key.version))"
    }
  }
}

extension EventQuery {
  /// Whether later events are left out.
  var endsAtTime: Bool { until != nil || before != nil }
  /// Whether times decide which events are read.
  var hasTimes: Bool { since != nil || endsAtTime }

  /// Whether positions decide which events are read, or in which order; a single stream is read by its versions.
  var goesByPosition: Bool {
    order == .position || aggregateID == nil || fromPosition != nil || toPosition != nil
      || afterPosition != nil
  }

  /// The query's conditions on an event `e`; none for the whole store.
  func conditions(in table: EventsTable) -> [SQL] {
    var conditions: [SQL] = []
    if let aggregateID { conditions.append(table.isOf(aggregateID)) }
    if !aggregateIDs.isEmpty {
      conditions.append("(\(aggregateIDs.map { table.isOf($0) }.joined(separator: " OR ")))")
    }
    if let category { conditions.append(table.isOf(category: category)) }
    if let type = types.first, types.count == 1 {
      // An array of one would keep PostgreSQL from reading the type's part of the index in order.
      conditions.append("e.event_type = \(type)")
    } else if !types.isEmpty {
      // For frequent types PostgreSQL filters the index of positions; for rare ones it sorts the entries of the types'
      // index. A UNION ALL of one SELECT for each type is sorted as a whole for each page, and not merged: 12 times
      // slower.
      conditions.append("e.event_type = ANY (\(Parameter.textArray(types)))")
    }
    if let fromPosition { conditions.append("e.position >= \(fromPosition)") }
    if let afterPosition { conditions.append("e.position > \(afterPosition)") }
    if let toPosition { conditions.append("e.position <= \(toPosition)") }
    if let fromVersion { conditions.append("e.version >= \(Int64(fromVersion))") }
    if let toVersion { conditions.append("e.version <= \(Int64(toVersion))") }
    if let since { conditions.append("e.\"timestamp\" >= \(table.stored(since))") }
    if let until { conditions.append("e.\"timestamp\" <= \(table.stored(until))") }
    if let before { conditions.append("e.\"timestamp\" < \(table.stored(before))") }
    return conditions + contents.compactMap { $0.condition(in: table) }
  }

  /// The conditions on the contents of an event `e`, including SQL.
  func contentConditions(in table: EventsTable) -> SQL {
    (contents.compactMap { $0.condition(in: table) } + sqlConditions).conjunction
  }

  /// All conditions on an event `e`, including SQL, for events that are not read from ``selected(from:)``.
  func allConditions(in table: EventsTable) -> [SQL] { conditions(in: table) + sqlConditions }

  private var sqlConditions: [SQL] {
    hasSQL ? ["EXISTS (SELECT FROM \(raw: selected(from: "(SELECT e.*)")) AS selected)"] : []
  }
}
