internal import LibPQ

/// Makes tests from the sections of a file.
struct TestFileReader {
  private let file: SectionFile
  private let read: (String) throws -> [UInt8]
  private let lines: [ArraySlice<UInt8>]
  /// The sections before the first test, for all of them.
  private var common = Draft()
  private var drafts: [Draft] = []

  /// A test as far as it is read.
  private struct Draft {
    var opening: SectionFile.Section?
    var subject = TestCase.Subject()
    var setup: [SQLStatement] = []
    var stages: [TestCase.Stage] = []
    var stream = GivenStream()
    var hasOwnSubject = false
  }

  init(_ file: SectionFile, _ read: @escaping (String) throws -> [UInt8]) {
    self.file = file
    self.read = read
    lines = file.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  }

  func tests() throws -> [TestCase] {
    var reader = self
    let sections = file.sections
    for (index, section) in sections.enumerated() {
      let end = index + 1 < sections.count ? sections[index + 1].location.line - 1 : lines.count
      try reader.take(section, upToLine: end)
    }
    return try reader.drafts.map { try reader.finished($0) }
  }

  private mutating func take(_ section: SectionFile.Section, upToLine end: Int) throws {
    if section.keyword != "setup", section.keyword != "expect", let stray = section.statements.first {
      throw file.error(
        "@\(section.keyword) takes no SQL",
        at: stray.location,
        hint: section.keyword == "given"
          ? "Write the events in comments: put \"-- \" before each line."
          : "Put \"-- @setup\" or \"-- @expect\" before it."
      )
    }
    switch section.keyword {
    case "test":
      var draft = common
      (draft.opening, draft.hasOwnSubject) = (section, false)
      drafts.append(draft)
    case "projection", "reducer", "upcaster", "layout": try takeSubject(section)
    case "setup": change { $0.setup += section.statements }
    case "given": try takeGiven(section, upToLine: end)
    default: try takeExpectation(section, upToLine: end)
    }
  }

  /// Changes the last test, or what is common to all of them.
  private mutating func change(_ body: (inout Draft) -> Void) {
    if drafts.isEmpty { body(&common) } else { body(&drafts[drafts.count - 1]) }
  }

  private func requireTest(_ section: SectionFile.Section) throws(SQLFileError) {
    guard drafts.isEmpty else { return }
    throw file.error(
      "@\(section.keyword) belongs to no test",
      at: section.location,
      hint: "Put \"-- @test DESCRIPTION\" before it."
    )
  }

  private func finished(_ draft: Draft) throws(SQLFileError) -> TestCase {
    guard let opening = draft.opening else { preconditionFailure("a test is opened by its section") }
    func fault(_ message: String, hint: String) -> SQLFileError {
      file.error("test \"\(opening.argument)\" \(message)", at: opening.location, hint: hint)
    }
    if draft.subject.isEmpty {
      throw fault(
        "tests nothing",
        hint: "Name a file with \"-- @projection\", \"-- @reducer\", \"-- @upcaster\" or \"-- @layout\"."
      )
    }
    guard let last = draft.stages.last, last.isComplete else {
      throw fault(
        "expects nothing",
        hint: "Add \"-- @expect\" and a query, or \"-- @expect-error SQLSTATE\"."
      )
    }
    if draft.subject.layout != nil, draft.stages.contains(where: { !$0.given.isEmpty }) {
      throw fault("has @layout and @given", hint: "Fill the tables that the layout reads in \"-- @setup\".")
    }
    return TestCase(
      name: opening.argument,
      line: opening.location.line,
      path: file.name,
      subject: draft.subject,
      setup: draft.setup,
      stages: draft.stages
    )
  }
}

// MARK: - What is tested

extension TestFileReader {
  private mutating func takeSubject(_ section: SectionFile.Section) throws {
    var draft = drafts.last ?? common
    // The subject that a test names replaces the one that the file names for all.
    if draft.opening != nil, !draft.hasOwnSubject { draft.subject = TestCase.Subject() }
    draft.hasOwnSubject = true
    let name = try file.name(of: section)
    func once(_ isThere: Bool) throws(SQLFileError) {
      if isThere { throw file.error("a test has one @\(section.keyword)", at: section.location) }
    }
    switch section.keyword {
    case "projection":
      try once(draft.subject.projection != nil)
      let (path, bytes) = try contents(of: name, section)
      draft.subject.projection = try Projection(checking: path, bytes)
    case "reducer":
      try once(draft.subject.reducer != nil)
      let (path, bytes) = try contents(of: name, section)
      draft.subject.reducer = try Reducer(path: path, bytes: bytes)
    case "upcaster":
      let (path, bytes) = try contents(of: name, section)
      draft.subject.upcasters.append(try UpcasterFile(path: path, bytes: bytes))
    default:
      try once(draft.subject.layout != nil)
      draft.subject.layout = try layout(name, section)
    }
    if draft.subject.projection != nil, draft.subject.reducer != nil {
      throw file.error("a test has a @projection or a @reducer, not both", at: section.location)
    }
    change { $0 = draft }
  }

  private func layout(_ name: String, _ section: SectionFile.Section) throws -> Layout {
    if let layout = Layout(shipped: name) { return layout }
    let (path, bytes) = try contents(of: name, section)
    return try Layout(path: path, bytes: bytes)
  }

  /// The contents of a file that a section names, and the path to it.
  private func contents(of name: String, _ section: SectionFile.Section) throws -> (String, [UInt8]) {
    let path = file.path(of: name)
    do {
      return (path, try read(path))
    } catch let error as EventStoreError {
      throw file.error(error.message, at: section.argumentLocation, hint: error.hint?.description)
    }
  }
}

// MARK: - Events and expectations

extension TestFileReader {
  private mutating func takeGiven(_ section: SectionFile.Section, upToLine end: Int) throws {
    try requireTest(section)
    var draft = drafts[drafts.count - 1]
    if draft.stages.last?.error != nil {
      throw file.error(
        "@given after @expect-error",
        at: section.location,
        hint: "An error ends a test; begin another with \"-- @test DESCRIPTION\"."
      )
    }
    if draft.stages.last?.isComplete ?? true { draft.stages.append(TestCase.Stage()) }
    let given: [GivenEvent]
    if section.argument.isEmpty {
      given = try draft.stream.events(
        GivenText.comments(lines, section.location.line..<end),
        of: file.name,
        opening: section.location
      )
    } else {
      let (path, bytes) = try contents(of: try file.name(of: section), section)
      given = try draft.stream.events(
        GivenText.lines(bytes),
        of: path,
        opening: SQLLocation(line: 1, column: 1)
      )
    }
    draft.stages[draft.stages.count - 1].given += given
    drafts[drafts.count - 1] = draft
  }

  private mutating func takeExpectation(_ section: SectionFile.Section, upToLine end: Int) throws {
    try requireTest(section)
    var draft = drafts[drafts.count - 1]
    if draft.stages.isEmpty { draft.stages.append(TestCase.Stage()) }
    var stage = draft.stages[draft.stages.count - 1]
    if let error = stage.error, error.location.line < section.location.line {
      throw file.error("@\(section.keyword) after @expect-error", at: section.location, hint: Self.aloneHint)
    }
    switch section.keyword {
    case "expect": stage.expectations.append(try expectation(section, upToLine: end))
    case "expect-check":
      stage.findings.append((try check(section, of: draft.subject.projection), section.location))
    default:
      guard !stage.isComplete else {
        throw file.error(
          "@expect-error beside another expectation",
          at: section.location,
          hint: Self.aloneHint
        )
      }
      stage.error = (try sqlState(section), section.location)
    }
    draft.stages[draft.stages.count - 1] = stage
    drafts[drafts.count - 1] = draft
  }

  private static let aloneHint = "What fails leaves nothing to look at: give @expect-error a test of its own."

  private func check(_ section: SectionFile.Section, of projection: Projection?) throws(SQLFileError)
    -> String
  {
    let known = projection?.checks.map(\.description) ?? []
    if known.contains(where: { $0.hasSameBytes(as: section.argument) }) { return section.argument }
    let near = SectionFile.nearest(to: section.argument, among: known).map { "Did you mean \"\($0)\"?" }
    throw file.error(
      "the projection has no @check \"\(section.argument)\"",
      at: section.argumentLocation,
      hint: near ?? (known.isEmpty ? nil : "It has: \(known.map { "\"\($0)\"" }.joined(separator: ", ")).")
    )
  }

  private func sqlState(_ section: SectionFile.Section) throws(SQLFileError) -> String {
    let state = section.argument
    let isState =
      state.utf8.count == 5
      && state.unicodeScalars.allSatisfy { ("0"..."9").contains($0) || ("A"..."Z").contains($0) }
    if isState { return state }
    throw file.error(
      "\"\(state)\" is no SQLSTATE",
      at: section.argumentLocation,
      hint: "It is five digits and capital letters, as 23505; PostgreSQL's manual lists them in appendix A."
    )
  }

  private func expectation(
    _ section: SectionFile.Section,
    upToLine end: Int
  ) throws(SQLFileError) -> TestCase.Expectation {
    let query = section.statements[0]
    guard section.statements.count == 1, query.isQuery else {
      throw file.error(
        "@expect takes one query",
        at: section.statements.count == 1 ? query.location : section.statements[1].location,
        hint: "Write a SELECT of what is to be looked at; put \"-- @expect\" before the next one."
      )
    }
    var last = query.location.line + query.text.utf8.count { $0 == UInt8(ascii: "\n") }
    // The semicolon may be on a separate line.
    while last < end, lines[last].elementsEqual(";".utf8) { last += 1 }
    return TestCase.Expectation(
      query: query,
      location: section.location,
      rows: try RowTable(lines, after: last, upTo: end, of: file.name),
      endLine: last
    )
  }
}
