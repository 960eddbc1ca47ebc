internal import LibPQ

/// How a table of a new generation differs from the live one of the same name. A table of only one side is compared
/// with an empty one.
///
/// Rows are the same if the texts of all their values are.
public struct TableDifference: Sendable, Hashable {
  /// The table.
  public let table: String
  /// Rows of the live table.
  public let liveRows: Int64
  /// Rows that only the new one has.
  public let added: Int64
  /// Rows that only the live one has.
  public let removed: Int64
  /// Rows of the same primary key with other values; a table without a primary key has only added and removed ones.
  public let changed: Int64
  /// The columns that only one of the two tables has; they make every row differ.
  public let loneColumns: [String]
  /// A few of the differences: `{"change": "changed", "live": {…}, "new": {…}}`.
  public let samples: [String]

  /// All rows that differ.
  public var count: Int64 { added + removed + changed }
}

extension DifferenceLimit {
  /// `100` rows, or `0.5%`; nil for anything else.
  public init?(_ text: String) {
    if text.utf8.last == UInt8(ascii: "%") {
      guard let percent = Double(String(text.unicodeScalars.dropLast())), percent >= 0 else { return nil }
      self = .percent(percent)
    } else {
      guard let rows = Int64(text), rows >= 0 else { return nil }
      self = .rows(rows)
    }
  }

  func isExceeded(by differences: [TableDifference]) -> Bool {
    let count = differences.reduce(0) { $0 + $1.count }
    switch self {
    case .rows(let limit): return count > limit
    case .percent(let limit):
      let rows = differences.reduce(0) { $0 + $1.liveRows }
      return Double(count) > Double(rows) * limit / 100
    }
  }
}

extension StoreConnection {
  /// Compares the tables of a generation with the live ones; no differences without a live generation.
  func differences(of generation: Generation) throws -> [TableDifference] {
    guard let live = try liveGeneration(of: generation.projection) else { return [] }
    return try connection.transaction(.repeatableReadOnly) {
      // Then different values of a type have different texts. JIT is off because the planner's estimate of a full join
      // is far off: compiling took 0.8 s, where 200,000 rows of five columns take 0.3 s.
      try connection.execute(
        """
        SET LOCAL extra_float_digits = 1; SET LOCAL datestyle = ISO; SET LOCAL intervalstyle = postgres;
        SET LOCAL jit = off
        """
      )
      let queries = try connection.query(
        SQLTemplate.differenceQueries.sql,
        [
          .text(generation.ownSchema), .text(generation.liveSchema),
          .textArray(live.objects.map(\.description)),
        ]
      )
      return try queries.map { table in
        let result = try connection.query(SQL(raw: table.string("query")))
        let counts = result[0]
        return TableDifference(
          table: table.string("name"),
          liveRows: counts.int64("live_rows"),
          added: counts.int64("added"),
          removed: counts.int64("removed"),
          changed: counts.int64("changed"),
          loneColumns: Self.lines(table.optionalString("lone_columns")),
          samples: Self.lines(counts.optionalString("samples"))
        )
      }
    }
  }

  private static func lines(_ text: String?) -> [String] {
    (text ?? "").unicodeScalars.split(separator: "\n").map(String.init)
  }
}
