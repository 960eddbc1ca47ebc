internal import LibPQ

/// Compiles a reducer to one query that steps through streams, event by event, inside the server.
///
/// It is a recursive query, without a function or a temporary table, so it runs with SELECT alone, in a read-only
/// transaction and on a hot standby. Each step reads one event by the index on (aggregate_id, version).
struct Fold {
  private let reducer: Reducer
  private let events: EventsTable
  private let aggregateID: String?

  /// - Parameters:
  ///   - events: the table to read.
  ///   - aggregateID: the only stream that is folded, if there is only one.
  init(_ reducer: Reducer, of events: EventsTable, stream aggregateID: String? = nil) {
    self.reducer = reducer
    self.events = events
    self.aggregateID = aggregateID
  }

  /// The version before the first event of a stream in the row `h`, which has its `first_version`. Some stores count
  /// from 0.
  static let beginning = "least(h.first_version, 1) - 1"

  /// The query that starts at the rows of `base` and steps to their `upto`.
  ///
  /// - Parameters:
  ///   - base: a query with the columns aggregate_id, version and state (of a snapshot, or ``beginning`` and NULL)
  ///     and upto.
  ///   - result: the SQL after the WITH clause. It can use `annals_base` and `annals_fold`, which has a row for every
  ///     step: aggregate_id, version, state and upto. A stream whose state becomes NULL ends at that step.
  func query(base: SQL, result: SQL) -> GeneratedCode {
    var code = GeneratedCode.Builder()
    code.add("WITH RECURSIVE annals_base AS (")
    code.add(sql: base)
    code.add(
      """
      ), annals_fold (aggregate_id, version, state, upto) AS (
      SELECT b.aggregate_id, b.version, CASE WHEN b.state IS NOT NULL THEN b.state ELSE
      """
    )
    code.add(reducer.initial, prefix: ["("], suffix: ")::jsonb END,")
    code.add(
      """
      b.upto
      FROM annals_base AS b
      UNION ALL
      SELECT f.aggregate_id, event.version,
      """
    )
    addStep(to: &code)
    code.add(
      """
      , f.upto
      FROM annals_fold AS f CROSS JOIN LATERAL (
      SELECT \(events.columns) FROM \(events.source) AS e
      WHERE
      """
    )
    // Citus sends a recursive query to the node of a stream that all parts name, and refuses others.
    code.add(sql: aggregateID.map { events.isOf($0) } ?? "e.aggregate_id = f.aggregate_id")
    code.add(
      """
      AND e.version > f.version AND e.version <= f.upto
      ORDER BY e.version LIMIT 1
      ) AS event
      WHERE f.state IS NOT NULL
      )
      """
    )
    code.add(sql: result)
    return code.query(file: reducer.path)
  }

  /// The state after `event`. A type without a section does not change it.
  private func addStep(to code: inout GeneratedCode.Builder) {
    let named = reducer.handlers.filter { $0.types != [SectionFile.anyType] }
    let other = reducer.handlers.first { $0.types == [SectionFile.anyType] }
    code.add("CASE WHEN false THEN f.state")
    for handler in named {
      let types = handler.types.map { quoteLiteral($0) }.joined(separator: ", ")
      code.add("WHEN event.event_type IN (\(types)) THEN")
      code.add(handler.statement, prefix: ["("], suffix: ")::jsonb")
    }
    if let other {
      code.add("ELSE")
      code.add(other.statement, prefix: ["("], suffix: ")::jsonb")
    } else {
      code.add("ELSE f.state")
    }
    code.add("END")
  }
}

extension Connection {
  /// Runs a query of ``Fold``; an error in the file is reported with its place there.
  func run(_ fold: GeneratedCode) throws -> QueryResult {
    do {
      return try query(fold.sql, fold.parameters)
    } catch {
      throw fold.fileError(for: error) ?? error
    }
  }
}
