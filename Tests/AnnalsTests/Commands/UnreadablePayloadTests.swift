import FoundationEssentials
import TestSupport
import Testing

/// Payloads of somebody else's store that are NULL, or that its layout cannot cast.
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
        Self.log("json", payload: "CASE WHEN n <> 4 THEN json_build_object('n', n) END")
      )
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
          upcast.standardOutput.contains(#""event_data":{"was": null}"#),
          "\(upcast.standardOutput)"
        )
      }
    }
  }

  /// An event with a payload that is no JSON is named, shown and counted; the others are as they are.
  @Test(arguments: [
    (
      "bytea",
      #"CASE n WHEN 4 THEN '\x83680261'::bytea WHEN 5 THEN '{"n":' ELSE convert_to(json_build_object('n', n)::text, 'UTF8') END"#
    ),
    (
      "text",
      #"CASE n WHEN 4 THEN 'nonsense' WHEN 5 THEN '{"n":' ELSE json_build_object('n', n)::text END"#
    ),
  ])
  func anUnreadableEventIsShown(type: String, payload: String) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(Self.log(type, payload: payload))
      let warning = "position 4, stream order-1, version 2: the payload cannot be read: invalid "
      let place = "stream order-1, version 2: the payload cannot be read: invalid "
      for command in [
        ["stream", "order-1"], ["stream", "order-1", "-o", "json"],
        ["stream", "-o", "csv", "--reverse"],
        ["stream", "-o", "ndjson"], ["stream", "--last", "4"], ["replay"],
        ["replay", "--type", "Added"],
        ["replay", "--rate", "1000"], ["stream", "--category", "order", "--to-position", "4"],
      ] {
        let run = try await db.annals(command + Self.columns)
        #expect(run.exitCode == 5, "\(command): \(run.standardError)")
        #expect(run.standardError.contains(warning), "\(command): \(run.standardError)")
        let isAll =
          command.count < 2 || command[1] != "order-1" && !command.contains("--to-position")
        #expect(
          run.standardError.hasSuffix(
            isAll
              ? "annals: 2 events have a payload that cannot be read\n"
              : "annals: 1 event has a payload that cannot be read\n"
          ),
          "\(command): \(run.standardError)"
        )
        #expect(run.standardOutput.contains("unreadable"), "\(command): \(run.standardOutput)")
      }
      let lines = try await db.annals(["replay"] + Self.columns).standardOutput.split(
        separator: "\n"
      )
      #expect(lines.count == 7)
      #expect(
        lines[2].contains(#""event_data":{"n": 3}"#) && lines[5].contains(#""event_data":{"n": 6}"#)
      )
      #expect(lines[3].contains(#""event_data":{"unreadable": {"#), "\(lines[3])")
      #expect(
        lines[3].contains(#""message": "invalid "#) && lines[3].contains(#""sqlstate": "22"#),
        "\(lines[3])"
      )
      // Commands that need the value of each payload end, and name the first unreadable event.
      for command in [
        ["types", "show", "Added"], ["show", "@4"], ["snapshot", "show", "order-1"],
        ["verify-versions", "--manifest", "/tmp/annals-test-\(db.name).manifest"],
        ["replay", "--data", "n=1"],
      ] {
        let run = try await db.annals(command + Self.columns)
        #expect(run.exitCode == 1 && run.standardError.contains(place), "\(command): \(run.standardError)")
        #expect(run.standardError.contains("HINT:  Change the SELECT of the layout"), "\(run.standardError)")
      }
      // It is not blamed for an error of another kind.
      let other = try await db.annals(["replay", "--where", "1 / (event.version - 2) = 1"] + Self.columns)
      #expect(other.exitCode == 1 && other.standardError.hasPrefix("annals: error: division by zero\n"))
      #expect(!other.standardError.contains(place), "\(other.standardError)")
      // A read that leaves them out returns the rest.
      let rest = try await db.annals(
        ["stream", "--from-position", "6", "-o", "ndjson"] + Self.columns
      )
      #expect(rest.exitCode == 0 && rest.standardError == "", "\(rest.standardError)")
    }
  }

  /// A projection treats it as any event that a handler fails for.
  @Test func aProjectionMeetsIt() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(Self.log("text", payload: "json_build_object('n', n)::text"))
      #expect(try await db.annals(["init"] + Self.columns).exitCode == 0)
      try await withFiles([Self.sums]) { paths in
        func annals(_ arguments: String...) async throws -> ProgramRun {
          try await db.annals(arguments + [paths[0]] + Self.columns)
        }
        #expect(try await annals("rebuild-projection").exitCode == 0)
        try await db.psql(
          "INSERT INTO log (stream, revision, kind, body) VALUES ('order-1', 4, 'Added', 'nonsense'), ('order-1', 5, 'Added', '{}')"
        )
        let project = try await annals("project", "--once", "--attempts", "0")
        #expect(project.exitCode == 5, "\(project.standardError)")
        #expect(
          project.standardError.contains(
            "dead letter: the event at position 8 (order-1, version 4, Added): invalid input syntax"
          ),
          "\(project.standardError)"
        )
        #expect(
          try await db.psql("SELECT jsonb_array_length(payloads) FROM sums WHERE id = 'order-1'")
            == "4"
        )
        let shown = try await db.annals(["dead-letters", "show", "sums", "8"] + Self.columns)
        #expect(
          shown.exitCode == 0 && shown.standardOutput.contains("unreadable"),
          "\(shown.standardError)\(shown.standardOutput)"
        )
        let rebuild = try await annals("rebuild-projection")
        #expect(rebuild.exitCode == 1, "\(rebuild.standardError)")
        #expect(
          rebuild.standardError.contains("the event at position 8 (order-1, version 4, Added)"),
          "\(rebuild.standardError)"
        )
      }
    }
  }
}
