internal import LibPQ

extension EvolutionCheckRun {
  /// The counts of what the events of a type become.
  struct Tally {
    /// The number of all, and of those for which each condition of ``counted`` holds.
    var events: [Int64]
    var positions: ClosedRange<Int64>?

    /// The sum for a chunk and a later one.
    static func + (left: Tally, right: Tally) -> Tally {
      let positions = [left.positions, right.positions].compactMap(\.self)
      return Tally(
        events: zip(left.events, right.events).map { $0 + $1 },
        positions: positions.first.map { $0.lowerBound...positions[positions.count - 1].upperBound }
      )
    }
  }

  /// The conditions on the outcome `event` that are counted, after the number of events: changed, without payload, with
  /// a new null, and, for every rule, matched by the rule again.
  private var counted: [String] {
    let changed = "event.event_data IS DISTINCT FROM event.\(Self.data)"
    let nullAppears = """
      event.event_data <> event.\(Self.data)
      AND pg_column_size(jsonb_strip_nulls(event.event_data)) <> pg_column_size(event.event_data)
      AND jsonb_strip_nulls(event.event_data) <> event.event_data
      AND jsonb_strip_nulls(event.\(Self.data)) = event.\(Self.data)
      """
    let isDifferent = """
      \(changed) OR event.event_type <> event.\(Self.type) OR event.metadata IS DISTINCT FROM event.\(Self.metadata)
      """
    let hasNothing = "event.event_data IS NULL OR event.event_type IS NULL"
    // The test takes as long as a simple rule.
    return [isDifferent, hasNothing, upcasters.canMakeNull ? nullAppears : "false"]
      + upcasters.rules.map { Self.met(by: $0.applies) }
  }

  /// A condition of a rule on the outcome.
  private static func met(by condition: String) -> String {
    "event.event_data IS NOT NULL AND (\(condition))"
  }

  /// Counts a chunk.
  ///
  /// - Returns: the error when the upcasters fail for one of its events; then nothing was counted.
  mutating func tally(_ chunk: Chunk, _ tallies: inout [ByteString: Tally]) throws -> PostgresError? {
    do {
      try connection.savepoint { try add(chunk, to: &tallies) }
      return nil
    } catch let error as PostgresError where error.kind == .statement && !error.isAboutTheRun {
      return error
    }
  }

  private mutating func add(_ chunk: Chunk, to tallies: inout [ByteString: Tally]) throws {
    let number = countOfEvents("event")
    let columns =
      counted.map { "\(number) FILTER (WHERE \($0))" } + ["min(event.position)", "max(event.position)"]
    let sql: SQL = """
      SELECT event.\(raw: Self.type), \(raw: number), \(raw: columns.joined(separator: ", "))
      FROM \(raw: computedOnce(where: chunk.condition)) AS event GROUP BY 1
      """
    // Read by number: the number of columns depends on the rules.
    let rows = try connection.query(sql)
    let bounds = counted.count + 2
    var new: [ByteString: Tally] = [:]
    for row in 0..<rows.rowCount {
      new[ByteString(rows.string(row, 0))] = Tally(
        events: (0...counted.count).map { rows.int64(row, $0 + 1) },
        positions: rows.optionalInt64(row, bounds).map { $0...rows.int64(row, bounds + 1) }
      )
    }
    for (index, rule) in upcasters.rules.enumerated() where rule.changes != rule.applies {
      if new.values.contains(where: { $0.events[Self.firstRule + index] > 0 }) {
        try applyAgain(index, in: chunk, &new)
      }
    }
    for (type, tally) in new { tallies[type] = tallies[type].map { $0 + tally } ?? tally }
  }

  /// The index of the rules' first count.
  private static let firstRule = 4

  /// Counts, among the events that a rule matches again, those that it changes again. If it fails for one, which no
  /// reader will meet, all of them stay counted.
  private mutating func applyAgain(
    _ index: Int,
    in chunk: Chunk,
    _ tallies: inout [ByteString: Tally]
  ) throws {
    let sql: SQL = """
      SELECT event.\(raw: Self.type) AS type,
             \(raw: countOfEvents("event")) FILTER (WHERE \(raw: Self.met(by: upcasters.rules[index].changes))) AS again
      FROM \(raw: computedOnce(where: chunk.condition)) AS event GROUP BY 1
      """
    do {
      try connection.savepoint {
        try connection.query(sql).forEachRow { row in
          tallies[ByteString(row.string("type"))]?.events[Self.firstRule + index] = row.int64("again")
        }
      }
    } catch let error as PostgresError where error.kind == .statement && !error.isAboutTheRun {
      failingAgain.insert(index)
    }
  }

  /// The outcome of some events, as a FROM item that computes each column once, however often it is used.
  ///
  /// The planner inserts the expressions of a subquery in each place where they are used, and computes each again. It
  /// cannot do so with a UNION ALL, so an empty one prevents that. OFFSET 0 does too, but not in parallel workers.
  private func computedOnce(where condition: String) -> String {
    let events = "SELECT * FROM \(source) AS e WHERE"
    return "(\(events) e.\(Self.type) \(ofTypes) AND \(condition) UNION ALL \(events) false)"
  }

  mutating func report(_ tallies: [Int64], of type: ByteString) throws {
    result.events += tallies[0]
    result.changed += tallies[1]
    try report(.noPayload, 2, tallies, of: type, rules(for: type), "the payload becomes NULL")
    try report(.nullAppears, 3, tallies, of: type, rules(for: type), "a member becomes null")
    for (index, place) in upcasters.places.enumerated() {
      let fails = failingAgain.contains(index)
      try report(
        .notIdempotent,
        Self.firstRule + index,
        tallies,
        of: type,
        [place],
        fails ? "the rule fails for its own result" : "the rule would change its own result again",
        where: fails ? nil : Self.met(by: upcasters.rules[index].changes)
      )
    }
  }

  /// Reports the events that were counted under an index, with the first of them.
  ///
  /// - Parameter condition: their condition; the one in ``counted`` when nil.
  private mutating func report(
    _ kind: EvolutionFinding.Kind,
    _ index: Int,
    _ tallies: [Int64],
    of type: ByteString,
    _ rules: [String],
    _ detail: String,
    where condition: String? = nil
  ) throws {
    guard tallies[index] > 0 else { return }
    let first = try firstEvent(of: type, where: condition ?? counted[index - 1])
    add(kind, type: type.string, events: tallies[index], first: first, rules: rules, detail: detail)
  }

  /// The first event for which a condition holds; nil if that cannot be asked, since the upcasters fail for another.
  private func firstEvent(
    of type: ByteString,
    where condition: String
  ) throws -> (aggregateID: String?, version: Int?, position: Int64?)? {
    let sql: SQL = """
      SELECT event.aggregate_id, event.version, event.position
      FROM \(raw: computedOnce(where: "true")) AS event
      WHERE event.\(raw: Self.type) = \(type.string) AND (\(raw: condition))
      ORDER BY event.position, event.aggregate_id, event.version LIMIT 1
      """
    do {
      return try connection.savepoint {
        try connection.query(sql).first { event in
          (
            event.optionalString("aggregate_id"), event.optionalInt32("version").map(Int.init),
            event.optionalInt64("position")
          )
        }
      }
    } catch let error as PostgresError where isOfEvent(error) {
      return nil
    }
  }
}

// MARK: - Rules without events

extension EvolutionCheckRun {
  /// Names the rules that match no event: no event has their type, and no earlier rule produces it.
  mutating func reportIdleRules() throws {
    let places = upcasters.places
    for type in upcasters.types ?? [] where !counts.contains(where: { $0.type == type }) {
      var idle: [String] = []
      for (index, rule) in upcasters.rules.enumerated() where rule.types.contains(type) {
        if try !isMade(type, before: index) { idle.append(places[index]) }
      }
      if idle.isEmpty { continue }
      add(.noEvents, type: type.string, events: 0, rules: idle, detail: "the store has no event of this type")
    }
  }

  /// Whether earlier rules produce events of a type. The types that a @split produces are only known from its events.
  private func isMade(_ type: ByteString, before index: Int) throws -> Bool {
    let earlier = Array(upcasters.rules[..<index])
    if earlier.contains(where: { $0.newType == type }) { return true }
    guard earlier.contains(where: { $0.parts != nil }) else { return false }
    let source = UpcastSource(earlier, of: table, passing: [(Self.type, "event_type")]).sql
    let sql: SQL = """
      SELECT FROM \(raw: source) AS e WHERE e.\(raw: Self.type) \(raw: ofTypes) AND e.event_type = \(type.string) LIMIT 1
      """
    var isMade = true
    do {
      try connection.savepoint { isMade = try !connection.query(sql).isEmpty }
    } catch let error as PostgresError where error.kind == .statement && !error.isAboutTheRun {
      // The events that the rules fail for are named; nothing is known about the others.
    }
    return isMade
  }
}
