internal import LibPQ

/// A file that says which consumers get the events, each in a section `-- @consumer NAME`.
package struct ConsumerFile: Sendable {
  /// Who gets events, under a name of its own.
  package struct Consumer: Sendable {
    package enum Work: Sendable {
      /// The path of a projection's file.
      case projection(path: String)
      /// A line for a shell.
      case command(String)
    }

    package let name: String
    package let work: Work
    /// The types that it gets; all when empty.
    package var types: [String] = []
    package var category: String?
    /// How often an event is tried before it becomes a dead letter.
    package var attempts = 3
    /// Processes of its command.
    package var workers = 1
    /// The longest wait for an answer, as it is written.
    package var timeout: String?
    /// Where its checkpoint begins, as it is written.
    package var start: String?
    fileprivate let sections: [SectionFile.Section]
  }

  package let consumers: [Consumer]
  private let file: SectionFile

  /// - Parameters:
  ///   - path: the file's name in messages.
  ///   - bytes: the file.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition` for a wrong file.
  package init(path: String, bytes: [UInt8]) throws {
    do {
      file = try SectionFile(name: path, bytes: bytes, rules: Self.rules)
      consumers = try Self.consumers(of: file)
    } catch {
      throw EventStoreError(error)
    }
  }

  /// An error of what a consumer says behind a keyword, or of the consumer as a whole.
  package func fault(_ message: String, of keyword: String, _ consumer: Consumer, hint: String? = nil)
    -> EventStoreError
  {
    let section = consumer.sections.first { $0.keyword == keyword } ?? consumer.sections[0]
    return EventStoreError(file.error(message, at: section.argumentLocation, hint: hint))
  }

  private static let rules = [
    SectionRule(keyword: "consumer", argument: "NAME", isRequired: true),
    SectionRule(keyword: "types", argument: "TYPE..."), SectionRule(keyword: "category", argument: "NAME"),
    SectionRule(keyword: "exec", argument: "COMMAND"), SectionRule(keyword: "projection", argument: "FILE"),
    SectionRule(keyword: "attempts", argument: "N"), SectionRule(keyword: "workers", argument: "N"),
    SectionRule(keyword: "timeout", argument: "DURATION"), SectionRule(keyword: "start", argument: "PLACE"),
  ]

  private static func consumers(of file: SectionFile) throws(SQLFileError) -> [Consumer] {
    var groups: [[SectionFile.Section]] = []
    for section in file.sections {
      if section.keyword == "consumer" {
        groups.append([section])
      } else if groups.isEmpty {
        throw file.error(
          "@\(section.keyword) belongs to no consumer",
          at: section.location,
          hint: "Put \"-- @consumer NAME\" before it."
        )
      } else {
        groups[groups.count - 1].append(section)
      }
    }
    var consumers: [Consumer] = []
    for sections in groups {
      let consumer = try consumer(sections, of: file)
      if consumers.contains(where: { $0.name.hasSameBytes(as: consumer.name) }) {
        throw file.error("second consumer \"\(consumer.name)\"", at: sections[0].argumentLocation)
      }
      consumers.append(consumer)
    }
    return consumers
  }

  private static func consumer(
    _ sections: [SectionFile.Section],
    of file: SectionFile
  ) throws(SQLFileError) -> Consumer {
    for (index, section) in sections.enumerated() {
      guard let first = sections[..<index].first(where: { $0.keyword == section.keyword }) else { continue }
      throw file.error(
        "second @\(section.keyword) of this consumer; the first is on line \(first.location.line)",
        at: section.location
      )
    }
    func section(_ keyword: String) -> SectionFile.Section? { sections.first { $0.keyword == keyword } }
    let name = try file.name(of: sections[0])
    let work: Consumer.Work
    switch (section("exec"), section("projection")) {
    case (let exec?, nil): work = .command(exec.argument)
    case (nil, let projection?): work = .projection(path: file.path(of: try file.name(of: projection)))
    case (nil, nil):
      throw file.error(
        "consumer \"\(name)\" does nothing with its events",
        at: sections[0].location,
        hint: "Add \"-- @exec COMMAND\" or \"-- @projection FILE\"."
      )
    case (_?, let projection?): throw file.error("@projection beside @exec", at: projection.location)
    }
    if case .projection = work {
      let others = ["types", "category", "workers", "timeout", "start"]
      if let other = sections.first(where: { others.contains($0.keyword) }) {
        throw file.error(
          "@\(other.keyword) is not for a projection",
          at: other.location,
          hint: "Its file says which events it handles, and it begins with the first one."
        )
      }
    }
    var consumer = Consumer(name: name, work: work, sections: sections)
    if let types = section("types") { consumer.types = try file.eventTypes(of: types).map(\.string) }
    if let category = section("category") { consumer.category = try file.name(of: category) }
    consumer.attempts =
      try section("attempts").map { section throws(SQLFileError) in
        try number(1...1000, of: section, in: file)
      } ?? 3
    consumer.workers =
      try section("workers").map { section throws(SQLFileError) in
        try number(1...100, of: section, in: file)
      } ?? 1
    (consumer.timeout, consumer.start) = (section("timeout")?.argument, section("start")?.argument)
    return consumer
  }

  private static func number(
    _ range: ClosedRange<Int>,
    of section: SectionFile.Section,
    in file: SectionFile
  ) throws(SQLFileError) -> Int {
    if let number = Int(section.argument), range.contains(number) { return number }
    throw file.error(
      "@\(section.keyword) must be a number from \(range.lowerBound) to \(range.upperBound)",
      at: section.argumentLocation
    )
  }
}
