internal import LibPQ

/// How a table is partitioned, to create another one with the same partitions.
struct Partitions: Sendable {
  /// As "HASH (aggregate_id)".
  private let key: String
  private let parts: [(suffix: String, bounds: String)]

  /// Reads how a table is partitioned.
  ///
  /// - Returns: nil for a table that is not partitioned.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` when its partitions are partitioned in turn.
  init?(of table: QualifiedName, _ connection: Connection) throws {
    let keys = try connection.query("SELECT pg_get_partkeydef(to_regclass(\(table.sql))) AS key")
    guard let key = keys[0].optionalString("key") else { return nil }
    let sql: SQL = """
      SELECT c.relname::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds, c.relkind = 'p' AS is_partitioned
      FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass(\(table.sql)) ORDER BY i.inhrelid
      """
    self.key = key
    var count = 0
    parts = try connection.query(sql).map { part in
      count += 1
      let name = part.string("name")
      guard !part.bool("is_partitioned") else {
        throw EventStoreError(
          .invalidDefinition,
          "partition \(name) of \(table) is partitioned itself",
          detail: "A copy can have only one level of partitions.",
          hint: "Create the copy by hand, and insert the events into it."
        )
      }
      // "events_2026" of events is "copy_2026" of copy.
      let rest = name.utf8.dropFirst(table.name.utf8.count)
      let isNamedAfterTable = name.utf8.starts(with: table.name.utf8) && !rest.isEmpty
      let suffix = isNamedAfterTable ? String(decoding: rest, as: UTF8.self) : "_p\(count)"
      return (suffix, part.string("bounds"))
    }
  }

  /// The SQL after the columns in the CREATE TABLE of a table with the same partitions, and the SQL that creates these.
  ///
  /// - Throws: as ``name(_:of:)``.
  func creation(of table: QualifiedName) throws -> String {
    let partitions = try parts.map { suffix, bounds in
      ";\nCREATE TABLE \(try Self.name(suffix, of: table).sql) PARTITION OF \(table.sql) \(bounds)"
    }
    return " PARTITION BY \(key)\(partitions.joined())"
  }

  /// The name of a partition. The server would cut a longer one, and two could become the same.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidInput` for a name that is too long.
  static func name(_ suffix: String, of table: QualifiedName) throws -> QualifiedName {
    let name = table.name + suffix
    guard name.utf8.count > 63 else { return QualifiedName(schema: table.schema, name: name) }
    throw EventStoreError(
      .invalidInput,
      "the name of partition \(name) has more than 63 bytes",
      hint: "Give the table a shorter name."
    )
  }
}
