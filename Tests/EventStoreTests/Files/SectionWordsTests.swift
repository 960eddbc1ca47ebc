import EventStore
import LibPQ
import TestSupport
import Testing

/// Names with blanks, commas and quotes behind the keywords of sections, by one rule in all files.
@Suite struct SectionWordsTests {
  private static let odd = ["Shop.OrderPlaced, Shop", "a \"b\"", "*", "Plain", "it's"]

  @Test func quotedWordsAreTypes() throws {
    let file = try projection(#"@on "Shop.OrderPlaced, Shop",Plain  "a ""b""" "*""#)
    #expect(file.handledTypes == ["Shop.OrderPlaced, Shop", "Plain", #"a "b""#, "*"])
    #expect(!file.handlesEveryType)
    #expect(try projection("@on *").handlesEveryType)
    #expect(try projection("@on it's").handledTypes == ["it's"])
  }

  @Test(arguments: [
    (#"@on A "Shop"#, "p.sql:4:10: this quote is never closed"),
    (#"@on "a""#, nil),
    (#"@on "a" "b"""#, "p.sql:4:12: this quote is never closed"),
    (#"@on "Shop"x"#, "p.sql:4:8: a blank or a comma is missing beside a quote"),
    (#"@on A, Shop"x""#, "p.sql:4:11: a blank or a comma is missing beside a quote"),
    (#"@on "a""b" "a""b""#, #"p.sql:4:15: "a""b" is named twice"#),
    (#"@on "*" *"#, "p.sql:4:8: * must be alone"),
    ("@on \"A\"\nSELECT 1;\n-- @batch A", "p.sql:6:11: A is handled by @on on line 4 and by @batch here"),
  ])
  func whatIsWrongWithAWordIsNamedWithItsPlace(section: String, message: String?) {
    do {
      _ = try projection(section)
      #expect(message == nil)
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func otherNamesAreQuotedToo() throws {
    let text =
      "-- @projection \"p\"\n-- @schema \"My, \"\"Schema\"\"\"\n-- @create\nCREATE TABLE t ();\n-- @on A\nSELECT 1;"
    let file = try Projection(checking: "p.sql", Array(text.utf8))
    #expect(file.name == "p" && file.schema == #"My, "Schema""#)
    #expect(throws: EventStoreError.self) {
      try Layout(path: "l.sql", bytes: Array("-- @layout \"a\" b\n-- @table a.b\nSELECT 1".utf8))
    }
    #expect(
      try Layout(path: "l.sql", bytes: Array("-- @layout \"a, b\"\n-- @table a.b\nSELECT 1".utf8)).name
        == "a, b"
    )
  }

  /// A rename, a handler and a section of a reducer each take just the types that they name.
  @Test func typesWithBlanksAndQuotesAreHandled() async throws {
    let fill = Self.odd.enumerated().map { index, type in
      "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a', \(quoteLiteral(type)), '{\"n\": \(index)}', \(index + 1));"
    }.joined()
    try await withStore(fill) { db, store in
      let upcaster = #"""
        -- @upcaster names
        -- @rename "Shop.OrderPlaced, Shop" "Order ""placed"""
        -- @rename "*" Star
        -- @event "a ""b"""
        -- @data
        SELECT '{"n": 10}'::jsonb
        """#
      await store.use(try Upcasters([("names.sql", Array(upcaster.utf8))]))
      let reducer = #"""
        -- @reducer r
        -- @on "Order ""placed""", "a ""b"""
        SELECT state || jsonb_build_object(event.event_type, event.event_data->'n')
        -- @on *
        SELECT state || jsonb_build_object('others', state->'others' || to_jsonb(event.event_type))
        -- @initial
        SELECT '{"others": []}'::jsonb
        """#
      let state = try await store.state(
        of: "a",
        reducer: try Reducer(path: "r.sql", bytes: Array(reducer.utf8))
      )
      #expect(
        state.state == #"{"a \"b\"": 10, "others": ["Star", "Plain", "it's"], "Order \"placed\"": 0}"#
      )
      await store.use(.none)
      let projection = #"""
        -- @projection p
        -- @create
        CREATE TABLE seen (place serial, handler text, type text);
        -- @on "*", "a ""b"""
        INSERT INTO seen (handler, type) VALUES ('named', event.event_type);
        -- @batch *
        INSERT INTO seen (handler, type) SELECT 'others', event_type FROM events ORDER BY position;
        """#
      _ = try await store.rebuildProjection(try Projection(path: "p.sql", bytes: Array(projection.utf8)))
      #expect(
        try await db.psql("SELECT handler, type FROM seen ORDER BY place") == """
          others|Shop.OrderPlaced, Shop
          named|a "b"
          named|*
          others|Plain
          others|it's
          """
      )
    }
  }

  private func projection(_ section: String) throws -> Projection {
    let text = "-- @projection p\n-- @create\nCREATE TABLE t (id text);\n-- \(section)\nSELECT 1;"
    return try Projection(checking: "p.sql", Array(text.utf8))
  }
}
