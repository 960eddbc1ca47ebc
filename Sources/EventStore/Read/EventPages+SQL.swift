internal import LibPQ

extension EventPages {
  /// The statement that reads the next page.
  var statement: SQL {
    let conditions = query.conditions(in: table) + [continuation].compactMap(\.self)
    let hash = isRemembered ? ", \(SeenEvents.hash) AS id_hash" : ""
    return firstRows(
      of: """
        SELECT \(raw: table.columns)\(raw: hash) FROM \(raw: table.source) e
        WHERE \(conditions.conjunction) ORDER BY \(raw: ordering)
        """
    )
  }

  /// A page must not end between events of one place, as the next one begins behind it. Only where there can be such
  /// events: with WITH TIES a sort does not forget all but the first rows.
  private func firstRows(of rest: SQL) -> SQL {
    if ties == .none { return "\(rest) LIMIT \(raw: "\(rowsAsked)")" }
    let limit = ties == .cut ? remaining.map { " LIMIT \($0)" } ?? "" : ""
    return """
      SELECT * FROM (\(rest) FETCH FIRST \(raw: "\(skippedRows + rowsAsked)") ROWS WITH TIES) AS page
      OFFSET \(raw: "\(skippedRows)\(limit)")
      """
  }

  private var ordering: String {
    let direction = query.reversed ? "DESC" : "ASC"
    let columns = order == .position ? ["position"] : ["aggregate_id", "version"]
    return columns.map { "e.\($0) \(direction)" }.joined(separator: ", ")
  }

  /// Goes on behind the last event.
  private var continuation: SQL? {
    guard let last else { return nil }
    let comparison = query.reversed ? "<" : ">"
    switch order {
    case .position: return "e.position \(raw: comparison) \(last.position)"
    case .stream: return "e.version \(raw: comparison) \(last.version)"
    case .aggregates:
      return "(e.aggregate_id, e.version) \(raw: comparison) (\(last.aggregateID), \(last.version))"
    }
  }
}

extension EventQuery {
  /// Whether later events are left out.
  var endsAtTime: Bool { until != nil || before != nil }
  /// Whether times decide which events are read.
  var hasTimes: Bool { since != nil || endsAtTime }

  /// Whether positions decide which events are read, or in which order; a stream alone is read by its versions.
  var goesByPosition: Bool {
    order == .position || aggregateID == nil || fromPosition != nil || toPosition != nil
      || afterPosition != nil
  }

  /// What the query demands of an event `e`; no condition for the whole store.
  func conditions(in table: EventsTable) -> [SQL] {
    var conditions: [SQL] = []
    if let aggregateID { conditions.append(table.isOf(aggregateID)) }
    if let category { conditions.append(.isOf(category: category)) }
    if let type = types.first, types.count == 1 {
      // An array of one would keep PostgreSQL from reading the type's run of the index in order.
      conditions.append("e.event_type = \(type)")
    } else if !types.isEmpty {
      // For frequent types PostgreSQL filters the positions' index, for rare ones it sorts what the types' index has.
      // A UNION ALL of one SELECT a type is not merged but sorted as a whole, page for page: 12 times slower.
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
    return conditions
  }
}
