import LibPQ
import TestSupport
import Testing

@testable import EventStore

/// Filters by what an event contains, each beside the same in SQL.
@Suite struct ContentConditionTests {
  private static let payloads = #"""
    INSERT INTO events (aggregate_id, event_type, event_data, metadata, version)
    SELECT 'a-' || n % 3, 'T', data::jsonb, CASE WHEN n % 2 = 0 THEN jsonb_build_object('user', 'u' || n) END, n
    FROM (SELECT data, row_number() OVER () AS n FROM (VALUES ('{"total": 100, "customer": "ann"}'), ('{"total": "100"}'), ('{"total": 99.5, "paid": true}'),
      ('{"total": null}'), ('{"customer": "ann.b", "note": "100% \"green\" \\ tea_x"}'), ('{"customer": ["ann", "bob"]}'),
      ('{"items": [{"sku": "TEA-1", "n": 2}, {"sku": "CUP-7", "n": 40}]}'), ('{"items": [{"sku": "TEA.1"}]}'),
      ('{"items": []}'), ('{"a b": {"c.d": "x"}, "é": "ü"}'), ('"ann"'), ('[1, 2]'), ('{"date": "2026-02-03"}'),
      ('{"paid": "true"}'), ('{"customer": "ANN", "text": "Green\nTea"}')) AS v (data)) AS r;
    """#

  private static let cases: [(condition: String, sql: String)] = [
    ("total=100", #"event_data -> 'total' IN ('100', '"100"')"#),
    (#"total="100""#, #"event_data -> 'total' = '"100"'"#),
    ("total>99", "jsonb_typeof(event_data -> 'total') = 'number' AND (event_data ->> 'total')::numeric > 99"),
    (" total <= 99.5 ", "(event_data -> 'total') = '99.5'"), ("total=null", "event_data -> 'total' = 'null'"),
    ("total", "event_data ? 'total'"), ("total!=100", "(event_data -> 'total') IN ('99.5', 'null')"),
    ("paid=true", #"event_data -> 'paid' IN ('true', '"true"')"#),
    ("customer=ann", #"event_data -> 'customer' = '"ann"' OR event_data -> 'customer' ? 'ann'"#),
    (".customer=ann", #"event_data -> 'customer' = '"ann"' OR event_data -> 'customer' ? 'ann'"#),
    ("customer[1]=bob", "event_data -> 'customer' ->> 1 = 'bob'"),
    ("customer~ann*", "event_data ->> 'customer' LIKE 'ann%' OR event_data -> 'customer' ? 'ann'"),
    ("customer!~ann*", "event_data ->> 'customer' = 'ANN'"),
    ("customer~a?n", "event_data -> 'customer' ? 'ann'"),
    ("items[*].sku~TEA-*", #"event_data -> 'items' @> '[{"sku": "TEA-1"}]'"#),
    (".items[].sku=TEA.1", #"event_data -> 'items' @> '[{"sku": "TEA.1"}]'"#), ("items.n>39", "position = 7"),
    ("items[0].n>39", "false"), (#""a b"."c.d"=x"#, "event_data -> 'a b' ->> 'c.d' = 'x'"),
    ("é=ü", "event_data ? 'é'"),
    (#".="ann""#, #"event_data = '"ann"'"#), ("date>2026-02", "event_data ? 'date'"),
    ("date<2026-02", "false"),
    (#"text~Green*Tea"#, "event_data ? 'text'"), (#"note~*\ tea_?"#, "event_data ? 'note'"),
    (#"note="100% \"green\" \\ tea_x""#, "event_data ? 'note'"), ("missing=1", "false"),
  ]

  @Test func fieldsAreFound() async throws {
    try await withStore(Self.payloads) { db, store in
      for (text, sql) in Self.cases {
        let conditions = [ContentCondition.data(try FieldCondition(text))]
        let expected = try await db.rows("SELECT position FROM events WHERE \(sql) ORDER BY position")
        #expect(try await positions(store, conditions) == expected, "\(text)")
        #expect(try await store.count(query(conditions)) == expected.count, "\(text)")
      }
    }
  }

  @Test func textsAreFound() async throws {
    let cases = [
      ("ann", "event_data::text ILIKE '%ann%'"), ("green TEA", "position IN (5, 15)"),
      (#""green" \"#, "position = 5"), ("100%", "position = 5"), ("a_x", "position = 5"),
      ("customer", "event_data::text LIKE '%customer%'"),
    ]
    try await withStore(Self.payloads) { db, store in
      for (text, sql) in cases {
        let expected = try await db.rows("SELECT position FROM events WHERE \(sql) ORDER BY position")
        #expect(!expected.isEmpty)
        #expect(try await positions(store, [.text(text)]) == expected, "\(text)")
      }
    }
  }

  @Test func conditionsHoldTogether() async throws {
    try await withStore(Self.payloads) { db, store in
      let ann = ContentCondition.data(try FieldCondition("customer~ann*"))
      let user = ContentCondition.metadata(try FieldCondition("user=u6"))
      #expect(try await positions(store, [ann, user]) == ["6"])
      #expect(try await positions(store, [user]) == ["6"])
      let sql = ContentCondition.sql(try SQLCondition("event.version > 1 -- all but one"))
      #expect(try await positions(store, [ann, sql]) == ["5", "6"])
      var stream = EventQuery(aggregateID: "a-0")
      stream.contents = [sql, user]
      #expect(try await positions(store, stream) == ["6"])
    }
  }

  /// What is searched for is data, whatever it looks like.
  @Test func hostileTextIsData() async throws {
    var random = SplitMix64(state: 42)
    let pieces = [
      "'", "\"", "\\", "$", "*", "?", "%", "_", ".", "[", "]", "=", "~", "!", "<", ">", "(", ")", ";", "--",
      "/*", "@",
      "||", "&&", "é", "🧾", " ", "\n", "\t", "x", "1", "null", "e\u{301}", "$1", "{", "}", "^", "|", "+", ":",
      ",",
    ]
    func text() -> String {
      (0..<Int.random(in: 1...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
    }
    let texts = (0..<150).map { _ in text() }
    try await withStore { db, store in
      let events = texts.map { text in
        let json = jsonString(text)
        return NewEvent(type: "T", data: "{\(json): {\(json): \(json)}}")
      }
      _ = try await store.append(events, to: "a")
      for (index, text) in texts.enumerated() {
        let json = jsonString(text)
        let expected = texts.indices.filter { texts[$0].utf8.elementsEqual(text.utf8) }.map { "\($0 + 1)" }
        let equal = ContentCondition.data(try FieldCondition("\(json).\(json)=\(json)"))
        #expect(try await positions(store, [equal]) == expected, "\(index): \(text)")
        // As a pattern it may find more, in which * and ? are any text; as a word, what contains it.
        let like = ContentCondition.data(try FieldCondition("\(json).\(json)~\(json)"))
        let alike = Set(try await positions(store, [like]))
        #expect(alike.isSuperset(of: expected), "\(index): \(text)")
        if !text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }) {
          let containing = Set(try await positions(store, [.text(text)]))
          #expect(containing.isSuperset(of: expected), "\(index): \(text)")
        }
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "\(texts.count)")
    }
  }

  @Test(arguments: [
    ("", 1), ("=1", 1), ("a..b=1", 3), ("a[x]=1", 2), ("a[1=1", 2), ("a b", 3), (#""a=1"#, 1), ("a>", 3),
    ("a>true", 3),
    (#"a="x"y"#, 6), (".a[0]b=1", 6), (#"a.="#, 3),
  ])
  func aWrongPathIsRefused(text: String, column: Int) {
    let error = #expect(throws: EventStoreError.self) { try FieldCondition(text) }
    #expect(error?.code == .invalidInput)
    #expect(error?.message.contains("column \(column):") == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    ("", "1:1"), ("true; DROP TABLE events", "1:5"), ("true) OR (true", "1:5"), ("(true", "1:1"),
    ("$1", "1:1"),
    ("'x", "1:1"), ("/* x", "1:1"), ("\n  ;", "2:3"),
  ])
  func whatIsNoExpressionIsRefused(text: String, place: String) {
    let error = #expect(throws: EventStoreError.self) { try SQLCondition(text) }
    #expect(error?.message.contains("condition:\(place):") == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    ("event.nothing = 1", "1:1"), ("true AND\n event.version", "2:2"), ("count(*) > 1", "1:1"),
  ])
  func aConditionThatIsNoneIsNamed(text: String, place: String) async throws {
    try await withStore(Self.payloads) { _, store in
      let condition = ContentCondition.sql(try SQLCondition(text))
      let error = await #expect(throws: EventStoreError.self) { try await positions(store, [condition]) }
      #expect(error?.code == .invalidDefinition)
      #expect(error?.message.contains("condition:\(place)") == true, "\(error?.message ?? "")")
    }
  }

  @Test func aConditionWritesNothing() async throws {
    let function = """
      CREATE FUNCTION spoil() RETURNS boolean LANGUAGE sql AS 'INSERT INTO public.events
        (aggregate_id, event_type, event_data, version) VALUES (''spoilt'', ''T'', ''{}'', 1) RETURNING true';
      """
    try await withStore(Self.payloads + function) { db, store in
      let query = query([.sql(try SQLCondition("public.spoil()"))])
      for isCounted in [false, true] {
        let error = await #expect(throws: EventStoreError.self) {
          if isCounted { _ = try await store.count(query) } else { _ = try await positions(store, query) }
        }
        #expect(error?.sqlState == "25006")
      }
      #expect(try await db.psql("SELECT count(*) FROM events WHERE aggregate_id = 'spoilt'") == "0")
      // The session goes on.
      #expect(try await store.count(EventQuery()) == 15)
    }
  }

  @Test func aTableWithoutMetadataIsNamed() async throws {
    try await withStore("ALTER TABLE events DROP COLUMN metadata;") { _, store in
      let condition = ContentCondition.metadata(try FieldCondition("user"))
      let error = await #expect(throws: EventStoreError.self) { try await positions(store, [condition]) }
      #expect(error?.code == .invalidDefinition)
    }
  }

  private func query(_ contents: [ContentCondition]) -> EventQuery {
    var query = EventQuery()
    query.contents = contents
    return query
  }

  private func positions(_ store: EventStore, _ contents: [ContentCondition]) async throws -> [String] {
    try await positions(store, query(contents))
  }

  private func positions(_ store: EventStore, _ query: EventQuery) async throws -> [String] {
    var positions: [String] = []
    for try await event in store.events(matching: query) { positions.append("\(event.position ?? 0)") }
    return positions
  }

  private func jsonString(_ text: String) -> String { ManifestFormat.quoted(Array(text.utf8)) }
}
