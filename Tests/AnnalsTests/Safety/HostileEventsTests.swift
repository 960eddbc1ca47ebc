import FoundationEssentials
import TestSupport
import Testing

@testable import EventStore
@testable import annals

/// A role that may only insert events writes 200 hostile ids, types and payloads. Then the operator, a superuser, runs
/// every command over them, follows its hints and its advice, and completes the ids. All of them must stay data.
@Suite struct HostileEventsTests {
  /// How many events there are; each has an id, a type and a payload of its own.
  private static let count = 200

  @Test func nothingButDataComesOfThem() async throws {
    try await TestCluster.withServer { _, db in
      let folder = "/tmp/annals-test-\(UInt64.random(in: .min ... .max))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let marker = "/tmp/pwned-\(UInt32.random(in: .min ... .max))"
      let texts = Self.texts(marker: marker)
      #expect(texts.count == Self.count && Set(texts.map { Array($0.utf8) }).count == Self.count)
      try await prepare(db, folder)
      try await insert(texts, version: 1, db)
      let before = try await db.psql(Self.state)

      try await runCommands(db, folder, texts)
      try await followHints(db, folder)
      try await followAdvice(db, folder)
      try await completeIDs(db, folder, marker)

      #expect(try await db.psql(Self.state) == before)
      #expect(try await db.psql("SELECT count(*) FROM trap") == "0")
      #expect(try await db.psql("SELECT count(*) FROM events") == "\(3 * Self.count)")
      #expect(!FileManager.default.fileExists(atPath: marker))
      let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
      #expect(files.subtracting(Self.ownFiles).isEmpty)
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  private static let ownFiles: Set = [
    "sums.sql", "up.sql", "up.plan", "m1", "m2", "m3", "script", "metrics.prom",
  ]

  /// Roles, tables, functions and settings, but for those that the commands make.
  private static let state = """
    SELECT r::text FROM pg_roles r ORDER BY 1;
    SELECT m.roleid::regrole, m.member::regrole FROM pg_auth_members m ORDER BY 1, 2;
    SELECT c.oid::regclass, c.relkind, c.relowner::regrole, c.relacl FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname NOT LIKE 'sums%'
        AND c.relname NOT LIKE 'events%' ORDER BY c.relname;
    SELECT n.nspname FROM pg_namespace n WHERE n.nspname !~ '^(annals|pg_t|aside$)' ORDER BY 1;
    SELECT p.oid::regprocedure, p.prosrc FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname;
    SELECT t.tgname FROM pg_trigger t WHERE NOT t.tgisinternal ORDER BY 1;
    SELECT d::text FROM pg_db_role_setting d ORDER BY 1;
    SELECT * FROM victim ORDER BY 1;
    """
}

// MARK: - What is written

extension HostileEventsTests {
  /// Texts that end a name, a constant, a word or a line where these are taken by Character.
  private static func texts(marker: String) -> [String] {
    let bodies = [
      "{q}; DROP TABLE victim; --", "{q} || pwn() || {q}", "{q}) OR pwn() IS NULL --",
      "{q}, 0)) TO PROGRAM {q}touch \(marker){q}; --", "{q}, 0)) SELECT pwn(); --", "{q}), (pwn(), {q}",
      "{q}; ALTER ROLE writer SUPERUSER; --", "\\{q}; SELECT pwn(); --", "{q}]) AS x, pwn(); --",
      "$annals${q}; SELECT pwn(); $annals$", "{q};touch \(marker);{q}", "{q}`touch \(marker)`",
      "{q}$(touch \(marker))",
      "{q}\ntouch \(marker)\n", "{q} & touch \(marker) #", "{q} | touch \(marker) #", "{q}>\(marker){q}",
      "{streams}{q}{scope} pwn()", "{q}\\.\ntouch {q}", "!{q}!touch \(marker)",
    ]
    let marks = ["\u{600}{q}", "{q}\u{301}", "\u{200D}{q}\u{FE0F}", "{q}\u{903}{q}", "\u{110BD}{q}\u{20DD}"]
    let quotes = ["'", "\""]
    return bodies.enumerated().flatMap { number, body in
      marks.flatMap { mark in
        quotes.map { quote in
          let hidden = mark.replacing("{q}", with: quote)
          return body.replacing("{q}", with: hidden)
        }
      }.enumerated().map { "h\(number / 10)\(number % 10)\($0.offset)\($0.element)" }
    }
  }

  private func prepare(_ db: TestDatabase, _ folder: String) async throws {
    let run = try await runShell(
      """
      set -eu
      cd "$FOLDER"
      cat > sums.sql <<'END'
      -- @projection sums
      -- @create
      CREATE TABLE sums (id text PRIMARY KEY, type text, data jsonb);
      -- @on *
      INSERT INTO sums VALUES (event.aggregate_id, event.event_type, event.event_data)
      ON CONFLICT (id) DO UPDATE SET data = excluded.data;
      END
      cat > up.sql <<'END'
      -- @upcaster up
      -- @event *
      -- @when NOT event.event_data ? 'up'
      -- @data
      SELECT event.event_data || '{"up": 1}';
      END
      "$ANNALS" init
      """,
      environment: environment(db, folder)
    )
    #expect(run.exitCode == 0, "\(run.standardError)")
    try await db.psql(
      """
      CREATE TABLE victim (n integer); INSERT INTO victim VALUES (1);
      CREATE TABLE trap (n integer);
      CREATE FUNCTION pwn() RETURNS text LANGUAGE sql AS 'INSERT INTO trap VALUES (1) RETURNING n::text';
      CREATE ROLE writer LOGIN; GRANT INSERT ON events TO writer;
      """
    )
  }

  /// As the role that may only insert; the texts reach the server as bytes.
  private func insert(_ texts: [String], version: Int, _ db: TestDatabase) async throws {
    let rows = texts.map { text in
      let hexadecimal = text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      return "(convert_from('\\x\(hexadecimal)', 'UTF8'))"
    }
    let writer = TestDatabase(name: db.name, environment: db.environment.merging(["PGUSER": "writer"]) { $1 })
    try await writer.psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version, metadata)
      SELECT t, left(t, 100), jsonb_build_object(t, t, 'n', jsonb_build_array(t)), \(version),
             jsonb_build_object('correlation_id', t)
      FROM (VALUES \(rows.joined(separator: ", "))) AS v (t)
      """
    )
  }
}

// MARK: - What the operator does

extension HostileEventsTests {
  private func environment(_ db: TestDatabase, _ folder: String) -> [String: String] {
    db.environment.merging(["ANNALS": "\(AnnalsBinary.path)", "FOLDER": folder]) { $1 }
  }

  /// Runs a command in the folder; each must end well, or with findings.
  private func annals(
    _ arguments: [String],
    _ db: TestDatabase,
    _ folder: String,
    statuses: Set<Int32> = [0]
  ) async throws -> String {
    let run = try await runShell(
      "cd \"$FOLDER\" && \"$ANNALS\" \(arguments.map(quoteShell).joined(separator: " "))",
      environment: environment(db, folder)
    )
    #expect(
      statuses.contains(run.exitCode ?? -1),
      "\(arguments.prefix(3)): \(run.standardError.prefix(2000))"
    )
    return run.standardOutput
  }

  private func runCommands(_ db: TestDatabase, _ folder: String, _ texts: [String]) async throws {
    func annals(_ arguments: String..., statuses: Set<Int32> = [0]) async throws {
      _ = try await self.annals(arguments, db, folder, statuses: statuses)
    }
    try await annals("verify-versions", "--manifest", "m1")
    try await annals("verify-versions", "--incremental")
    try await annals("rebuild-projection", "sums.sql")
    try await annals("replay", "--checkpoint", "mail", "-o", "ndjson")
    try await insert(texts, version: 2, db)
    // Streams that go on, and others that are read whole, by name.
    try await annals("verify-versions", "--incremental", "--against", "m1", "--manifest", "m2")
    try await annals("verify-versions", "--against", "m2", "--metrics-file", "metrics.prom", "--explain")
    try await insert(texts, version: 3, db)
    try await annals("verify-versions", "--against", "m2", "--manifest", "m3", statuses: [0, 2])
    for format in ["table", "csv", "json", "ndjson"] { try await annals("stream", "-o", format) }
    for text in texts.indices where text.isMultiple(of: 20) {
      let id = texts[text]
      try await annals("stream", id)
      try await annals("streams", "--", id)
      try await annals("stream", "--type", String(id.unicodeScalars.prefix(100)))
      try await annals("stream", "--category", String(id.unicodeScalars.prefix { $0 != "-" }))
      try await annals("verify-versions", id)
      try await annals("snapshot", "show", id, "--blame", statuses: [0])
      try await annals("snapshot", "show", id, "--diff", "1", "2", statuses: [0])
      try await annals("trace", id)
      try await annals("types", "show", String(id.unicodeScalars.prefix(100)))
      try await annals("replay", "--aggregate", id)
    }
    let handler = "while read -r line; do position=${line#*:}; echo ${position%%,*}; done"
    try await annals("replay", "--checkpoint", "commands", "--exec", handler)
    try await annals("types", "list")
    for format in ["table", "csv", "json", "ndjson"] {
      try await annals("streams", "--all", "-o", format)
      try await annals("streams", "--categories", "--all", "-o", format)
      try await annals("stats", "--by", "category,type", "--all", "-o", format)
    }
    try await annals("watermark")
    try await annals("check", statuses: [0, 2])
    try await annals("project", "--once", "sums.sql")
    try await annals("check-projection", "sums.sql")
    try await annals("rebuild-projection", "-n", "sums.sql")
    try await annals("rebuild-projection", "--restart", "sums.sql")
    try await annals("projections", "list")
    try await annals("replay", "--into", "aside", "sums.sql")
    try await pruneSnapshots(db, folder, texts)
    try await annals("evolve", "check", "up.sql", statuses: [0, 2])
    try await annals("evolve", "plan", "up.sql", "--out", "up.plan")
    try await annals("evolve", "apply", "up.plan", "--into", "events_v2", "--swap", "--yes")
    try await annals("evolve", "rollback", "--into", "events_v2", "--yes")
  }

  /// The SQL that a dry run prints is run by psql, and deletes no more than the command would.
  private func pruneSnapshots(_ db: TestDatabase, _ folder: String, _ texts: [String]) async throws {
    _ = try await annals(["snapshot", "take", "--all"], db, folder)
    _ = try await annals(["snapshot", "list"], db, folder)
    _ = try await annals(["snapshot", "verify"], db, folder)
    let half = Array(texts.prefix(Self.count / 2))
    let plan = try await annals(["snapshot", "prune", "--keep", "0", "-n"] + half, db, folder)
    try await db.psql(plan)
    #expect(try await db.psql("SELECT count(*) FROM annals.snapshots") == "\(Self.count - half.count)")
    _ = try await annals(["snapshot", "prune", "--keep", "0", "--yes"] + texts, db, folder)
    #expect(try await db.psql("SELECT count(*) FROM annals.snapshots") == "0")
  }

  /// The command in the hint of a version conflict, pasted into sh, gets only the id.
  private func followHints(_ db: TestDatabase, _ folder: String) async throws {
    let store = try EventStore(connecting: db.conninfo)
    let texts = try await db.psql(
      "SELECT DISTINCT encode(convert_to(aggregate_id, 'UTF8'), 'hex') FROM events ORDER BY 1"
    )
    var (script, expected) = ("annals() { printf '%s\\0' \"$@\"; }\n", [String]())
    for line in texts.split(separator: "\n") {
      let digits = Array(line.utf8)
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
      }
      let id = String(decoding: bytes, as: UTF8.self)
      let error = await #expect(throws: EventStoreError.self) {
        _ = try await store.append([NewEvent(type: "T")], to: id, expecting: .version(77))
      }
      let hint = Advice.text(try #require(error?.hint))
      let command = try #require(hint.firstRange(of: "annals stream "))
      script += hint[command.lowerBound...] + "\n"
      expected += ["stream", id]
    }
    #expect(expected.count == 2 * Self.count)
    try script.write(toFile: folder + "/script", atomically: true, encoding: .utf8)
    let run = try await runShell("cd \"$FOLDER\" && sh ./script", environment: environment(db, folder))
    let given = run.outputBytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    #expect(given.map(Array.init) == expected.map { Array($0.utf8) })
    #expect(run.standardError == "")
  }

  /// Whatever doctor advises is run as SQL.
  private func followAdvice(_ db: TestDatabase, _ folder: String) async throws {
    let run = try await runShell(
      "cd \"$FOLDER\" && \"$ANNALS\" doctor -o ndjson | jq -r '.advice // empty' | psql -X -q -f - 2>&1",
      environment: environment(db, folder)
    )
    #expect(run.exitCode == 0)
  }

  /// Each id is completed in bash, without a quote and after each kind of quote, and the command gets exactly this id.
  private func completeIDs(_ db: TestDatabase, _ folder: String, _ marker: String) async throws {
    let environment = environment(db, folder).merging(["ANNALS_COMPLETION_TIMEOUT": "60000"]) { $1 }
    var (words, number) = ("", 0)
    for quote in ["", "'", "\""] {
      for prefix in (0..<Self.count / 10).map({ "h\($0 / 10)\($0 % 10)" }) {
        let run = try await AnnalsBinary.run(
          [
            "---completion", "stream", "--", "positional@0", "0", "0", "annals stream \(quote)\(prefix)",
            quote + prefix,
          ],
          environment: environment
        )
        for name in run.standardOutput.unicodeScalars.split(separator: "\n") {
          words += "printf '%s\\0' \(quote)\(ShellQuotingTests.closed(String(name), by: quote))\n"
          number += 1
        }
      }
    }
    // Those with a newline are not offered.
    #expect(number > 500)
    try words.write(toFile: folder + "/script", atomically: true, encoding: .utf8)
    let run = try await runShell("cd \"$FOLDER\" && bash --norc ./script", environment: environment)
    #expect(run.standardError == "")
    let given = run.outputBytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    #expect(given.count == number)
    let known = try await db.psql(
      "SELECT DISTINCT encode(convert_to(aggregate_id, 'UTF8'), 'hex') FROM events ORDER BY 1"
    )
    let ids = Set(known.split(separator: "\n").map(String.init))
    for bytes in given {
      let hexadecimal = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      #expect(ids.contains(hexadecimal), "\(String(decoding: bytes, as: UTF8.self))")
    }
  }
}
