package import LibPQ

/// A projection as an operator wrote it: the rule that turns events into the tables of a read model.
public struct Projection: Sendable {
  /// The statements for some types of events.
  package struct Handler: Sendable {
    package enum Mode: String, Sendable {
      /// Runs for every event; sees the record `event`.
      case on
      /// Runs for a run of consecutive events; sees the relation `events`.
      case batch
    }

    package let mode: Mode
    /// In the order of the file; ``SectionFile/anyType`` alone means every type that no other section handles.
    package let types: [ByteString]
    package let statements: [SQLStatement]
    package let location: SQLLocation
  }

  package struct Check: Sendable {
    package let description: String
    /// Each returns the rows that break the rule.
    package let statements: [SQLStatement]
    package let location: SQLLocation
  }

  /// The path as the operator gave it, for messages.
  public let path: String
  /// The whole file; its SHA-256 is stored with the checkpoint.
  public let bytes: [UInt8]
  /// The name after `@projection`.
  public let name: String
  /// The number after `@version`.
  public let version: Int
  /// The schema of the live tables.
  package let schema: String
  /// Schemas in which names without one are looked up, after the read model's own.
  package let searchPath: [String]
  /// Further tables that its statements may write to.
  package let writes: [QualifiedName]
  package let create: [SQLStatement]
  package let handlers: [Handler]
  package let checks: [Check]
  package let drop: [SQLStatement]
  /// Rows for different aggregates are always different rows, so workers may share a rebuild by aggregate.
  package let isParallelByAggregate: Bool

  /// Reads a projection file.
  ///
  /// - Parameters:
  ///   - path: the file's name, for messages.
  ///   - bytes: the contents of the file.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition`, and the line and column in its message.
  public init(path: String, bytes: [UInt8]) throws {
    do {
      try self.init(checking: path, bytes)
    } catch {
      throw EventStoreError(error)
    }
  }

  package init(checking path: String, _ bytes: [UInt8]) throws(SQLFileError) {
    let file = try SectionFile(name: path, bytes: bytes, rules: Self.rules)
    self.path = path
    self.bytes = bytes
    name = try file.definitionName("projection")
    version = try file.definitionVersion()
    schema = try Self.schemaNames("schema", in: file).first ?? "public"
    searchPath = try Self.schemaNames("search_path", in: file)
    writes = try file.tables("writes")
    isParallelByAggregate = try Self.parallel(in: file)
    create = try Self.definitions("create", in: file)
    drop = try Self.definitions("drop", in: file)
    checks = try Self.checks(in: file)
    handlers = try Self.handlers(in: file)
  }

  /// Types with their own handler, in the order of the file.
  package var handledTypes: [ByteString] {
    var seen: Set<ByteString> = [SectionFile.anyType]
    return handlers.flatMap(\.types).filter { seen.insert($0).inserted }
  }

  /// Whether `@on *` or `@batch *` takes the types without their own handler.
  package var handlesEveryType: Bool { handlers.contains { $0.types == [SectionFile.anyType] } }
}

extension Projection {
  private static let rules = [
    SectionRule(keyword: "projection", argument: "NAME", isUnique: true, isRequired: true),
    SectionRule(keyword: "version", argument: "N", isUnique: true),
    SectionRule(keyword: "schema", argument: "NAME", isUnique: true),
    SectionRule(keyword: "search_path", argument: "SCHEMA"),
    SectionRule(keyword: "writes", argument: "SCHEMA.TABLE"),
    SectionRule(keyword: "parallel", argument: "aggregate", isUnique: true),
    SectionRule(keyword: "create", body: .required, isRequired: true),
    SectionRule(keyword: "on", argument: "TYPE", body: .required),
    SectionRule(keyword: "batch", argument: "TYPE", body: .required),
    SectionRule(keyword: "check", argument: "DESCRIPTION", body: .required),
    SectionRule(keyword: "drop", body: .required, isUnique: true),
  ]

  private static func schemaNames(
    _ keyword: String,
    in file: SectionFile
  ) throws(SQLFileError) -> [String] {
    var names: [String] = []
    for section in file.sections(keyword) {
      let name = try file.name(of: section)
      guard (1...63).contains(name.utf8.count) else {
        throw file.error(
          "\"\(name)\" is too \(name.isEmpty ? "short" : "long") for a schema",
          at: section.argumentLocation,
          hint: "PostgreSQL keeps 1 to 63 bytes of a name."
        )
      }
      names.append(name)
    }
    return names
  }

  /// The statements of `@create` or `@drop`, which define the objects of the read model.
  private static func definitions(
    _ keyword: String,
    in file: SectionFile
  ) throws(SQLFileError) -> [SQLStatement] {
    let statements = file.sections(keyword).flatMap(\.statements)
    for statement in statements where !statement.isDefinition {
      throw file.error(
        "@\(keyword) cannot run \(statement.command)",
        at: statement.location,
        hint:
          "It creates and fills the objects of the read model, which are moved and dropped with its schema."
      )
    }
    return statements
  }

  private static func parallel(in file: SectionFile) throws(SQLFileError) -> Bool {
    guard let section = file.sections("parallel").first else { return false }
    let word = try file.name(of: section)
    guard word == "aggregate" else {
      throw file.error(
        "\"@parallel \(word)\" is not known",
        at: section.argumentLocation,
        hint: "Write \"-- @parallel aggregate\", or leave it out."
      )
    }
    return true
  }

  private static func checks(in file: SectionFile) throws(SQLFileError) -> [Check] {
    var checks: [Check] = []
    for section in file.sections("check") {
      for statement in section.statements where !statement.isQuery {
        throw file.error(
          "a check is a query of the rows that break it, found \(statement.keyword)",
          at: statement.location
        )
      }
      checks.append(
        Check(
          description: section.argument,
          statements: section.statements,
          location: section.location
        )
      )
    }
    return checks
  }

  private static func handlers(in file: SectionFile) throws(SQLFileError) -> [Handler] {
    var handlers: [Handler] = []
    for section in file.sections {
      guard let mode = Handler.Mode(rawValue: section.keyword) else { continue }
      let handler = Handler(
        mode: mode,
        types: try file.eventTypes(of: section),
        statements: section.statements,
        location: section.location
      )
      if let (type, other) = conflict(of: handler, with: handlers) {
        throw file.error(
          "\(SectionFile.word(type)) is handled by @\(other.mode.rawValue) on line \(other.location.line)"
            + " and by @\(mode.rawValue) here",
          at: section.argumentLocation,
          hint: "Handle a type with @on or with @batch, not both."
        )
      }
      try checkStatements(of: handler, in: file)
      handlers.append(handler)
    }
    guard !handlers.isEmpty else {
      throw file.error(
        "no @on and no @batch section: this projection handles no event",
        at: file.sections("projection")[0].location
      )
    }
    return handlers
  }

  private static func conflict(
    of handler: Handler,
    with earlier: [Handler]
  ) -> (type: ByteString, other: Handler)? {
    for other in earlier where other.mode != handler.mode {
      if let type = handler.types.first(where: other.types.contains) { return (type, other) }
    }
    return nil
  }

  /// PL/pgSQL would read anything else as a statement of its own language (`IF`, `RETURN`), or it does not belong in a
  /// rebuild (`COMMIT`, `ALTER`).
  private static func checkStatements(
    of handler: Handler,
    in file: SectionFile
  ) throws(SQLFileError) {
    for statement in handler.statements where !statement.isHandlerStatement {
      let found = statement.keyword.isEmpty ? String(statement.text.prefix(1)) : statement.keyword
      throw file.error(
        "a handler cannot run \(found)",
        at: statement.location,
        hint: "Use INSERT, UPDATE, DELETE, MERGE, SELECT, WITH, TRUNCATE or CALL;"
          + " call a function of @create for what needs more."
      )
    }
    for statement in handler.statements where try statement.mentions("set_config", in: file.name) {
      throw file.error(
        "a handler cannot change settings, found set_config",
        at: statement.location,
        hint:
          "Write names of other schemas with their schema, or add '-- @search_path SCHEMA'."
      )
    }
  }
}

extension SQLStatement {
  fileprivate var isHandlerStatement: Bool {
    isQuery || ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CALL"].contains(mainKeyword)
  }

  /// Whether it creates, changes, describes or fills objects of a schema. Roles, settings, extensions and other objects
  /// of the database are not part of a read model; neither are objects that end with the session.
  fileprivate var isDefinition: Bool {
    switch keyword {
    case "CREATE", "ALTER", "DROP": kind.map(Self.kindsInSchema.contains) ?? false
    case "COMMENT", "GRANT", "REVOKE", "SECURITY", "DO", "ANALYZE", "REFRESH": true
    default: isHandlerStatement
    }
  }

  /// The kind of object after CREATE, ALTER or DROP.
  private var kind: String? { words.dropFirst().map(\.text).first { !Self.wordsBeforeKind.contains($0) } }

  /// The usual name of the command, such as `CREATE ROLE`.
  fileprivate var command: String {
    let word = keyword.isEmpty ? String(text.prefix(1)) : keyword
    return ["CREATE", "ALTER", "DROP"].contains(word) ? "\(word) \(kind ?? "")" : word
  }

  private static let wordsBeforeKind: Set = [
    "OR", "REPLACE", "UNIQUE", "UNLOGGED", "MATERIALIZED", "RECURSIVE", "CONSTRAINT", "FOREIGN",
  ]

  private static let kindsInSchema: Set = [
    "AGGREGATE", "COLLATION", "CONVERSION", "DOMAIN", "FUNCTION", "INDEX", "OPERATOR", "POLICY", "PROCEDURE",
    "ROUTINE",
    "RULE", "SEQUENCE", "STATISTICS", "TABLE", "TEXT", "TRIGGER", "TYPE", "VIEW",
  ]

  /// Whether the statement has this word, in parentheses or not; quoted text is ignored.
  fileprivate func mentions(_ name: String, in file: String) throws(SQLFileError) -> Bool {
    let bytes = Array(text.utf8)
    for token in try SQLLexer.tokens(of: bytes, file: file) where token.kind == .word {
      if String(decoding: bytes[token.range], as: UTF8.self).lowercased() == name { return true }
    }
    return false
  }
}
