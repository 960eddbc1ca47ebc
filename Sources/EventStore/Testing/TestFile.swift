internal import LibPQ

/// Tests of a projection, a reducer, upcasters or a layout, as an operator wrote them; annals-test(5) describes the file.
public struct TestFile: Sendable {
  /// The path as the operator gave it, for messages.
  public let path: String
  /// The tests, in the order of the file.
  public let tests: [TestCase]
  let bytes: [UInt8]

  /// Reads a file of tests, and the files that they name.
  ///
  /// - Parameters:
  ///   - path: the file's name. The names in it are relative to its folder.
  ///   - bytes: the contents of the file.
  ///   - read: returns the contents of a file that it names.
  /// - Throws: ``EventStoreError`` with code `invalidDefinition`, and the line and column in its message; a
  ///   `CancellationError` of `read`.
  public init(path: String, bytes: [UInt8], read: @escaping (String) throws -> [UInt8]) throws {
    self.path = path
    self.bytes = bytes
    do {
      let file = try SectionFile(name: path, bytes: bytes, rules: Self.rules)
      tests = try TestFileReader(file, read).tests()
    } catch let error as SQLFileError {
      throw EventStoreError(error)
    }
  }

  private static let rules = [
    SectionRule(keyword: "test", argument: "DESCRIPTION", body: .optional, isRequired: true),
    SectionRule(keyword: "projection", argument: "FILE", body: .optional),
    SectionRule(keyword: "reducer", argument: "FILE", body: .optional),
    SectionRule(keyword: "upcaster", argument: "FILE", body: .optional),
    SectionRule(keyword: "layout", argument: "FILE", body: .optional),
    SectionRule(keyword: "setup", body: .required),
    SectionRule(keyword: "given", argument: "FILE", isArgumentOptional: true, body: .optional),
    SectionRule(keyword: "expect", body: .required),
    SectionRule(keyword: "expect-check", argument: "DESCRIPTION", body: .optional),
    SectionRule(keyword: "expect-error", argument: "SQLSTATE", body: .optional),
  ]
}

/// One test: its subject, the given events, and what is expected then.
public struct TestCase: Sendable {
  /// The words after `@test`.
  public let name: String
  /// The line of the file on which it begins.
  public let line: Int
  /// The file, for messages.
  public let path: String
  let subject: Subject
  let setup: [SQLStatement]
  let stages: [Stage]

  /// The subject of a test, and how its events are read.
  struct Subject: Sendable {
    var projection: Projection?
    var reducer: Reducer?
    var upcasters: [UpcasterFile] = []
    var layout: Layout?

    /// Whether its events are read from a copy, as ``EventStore/applyEvolution(_:into:swap:)`` makes it.
    var isCopied: Bool {
      projection == nil && reducer == nil && layout == nil && Upcasters(files: upcasters).splits
    }

    var isEmpty: Bool { projection == nil && reducer == nil && upcasters.isEmpty && layout == nil }
  }

  /// Events, and what is expected after they were handled too.
  struct Stage: Sendable {
    var given: [GivenEvent] = []
    var expectations: [Expectation] = []
    /// The checks of the projection that must find something.
    var findings: [(check: String, location: SQLLocation)] = []
    /// The SQLSTATE of the error with which handling the events must fail.
    var error: (state: String, location: SQLLocation)?

    var isComplete: Bool { !expectations.isEmpty || !findings.isEmpty || error != nil }
  }

  /// A query, and the rows that it must return.
  struct Expectation: Sendable {
    let query: SQLStatement
    let location: SQLLocation
    /// Nil if the file has none yet.
    let rows: RowTable?
    /// The last line of the query.
    let endLine: Int

    /// Whether the query sets the order of its rows.
    var isOrdered: Bool {
      zip(query.words, query.words.dropFirst()).contains { $0.text == "ORDER" && $1.text == "BY" }
    }
  }
}
