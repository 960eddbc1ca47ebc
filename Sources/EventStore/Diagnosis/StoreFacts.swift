internal import LibPQ

/// Facts about a server and a table of events, for the rules that judge them.
struct StoreFacts: Sendable {
  let table: QualifiedName
  /// Whether the table is annals' own, instead of one that is read through a layout.
  let isOwn: Bool
  /// The names and values of `StoreFacts.sql`; facts that are NULL there are missing here.
  private var values: [ByteString: String] = [:]
  private(set) var indexes: [TableIndex] = []

  init(of table: QualifiedName, isOwn: Bool, _ connection: Connection) throws {
    (self.table, self.isOwn) = (table, isOwn)
    let facts = try connection.query(
      SQLTemplate.storeFacts.sql,
      [.text(table.schema), .text(table.name), .textArray(try Self.readModelSchemas(connection))]
    )
    facts.forEachRow { values[ByteString($0.string("name"))] = $0.string("value") }
    // The store of another framework has other columns, and its owner looks after it.
    guard isOwn, self["kind"] != nil, self.is("can_use_schema") else { return }
    indexes = try connection.query(SQLTemplate.tableIndexes.sql, [.text(table.sql)]).map { row in
      TableIndex(
        name: ByteString(row.string("name")),
        columns: row.string("columns").unicodeScalars.split(separator: "\n").map { ByteString(String($0)) },
        isUnique: row.bool("is_unique"),
        isValid: row.bool("is_valid"),
        isForAllRows: row.bool("is_for_all_rows"),
        isOfConstraint: row.bool("is_of_constraint"),
        method: row.string("method"),
        isInByteOrder: row.bool("is_in_byte_order")
      )
    }
  }

  /// The schemas of live read models, if this role may know them.
  private static func readModelSchemas(_ connection: Connection) throws -> [String] {
    guard try connection.canReadOwnTables(["projections"]) else { return [] }
    return try connection.strings("SELECT DISTINCT live_schema FROM annals.projections ORDER BY 1")
  }

  subscript(_ name: String) -> String? { values[ByteString(name)] }

  /// Whether a fact is true; false if it is not known.
  func `is`(_ name: String) -> Bool { self[name] == "true" }

  func number(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }
}

/// The facts about an index that tell which reads it serves.
struct TableIndex: Sendable, Hashable {
  let name: ByteString
  /// The key columns, in order; an expression as SQL.
  let columns: [ByteString]
  let isUnique: Bool
  let isValid: Bool
  let isForAllRows: Bool
  /// Whether it belongs to a constraint, and cannot be dropped alone.
  let isOfConstraint: Bool
  let method: String
  /// Whether its first column is sorted by bytes, if that can matter.
  let isInByteOrder: Bool

  /// Whether it can find rows by its first columns.
  var isUsable: Bool { isValid && isForAllRows }

  /// Whether `other` serves every read that this one serves, and whatever this one keeps unique.
  func isCovered(by other: TableIndex) -> Bool {
    guard isUsable, other.isUsable, method == "btree", other.method == "btree", !isOfConstraint else {
      return false
    }
    guard isInByteOrder == other.isInByteOrder else { return false }
    if isUnique { return other.isUnique && other.columns == columns }
    return other.columns.starts(with: columns)
  }
}
