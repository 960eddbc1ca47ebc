package import LibPQ

/// A projection as an operator wrote it: the rule that turns events into the tables of a read model.
package struct ProjectionFile: Sendable {
  /// What runs for some types of events.
  package struct Handler: Sendable {
    package enum Mode: String, Sendable {
      /// Runs for every event; sees the record `event`.
      case on
      /// Runs for a run of consecutive events; sees the relation `events`.
      case batch
    }

    package let mode: Mode
    /// In the order of the file; `["*"]` stands for every type that no other section handles.
    package let types: [ByteString]
    package let statements: [SQLStatement]
    package let location: SQLLocation
  }

  package struct Check: Sendable {
    package let description: String
    /// Each yields the rows that break the rule.
    package let statements: [SQLStatement]
    package let location: SQLLocation
  }

  /// The path as the operator gave it, for messages.
  package let path: String
  /// The whole file; its SHA-256 is stored with the checkpoint.
  package let bytes: [UInt8]
  package let name: String
  package let version: Int
  /// Where the tables of the live read model are.
  package let schema: String
  package let create: [SQLStatement]
  package let handlers: [Handler]
  package let checks: [Check]
  package let drop: [SQLStatement]
  /// Rows touched by different aggregates never meet, so workers may share a rebuild by aggregate.
  package let isParallelByAggregate: Bool

  package init(path: String, bytes: [UInt8]) throws(SQLFileError) {
    let file = try SectionFile(name: path, bytes: bytes, rules: Self.rules)
    self.path = path
    self.bytes = bytes
    name = try file.definitionName("projection")
    version = try file.definitionVersion()
    schema = try Self.schema(in: file)
    isParallelByAggregate = try Self.parallel(in: file)
    create = file.sections("create").flatMap(\.statements)
    drop = file.sections("drop").flatMap(\.statements)
    checks = try Self.checks(in: file)
    handlers = try Self.handlers(in: file)
  }

  /// Types with a handler of their own, in the order of the file.
  package var handledTypes: [ByteString] {
    var seen: Set<ByteString> = [SectionFile.anyType]
    return handlers.flatMap(\.types).filter { seen.insert($0).inserted }
  }

  /// Whether `@on *` or `@batch *` takes the types without a handler of their own.
  package var handlesEveryType: Bool { handlers.contains { $0.types == [SectionFile.anyType] } }
}

extension ProjectionFile {
  private static let rules = [
    SectionRule(keyword: "projection", argument: "NAME", isUnique: true, isRequired: true),
    SectionRule(keyword: "version", argument: "N", isUnique: true),
    SectionRule(keyword: "schema", argument: "NAME", isUnique: true),
    SectionRule(keyword: "parallel", argument: "aggregate", isUnique: true),
    SectionRule(keyword: "create", body: .required, isRequired: true),
    SectionRule(keyword: "on", argument: "TYPE", body: .required),
    SectionRule(keyword: "batch", argument: "TYPE", body: .required),
    SectionRule(keyword: "check", argument: "DESCRIPTION", body: .required),
    SectionRule(keyword: "drop", body: .required, isUnique: true),
  ]

  private static func schema(in file: SectionFile) throws(SQLFileError) -> String {
    guard let section = file.sections("schema").first else { return "public" }
    guard section.argument.utf8.count <= 63 else {
      throw file.error(
        "\"\(section.argument)\" is too long for a schema",
        at: section.argumentLocation,
        hint: "PostgreSQL keeps 63 bytes of a name."
      )
    }
    return section.argument
  }

  private static func parallel(in file: SectionFile) throws(SQLFileError) -> Bool {
    guard let section = file.sections("parallel").first else { return false }
    guard section.argument == "aggregate" else {
      throw file.error(
        "\"@parallel \(section.argument)\" is not known",
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
          "\(type) is handled by @\(other.mode.rawValue) on line \(other.location.line)"
            + " and by @\(mode.rawValue) here",
          at: section.argumentLocation,
          hint: "Handle a type event by event (@on) or in runs (@batch), not both."
        )
      }
      try checkStatements(of: handler, in: file)
      handlers.append(handler)
    }
    guard !handlers.isEmpty else {
      throw file.error(
        "no @on and no @batch section: this projection would handle no event",
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

  /// Anything else would be read by PL/pgSQL as a statement of its own language (`IF`, `RETURN`), or has
  /// no place inside a rebuild (`COMMIT`, `ALTER`).
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
  }
}

extension SQLStatement {
  fileprivate var isHandlerStatement: Bool {
    isQuery || ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CALL"].contains(mainKeyword)
  }
}
