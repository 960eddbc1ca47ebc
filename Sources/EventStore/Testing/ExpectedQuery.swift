internal import LibPQ

/// A query of a test, and the texts of the values that it returns.
struct ExpectedQuery {
  /// The names as in a table of rows.
  let columns: [ByteString]
  /// The types for the values of a table; nil for a type that has no text form.
  private let types: [String?]
  private let query: SQLStatement
  private let file: String

  /// The most rows of a query that are read.
  static let maximumRows = 10_000

  /// Lets the server parse a query; it must see the names that the query is to see.
  init(_ query: SQLStatement, of file: String, _ connection: Connection) throws {
    (self.query, self.file) = (query, file)
    var code = GeneratedCode.Builder()
    code.add("SELECT * FROM (")
    code.add(query, suffix: "")
    code.add(") AS annals_rows LIMIT 0")
    let plan = code.query(file: file)
    let (names, numbers): ([String], [Int64])
    do {
      let none = try connection.query(plan.sql, [])
      names = (0..<none.columnCount).map { none.columnName($0) }
      numbers = (0..<none.columnCount).map { Int64(none.columnType($0)) }
    } catch {
      throw plan.translated(error)
    }
    let cell = SQLTemplate.cell.filled(["text": "n.name"])
    // Without a modifier a type keeps the whole value: character(1) would cut it.
    let described = try connection.query(
      """
      SELECT \(raw: cell) AS name, CASE WHEN t.typtype <> 'p' THEN format_type(t.oid, -1) END AS type
      FROM unnest(\(Parameter.textArray(names)), \(Parameter.int8Array(numbers)))
        WITH ORDINALITY AS n (name, number, place)
      JOIN pg_type t ON t.oid = n.number::oid ORDER BY n.place
      """
    )
    columns = described.map { ByteString($0.string("name")) }
    types = described.map { $0.optionalString("type") }
  }

  /// The rows that it returns, at most one more than ``maximumRows``.
  func rows(_ connection: Connection) throws -> [[ByteString]] {
    var code = GeneratedCode.Builder()
    code.add("SELECT \(cells) FROM (SELECT \(texts(of: "c")) FROM (")
    code.add(query, suffix: "")
    code.add(") AS annals_rows (\(names("c")))) AS annals_texts LIMIT \(Self.maximumRows + 1)")
    let run = code.query(file: file)
    let found: QueryResult
    do { found = try connection.query(run.sql, []) } catch { throw run.translated(error) }
    return Self.values(found, columns.count)
  }

  /// The rows of a table as the server prints them: `{"b": 1,"a":2}` of type jsonb is `{"a": 2, "b": 1}`.
  func printed(_ table: RowTable, of file: String, _ connection: Connection) throws -> [[ByteString]] {
    guard !table.rows.isEmpty else { return [] }
    let printed: [[ByteString]]
    do {
      printed = try connection.savepoint { try read(table.rows, connection) }
    } catch let error as PostgresError {
      guard error.kind == .statement, error.sqlState != SQLState.queryCanceled else { throw error }
      // Again, one by one, to find out which row it is.
      for (row, location) in zip(table.rows, table.locations) {
        guard let cause = try refusal(of: row, connection) else { continue }
        throw SQLFileError(file: file, location: location, message: cause.message, hint: cause.hint)
      }
      throw error
    }
    return printed
  }

  /// Why a row cannot be read; nil if it can.
  private func refusal(of row: [ByteString], _ connection: Connection) throws -> PostgresError? {
    do { _ = try connection.savepoint { try read([row], connection) } } catch let error as PostgresError {
      return error
    }
    return nil
  }

  private func read(_ rows: [[ByteString]], _ connection: Connection) throws -> [[ByteString]] {
    let parameters = columns.indices.map { column in Parameter.textArray(rows.map { $0[column] }) }
    let arrays = columns.indices.map { "$\($0 + 1)::text[]" }.joined(separator: ", ")
    let values = columns.indices.map { column in
      let text = """
        CASE WHEN v\(column) = 'NULL' THEN NULL WHEN starts_with(v\(column), '"') THEN v\(column)::json #>> '{}'
        ELSE v\(column) END
        """
      return "CAST(\(text) AS \(types[column] ?? "text")) AS c\(column)"
    }
    let sql = """
      SELECT \(cells) FROM (
        SELECT place, \(texts(of: "c")) FROM (
          SELECT place, \(values.joined(separator: ", "))
          FROM unnest(\(arrays)) WITH ORDINALITY AS annals_cells (\(names("v")), place)
        ) AS annals_values
      ) AS annals_texts ORDER BY place
      """
    return Self.values(try connection.query(sql, parameters), columns.count)
  }

  /// Read by number: the columns are the operator's.
  private static func values(_ result: borrowing QueryResult, _ count: Int) -> [[ByteString]] {
    (0..<result.rowCount).map { row in
      (0..<count).map { column in ByteString(result.string(row, column)) }
    }
  }

  private func names(_ letter: String) -> String {
    columns.indices.map { "\(letter)\($0)" }.joined(separator: ", ")
  }

  /// A value as its type prints it, which differs from a cast to text for some types. A row of NULLs is not NULL.
  private func texts(of letter: String) -> String {
    columns.indices.map { column in
      let name = "\(letter)\(column)"
      return "CASE WHEN \(name) IS DISTINCT FROM NULL THEN format('%s', \(name)) END AS \(name)"
    }.joined(separator: ", ")
  }

  private var cells: String {
    columns.indices.map { SQLTemplate.cell.filled(["text": "c\($0)"]) }.joined(separator: ",\n")
  }
}
