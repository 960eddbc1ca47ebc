internal import LibPQ

/// What a name belongs to.
package enum NameKind: Sendable, Hashable {
  case aggregate, category, eventType, projection
  /// The checkpoint of a replay.
  case checkpoint
  /// A projection, or the checkpoint of a replay.
  case consumer
  /// The position of a parked event, of one of these consumers.
  case deadLetter(of: [String])
  /// The number of a generation that is not live, of one of these projections.
  case generation(of: [String])
}

extension StoreConnection {
  func names(
    of kind: NameKind,
    beginningWith prefix: String,
    limit: Int,
    timeoutMilliseconds: Int
  ) throws -> [String] {
    try connection.set([SessionSetting("statement_timeout", "\(timeoutMilliseconds)")])
    let found = try names(of: kind, beginningWith: prefix, limit: limit + 1)
    guard found.count > limit else { return found }
    // A shell inserts what all of them have in common. That must be true of the omitted names, too.
    return found.prefix(limit - 1) + [try lastName(of: kind, beginningWith: prefix) ?? prefix]
  }

  private func names(of kind: NameKind, beginningWith prefix: String, limit: Int) throws -> [String] {
    let parameters: [Parameter] = [.text(prefix), .int8(Int64(limit))]
    return switch kind {
    case .category where try eventsTable().hasCategory:
      try strings(connection.query(searchSQL(.namesByPrefix, "category"), parameters))
    case .aggregate:
      try strings(connection.query(searchSQL(.namesByPrefix, "aggregate_id"), parameters))
    case .eventType:
      try strings(connection.query(searchSQL(.namesByPrefix, "event_type"), parameters))
    case .category:
      try strings(
        connection.query(
          SQLTemplate.categoriesByPrefix.filled(["events": eventsTable().source]),
          parameters
        )
      )
    default:
      try strings(
        connection.query("\(recordedNames(of: kind, beginningWith: prefix)) LIMIT \(Int64(limit))")
      )
    }
  }

  /// The last one in the order of bytes; nil if that order has no index.
  private func lastName(of kind: NameKind, beginningWith prefix: String) throws -> String? {
    switch kind {
    case .category where try eventsTable().hasCategory, .aggregate, .eventType:
      let column = kind == .eventType ? "event_type" : kind == .category ? "category" : "aggregate_id"
      guard try isInByteOrder(column) else { return nil }
      return try strings(connection.query(searchSQL(.lastName, column), [.text(prefix)])).first
    case .category:
      let sql = try searchSQL(.lastName, "aggregate_id", inByteOrder: true)
      return try strings(connection.query(sql, [.text(prefix)])).first.map {
        String($0.unicodeScalars.prefix { $0 != "-" })
      }
    default:
      return try strings(
        connection.query("\(recordedNames(of: kind, beginningWith: prefix)) DESC LIMIT 1")
      ).first
    }
  }

  private func strings(_ rows: borrowing QueryResult) -> [String] {
    (0..<rows.rowCount).map { rows.string($0, 0) }
  }

  /// The names of a kind in schema `annals`, in the order of bytes.
  private func recordedNames(of kind: NameKind, beginningWith prefix: String) -> SQL {
    """
    SELECT name FROM (\(recordedNames(of: kind))) AS n WHERE starts_with(name, \(prefix)) ORDER BY name COLLATE "C"
    """
  }

  private func recordedNames(of kind: NameKind) -> SQL {
    switch kind {
    case .projection: "SELECT name FROM annals.projections WHERE store = \(table.description)"
    case .checkpoint: "SELECT name FROM annals.checkpoints WHERE store = \(table.description)"
    case .deadLetter(let consumers):
      """
      SELECT DISTINCT position::text AS name FROM (
        SELECT projection AS consumer, position, state FROM annals.dead_letters
        UNION ALL SELECT checkpoint, position, state FROM annals.parked_events) AS d
      WHERE consumer = ANY (\(Parameter.textArray(consumers))) AND state = 'parked'
      """
    case .generation(let projections):
      """
      SELECT DISTINCT number::text AS name FROM annals.generations
      WHERE projection = ANY (\(Parameter.textArray(projections))) AND state <> 'live'
      """
    default:
      """
      SELECT name FROM (SELECT name, store FROM annals.projections UNION SELECT name, store FROM annals.checkpoints) AS c
      WHERE store = \(table.description)
      """
    }
  }

  func isInByteOrder(_ column: String) throws -> Bool {
    let collation: SQL = """
      SELECT pg_collation_for((SELECT e.\(raw: column) FROM \(raw: relation) e LIMIT 1)) = '"C"'
        OR (SELECT datcollate IN ('C', 'POSIX') FROM pg_database WHERE datname = current_database())
      """
    return try connection.query(collation).bool(0, 0)
  }

  private func searchSQL(
    _ template: SQLTemplate,
    _ column: String,
    inByteOrder: Bool = false
  ) throws -> String {
    let order = try inByteOrder || isInByteOrder(column)
    return template.filled([
      "column": column,
      "events": try eventsTable().source,
      "order": order ? "COLLATE \"C\"" : "",
      "end": order ? "AND e.\(column) COLLATE \"C\" < $1 || chr(1114111)" : "",
    ])
  }
}
