import TestSupport
import Testing

@testable import EventStore

/// Tables of an application's own, which are read by the names of their columns.
@Suite struct NamedColumnsTests {
  private static func parameters(_ columns: [(String, String)]) -> [LayoutParameter] {
    columns.map { LayoutParameter(name: $0, value: $1) }
  }

  private static let names = parameters([
    ("id", "key"), ("aggregate_id", "Stream \"s\" x"), ("event_type", "kind"), ("event_data", "payload"),
    ("version", "revision"), ("timestamp", "at"), ("metadata", "context"), ("position", "number"),
  ])

  private static func table(
    key: String,
    stream: String = "text",
    payload: String = "json",
    revision: String = "bigint",
    at: String = "timestamptz",
    number: String = "bigint GENERATED ALWAYS AS IDENTITY"
  ) -> String {
    """
    CREATE TABLE log (key \(key), "Stream ""s"" x" \(stream), kind varchar, payload \(payload), revision \(revision), at \(at),
      context text, number \(number));
    """
  }

  private static let id = "00000000-0000-4000-8000-000000000001"

  /// A kind of table, a row of it, and the aggregate's id.
  @Test(arguments: [
    (table(key: "uuid"), "'\(id)', 'order-1'", "order-1"),
    (table(key: "text", revision: "smallint"), "'one', 'order-1'", "order-1"),
    (table(key: "varchar", payload: "text"), "'\(id)', 'order-1'", "order-1"),
    (table(key: "bigint", payload: "jsonb", revision: "numeric", at: "text"), "7, 'order-1'", "order-1"),
    (table(key: "integer", stream: "uuid", payload: "bytea", at: "timestamp"), "7, '\(id)'", id),
    (table(key: "uuid", stream: "bigint", revision: "integer", number: "serial"), "'\(id)', 42", "42"),
  ])
  func whatHasAnotherTypeIsCast(table: String, row: String, aggregateID: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        \(table)
        INSERT INTO log (key, "Stream ""s"" x", kind, payload, revision, at, context)
        VALUES (\(row), 'Made', '{"n": 1}', 1, '2026-01-02 03:04:05Z', '{"by": "x"}');
        """
      )
      let name = QualifiedName(schema: "public", name: "log")
      let file = try await EventStore(connecting: db.conninfo, table: name).layoutFile(naming: Self.names)
      let layout = try Layout(path: "log.sql", bytes: Array(file.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      var events: [Event] = []
      for try await event in store.events(matching: EventQuery(aggregateID: aggregateID)) {
        events.append(event)
      }
      #expect(events.map(\.data) == [#"{"n": 1}"#])
      #expect(events.map(\.metadata) == [#"{"by": "x"}"#])
      #expect(events.map { "\($0.timestamp)" } == ["2026-01-02T03:04:05Z"])
      #expect(events.map(\.position) == [1])
      #expect(try await store.watermark().position == 1)
      #expect(try await store.verifyVersions { Issue.record("\($0)") }.events == 1)
    }
  }

  /// Numbers of unknown origin, or that a session takes in blocks.
  @Test(arguments: [
    "bigint", "bigint GENERATED ALWAYS AS IDENTITY (CACHE 20)", "bigint DEFAULT nextval('others')",
  ])
  func positionsAreFinalWhereThatIsProved(number: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql("CREATE SEQUENCE others; \(Self.table(key: "uuid", number: number))")
      let name = QualifiedName(schema: "public", name: "log")
      let file = try await EventStore(connecting: db.conninfo, table: name).layoutFile(naming: Self.names)
      #expect(file.contains("\n-- @positions late\n"))
      let layout = try Layout(path: "log.sql", bytes: Array(file.utf8))
      let store = try EventStore(connecting: db.conninfo, layout: layout)
      await #expect(throws: EventStoreError.self) { try await store.watermark() }
    }
  }

  @Test func whatMayBeMissing() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE "O'log" (aggregate_id text, event_type text, data jsonb, version integer, timestamp timestamptz);
        INSERT INTO "O'log" VALUES ('a', 'Made', '{}', 1, now()), ('a', 'Made', '{}', 2, now());
        """
      )
      let name = QualifiedName(schema: "public", name: "O'log")
      let own = try EventStore(connecting: db.conninfo, table: name)
      let file = try await own.layoutFile(naming: Self.parameters([("event_data", "data")]))
      let layout = try Layout(path: "log.sql", bytes: Array(file.utf8))
      var ids: Set<String> = []
      for try await event in try EventStore(connecting: db.conninfo, layout: layout).events(
        matching: EventQuery()
      ) {
        ids.insert("\(event.id)")
      }
      #expect(ids.count == 2)
    }
  }

  @Test(arguments: [
    ([("version", "revision")], "table public.log has no column aggregate_id", "aggregate_id=COLUMN"),
    ([("aggregate_id", "nonesuch")], "table public.log has no column nonesuch", nil),
    ([("versoin", "revision")], "events have no column 'versoin'", "Did you mean 'version'?"),
    ([("version", "revision"), ("version", "number")], "column version is named twice", nil),
    (
      [("id", "key"), ("aggregate_id", "kind"), ("event_type", "kind"), ("event_data", "number")],
      "column number of public.log is bigint, which cannot be event_data", "Write a layout"
    ),
  ])
  func aWrongName(columns: [(String, String)], message: String, hint: String?) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(Self.table(key: "uuid"))
      let store = try EventStore(connecting: db.conninfo, table: QualifiedName(schema: "public", name: "log"))
      let error = await #expect(throws: EventStoreError.self) {
        try await store.layoutFile(naming: Self.parameters(columns))
      }
      #expect(error?.message == message && error?.code == .invalidDefinition)
      #expect(hint.map { error?.hint?.description.contains($0) == true } ?? (error?.hint == nil))
    }
  }

  /// The line break would end a line of the file within the name, and the rest would be read as SQL.
  @Test func aNameWithALineBreakIsRefused() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql("CREATE TABLE \"log\n-- @positions final\" (id uuid)")
      let name = QualifiedName(schema: "public", name: "log\n-- @positions final")
      let store = try EventStore(connecting: db.conninfo, table: name)
      let error = await #expect(throws: EventStoreError.self) { try await store.layoutFile(naming: []) }
      #expect(error?.message.contains("control character") == true)
    }
  }
}
