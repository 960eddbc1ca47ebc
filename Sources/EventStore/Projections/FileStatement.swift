internal import LibPQ

extension Connection {
  /// Runs `@create`, or another section of definitions, in the current transaction.
  ///
  /// - Parameter moving: whether the objects that the statements create move from schema to schema with the read model.
  /// - Throws: `SQLFileError` with the place of the statement that is wrong or leaves its bounds.
  func run(
    _ statements: [SQLStatement],
    _ confinement: Confinement,
    of file: String,
    moving: Bool = false
  ) throws {
    for statement in statements {
      do {
        try confine(confinement, of: file, defining: true) {
          try execute(statement, of: file)
          if moving { try requireMovable(in: confinement.schema, after: statement, of: file) }
        }
      } catch let error as EventStoreError where error.code == .invalidDefinition {
        throw SQLFileError(error, of: file, at: statement.location)
      }
    }
    // Not after each one: a foreign key may be deferred until a later statement.
    if !statements.isEmpty { try confine(confinement, of: file, defining: true) { try fireDeferred() } }
  }

  /// Refuses objects that would stay behind when the tables move: handlers would no longer find them, and a later build
  /// would take them for foreign objects that depend on the live tables.
  private func requireMovable(in schema: String, after statement: SQLStatement, of file: String) throws {
    guard let object = try strings(.immovableObjects, [.text(schema)]).first else { return }
    throw SQLFileError(
      file: file,
      location: statement.location,
      message: "@create makes \(object), which cannot move with the read model",
      hint: "Create it in another schema first, and name that schema with '-- @search_path SCHEMA'."
    )
  }

  /// Runs a statement of an operator's file as it is; an error points into the file.
  ///
  /// The server accepts one command here and refuses a second one (manual, "Extended Query"), wherever this library
  /// finds the end of a statement.
  func execute(_ statement: SQLStatement, of file: String) throws {
    do {
      _ = try query(SQL(raw: statement.text))
    } catch {
      throw error.isAboutStatement ? SQLFileError(error, in: statement, of: file) : error
    }
  }
}

extension GeneratedCode {
  /// An error of creating or running the function; it points into the file if the file is at fault.
  func translated(_ error: PostgresError) -> any Error {
    if error.isAboutStatement, let fileError = fileError(for: error) { return fileError }
    return error
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

  /// Gives a place to an error whose message begins with the name of the file.
  init(_ error: EventStoreError, of file: String, at location: SQLLocation) {
    let message = error.message.utf8.dropFirst(file.utf8.count + 2)
    self.init(
      file: file,
      location: location,
      message: String(decoding: message, as: UTF8.self),
      hint: error.hint?.description
    )
  }

  /// Maps the server's error about a statement that was sent as it is to the operator's file.
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
      hint: error.hintInFile
    )
  }
}

extension PostgresError {
  /// The server's hint, and more about a name that was not found.
  var hintInFile: String? {
    let isMissing = [SQLState.undefinedTable, SQLState.undefinedFunction, SQLState.undefinedObject]
    // Only an error about a name has a place; undefinedObject can also be a foreign key without a unique key.
    guard let sqlState, isMissing.contains(sqlState), (position ?? internalPosition) != nil else {
      return hint
    }
    return (hint.map { "\($0) " } ?? "") + "Write names of other schemas with their schema."
  }
}
