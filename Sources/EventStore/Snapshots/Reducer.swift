internal import LibPQ

/// The rule that folds the stream of an aggregate into a state: a JSON value that starts as `@initial`, and that
/// every event may replace.
public struct Reducer: Sendable {
  struct Handler: Sendable {
    /// ``SectionFile/anyType`` alone means every type that no other section handles.
    let types: [ByteString]
    let statement: SQLStatement
    let location: SQLLocation
  }

  /// The name of its snapshots.
  public let name: String
  /// The number after `@version`, 1 without it; for people.
  public let version: Int

  /// The path as the operator gave it, for messages.
  let path: String
  /// The whole file; its SHA-256 is stored with the snapshots.
  let bytes: [UInt8]
  let initial: SQLStatement
  let handlers: [Handler]

  /// Reads a reducer file.
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

  /// The default rule: the payloads merged in the order of versions. Members of a later payload
  /// replace those of an earlier one, as with jsonb's `||`; a payload that is not an object changes nothing.
  public static let merge: Reducer = {
    do {
      return try Reducer(parsing: "merge (built in)", Array(mergeText.utf8))
    } catch {
      preconditionFailure("the built-in reducer: \(error)")
    }
  }()

  private static let mergeName = "merge"
  private static let mergeText = """
    -- @reducer \(mergeName)
    -- @initial
    SELECT '{}'::jsonb;
    -- @on *
    SELECT CASE jsonb_typeof(event.event_data) WHEN 'object' THEN state || event.event_data ELSE state END;
    """

  var isMerge: Bool { name == Self.mergeName }
}

extension Reducer {
  private static let rules = [
    SectionRule(keyword: "reducer", argument: "NAME", isUnique: true, isRequired: true),
    SectionRule(keyword: "version", argument: "N", isUnique: true),
    SectionRule(keyword: "initial", body: .required, isUnique: true),
    SectionRule(keyword: "on", argument: "TYPE", body: .required, isRequired: true),
  ]

  private init(checking path: String, _ bytes: [UInt8]) throws(SQLFileError) {
    try self.init(parsing: path, bytes)
    guard isMerge else { return }
    throw SQLFileError(
      file: path,
      location: SQLLocation(line: 1, column: 1),
      message: "\"\(name)\" is the name of the built-in reducer",
      hint: "Give this reducer another name."
    )
  }

  private init(parsing path: String, _ bytes: [UInt8]) throws(SQLFileError) {
    let file = try SectionFile(name: path, bytes: bytes, rules: Self.rules)
    self.path = path
    self.bytes = bytes
    name = try file.definitionName("reducer")
    version = try file.definitionVersion()
    initial = try Self.initial(in: file)
    handlers = try Self.handlers(in: file)
  }

  private static func initial(in file: SectionFile) throws(SQLFileError) -> SQLStatement {
    guard let section = file.sections("initial").first else { return emptyObject }
    return try query(of: section, in: file)
  }

  private static let emptyObject = SQLStatement(
    text: "SELECT '{}'::jsonb",
    location: SQLLocation(line: 1, column: 1),
    words: []
  )

  private static func handlers(in file: SectionFile) throws(SQLFileError) -> [Handler] {
    var handlers: [Handler] = []
    for section in file.sections("on") {
      let types = try file.eventTypes(of: section)
      if let twice = types.first(where: { type in handlers.contains { $0.types.contains(type) } }) {
        throw file.error(
          "\(SectionFile.word(twice)) has a section already",
          at: section.argumentLocation,
          hint: "One section yields the state after an event; write both changes into one SELECT."
        )
      }
      handlers.append(
        Handler(types: types, statement: try query(of: section, in: file), location: section.location)
      )
    }
    return handlers
  }

  /// The one query of a section. It becomes a subquery, in which the server accepts no command and no second query.
  private static func query(
    of section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) -> SQLStatement {
    let statement = section.statements[0]
    if section.statements.count > 1 {
      throw file.error(
        "@\(section.keyword) has a second statement",
        at: section.statements[1].location,
        hint: "One query yields the state."
      )
    }
    guard statement.isQuery else {
      throw file.error(
        "@\(section.keyword) needs a query that yields the state, found \(statement.keyword)",
        at: statement.location,
        hint: "Write a SELECT of one jsonb value, for example SELECT state || event.event_data."
      )
    }
    return statement
  }
}
