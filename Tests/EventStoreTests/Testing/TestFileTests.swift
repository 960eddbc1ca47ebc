import EventStore
import Testing

/// Files of tests, and the files that they name.
struct TestFiles {
  var files: [String: String] = [
    "r.sql": """
    -- @reducer r
    -- @on Added
    SELECT state || event.event_data;
    """
  ]

  func read(_ text: String) throws -> TestFile {
    try TestFile(path: "t.test.sql", bytes: Array(text.utf8)) { [files] path in
      guard let text = files[path] else { throw EventStoreError(.invalidDefinition, "cannot read \(path)") }
      return Array(text.utf8)
    }
  }
}

/// What is wrong with a file of tests is found before anything is run, by line and column.
@Suite struct TestFileTests {
  private static let given = #"-- {"aggregate_id": "a-1", "event_type": "Added", "event_data": {"n": 1}}"#
  private static let broken = #"-- {"aggregate_id": "a-1", "event_type": "Added", "event_data": {"n": }"#
  private static let begun = "-- @test a\n-- @reducer r.sql\n-- @given\n"
  private static let asked = "-- @test a\n-- @reducer r.sql\n-- @expect\nSELECT 1 AS n, 2 AS m\n;\n"

  private static let faults: [(text: String, message: String)] = [
    ("", "1:1: no @test section"),
    ("\n-- Nothing yet.\n", "1:1: no @test section"),
    ("-- @tests a\n", "1:1: unknown section @tests"),
    ("-- @test\n", "1:1: @test needs DESCRIPTION"),
    ("-- @given\n\(given)\n-- @test a\n", "1:1: @given belongs to no test"),
    ("-- @test a\n-- @expect-error 22P02", "1:1: test \"a\" tests nothing"),
    ("-- @test a\n-- @reducer r.sql", "1:1: test \"a\" expects nothing"),
    ("\(begun)\(given)", "1:1: test \"a\" expects nothing"),
    ("-- @test a\n-- @reducer r.sql\n-- @reducer r.sql", "3:1: a test has one @reducer"),
    ("-- @test a\n-- @reducer  s.sql", "2:14: cannot read s.sql"),
    ("-- @test a\n-- @reducer r.sql\n-- @given s.ndjson", "3:11: cannot read s.ndjson"),
    ("-- @test a\n-- @reducer r.sql\nSELECT 1;", "3:1: @reducer takes no SQL"),
    ("\(begun)", "3:1: no events here"),
    ("\(begun)\n-- What comes next.\n", "3:1: no events here"),
    ("\(begun)-- order-1 is paid", "4:4: not an event: not a JSON object"),
    ("\(begun)\(broken)", "4:71: not an event: event_data: "),
    (
      "\(begun)-- {\"aggregate_id\": \"a\", \"event_type\": \"A\",\n--   \"event_data\": {\"n\": }}",
      "5:26: not an event: event_data: "
    ),
    (
      "\(begun)  -- {\"aggregate_id\": \"ä\", \"event_type\": \"A\", \"event_data\": 1, \"x\": 1}",
      "4:64: not an event: x: unknown field"
    ),
    ("\(begun)\(given)\n-- it is paid", "5:4: not an event: not a JSON object"),
    (
      "\(begun)-- {\"aggregate_id\": \"a\", \"event_type\": \"A\", \"event_data\": 1, \"version\": 2}",
      "4:4: the event does not follow version 0"
    ),
    ("\(begun)VALUES (1);", "4:1: @given takes no SQL"),
    ("\(begun)\(given)\n-- @expect-error 2350", "5:18: \"2350\" is no SQLSTATE"),
    ("\(begun)\(given)\n-- @expect-error 23505\n-- @expect\nSELECT 1;", "6:1: @expect after @expect-error"),
    ("\(begun)\(given)\n-- @expect-check none", "5:18: the projection has no @check \"none\""),
    ("-- @test a\n-- @reducer r.sql\n-- @expect\nDELETE FROM x;", "4:1: @expect takes one query"),
    ("-- @test a\n-- @reducer r.sql\n-- @expect\nSELECT 1;\nSELECT 2;", "5:1: @expect takes one query"),
    ("-- @test a\n-- @setup\nCREATE TABLE x ();\nCOMMIT;", "4:1: COMMIT controls the transaction"),
    ("\(asked)-- n | m\n", "6:1: this is no table of rows"),
    ("\(asked)-- n | m\n-- --+--\n-- 1\n", "8:1: this row has 1 value, and the heading 2 columns"),
    ("\(asked)-- n | m\n-- --+--\n-- \"1 | 2\n", "8:1: a string of this row is not closed"),
    ("\(asked)-- n | m\n-- --+--\n-- 1 | 2\n-- (2 rows)\n", "9:1: the table has 1 row, not 2"),
  ]

  @Test(arguments: faults)
  func isRefused(text: String, message: String) throws {
    let error = #expect(throws: EventStoreError.self) { try TestFiles().read(text) }
    #expect(error?.code == .invalidDefinition)
    #expect(error?.message.hasPrefix("t.test.sql:\(message)") == true, "\(error?.message ?? "")")
  }

  @Test func aFaultOfAFileThatItNamesIsThere() throws {
    let error = #expect(throws: EventStoreError.self) {
      try TestFiles(files: ["r.sql": "-- @reducer r\n-- @om Added\nSELECT 1;"]).read(
        "-- @test a\n-- @reducer r.sql\n"
      )
    }
    #expect(error?.message == "r.sql:2:1: unknown section @om")
  }

  @Test func theFilesAreBesideIt() throws {
    let file = try TestFile(
      path: "tests/t.test.sql",
      bytes: Array("-- @test a\n-- @reducer r.sql\n-- @expect-error 22P02".utf8)
    ) { path in
      #expect(path == "tests/r.sql")
      return Array("-- @reducer r\n-- @on A\nSELECT state;".utf8)
    }
    #expect(file.tests.map(\.name) == ["a"] && file.tests.map(\.line) == [1])
  }

  /// A test may take another subject than the rest of its file.
  @Test func whatStandsFirstIsForAll() throws {
    let file = try TestFiles().read(
      """
      -- @reducer r.sql
      -- @test one
      -- @expect-error 22P02
      -- @test two
      -- @reducer r.sql
      -- @expect-error 22P02
      """
    )
    #expect(file.tests.map(\.name) == ["one", "two"])
  }
}
