internal import LibPQ

/// A condition on the contents of an event.
public enum ContentCondition: Sendable, Hashable {
  /// On a field of the payload.
  case data(FieldCondition)
  /// On a field of the metadata.
  case metadata(FieldCondition)
  /// Each of these words, separated by blanks, occurs in the JSON text of the payload; case is ignored.
  case text(String)
  /// A condition in SQL holds.
  case sql(SQLCondition)
}

extension ContentCondition {
  /// In words, for a checkpoint that belongs to it.
  var description: String {
    switch self {
    case .data(let condition): "payload \(condition.text)"
    case .metadata(let condition): "metadata \(condition.text)"
    case .text(let words): "text \(words)"
    case .sql(let condition): "where \(condition.text)"
    }
  }

  /// The condition on an event `e`; nil for SQL, which is about a record `event`.
  func condition(in table: EventsTable) -> SQL? {
    switch self {
    case .data(let condition): condition.holds(of: "e.event_data")
    case .metadata(let condition): condition.holds(of: table.metadata)
    case .text(let words): Self.contains(words)
    case .sql: nil
    }
  }

  private static func contains(_ words: String) -> SQL {
    let words = words.unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
    // In a payload, a quote or a backslash follows a backslash, as in JSON.
    let patterns = words.map { word in
      let json = ManifestFormat.quoted(Array(String(word).utf8)).unicodeScalars.dropFirst().dropLast()
      let escaped = json.flatMap { ["\\", "%", "_"].contains($0) ? ["\\", $0] : [$0] as [Unicode.Scalar] }
      return "%\(String(String.UnicodeScalarView(escaped)))%"
    }
    return patterns.map { "e.event_data::text ILIKE \($0)" as SQL }.conjunction
  }
}

/// A condition in SQL on a record `event`, which has the columns of the table of events.
public struct SQLCondition: Sendable, Hashable {
  /// As it was written.
  public let text: String

  /// - Throws: ``EventStoreError`` with code `invalidInput` if the text is not one expression, judged by its tokens.
  public init(_ text: String) throws {
    self.text = text
    do { try Self.requireExpression(text) } catch { throw EventStoreError(.invalidInput, error.description) }
  }

  /// The name of the condition in messages.
  static let name = "condition"

  private static func requireExpression(_ text: String) throws(SQLFileError) {
    let bytes = Array(text.utf8)
    let tokens = try SQLLexer.tokens(of: bytes, file: name).filter { $0.kind != .comment }
    func fault(_ token: SQLToken?, _ message: String) -> SQLFileError {
      SQLFileError(file: name, location: token?.location ?? SQLLocation(line: 1, column: 1), message: message)
    }
    guard !tokens.isEmpty else { throw fault(nil, "there is no condition") }
    var open: [SQLToken] = []
    for token in tokens {
      switch (token.kind, bytes[token.range.lowerBound]) {
      case (.symbol, UInt8(ascii: ";")):
        throw fault(token, "a condition is one expression, without a semicolon")
      case (.symbol, UInt8(ascii: "(")): open.append(token)
      case (.symbol, UInt8(ascii: ")")):
        if open.popLast() == nil { throw fault(token, "this parenthesis was never opened") }
      case (.word, UInt8(ascii: "$")): throw fault(token, "a condition has no parameters")
      default: break
      }
    }
    if let open = open.last { throw fault(open, "this parenthesis is never closed") }
  }
}

extension EventQuery {
  /// The SQL conditions of the query; nil without any. A comment in one of them ends with its line.
  private var sqlCondition: String? {
    let conditions = contents.compactMap {
      if case .sql(let condition) = $0 { "(\(condition.text)\n)" } else { nil }
    }
    return conditions.isEmpty ? nil : conditions.joined(separator: " AND ")
  }

  /// Whether pages run an operator's SQL.
  var hasSQL: Bool { sqlCondition != nil }

  /// How long the server may work on a page that runs an operator's SQL, unless another limit is shorter.
  static let sqlLimit = Duration.seconds(600)

  /// The FROM item of a source's events for which the SQL conditions hold.
  func selected(from source: String) -> String {
    sqlCondition.map { "(SELECT event.* FROM \(source) AS event WHERE \($0))" } ?? source
  }
}

extension StoreConnection {
  /// The table of events as a query reads it.
  func eventsTable(for query: EventQuery) throws -> EventsTable {
    var table = try eventsTable()
    table.source = query.selected(from: table.source)
    return table
  }

  /// Runs a statement about the events of a query.
  func run(_ sql: SQL, for query: EventQuery) throws(PostgresError) -> QueryResult {
    guard query.hasSQL, !connection.isInTransaction else { return try connection.query(sql) }
    try connection.send(sql, readOnlyWithin: EventQuery.sqlLimit)
    return try connection.receive()
  }

  /// Prepares a transaction that reads for conditions on the contents of events.
  func beginLooking(at query: EventQuery, _ table: EventsTable) throws {
    if query.contents.isEmpty { return }
    try requireContents(of: query)
    try warnOfPass(through: table, query)
    guard query.hasSQL else { return }
    let milliseconds = Int64(EventQuery.sqlLimit / .milliseconds(1))
    try connection.execute("SET LOCAL statement_timeout = \(milliseconds)")
  }

  /// Lets the server check each SQL condition, without an event.
  ///
  /// - Throws: ``EventStoreError`` with code `invalidDefinition`, which names the place in the condition.
  func requireValidSQL(in query: EventQuery) throws {
    let table = try eventsTable()
    for case .sql(let condition) in query.contents {
      var code = GeneratedCode.Builder()
      code.add("SELECT FROM \(table.source) AS event WHERE (")
      let statement = SQLStatement(text: condition.text, location: SQLLocation(line: 1, column: 1), words: [])
      code.add(statement, suffix: "")
      code.add(") AND false")
      let query = code.query(file: SQLCondition.name)
      do {
        _ = try connection.query(query.sql, [])
      } catch {
        throw query.fileError(for: error) ?? error
      }
    }
  }
}

extension StoreConnection {
  /// Refuses conditions that no event of this store can meet.
  func requireContents(of query: EventQuery) throws {
    if query.contents.isEmpty { return }
    let table = try eventsTable()
    let asksForMetadata = query.contents.contains { if case .metadata = $0 { true } else { false } }
    if asksForMetadata, !table.hasMetadata {
      throw EventStoreError(
        .invalidDefinition,
        "\(table.name) has no column metadata",
        hint: table.adding("metadata")
      )
    }
    try requireValidSQL(in: query)
  }
}
