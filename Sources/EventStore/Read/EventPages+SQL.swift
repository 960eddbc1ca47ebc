internal import LibPQ

extension EventPages {
  /// The statement that reads the next page.
  var statement: (sql: String, parameters: [Parameter]) {
    var conditions = query.conditions(in: table)
    addContinuation(to: &conditions)
    let hash = isRemembered ? ", \(SeenEvents.hash) AS id_hash" : ""
    let rest = """
      SELECT \(table.columns)\(hash) FROM \(table.source) e \(conditions.clause(and: "true")) ORDER BY \(ordering)
      """
    return (firstRows(of: rest), conditions.parameters)
  }

  /// A page must not end between events of one place, as the next one begins behind it. Only where there can be such
  /// events: with WITH TIES a sort does not forget all but the first rows.
  private func firstRows(of rest: String) -> String {
    if ties == .none { return "\(rest) LIMIT \(rowsAsked)" }
    let page = "\(rest) FETCH FIRST \(skippedRows + rowsAsked) ROWS WITH TIES"
    let limit = ties == .cut ? remaining.map { " LIMIT \($0)" } ?? "" : ""
    return "SELECT * FROM (\(page)) AS page OFFSET \(skippedRows)\(limit)"
  }

  private var ordering: String {
    let direction = query.reversed ? "DESC" : "ASC"
    let columns = order == .position ? ["position"] : ["aggregate_id", "version"]
    return columns.map { "e.\($0) \(direction)" }.joined(separator: ", ")
  }

  /// Goes on behind the last event.
  private func addContinuation(to conditions: inout Conditions) {
    guard let last else { return }
    let comparison = query.reversed ? "<" : ">"
    switch order {
    case .position:
      conditions.add("e.position \(comparison) \(conditions.bind(.int8(last.position)))")
    case .stream:
      conditions.add("e.version \(comparison) \(conditions.bind(.int4(last.version)))")
    case .aggregates:
      let key = "(\(conditions.bind(.text(last.aggregateID))), \(conditions.bind(.int4(last.version))))"
      conditions.add("(e.aggregate_id, e.version) \(comparison) \(key)")
    }
  }
}

/// The conditions of a statement, and the values that they name.
struct Conditions {
  private(set) var parameters: [Parameter] = []
  private var terms: [String] = []
  /// What stands for the values in the statement; nil for `$1` and so on.
  private let names: [String]?

  init(naming names: [String]? = nil) {
    self.names = names
  }

  /// Makes a value a parameter, and returns its name.
  mutating func bind(_ value: Parameter) -> String {
    parameters.append(value)
    return names?[parameters.count - 1] ?? "$\(parameters.count)"
  }

  mutating func add(_ term: String) {
    terms.append(term)
  }

  /// All conditions as one.
  var conjunction: String { terms.isEmpty ? "true" : terms.joined(separator: " AND ") }

  /// The WHERE clause, with one more condition.
  func clause(and term: String) -> String {
    "WHERE " + (terms + [term]).joined(separator: " AND ")
  }
}

extension EventQuery {
  /// What the query demands of an event.
  ///
  /// - Parameter names: constants for the values, where a statement takes no parameters.
  func conditions(in table: EventsTable, naming names: [String]? = nil) -> Conditions {
    var conditions = Conditions(naming: names)
    if let aggregateID {
      conditions.add(table.isOf(aggregateID, conditions.bind(.text(aggregateID))))
    }
    if let category { conditions.add(category: category) }
    if let type = types.first, types.count == 1 {
      // An array of one would keep PostgreSQL from reading the type's run of the index in order.
      conditions.add("e.event_type = \(conditions.bind(.text(type)))")
    } else if !types.isEmpty {
      // For frequent types PostgreSQL filters the positions' index, for rare ones it sorts what the types' index has.
      // A UNION ALL of one SELECT a type is not merged but sorted as a whole, page for page: 12 times slower.
      conditions.add("e.event_type = ANY (\(conditions.bind(.textArray(types))))")
    }
    let bounds: [(column: String, comparison: String, value: Int64?)] = [
      ("position", ">=", fromPosition), ("position", ">", afterPosition), ("position", "<=", toPosition),
      ("version", ">=", fromVersion.map(Int64.init)), ("version", "<=", toVersion.map(Int64.init)),
    ]
    for bound in bounds {
      guard let value = bound.value else { continue }
      conditions.add("e.\(bound.column) \(bound.comparison) \(conditions.bind(.int8(value)))")
    }
    let zone = table.hasTimeZone ? "" : " AT TIME ZONE 'UTC'"
    for (comparison, time) in [(">=", since), ("<=", until)] {
      guard let time else { continue }
      let value = conditions.bind(.timestamptz(time.microseconds))
      conditions.add("e.\"timestamp\" \(comparison) \(value)\(zone)")
    }
    return conditions
  }
}

extension Conditions {
  /// The aggregates of a category: a range of the index, in the order of bytes, where "." follows "-".
  mutating func add(category: String) {
    let name = bind(.text(category))
    let (first, end) = (bind(.text(category + "-")), bind(.text(category + ".")))
    add(
      """
      (e.aggregate_id = \(name)
       OR e.aggregate_id COLLATE "C" >= \(first) AND e.aggregate_id COLLATE "C" < \(end))
      """
    )
  }
}
