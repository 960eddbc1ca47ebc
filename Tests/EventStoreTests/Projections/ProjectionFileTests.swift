import EventStore
import LibPQ
import Testing

private let head = "-- @projection p\n-- @create\nCREATE TABLE t (id text);\n"

private func parse(_ text: String) throws -> Projection {
  try Projection(checking: "p.sql", Array(text.utf8))
}

private let wrongFiles: [(text: String, message: String)] = [
  ("SELECT 1;\n-- @projection p", "p.sql:1:1: SQL before the first section"),
  ("", "p.sql:1:1: no @projection section"),
  ("-- @projection p", "p.sql:1:1: no @create section"),
  ("-- @projection Orders\n-- @create\nSELECT 1;", "p.sql:1:16: \"Orders\" cannot name a projection"),
  ("-- @projection p\n-- @projection q", "p.sql:2:1: second @projection section; the first is on line 1"),
  ("-- @projection p\nSELECT 1;", "p.sql:2:1: @projection takes no SQL"),
  ("-- @projection p\n-- @create\n-- only a comment\n", "p.sql:2:1: @create has no SQL"),
  (
    "-- @projection p\n-- @create now\nSELECT 1;",
    "p.sql:2:1: @create takes nothing after it, found \"now\""
  ),
  (head + "-- @version 0\n", "p.sql:4:13: \"0\" is not a version"),
  (head + "-- @parallel type\n", "p.sql:4:14: \"@parallel type\" is not known"),
  (head, "p.sql:1:1: no @on and no @batch section: this projection handles no event"),
  (head + "-- @on\nSELECT 1;", "p.sql:4:1: @on needs TYPE"),
  (head + "-- @on A A\nSELECT 1;", "p.sql:4:10: A is named twice"),
  (head + "-- @on A *\nSELECT 1;", "p.sql:4:8: * must be alone"),
  (
    head + "-- @on A\nSELECT 1;\n-- @batch B, A\nSELECT 1;",
    "p.sql:6:11: A is handled by @on on line 4 and by @batch here"
  ),
  (head + "-- @on A\nSELECT 1;\n  RETURN;", "p.sql:6:3: a handler cannot run RETURN"),
  (
    head + "-- @on A\nSELECT 1;\n-- @check c\nDELETE FROM t;",
    "p.sql:7:1: a check is a query of the rows that break it, found DELETE"
  ),
  ("-- @projection p\n-- \u{0}", "p.sql:2:4: a NUL byte"),
]

@Suite struct ProjectionFileTests {
  @Test func readsEverySection() throws {
    let file = try parse(
      """
      -- What this is for.
      -- @projection order_totals
      -- @version 3
      -- @schema Reports
      -- @parallel aggregate
      -- @create
      CREATE TABLE t (id text);
      CREATE INDEX ON t (id);
      -- @on Submitted, Paid  Shipped
      UPDATE t SET id = '
      -- @on Quoted';
      -- @batch *
      INSERT INTO t SELECT aggregate_id FROM events;
      -- @check no row is empty
      SELECT id FROM t WHERE id = '';
      -- @drop
      DROP TABLE t;
      """
    )
    #expect(file.name == "order_totals")
    #expect(file.version == 3)
    #expect(file.schema == "Reports")
    #expect(file.isParallelByAggregate)
    #expect(file.create.map(\.text) == ["CREATE TABLE t (id text)", "CREATE INDEX ON t (id)"])
    #expect(file.handlers.map(\.types) == [["Submitted", "Paid", "Shipped"], [SectionFile.anyType]])
    #expect(file.handlers.map(\.mode) == [.on, .batch])
    #expect(file.handlers[0].statements.map(\.text) == ["UPDATE t SET id = '\n-- @on Quoted'"])
    #expect(file.handledTypes == ["Submitted", "Paid", "Shipped"])
    #expect(file.handlesEveryType)
    #expect(file.checks.map(\.description) == ["no row is empty"])
    #expect(file.drop.map(\.text) == ["DROP TABLE t"])
  }

  @Test func hasDefaults() throws {
    let file = try parse(head + "-- @on A\nDELETE FROM t;")
    #expect(file.version == 1)
    #expect(file.schema == "public")
    #expect(!file.isParallelByAggregate)
  }

  @Test(arguments: wrongFiles)
  func refuses(text: String, message: String) {
    #expect {
      try parse(text)
    } throws: { error in
      "\(error)" == message
    }
  }

  @Test func refusesOtherEncodings() {
    let latin1 = Array("-- @projection p\n-- caf".utf8) + [0xE9]
    #expect {
      try Projection(checking: "p.sql", latin1)
    } throws: { error in
      "\(error)" == "p.sql:2:7: not UTF-8"
    }
  }

  @Test func suggestsTheNearestKeyword() throws {
    let error = #expect(throws: SQLFileError.self) { try parse("-- @projection p\n-- @chek rows\nSELECT 1;") }
    #expect(error?.description == "p.sql:2:1: unknown section @chek")
    #expect(error?.hint == "Did you mean @check?")
  }
}
