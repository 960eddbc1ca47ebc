internal import LibPQ

extension Connection {
  /// Puts a schema in front of the search path, to the end of the transaction.
  func useSchema(_ schema: String) throws(PostgresError) {
    let sql = """
      SELECT set_config('search_path', concat_ws(', ', quote_ident($1), nullif(current_setting('search_path'), '')), true)
      """
    _ = try query(sql, [.text(schema)])
  }

  /// Runs a statement of an operator's file as it stands; an error points into the file.
  func execute(_ statement: SQLStatement, of file: String) throws {
    do {
      try execute(statement.text)
    } catch {
      throw error.isAboutStatement ? SQLFileError(error, in: statement, of: file) : error
    }
  }
}

extension GeneratedCode {
  /// An error of creating or running the function; it points into the file if that is at fault.
  func translated(_ error: PostgresError) -> any Error {
    if error.isAboutStatement, let fileError = fileError(for: error) { return fileError }
    return error
  }
}

extension PostgresError {
  /// Whether the statement itself is at fault, not the connection, the moment or the role.
  var isAboutStatement: Bool {
    !isPassing
      && ![SQLState.insufficientPrivilege, SQLState.readOnlyTransaction].contains(sqlState)
  }

  /// Whether the same may succeed later: a lost connection, a deadlock, a lock, a full disk (classes 40, 53, 55, 57, 58).
  var isPassing: Bool {
    guard kind == .statement, let state = sqlState else { return kind != .noSession }
    return ["40", "53", "55", "57", "58"].contains { state.utf8.starts(with: $0.utf8) }
  }
}

extension SQLFileError {
  /// The place of the first character of a file that the database's encoding lacks; nil for another error.
  init?(untranslatable error: PostgresError, in bytes: [UInt8], of file: String) {
    guard let character = error.untranslatable else { return nil }
    let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.prefix { $0 != character }
    let column = scalars.reversed().prefix { $0 != "\n" }.count + 1
    self.init(
      file: file,
      location: SQLLocation(line: scalars.count { $0 == "\n" } + 1, column: column),
      message: error.message,
      hint: error.hint
    )
  }

  /// Puts the server's error about a statement that was sent as it stands into the operator's file.
  init(_ error: PostgresError, in statement: SQLStatement, of file: String) {
    let scalars =
      error.position.map { statement.text.unicodeScalars.prefix($0 - 1) } ?? Substring().unicodeScalars
    let lines = scalars.split(separator: "\n", omittingEmptySubsequences: false)
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
