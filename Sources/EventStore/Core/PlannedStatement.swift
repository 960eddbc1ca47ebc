internal import FoundationEssentials
internal import LibPQ

/// What PostgreSQL's planner expects of a statement, by its statistics.
struct PlannedStatement: Decodable {
  fileprivate struct Node: Decodable {
    let type: String
    let rows: Double
    let parts: [Node]?

    enum CodingKeys: String, CodingKey {
      case type = "Node Type"
      case rows = "Plan Rows"
      case parts = "Plans"
    }

    var types: [String] { [type] + (parts ?? []).flatMap(\.types) }
  }

  private let plan: Node

  enum CodingKeys: String, CodingKey { case plan = "Plan" }

  /// How many rows it expects. The planner stops at 1e100; no table has a tenth of the limit here.
  var rows: Int64 { Int64(min(plan.rows, 1e15)) }

  /// Whether an index gives the requested rows, in the requested order, without all others. For a small table the
  /// planner does not use one.
  var goesByIndex: Bool {
    !plan.types.contains { type in Self.wholeReads.contains { $0.utf8.elementsEqual(type.utf8) } }
  }

  private static let wholeReads = ["Seq Scan", "Sort", "Incremental Sort", "CTE Scan", "Function Scan"]
}

extension Connection {
  /// The planner's plan of a query.
  func plan(of query: SQL) throws -> PlannedStatement {
    let text = try self.query("EXPLAIN (FORMAT json) \(query)").string(0, 0)
    return try JSONDecoder().decode([PlannedStatement].self, from: Data(text.utf8))[0]
  }
}
