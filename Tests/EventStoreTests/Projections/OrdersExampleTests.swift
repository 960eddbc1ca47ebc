import EventStore
import TestSupport
import Testing

@Suite struct OrdersExampleTests {
  private static let folder = SourceTree.path("Examples/orders")

  private func read(_ name: String) async throws -> [UInt8] {
    try await runShell("cat '\(Self.folder)/\(name)'").outputBytes
  }

  @Test func theGeneratorWritesTheSameBytes() async throws {
    let run = try await runShell("python3 '\(Self.folder)/generate.py'")
    #expect(run.outputBytes == (try await read("events.ndjson")))
  }

  @Test func theReadModelTellsTheStory() async throws {
    let file = try Projection(path: "orders.sql", bytes: try await read("orders.sql"))
    let code = ProjectionCompiler(file, source: "public.events")
    let events = String(decoding: try await read("events.ndjson"), as: UTF8.self)
    let create = file.create.map { $0.text + ";\n" }.joined()
    let checks = file.checks.flatMap(\.statements).map { $0.text + ";\n" }.joined()
    let output = try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        CREATE TABLE lines (n serial, event jsonb);
        COPY lines (event) FROM stdin WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02');
        \(events)\\.
        CREATE TABLE events AS SELECT e.*, n::bigint AS position FROM lines, jsonb_to_record(event) AS e(
          id uuid, aggregate_id varchar(255), event_type varchar(100), event_data jsonb, version integer,
          "timestamp" timestamptz, metadata jsonb);
        \(create) \(code.checkFunction().sql); \(code.applyFunction().sql);
        SELECT pg_temp.annals_check() \\g /dev/null
        SELECT pg_temp.annals_apply(0, 100000) \\g /dev/null
        \(checks)
        SELECT id FROM orders WHERE payments > 1 ORDER BY id;
        SELECT status, count(*) FROM orders GROUP BY status ORDER BY status;
        """
      )
    }
    #expect(output == "order-1007\norder-1138\norder-1502\ncancelled|47\nshipped|593")
  }
}
