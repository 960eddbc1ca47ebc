internal import LibPQ

extension Upcasters {
  /// Lets the server parse every rule, so that faults are found before the first event, with their place in the file.
  func check(for table: EventsTable, _ connection: Connection) throws {
    try checkFunctions(connection)
    for file in files {
      let code = Self.query(of: file, table)
      do {
        _ = try connection.query(SQL(raw: code.sql))
      } catch {
        throw code.fileError(for: error).map(Self.withCastHint) ?? error
      }
    }
  }

  /// A query that uses every statement of a file and returns no row.
  private static func query(of file: UpcasterFile, _ table: EventsTable) -> GeneratedCode {
    var code = GeneratedCode.Builder()
    code.add("SELECT 1")
    for rule in file.rules {
      for condition in rule.conditions {
        code.add(condition, prefix: [", CASE WHEN", "("], suffix: "\n) THEN 1 END")
      }
      for value in [rule.data, rule.metadata].compactMap(\.self) {
        code.add(
          value,
          prefix: [", CASE WHEN false THEN", "NULL::jsonb ELSE ("],
          blanked: value.isPlainExpression ? Array(value.words.prefix(1)) : [],
          suffix: "\n) END"
        )
      }
      if let parts = rule.parts {
        code.add(
          ", (SELECT count(*) FROM (SELECT CASE WHEN false THEN NULL::text ELSE annals_parts.event_type END,"
        )
        code.add("CASE WHEN false THEN NULL::jsonb ELSE annals_parts.event_data END FROM (")
        code.add(parts, suffix: "\n) AS annals_parts (event_type, event_data)) AS annals_rows)")
      }
    }
    code.add("FROM \(UpcastSource([], of: table).sql) AS event LIMIT 0")
    return code.query(file: file.path)
  }

  private static func withCastHint(_ error: SQLFileError) -> SQLFileError {
    guard error.hint == nil, error.message.utf8.contains("cannot be matched".utf8) else { return error }
    var error = error
    error.hint =
      "The value must be of type jsonb; cast it, as '{\"currency\": \"BRL\"}'::jsonb, or use to_jsonb()."
    return error
  }
}

// MARK: - Deterministic

extension Upcasters {
  /// An event must look the same whenever it is read. So functions that are volatile, and those that read the clock or
  /// the session, are refused by name.
  ///
  /// This needs no rights and changes nothing; a view, in which the server would show the functions, would need both.
  /// The owner of an operator's own functions and operators is responsible for what they do inside.
  private func checkFunctions(_ connection: Connection) throws {
    var calls: [FunctionCall] = []
    for file in files {
      for statement in file.rules.flatMap(\.statements) {
        calls += try FunctionCall.all(in: statement, of: file)
      }
    }
    guard !calls.isEmpty else { return }
    let (schemas, names) = (calls.map { $0.schema ?? "" }, calls.map(\.name))
    let sql: SQL = """
      SELECT EXISTS (SELECT FROM pg_proc p
        WHERE p.proname = c.name AND CASE c.schema WHEN '' THEN pg_function_is_visible(p.oid)
            ELSE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = c.schema) END
          AND (p.provolatile = 'v' OR p.pronamespace = 'pg_catalog'::regnamespace
            AND p.proname = ANY (\(Parameter.textArray(FunctionCall.ofClockAndSession))))) AS is_refused
      FROM unnest(\(Parameter.textArray(schemas)), \(Parameter.textArray(names))) WITH ORDINALITY
        AS c (schema, name, place) ORDER BY c.place
      """
    let result = try connection.query(sql)
    let refused = calls.indices.first {
      result[$0].bool("is_refused") || FunctionCall.keywords.contains(calls[$0].name)
    }
    guard let call = refused.map({ calls[$0] }) else { return }
    throw SQLFileError(
      file: call.file,
      location: call.location,
      message: "\(call.name) can return another value each time, and an event must always be the same",
      hint: FunctionCall.ofClockAndSession.contains(call.name) || FunctionCall.keywords.contains(call.name)
        ? "Use what is in the event, for example event.timestamp."
        : "If the function always gives the same value, declare it IMMUTABLE or STABLE."
    )
  }
}

/// A name in an upcaster that is followed by a parenthesis, or that is a call without one.
private struct FunctionCall {
  /// As in the catalogue; nil for a name without a schema.
  let schema: String?
  /// As in the catalogue.
  let name: String
  let file: String
  let location: SQLLocation

  /// Functions of the system that are not volatile, but depend on the time or the caller.
  static let ofClockAndSession = [
    "now", "transaction_timestamp", "statement_timestamp", "current_setting", "pg_backend_pid", "version",
    "current_database", "current_schema", "inet_client_addr", "inet_server_addr", "txid_current_if_assigned",
  ]

  /// Similar functions that SQL calls without parentheses (manual, 9.9.5 and 9.26).
  static let keywords: Set = [
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user",
    "current_role", "session_user", "current_catalog", "current_schema",
  ]

  static func all(in statement: SQLStatement, of file: UpcasterFile) throws(SQLFileError) -> [FunctionCall] {
    let bytes = Array(statement.text.utf8)
    let tokens = try SQLLexer.tokens(of: bytes, file: file.path).filter { $0.kind != .comment }
    var calls: [FunctionCall] = []
    for (index, token) in tokens.enumerated() where token.kind == .word || token.kind == .quoted {
      let text = String(decoding: bytes[token.range], as: UTF8.self)
      if text.utf8.first == UInt8(ascii: "$"), token.kind == .word {
        throw SQLFileError(
          file: file.path,
          location: statement.location.advanced(to: token.location),
          message: "there is no parameter \(text) in an upcaster"
        )
      }
      let isQuoted = token.kind == .quoted
      if isQuoted, text.utf8.first != UInt8(ascii: "\"") { continue }
      let name = Self.name(token, bytes)
      let isCalled =
        index + 1 < tokens.count && bytes[tokens[index + 1].range.lowerBound] == UInt8(ascii: "(")
      guard isCalled || !isQuoted && keywords.contains(name) && !isMember(index, tokens, bytes) else {
        continue
      }
      calls.append(
        FunctionCall(
          schema: index > 1 && isMember(index, tokens, bytes) ? Self.name(tokens[index - 2], bytes) : nil,
          name: name,
          file: file.path,
          location: statement.location.advanced(to: token.location)
        )
      )
    }
    return calls
  }

  private static func name(_ token: SQLToken, _ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes[token.range], as: UTF8.self)
    return token.kind == .quoted ? String(text.unicodeScalars.dropFirst().dropLast()) : text.lowercased()
  }

  /// Whether there is a dot before the token: `event.current_date` is a column.
  private static func isMember(_ index: Int, _ tokens: [SQLToken], _ bytes: [UInt8]) -> Bool {
    index > 0 && bytes[tokens[index - 1].range.lowerBound] == UInt8(ascii: ".")
  }
}

extension SQLLocation {
  /// The place in the file of a place in a statement that begins here.
  fileprivate func advanced(to place: SQLLocation) -> SQLLocation {
    SQLLocation(
      line: line + place.line - 1,
      column: place.line == 1 ? column + place.column - 1 : place.column
    )
  }
}
