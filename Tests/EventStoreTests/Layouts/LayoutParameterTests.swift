import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// Names that a layout leaves open.
@Suite struct LayoutParameterTests {
  private func layout(_ text: String) throws -> Layout {
    try Layout(path: "layout.sql", bytes: Array(text.utf8))
  }

  /// Before the table, what looks like a place.
  private static let others = #"""
    m.a::"char", ':"schema"', ":""schema""", /* :"schema" */ E'\':"schema"', $$:"schema"$$, a[1: "x"], -- :"schema"
    """#

  private static let mine = #"""
    -- @layout mine
    -- @parameter schema public
    -- @parameter table events
    -- @table :"schema".:"table"
    SELECT \#(others)
    :"schema".f(m.b) FROM :"schema".:"table" AS m
    """#

  @Test func onlyPlacesAreFilled() throws {
    func text(_ schema: String, _ table: String) -> String {
      "(\nSELECT \(Self.others)\n\(schema).f(m.b) FROM \(schema).\(table) AS m\n)"
    }
    let mine = try layout(Self.mine)
    #expect(mine.relation == text(#""public""#, #""events""#))
    #expect(mine.tables.map(\.sql) == [#""public"."events""#])
    // What is filled in is not looked at again.
    let other = try mine.setting([
      LayoutParameter(name: "schema", value: #":"table""#),
      LayoutParameter(name: "table", value: "My \"own\""),
    ])
    #expect(other.relation == text(#"":""table""""#, #""My ""own""""#))
    #expect(other.tables == [QualifiedName(schema: #":"table""#, name: "My \"own\"")])
    #expect(other.parameters.map(\.name) == ["schema", "table"])
  }

  @Test func aTableSetsTheParametersThatNameIt() throws {
    let table = QualifiedName(schema: "shop", name: "journal")
    #expect(try layout(Self.mine).setting([], table: table).tables == [table])
    let fixed = try layout(
      "-- @layout x\n-- @parameter schema s\n-- @table :\"schema\".t\nSELECT FROM :\"schema\".t"
    )
    #expect(try fixed.setting([], table: QualifiedName(schema: "shop", name: "t")).tables[0].schema == "shop")
    let error = #expect(throws: EventStoreError.self) { try fixed.setting([], table: table) }
    #expect(error?.message == "layout x does not read table shop.journal")
    #expect(throws: EventStoreError.self) {
      try layout(Self.mine).setting([LayoutParameter(name: "table", value: "t")], table: table)
    }
  }

  /// What was derived from one schema is not continued with another.
  @Test func theIdentityTellsOtherValues() throws {
    let mine = try layout(Self.mine)
    #expect(mine.identity == Array(Self.mine.utf8))
    #expect(try mine.setting([LayoutParameter(name: "schema", value: "public")]).identity == mine.identity)
    #expect(try mine.setting([LayoutParameter(name: "schema", value: "x")]).identity != mine.identity)
  }

  @Test(arguments: [
    ("-- @parameter a b\nSELECT :\"c\"", "layout.sql:4:8: no parameter c"),
    ("-- @parameter a b\nSELECT 1,\n  :\"a\", :\"b\"", "layout.sql:5:9: no parameter b"),
    ("-- @parameter a b\nSELECT 1", "layout.sql:3:15: parameter a has no place"),
    ("-- @parameter a\nSELECT :\"a\"", "layout.sql:3:15: the value of parameter a is empty"),
    ("-- @parameter A b\nSELECT :\"A\"", "layout.sql:3:15: \"A\" cannot name a parameter"),
    ("-- @parameter a b\n-- @parameter a c\nSELECT :\"a\"", "layout.sql:4:15: parameter a is named twice"),
    ("-- @parameter\nSELECT 1", "layout.sql:3:1: @parameter needs NAME VALUE"),
    ("-- @table :\"c\".t\nSELECT 1", "layout.sql:3:11: no parameter c"),
    (
      "-- @parameter a b.c\n-- @table :\"a\"\nSELECT 1",
      "layout.sql:4:11: \":\"a\"\" is not the name of a table"
    ),
  ])
  func aWrongFile(text: String, message: String) {
    let error = #expect(throws: EventStoreError.self) { try layout("-- @layout x\n-- @table s.t\n\(text)") }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    ("shema", "x", "layout mine has no parameter 'shema'"),
    ("schema", "", "the value of parameter schema of layout mine is empty"),
    ("schema", String(repeating: "x", count: 64), "is longer than the 63 bytes of an identifier"),
  ])
  func aWrongValue(name: String, value: String, message: String) throws {
    let mine = try layout(Self.mine)
    let error = #expect(throws: EventStoreError.self) {
      try mine.setting([LayoutParameter(name: name, value: value)])
    }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    let value = LayoutParameter(name: "schema", value: "x")
    #expect(throws: EventStoreError.self) { try mine.setting([value, value]) }
  }
}
