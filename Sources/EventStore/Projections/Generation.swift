internal import LibPQ

/// One build of a projection's read model, in a schema of its own until it goes live.
struct Generation: Sendable, Hashable {
  let projection: String
  let number: Int32
  /// Where its tables are while it is not live.
  let schema: String
  /// The checkpoint: events up to here are applied.
  var position: Int64
  /// Events that were handled.
  var events: Int64
  /// What went live with it; empty before.
  let objects: [ReadModelObject]
}

extension Generation {
  /// The columns of ``init(_:row:)``.
  static let columns = "projection, number, schema_name, position, events, array_to_string(objects, E'\\n')"

  init(_ result: borrowing QueryResult, row: Int) {
    projection = result.string(row, 0)
    number = result.int32(row, 1)
    schema = result.string(row, 2)
    position = result.int64(row, 3)
    events = result.int64(row, 4)
    objects = result.string(row, 5).split(separator: "\n").compactMap { ReadModelObject($0) }
  }

  /// The live generation of a projection; nil before the first.
  static func live(_ projection: String, _ connection: Connection) throws -> Generation? {
    let sql = "SELECT \(columns) FROM annals.generations WHERE projection = $1 AND state = 'live'"
    let result = try connection.query(sql, [.text(projection)])
    return result.isEmpty ? nil : Generation(result, row: 0)
  }

  /// A build of just this definition that was begun and neither finished nor dropped.
  static func resumable(_ file: ProjectionFile, _ connection: Connection) throws -> Generation? {
    let sql = """
      SELECT \(columns) FROM annals.generations
      WHERE projection = $1 AND state IN ('building', 'ready') AND definition_hash = sha256($2)
        AND to_regnamespace(quote_ident(schema_name)) IS NOT NULL
      ORDER BY number DESC LIMIT 1
      """
    let result = try connection.query(sql, [.text(file.name), .bytea(file.bytes)])
    return result.isEmpty ? nil : Generation(result, row: 0)
  }

  /// Begins a build: its row, its schema and its tables, in the transaction of the caller.
  static func create(_ file: ProjectionFile, _ connection: Connection) throws -> Generation {
    let sql = """
      INSERT INTO annals.generations (projection, number, version, definition, definition_hash, schema_name, state)
      SELECT $1, next, $2, convert_from($3, 'UTF8'), sha256($3), format('annals_%s_%s', $1::text, next), 'building'
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM annals.generations WHERE projection = $1) AS numbers
      RETURNING \(columns)
      """
    let result = try connection.query(
      sql,
      [.text(file.name), .int4(Int32(file.version)), .bytea(file.bytes)]
    )
    let generation = Generation(result, row: 0)
    try connection.execute("CREATE SCHEMA \(quoteIdentifier(generation.schema))")
    try generation.useSchema(connection)
    for statement in file.create {
      do {
        try connection.execute(statement.text)
      } catch {
        throw SQLFileError(error, in: statement, of: file.path)
      }
    }
    return generation
  }

  /// Puts this generation's schema in front of the search path, to the end of the transaction.
  func useSchema(_ connection: Connection) throws {
    let sql =
      "SELECT set_config('search_path', quote_ident($1) || ', ' || current_setting('search_path'), true)"
    _ = try connection.query(sql, [.text(schema)])
  }

  /// Moves the checkpoint in the transaction of the effects, and only from the value that was read.
  mutating func advance(to position: Int64, events: Int64, _ connection: Connection) throws {
    let sql = """
      UPDATE annals.generations SET position = $4, events = events + $5, moved_at = current_timestamp
      WHERE projection = $1 AND number = $2 AND position = $3
      """
    let result = try connection.query(
      sql,
      [.text(projection), .int4(number), .int8(self.position), .int8(position), .int8(events)],
      prepared: true
    )
    guard result.affectedRows == 1 else {
      throw EventStoreError(
        .locked,
        "the checkpoint of projection \(projection) is no longer at position \(self.position)",
        detail: "Another session has moved it; what this one did since was rolled back.",
        hint: "See who works on it with 'annals projections \(projection)'."
      )
    }
    self.position = position
    self.events += events
  }

  /// Removes the generation with all that is in its schema.
  func drop(_ connection: Connection) throws {
    try connection.execute("DROP SCHEMA IF EXISTS \(quoteIdentifier(schema)) CASCADE")
    let sql = "DELETE FROM annals.generations WHERE projection = $1 AND number = $2"
    _ = try connection.query(sql, [.text(projection), .int4(number)])
  }
}

extension SQLFileError {
  /// Puts the server's error about a statement that was sent as it stands into the operator's file.
  init(_ error: PostgresError, in statement: SQLStatement, of file: String) {
    let before =
      error.position.map { statement.text.unicodeScalars.prefix($0 - 1) } ?? Substring().unicodeScalars
    let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
    let column = (lines.last?.count ?? 0) + (lines.count > 1 ? 1 : statement.location.column)
    let line = statement.location.line + max(0, lines.count - 1)
    self.init(
      file: file,
      location: SQLLocation(line: line, column: column),
      message: error.message,
      hint: error.hint
    )
  }
}
