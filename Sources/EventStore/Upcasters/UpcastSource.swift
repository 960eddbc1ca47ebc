internal import LibPQ

/// The events of a table as upcasters show them: a FROM item of plain SQL with the columns of the store.
///
/// A rule becomes a branch of a CASE for each column that it changes. Rules for different types share a level. A rule
/// that may match the outcome of an earlier one gets a level above it, with OFFSET 0 between them: without that the
/// planner would insert the lower expression in each place where the upper one uses it, and compute it as often.
/// Conditions on columns that no rule changes reach the table and its indexes.
struct UpcastSource {
  private let rules: [UpcasterFile.Rule]
  private let table: EventsTable
  /// Columns that are not changed, each with its expression on the table.
  private let extraColumns: [(name: String, value: String)]
  private let levels: [[UpcasterFile.Rule]]

  /// - Parameters:
  ///   - rules: in the order in which they apply.
  ///   - extraColumns: additional columns of the rows: a name, and an expression on the table.
  init(
    _ rules: [UpcasterFile.Rule],
    of table: EventsTable,
    passing extraColumns: [(name: String, value: String)] = []
  ) {
    self.rules = rules
    self.table = table
    self.extraColumns = extraColumns.map { (quoteIdentifier($0.name), $0.value) }
    levels = Self.levels(of: rules)
  }

  /// The column that tells, for split events, which part a row is: for each @split a number from 1, or 0 if the
  /// @split did not apply to the event.
  static let part = "annals_part"

  private var splits: Bool { rules.contains { $0.parts != nil } }

  /// The FROM item, in parentheses.
  var sql: String {
    let base = "(SELECT \(baseColumns) FROM \(table.readable) e)"
    if levels.isEmpty { return base }
    if levels.count == 1, !splits {
      let columns = Self.columns.map { column($0, of: levels[0]) } + extraColumns.map { "event.\($0.name)" }
      return "(SELECT \(columns.joined(separator: ", "))\nFROM \(base) AS event\(filter(levels[0])))"
    }
    let fixed = ["aggregate_id", "version", "\"timestamp\"", "position"] + extraColumns.map(\.name)
    let made = ["id", "event_type", "event_data", "metadata"] + (splits ? [Self.part] : [])
    let outer = fixed.map { "annals_event.\($0)" } + made.map { source(of: $0) }
    let first =
      Self.columns.map { "annals_event.\($0)" }
      + (splits ? ["'{}'::integer[] AS \(Self.part)"] : [])
    let steps = levels.reduce("SELECT \(first.joined(separator: ", "))") { inner, rules in
      step(rules, over: inner)
    }
    return """
      (SELECT \(outer.joined(separator: ", "))
      FROM \(base) AS annals_event CROSS JOIN LATERAL (
      \(steps)
      ) AS annals_step)
      """
  }

  /// A column that no rule changes comes from the table itself, so that conditions on it can use an index.
  private func source(of column: String) -> String {
    let isChanged =
      switch column {
      case "event_type": splits || rules.contains { $0.newType != nil }
      case "id", Self.part: splits
      default: true
      }
    return "\(isChanged ? "annals_step" : "annals_event").\(column)"
  }

  private static let columns = [
    "id", "aggregate_id", "event_type", "event_data", "version", "\"timestamp\"", "metadata", "position",
  ]

  private var baseColumns: String {
    let own = Self.columns.map { column in
      switch column {
      case "metadata" where !table.hasMetadata: "NULL::jsonb AS metadata"
      case "position" where !table.hasPosition: "NULL::bigint AS position"
      default: column
      }
    }
    return (own + extraColumns.map { "\($0.value) AS \($0.name)" }).joined(separator: ", ")
  }
}

// MARK: - Levels

extension UpcastSource {
  /// Puts rules on one level if they can never match the same event.
  private static func levels(of rules: [UpcasterFile.Rule]) -> [[UpcasterFile.Rule]] {
    var levels: [[UpcasterFile.Rule]] = []
    for rule in rules {
      let canJoin = rule.parts == nil && levels.last?.allSatisfy { $0.isApart(from: rule) } == true
      if canJoin { levels[levels.count - 1].append(rule) } else { levels.append([rule]) }
    }
    return levels
  }

  private func step(_ rules: [UpcasterFile.Rule], over inner: String) -> String {
    if let rule = rules.first, let parts = rule.parts { return split(rule, into: parts, over: inner) }
    let columns =
      Self.columns.map { column($0, of: rules) } + (splits ? ["event.\(Self.part)"] : [])
    return "SELECT \(columns.joined(separator: ", "))\nFROM (\n\(inner)\n) AS event\(filter(rules)) OFFSET 0"
  }

  /// A column of `event` after the rules of a level.
  private func column(_ column: String, of rules: [UpcasterFile.Rule]) -> String {
    let branches = rules.compactMap { rule -> String? in
      let value: String? =
        switch column {
        case "event_type": rule.newType.map { quoteLiteral($0) }
        case "event_data": rule.data?.value
        case "metadata": rule.metadata?.value
        default: nil
        }
      return value.map { " WHEN \(rule.applies) THEN \($0)" }
    }
    if branches.isEmpty { return "event.\(column)" }
    return "CASE\(branches.joined()) ELSE event.\(column) END AS \(column)"
  }

  private func filter(_ rules: [UpcasterFile.Rule]) -> String {
    let dropped = rules.filter(\.isDropped).map { "(\($0.applies)) IS NOT TRUE" }
    return dropped.isEmpty ? "" : "\nWHERE \(dropped.joined(separator: " AND "))"
  }

  /// The parts of an event keep its aggregate, version, time and metadata. The first keeps its id; the others get one
  /// that is derived by the rule of ``EventID/init(namespace:name:)``. The name is the number of the part; if the event
  /// is a part itself, it is the numbers of the whole chain, since the first part of a part also has the id of the
  /// event. A split into nothing leaves a row without a type, which no table of events accepts: that is a drop, and
  /// must be declared.
  private func split(_ rule: UpcasterFile.Rule, into parts: SQLStatement, over inner: String) -> String {
    let name = """
      (CASE WHEN 0 = ALL (event.\(Self.part)) THEN annals_parts.place::text
            ELSE array_to_string(event.\(Self.part) || annals_parts.place::integer, '.') END)
      """
    return """
      SELECT CASE WHEN annals_parts.place > 1
               THEN \(Self.derivedID(of: "event.id", name: name))
               ELSE event.id END AS id, event.aggregate_id,
             annals_parts.event_type, annals_parts.event_data, event.version, event."timestamp", event.metadata,
             event.position, event.\(Self.part) || annals_parts.place::integer AS \(Self.part)
      FROM (
      \(inner)
      ) AS event LEFT JOIN LATERAL (
        SELECT event.event_type AS event_type, event.event_data AS event_data, 0 AS place
        WHERE (\(rule.applies)) IS NOT TRUE
        UNION ALL
        SELECT annals_query.event_type, annals_query.event_data, row_number() OVER ()
        FROM \(parts.subquery) AS annals_query (event_type, event_data)
        WHERE \(rule.applies)
      ) AS annals_parts ON true OFFSET 0
      """
  }

  /// ``EventID/init(namespace:name:)`` in SQL.
  static func derivedID(of namespace: String, name: String) -> String {
    """
    (SELECT encode(set_byte(set_byte(annals_hash, 6, get_byte(annals_hash, 6) & 15 | 128),
                            8, get_byte(annals_hash, 8) & 63 | 128), 'hex')::uuid
     FROM substr(sha256(uuid_send(\(namespace)) || convert_to(\(name)::text, 'UTF8')), 1, 16) AS annals_hash)
    """
  }
}

extension UpcasterFile.Rule {
  /// The condition on `event` under which the rule applies to it.
  var applies: String {
    let types = types.map { quoteLiteral($0) }.joined(separator: ", ")
    let ofType = isForEveryType ? "true" : "event.event_type IN (\(types))"
    return ([ofType] + conditions.map { "(\n\($0.text)\n)" }).joined(separator: " AND ")
  }

  /// The condition on `event` under which the rule applies to it.
  var changes: String {
    // A new type, a drop or a split changes the event in any case.
    guard newType == nil, parts == nil, !isDropped else { return applies }
    let values = [(data, "event_data"), (metadata, "metadata")].compactMap { statement, column in
      statement.map { "\($0.value) IS DISTINCT FROM event.\(column)" }
    }
    return "CASE WHEN \(applies) THEN \(values.joined(separator: " OR ")) END"
  }

  /// Whether the outcome of one rule is never matched by the other.
  fileprivate func isApart(from other: UpcasterFile.Rule) -> Bool {
    if parts != nil || isForEveryType || other.isForEveryType { return false }
    return Set(types + [newType].compactMap(\.self)).isDisjoint(with: other.types)
  }
}

extension SQLStatement {
  fileprivate var subquery: String { "(\n\(text)\n)" }

  /// The value of a query, without the query if it is only an expression: a subquery that refers to the row around it
  /// keeps PostgreSQL from reading in parallel.
  fileprivate var value: String {
    guard isPlainExpression else { return subquery }
    return "(\n\(String(text.unicodeScalars.dropFirst(keyword.unicodeScalars.count)))\n)"
  }

  /// Whether it is only `SELECT expression`, judged by its words.
  var isPlainExpression: Bool {
    guard keyword == "SELECT", !words.contains(where: { Self.clauses.contains($0.text) }) else {
      return false
    }
    // `SELECT a b` names a column: such a word does not follow an operator.
    guard let last = words.last, words.count > 1, last.offset + last.text.utf8.count == text.utf8.count else {
      return text.utf8.last != UInt8(ascii: "\"")
    }
    let before = text.utf8.prefix(last.offset).last { !" \t\r\n".utf8.contains($0) }
    return before.map { ".:=<>+-*/%|&#@?~^,".utf8.contains($0) } ?? false
  }

  private static let clauses: Set = [
    "ALL", "AS", "DISTINCT", "EXCEPT", "FETCH", "FOR", "FROM", "GROUP", "HAVING", "INTERSECT", "INTO",
    "LIMIT", "OFFSET",
    "ORDER", "UNION", "WHERE", "WINDOW",
  ]

  /// Whether a payload without a null may get one, judged by the text: not if operators only join it with constants
  /// that have none. Anything that could hide a null, such as a cast of text or a call, counts as one.
  fileprivate var canMakeNull: Bool {
    ["(", "\\", "::", "null"].contains { text.utf8.contains($0.utf8) }
      || !words.allSatisfy { ["SELECT", "EVENT", "EVENT_DATA"].contains($0.text) }
  }
}

extension Upcasters {
  /// Whether a rule may put a null into a payload that has none.
  var canMakeNull: Bool { rules.contains { $0.parts != nil || $0.data?.canMakeNull == true } }
}
