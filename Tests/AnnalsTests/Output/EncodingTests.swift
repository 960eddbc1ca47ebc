import TestSupport
import Testing

/// Databases in other encodings than UTF8: the client speaks UTF8, and the server converts.
@Suite struct EncodingTests {
  /// A character beyond ASCII that the encoding has.
  private static let encodings = [("LATIN1", "é"), ("WIN1252", "€"), ("EUC_JP", "日"), ("SQL_ASCII", "é")]

  private static func files(_ letter: String) -> [String: String] {
    [
      "names.sql": """
      -- @projection names
      -- \(letter) in a comment of the file
      -- @create
      CREATE TABLE names (id text PRIMARY KEY, name text);
      -- @on Named
      INSERT INTO names VALUES (event.aggregate_id, event.event_data->>'name')
      ON CONFLICT (id) DO UPDATE SET name = excluded.name;
      -- @check names begin with \(letter)
      SELECT id FROM names WHERE name NOT LIKE '\(letter)%';
      """,
      "named.sql": """
      -- @upcaster named
      -- @event Named
      -- @when NOT event.event_data ? 'mark'
      -- @data
      SELECT event.event_data || '{"mark": "\(letter)"}';
      """,
      "state.sql": """
      -- @reducer state
      -- @initial
      SELECT '{"mark": "\(letter)"}'::jsonb;
      -- @on Named
      SELECT state || event.event_data;
      """,
    ]
  }

  @Test(arguments: encodings)
  func everyCommandWorks(encoding: String, letter: String) async throws {
    let options = "TEMPLATE template0 ENCODING '\(encoding)' LC_COLLATE 'C' LC_CTYPE 'C'"
    try await TestCluster.withDatabase(options: options) { db in
      let id = "nr-\(letter)"
      let files = Self.files(letter).map { "cat >\($0) <<'END'\n\($1)\nEND\n" }.joined()
      let run = try await runShell(
        """
        folder=$(mktemp -d) && cd "$folder" || exit
        trap 'rm -rf "$folder"' EXIT
        \(files)
        try() { '\(AnnalsBinary.path)' "$@" >out 2>err; status=$?; [ $status = 0 ] || { echo "$*: $status"; cat out err; }; }
        try init
        try append '\(id)' Named '{"name": "\(letter)1"}' --metadata '{"correlationId": "\(letter)"}'
        echo '{"aggregate_id": "\(id)", "event_type": "Named", "event_data": {"name": "\(letter)2"}}' >lines
        try append --from lines
        try stream '\(id)' -o ndjson; grep -c '"\(letter)2"' out
        try stream --category nr
        try replay; grep -c '\(letter)' out
        try trace '\(letter)'
        try watermark
        try check-projection names.sql
        try rebuild-projection names.sql
        try rebuild-projection names.sql --diff
        try append '\(id)' Named '{"name": "\(letter)3"}'
        try project --once names.sql
        try rebuild-projection names.sql
        try projections
        try projections rollback names
        try projections names
        try rebuild-projection names.sql --upcasters named.sql
        try replay --into aside names.sql
        try snapshot take --all --reducer state.sql
        try snapshot show '\(id)' --reducer state.sql; grep -c '\(letter)3' out
        try snapshot verify --reducer state.sql
        try verify-versions
        try verify-versions --manifest manifest
        try verify-versions --against manifest
        try types
        try types show Named
        try evolve check named.sql
        try evolve plan named.sql --out plan
        try evolve apply plan --into events_v2 --swap --yes
        try stream '\(id)' -o ndjson; grep -c mark out
        try doctor
        try check
        """,
        environment: db.environment
      )
      #expect(run.standardOutput == "1\n2\n1\n3\n", "\(run.standardError)")
      let names = "SET client_encoding = 'UTF8'; SELECT * FROM names"
      #expect(try await db.psql(names) == "\(id)|\(letter)3")
    }
  }

  /// If U+FFFD replaced bytes that are not UTF-8, two ids would become one.
  @Test func argumentsAndVariablesAreUTF8() async throws {
    try await TestCluster.withDatabase { db in
      _ = try await AnnalsBinary.run(["init"], environment: db.environment)
      let hint = "HINT:  Use UTF-8. 'locale charmap' shows the encoding of a terminal.\n"
      for (line, subject) in [
        (#"append "$(printf 'caf\351')" T"#, #"argument 2 is not UTF-8: 'caf\xE9'"#),
        (#"append a "$(printf '\355\240\200')""#, #"argument 3 is not UTF-8: '\xED\xA0\x80'"#),
        (#"append a T "$(printf '{"n":"\303"}')""#, #"argument 4 is not UTF-8: '{"n":"\xC3"}'"#),
        (#"stream --table="$(printf '\351')""#, #"argument 2 is not UTF-8: '--table=\xE9'"#),
      ] {
        let run = try await runShell("'\(AnnalsBinary.path)' \(line)", environment: db.environment)
        #expect(run.exitCode == 64 && run.standardError == "annals: error: \(subject)\n\(hint)")
      }
      for (name, command) in [("ANNALS_TABLE", "stream"), ("PGUSER", "check"), ("HOME", "sandbox status")] {
        let run = try await runShell(
          "\(name)=$(printf 'x\\351') '\(AnnalsBinary.path)' \(command)",
          environment: db.environment
        )
        #expect(run.exitCode == 64)
        #expect(run.standardError == "annals: error: the variable \(name) is not UTF-8: 'x\\xE9'\n\(hint)")
      }
      let elsewhere = "HOME=$(printf 'x\\351') '\(AnnalsBinary.path)' append 'é' T"
      #expect(try await runShell(elsewhere, environment: db.environment).exitCode == 0)
      #expect(try await db.psql("SELECT string_agg(aggregate_id, ',') FROM events") == "é")
    }
  }

  @Test func aCharacterThatTheDatabaseLacksIsNamed() async throws {
    let options = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    try await TestCluster.withDatabase(options: options) { db in
      let annals = { try await AnnalsBinary.run($0, environment: db.environment) }
      _ = try await annals(["init"])
      for arguments in [
        ["append", "a-1", "Prix€", "{}"], ["append", "a-€", "Prix", "{}"], ["stream", "a-€"],
        ["append", "a-1", "Prix", "{\"n\": \"€\"}"], ["replay", "--type", "Prix€"],
      ] {
        let run = try await annals(arguments)
        #expect(run.exitCode == 65, "\(arguments)")
        #expect(
          run.standardError.hasPrefix(
            "annals: error: '€' (U+20AC) is no character of LATIN1, the encoding of the database\n"
          ),
          "\(run.standardError)"
        )
        #expect(run.standardError.contains("HINT:"))
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "0")
    }
  }
}
