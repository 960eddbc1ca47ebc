import EventStore
import TestSupport
import Testing

@testable import annals

/// Anybody who may append an event can write ids, types, payloads and metadata that control a terminal, reverse lines
/// or begin a line that looks like one of ours. No command shows them unescaped.
@Suite struct HostileStoreTests {
  static let hostile = "x-\u{1B}[31m\nHINT:  forged \u{202E}\u{2066}\u{9B}2J\u{7F}\u{2028}\u{85}\r\tz"

  /// The scalars of a text that are not ours: every control, bidi and invisible scalar except the ends of lines.
  private func harmful(_ text: String) -> [Unicode.Scalar] {
    text.unicodeScalars.filter { $0 != "\n" && $0.isUnsafeToShow }
  }

  private func expectHarmless(_ run: ProgramRun, _ command: String, status: Set<Int32>) {
    #expect(run.exitCode.map(status.contains) == true, "\(command): \(run.status) \(run.standardError)")
    for text in [run.standardOutput, run.standardError] {
      #expect(harmful(text) == [], "\(command): \(text.debugDescription)")
      #expect(!text.split(separator: "\n").contains { $0.hasPrefix("HINT:  forged") }, "\(command): \(text)")
    }
  }

  private func withStore(_ body: (TestDatabase, _ folder: String) async throws -> Void) async throws {
    try await TestCluster.withDatabase { db in
      let folder = "/tmp/annals-test-\(db.name)"
      let run = try await runShell(
        Self.prepare,
        environment: db.environment.merging([
          "ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder, "HOSTILE": Self.hostile,
        ]) { $1 }
      )
      #expect(run.exitCode == 0, "\(run.standardError)")
      try await body(db, folder)
      _ = try await runShell("rm -rf '\(folder)'")
    }
  }

  /// The second event of the projection cannot be applied; its message quotes the id.
  private static let prepare = #"""
    set -eu
    mkdir "$FOLDER"
    cd "$FOLDER"
    cat > names.sql <<'END'
    -- @projection names
    -- @create
    CREATE TABLE names (id text PRIMARY KEY);
    -- @on *
    INSERT INTO names VALUES (event.aggregate_id || CASE WHEN event.version = 1 THEN '' END)
    ON CONFLICT DO NOTHING;
    END
    cat > bad.sql <<'END'
    -- @projection bad
    -- @create
    CREATE TABLE bad (id text PRIMARY KEY);
    -- @on *
    INSERT INTO bad VALUES ((event.aggregate_id || event.event_type)::int::text);
    END
    printf -- '-- @upcaster up\n-- @event Added\n-- @data\nSELECT event.event_data;\n' > up.sql
    json=$(printf '%s' "$HOSTILE" | jq -Rs .)
    "$ANNALS" init
    "$ANNALS" append "$HOSTILE" "$HOSTILE" "{$json: $json}" --metadata "{\"k\": $json}" --correlation-id "$HOSTILE"
    "$ANNALS" rebuild-projection names.sql
    "$ANNALS" append "$HOSTILE" "$HOSTILE" "{$json: 1}" --correlation-id "$HOSTILE"
    "$ANNALS" append "$HOSTILE" Added "{\"n\": $json}"
    printf '{"aggregate_id":%s,"event_type":"A","event_data":{},"%s":1}\n' "$json" 'xx' > bad.ndjson
    "$ANNALS" replay --checkpoint "$HOSTILE" > /dev/null
    """#

  @Test func noCommandShowsThemRaw() async throws {
    try await withStore { db, folder in
      let id = Self.hostile
      func run(_ arguments: [String], _ status: Int32...) async throws {
        let arguments = arguments.map { $0.replacing("%", with: folder) }
        let result = try await AnnalsBinary.run(arguments, environment: db.environment)
        expectHarmless(result, arguments.joined(separator: " "), status: Set(status))
      }
      for payload in ["full", "compact", "none"] {
        try await run(["stream", id, "--payload", payload], 0)
        try await run(["stream", "--payload", payload], 0)
      }
      try await run(["stream", id + "2"], 4)
      try await run(["stream", "--category", id.replacing("-", with: "")], 4, 0)
      try await run(["stream", "--type", id], 0)
      try await run(["trace", id], 0)
      try await run(["trace", id + "2"], 4)
      try await run(["replay", "-n"], 0)
      try await run(["replay", "--aggregate", id + "2"], 4)
      try await run(["append", id, id, "{}", "-n"], 0)
      try await run(["append", id, id, "{}", "--expected-version", "1"], 3)
      try await run(["append", id, id, "{\"a\": \(id)}"], 65)
      try await run(["append", "--from", "%/bad.ndjson", "--rejects", "%/rejects", "--max-errors", "3"], 5)
      try await run(["append", "--from", "%/\(id)"], 65)
      try await run(["snapshot", "take", "--all"], 0)
      try await run(["snapshot", "list"], 0)
      for arguments in [["--blame"], ["--diff", "1", "3"]] {
        try await run(["snapshot", "show", id] + arguments, 0)
      }
      try await run(["snapshot", "show", id, "--at", id], 1, 64, 65)
      try await run(["snapshot", "prune", "--keep", "0", "-n", id], 0)
      try await run(["snapshot", "prune", "--keep", "0", "-n", "--category", id], 0)
      try await run(["snapshot", "prune", "--keep", "0", id], 64)
      try await db.psql("UPDATE annals.snapshots SET state = jsonb_build_object(aggregate_id, aggregate_id)")
      try await run(["snapshot", "verify"], 2)
      try await run(["check-projection", "%/names.sql"], 0)
      try await run(["rebuild-projection", "%/bad.sql"], 1, 2, 5)
      try await run(["rebuild-projection", "-n", "%/bad.sql"], 0, 2)
      try await run(["project", "--once", "--attempts", "0", "%/names.sql"], 5)
      try await run(["projections"], 0)
      try await run(["dead-letters", "list"], 2)
      try await run(["dead-letters", "show", "names", "2"], 0)
      try await run(["dead-letters", "retry", "names"], 5)
      try await run(["dead-letters", "retry", id], 65)
      try await run(["dead-letters", "discard", id], 64)
      try await run(["dead-letters", "discard", "names", "--yes"], 0)
      try await run(["projections", "drop", id], 4, 64)
      try await run(["projections", "pause", id], 4)
      try await run(["check"], 0, 2)
      try await run(["check", "--max-lag", "0", "--format", "prometheus"], 0, 2)
      try await run(["doctor"], 0, 2)
      try await run(["doctor", "--table", id], 1, 2, 64)
      try await run(["types"], 0)
      try await run(["streams"], 0)
      try await run(["streams", id], 0)
      try await run(["streams", "--type", id], 0)
      try await run(["streams", "--categories"], 0)
      try await run(["stats"], 0)
      try await run(["stats", "--by", "stream,type"], 0)
      try await run(["types", "show", id], 0)
      try await run(["types", "show", id, "--shapes"], 0)
      try await run(["types", "show", id + "2"], 4)
      try await run(["evolve", "check", "%/up.sql"], 0, 2)
      try await run(["evolve", "plan", "%/up.sql"], 0)
      try await db.psql("DELETE FROM events WHERE version = 2")
      try await run(["verify-versions"], 2)
      try await run(["verify-versions", "--explain"], 2)
      try await run(["verify-versions", id + "2"], 4)
      try await run(["sandbox", "reset", "--directory", "/tmp/\(id)"], 1, 64)
      try await run(["sandbox", "status", "--directory", "/tmp/\(id)"], 0, 1)
      try await run([id], 64)
      try await run(["stream", "--" + id], 64)
    }
  }

  /// Colours are the only control sequences in a table.
  @Test func coloursAreOursAlone() async throws {
    try await withStore { db, _ in
      let run = try await AnnalsBinary.run(["stream", "--color", "always"], environment: db.environment)
      #expect(run.standardOutput.contains("\u{1B}["))
      let ours = try Regex("\u{1B}\\[[0-9]+m")
      #expect(harmful(run.standardOutput.replacing(ours, with: "")) == [])
    }
  }

  /// Another session's query and application name are in the notice about the wait for it.
  @Test func whoIsWaitedFor() async throws {
    try await withStore { db, folder in
      let script = #"""
        set -eu
        printf '%s' "BEGIN; INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('w', 'W', '{}', 1);
          SELECT pg_sleep(300) /* $HOSTILE */; COMMIT" > "$FOLDER/writer.sql"
        PGAPPNAME="$HOSTILE" psql -qX -f "$FOLDER/writer.sql" > /dev/null 2>&1 &
        writer="FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%forged%' AND pid <> pg_backend_pid()"
        while [ "$(psql -qXAtc "SELECT count(*) $writer")" -lt 1 ]; do sleep 0.05; done
        "$ANNALS" watermark
        "$ANNALS" replay --follow --time-limit 500ms --wait-limit 2s > /dev/null || test $? = 75
        # The writer ends when somebody has been told of it.
        "$ANNALS" project --once "$FOLDER/names.sql" 2> "$FOLDER/notes" & project=$!
        while ! grep -q 'waiting for' "$FOLDER/notes" && kill -0 $project; do sleep 0.05; done
        psql -qXAtc "SELECT pg_cancel_backend(pid) $writer" > /dev/null
        wait $project || test $? = 5
        cat "$FOLDER/notes" >&2
        wait
        """#
      let run = try await runShell(
        script,
        environment: db.environment.merging([
          "ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder, "HOSTILE": Self.hostile,
        ]) { $1 }
      )
      expectHarmless(run, "project", status: [0])
      #expect(run.standardError.contains("waiting for a transaction"))
      #expect(run.standardError.contains("\\u{202e}"))
    }
  }

  @Test func errorsInJSONAreEscapedAsJSONIs() async throws {
    try await withStore { db, _ in
      for arguments in [
        ["stream", Self.hostile + "2"], ["append", Self.hostile, "T", "{}", "--expected-version", "9"],
      ] {
        let run = try await AnnalsBinary.run(arguments + ["-o", "json"], environment: db.environment)
        expectHarmless(run, arguments.joined(separator: " "), status: [3, 4])
        #expect(run.standardError.split(separator: "\n").count == 1)
        let message = try await db.psql("SELECT $j$\(run.standardError)$j$::jsonb->>'error'")
        #expect(message.contains("\u{202E}\u{2066}\u{9B}2J"))
      }
    }
  }

  /// A key that begins with a mark must not hide its quote, and its brackets are no structure.
  @Test func aMarkBehindAQuoteIsText() {
    let lines = PrettyJSON.lines("{\"\u{301}}}]\": [1], \"b\": \"\\\"\u{301}{\"}")
    #expect(
      lines.map { Array($0.unicodeScalars) }
        == ["{", "  \"\u{301}}}]\": [", "    1", "  ],", "  \"b\": \"\\\"\u{301}{\"", "}"]
        .map { Array($0.unicodeScalars) }
    )
  }

  @Test func jsonTextIsEscapedAsJSON() {
    #expect(
      TextEscaping.forJSON("[\n \"é\u{9B}\u{202E}\u{E0041}\"]") == "[\n \"é\\u009b\\u202e\\udb40\\udc41\"]"
    )
  }

  @Test func labelsOfPrometheus() {
    #expect(PrometheusText.quote("a\"b\\c\nd\u{1B}\u{202E}é") == #""a\"b\\c\nd\\u{1b}\\u{202e}é""#)
  }
}
