internal import LibPQ

/// A file of upcasters: rules that turn events of an old shape into events of today's shape.
struct UpcasterFile: Sendable {
  struct Rule: Sendable {
    /// ``SectionFile/anyType`` alone means every type.
    let types: [ByteString]
    /// All of them must hold so that an event is changed.
    fileprivate(set) var conditions: [SQLStatement] = []
    /// What the event becomes; nil does not change that part.
    fileprivate(set) var newType: ByteString?
    fileprivate(set) var data: SQLStatement?
    fileprivate(set) var metadata: SQLStatement?
    /// A query for the types and payloads of the events that it becomes.
    fileprivate(set) var parts: SQLStatement?
    fileprivate(set) var isDropped = false
    let location: SQLLocation

    /// All statements of the rule.
    var statements: [SQLStatement] { conditions + [data, metadata, parts].compactMap(\.self) }
    var isForEveryType: Bool { types == [SectionFile.anyType] }
    var isComplete: Bool { newType != nil || data != nil || metadata != nil || parts != nil || isDropped }
  }

  /// The path as the operator gave it, for messages.
  let path: String
  let bytes: [UInt8]
  let name: String
  let rules: [Rule]

  init(path: String, bytes: [UInt8]) throws(SQLFileError) {
    let file = try SectionFile(name: path, bytes: bytes, rules: Self.sectionRules)
    self.path = path
    self.bytes = bytes
    name = try file.name(of: file.sections("upcaster")[0])
    var rules: [Rule] = []
    for section in file.sections where section.keyword != "upcaster" {
      if let rule = try Self.beginning(of: section, in: file) {
        rules.append(rule)
      } else if rules.isEmpty {
        throw file.error(
          "@\(section.keyword) belongs to no event type",
          at: section.location,
          hint: "Put \"-- @event TYPE\" before it."
        )
      } else {
        try Self.add(section, to: &rules[rules.count - 1], in: file)
      }
    }
    self.rules = rules
    try Self.check(rules, in: file)
  }
}

extension UpcasterFile {
  private static let sectionRules = [
    SectionRule(keyword: "upcaster", argument: "NAME", isUnique: true, isRequired: true),
    SectionRule(keyword: "event", argument: "TYPE"),
    SectionRule(keyword: "rename", argument: "OLD NEW"),
    SectionRule(keyword: "when", argument: "CONDITION"),
    SectionRule(keyword: "data", body: .required),
    SectionRule(keyword: "metadata", body: .required),
    SectionRule(keyword: "split", body: .required),
    SectionRule(keyword: "drop"),
  ]

  /// `@event` and `@rename` begin a rule.
  private static func beginning(
    of section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) -> Rule? {
    switch section.keyword {
    case "event":
      return Rule(types: try file.eventTypes(of: section), location: section.location)
    case "rename":
      let names = try file.words(of: section).map(\.type)
      guard names.count == 2, names[0] != names[1], !names.contains(SectionFile.anyType) else {
        throw file.error(
          "@rename takes the old and the new name of one event type",
          at: section.argumentLocation,
          hint: "Write \"-- @rename OLD NEW\"."
        )
      }
      return Rule(types: [names[0]], newType: names[1], location: section.location)
    default:
      return nil
    }
  }

  private static func add(
    _ section: SectionFile.Section,
    to rule: inout Rule,
    in file: SectionFile
  ) throws(SQLFileError) {
    switch section.keyword {
    case "when": rule.conditions.append(try condition(of: section, in: file))
    case "data": try set(&rule.data, to: section, in: file)
    case "metadata": try set(&rule.metadata, to: section, in: file)
    case "split": try set(&rule.parts, to: section, in: file)
    default: rule.isDropped = true
    }
  }

  private static func set(
    _ query: inout SQLStatement?,
    to section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) {
    guard query == nil else {
      throw file.error(
        "second @\(section.keyword) for the same event type",
        at: section.location,
        hint: "Put another \"-- @event TYPE\" before it; rules run in the order of the file."
      )
    }
    let statement = section.statements[0]
    guard section.statements.count == 1, statement.isQuery else {
      throw file.error(
        "@\(section.keyword) takes one query",
        at: section.statements.count == 1 ? statement.location : section.statements[1].location,
        hint: section.keyword == "split"
          ? "Write a SELECT of event types and payloads." : "Write a SELECT of one jsonb value."
      )
    }
    query = statement
  }

  /// A condition is on the line of its keyword, which is a comment for SQL.
  private static func condition(
    of section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) -> SQLStatement {
    let bytes = Array(section.argument.utf8)
    do {
      let tokens = try SQLLexer.tokens(of: bytes, file: file.name)
      let statements = try SQLStatement.split(tokens[...], of: bytes, file: file.name)
      if statements.count == 1, tokens.last?.kind != .comment {
        return SQLStatement(
          text: section.argument,
          location: section.argumentLocation,
          words: statements[0].words
        )
      }
    } catch {
      throw file.error(error.message, at: section.argumentLocation, hint: error.hint)
    }
    throw file.error(
      "@when takes one condition",
      at: section.argumentLocation,
      hint:
        "Write it on one line, as \"-- @when NOT event.event_data ? 'currency'\"; several @when must all hold."
    )
  }

  private static func check(_ rules: [Rule], in file: SectionFile) throws(SQLFileError) {
    guard !rules.isEmpty else {
      throw file.error(
        "no @event and no @rename section: this upcaster would change nothing",
        at: file.sections("upcaster")[0].location
      )
    }
    for rule in rules {
      guard rule.isComplete else {
        throw file.error(
          "the section has no rule for these events",
          at: rule.location,
          hint: "Add @data, @metadata, @split or @drop."
        )
      }
      let isReplaced = rule.isDropped || rule.parts != nil
      let isChanged = rule.newType != nil || rule.data != nil || rule.metadata != nil
      if isReplaced && isChanged || rule.isDropped && rule.parts != nil {
        throw file.error(
          "@\(rule.isDropped ? "drop" : "split") must be alone",
          at: rule.location,
          hint: "Write a separate rule for other changes."
        )
      }
    }
  }
}
