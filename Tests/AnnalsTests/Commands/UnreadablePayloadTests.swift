import FoundationEssentials
import TestSupport
import Testing

/// Payloads of somebody else's store that are NULL.
@Suite struct UnreadablePayloadTests {
  /// A table with payloads of a type, seven events of two streams.
  private static func log(_ type: String, payload: String) -> String {
    """
    CREATE TABLE log (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, revision int NOT NULL,
      kind text NOT NULL, body \(type), at timestamptz NOT NULL DEFAULT '2026-01-01Z');
    INSERT INTO log (stream, revision, kind, body)
    SELECT 'order-' || 1 + n % 2, (n + 1) / 2, 'Added', \(payload) FROM generate_series(1, 7) n;

    """
  }

  private static let columns = [
    "--table", "log", "--columns",
    "aggregate_id=stream,event_type=kind,event_data=body,version=revision,timestamp=at,position=number",
  ]

  private static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, payloads jsonb NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, jsonb_build_array(event.event_data))
    ON CONFLICT (id) DO UPDATE SET payloads = sums.payloads || excluded.payloads;

    """

  private func withFiles(_ texts: [String], _ body: ([String]) async throws -> Void) async throws {
    let paths = texts.map { _ in "/tmp/annals-test-\(UInt64.random(in: .min ... .max)).sql" }
    for (path, text) in zip(paths, texts) {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    try await body(paths)
    for path in paths { try FileManager.default.removeItem(atPath: path) }
  }

  /// NULL is JSON's null for whatever reads the event.
  @Test func nullIsNull() async throws {
    let reducer = """
      -- @reducer list
      -- @initial
      SELECT '[]'::jsonb;
      -- @on *
      SELECT state || jsonb_build_array(event.event_data);

      """
    let upcaster = """
      -- @upcaster was
      -- @event Added
      -- @data
      SELECT jsonb_build_object('was', event.event_data)

      """
    try await TestCluster.withDatabase { db in
      try await db.psql(
        Self.log("json", payload: "CASE WHEN n <> 4 THEN json_build_object('n', n) END"))
      func annals(_ arguments: String...) async throws -> ProgramRun {
        let run = try await db.annals(arguments + Self.columns)
        #expect(run.exitCode == 0, "\(arguments): \(run.standardError)")
        return run
      }
      for command in [
        ["stream", "order-1", "-o", "ndjson"], ["replay"], ["stream", "--reverse", "-o", "ndjson"],
      ] {
        let run = try await db.annals(command + Self.columns)
        #expect(run.exitCode == 0, "\(command): \(run.standardError)")
        #expect(run.standardOutput.contains(#""version":2,"event_type":"Added""#))
        #expect(run.standardOutput.contains(#""event_data":null"#), "\(run.standardOutput)")
      }
      _ = try await annals("verify-versions")
      _ = try await annals("types", "show", "Added")
      _ = try await annals("init")
      try await withFiles([Self.sums, reducer, upcaster]) { paths in
        _ = try await annals("rebuild-projection", paths[0])
        #expect(
          try await db.psql("SELECT payloads FROM sums WHERE id = 'order-1'")
            == #"[{"n": 2}, null, {"n": 6}]"#
        )
        let state = try await annals("snapshot", "show", "order-1", "--reducer", paths[1])
        #expect(state.standardOutput == #"[{"n": 2}, null, {"n": 6}]"# + "\n")
        _ = try await annals("snapshot", "take", "order-1", "--reducer", paths[1])
        _ = try await annals("snapshot", "verify", "--reducer", paths[1])
        let upcast = try await annals("stream", "order-1", "-o", "ndjson", "--upcasters", paths[2])
        #expect(
          upcast.standardOutput.contains(#""event_data":{"was": null}"#), "\(upcast.standardOutput)"
        )
      }
    }
  }
}
