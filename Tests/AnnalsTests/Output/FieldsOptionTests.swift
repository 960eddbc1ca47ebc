import TestSupport
import Testing

/// `--fields`: which fields of the records, and in which order.
@Suite struct FieldsOptionTests {
  /// Every command that prints records, in each of its ways, and the fields that a table has.
  private static let commands: [(command: String, names: String)] = [
    ("append a Added", "aggregate_id, version, position, id, status"),
    (
      "stream",
      "position, aggregate, version, time, event_type, payload, aggregate_id, timestamp, id, event_data, metadata"
    ),
    (
      "stream a",
      "version, time, interval, event_type, payload, position, aggregate_id, timestamp, id, event_data, metadata"
    ),
    (
      "streams",
      "aggregate_id, events, is_estimate, first_version, last_version, first_time, last_time, times_are_estimates, bytes"
    ),
    ("streams --categories", "category, streams, events, is_estimate"),
    (
      "stats",
      "events, streams, types, is_estimate, oldest, newest, events_last_hour, events_last_day, events_per_hour"
        + ", events_per_day, table_bytes, index_bytes, toast_bytes, total_bytes, bytes_per_event, growth_per_day"
    ),
    (
      "stats --by type,category",
      "event_type, category, events, is_estimate, streams, bytes, first_time, last_time"
    ),
    ("stats --by stream", "aggregate_id, events, is_estimate, streams, bytes, first_time, last_time"),
    ("stream a -o csv", "position, aggregate_id, version, event_type, timestamp, id, event_data, metadata"),
    (
      "show @1 -o csv",
      "relation, position, aggregate_id, version, event_type, timestamp, id, event_data, metadata, state_before"
        + ", state_after"
    ),
    (
      "trace x",
      "event_type, aggregate, version, time, id, payload, depth, causation_id, correlation_id, position, aggregate_id"
        + ", timestamp, event_data, metadata"
    ),
    ("replay -n", "event_type, estimated_events, from_position, to_position"),
    (
      "watermark",
      "head, watermark, process, gid, user, application, age_seconds, query, published, published_seconds"
    ),
    ("snapshot show a", "aggregate_id, version, timestamp, position, reducer, snapshot_version, state"),
    ("snapshot show a --blame", "path, version, event_type, timestamp, event_id, value"),
    ("snapshot show a --diff 1 2", "change, path, old, new"),
    (
      "snapshot list",
      "aggregate_id, version, position, reducer, reducer_version, reducer_hash, status, taken_at, bytes"
    ),
    ("snapshot verify", "kind, aggregate_id, version, path, stored, recomputed, snapshots, reducer_hash"),
    (
      "rebuild-projection -n -",
      "projection, events, estimated_seconds, resumes_at, types, unhandled, creates, keeps, problems"
    ),
    ("rebuild-projection -", "table, live_rows, added, removed, changed, columns, samples"),
    (
      "projections list",
      "name, version, generation, state, position, lag_events, lag_is_lower_bound, lag_seconds, rows, events"
        + ", dead_letters, moved_at, error"
    ),
    (
      "projections show sums",
      "name, version, generation, state, position, lag_events, lag_is_lower_bound, lag_seconds, rows, events"
        + ", dead_letters, moved_at, error"
    ),
    (
      "checkpoints list",
      "name, kind, position, lag_events, lag_is_lower_bound, lag_seconds, moved_at, dead_letters, holder, filter"
    ),
    (
      "dead-letters list",
      "projection, checkpoint, position, aggregate_id, version, event_type, state, attempts, failed_at, sqlstate"
        + ", message, detail"
    ),
    (
      "dead-letters show sums 1",
      "projection, checkpoint, position, aggregate_id, version, event_type, state, attempts, failed_at, sqlstate"
        + ", message, detail"
    ),
    (
      "dead-letters skipped",
      "position, aggregate_id, version, event_type, id, role, skipped_at, reason"
    ),
    (
      "types list",
      "event_type, events, is_estimate, share, first_seen, last_seen, avg_bytes, max_bytes, shapes, examined"
    ),
    ("types show Added", "path, types, events, share, first_seen, last_seen, example"),
    ("types show Added --shapes", "shape, events, share, first_seen, last_seen, difference"),
    ("evolve check -", "kind, event_type, path, events, aggregate_id, version, position, rules, detail"),
    ("evolve plan -", "event_type, events, changed, becomes"),
    ("archive --stream a-1", "archive, streams, events, held_events, held_by"),
    ("redact --path .n", "what, name, version, id, count"),
    ("verify-versions", "kind, severity, aggregate_id, version, last_version, position, detail"),
    (
      "verify-versions --explain",
      "kind, severity, aggregate_id, version, last_version, position, detail, cause, evidence, safe"
    ),
    (
      "compare --with dbname=x",
      "kind, aggregate_id, version, last_version, version_there, events, path, here, there"
    ),
    ("test x.test.sql", "status, test, file, line, milliseconds, failures"),
    ("layouts list", "name, reads, parameters"),
    ("doctor", "area, name, value, source, status, advice"),
    ("audit", "id, at, action, subject, store, role, os_user, os_host, address, reason, detail"),
    (
      "version",
      "version, build, swift, libpq, oldest_postgresql, schema_version, export_format, manifest_format"
    ),
    ("sandbox status", "state, pid, directory, data, socket, version, durable, bytes"),
  ]

  /// Before anything is done: there is no server.
  @Test(arguments: commands)
  func aWrongNameIsAUsageError(command: String, names: String) async throws {
    let words = command.split(separator: " ").map(String.init)
    for (fields, message) in [
      ("no_such", "'no_such' is not a field; choose from \(names)\n"),
      ("", "'' is not a field; choose from \(names)\n"),
    ] {
      let run = try await AnnalsBinary.run(words + ["--fields", fields], environment: ["PGHOST": "/none"])
      #expect(run.exitCode == 64)
      #expect(run.standardError.hasPrefix("annals: error: \(message)"), "\(run.standardError)")
    }
    let first = names.prefix { $0 != "," }
    let run = try await AnnalsBinary.run(
      words + ["--fields", "\(first),\(first.uppercased())"],
      environment: ["PGHOST": "/none"]
    )
    #expect(run.exitCode == 64 && run.standardError.contains("--fields names '\(first)' twice"))
  }

  @Test func allCommandsAreTried() async throws {
    let program = try await ProgramHelp.load()
    for path in program.leaves {
      let help = try await AnnalsBinary.run(["help"] + path).standardOutput
      let command = path.joined(separator: " ")
      let isTried = Self.commands.contains { ($0.command + " ").hasPrefix(command + " ") }
      #expect(help.contains("--fields <a,b>") == isTried, "\(command)")
      #expect(help.contains("-x, --expanded") == isTried, "\(command)")
    }
  }

  private static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, id)
    VALUES ('a', 'Added', '{"n": 1}', 1, '00000000-0000-0000-0000-000000000001'),
      ('a', 'Taken', '{"n": 2}', 3, '00000000-0000-0000-0000-000000000002');
    """

  @Test(arguments: [
    (
      "stream a --fields event_type,version",
      "EVENT TYPE  VERSION\nAdded             1\nTaken             3\n"
    ),
    ("stream a --fields VERSION,Aggregate_ID", "VERSION  AGGREGATE ID\n      1  a\n      3  a\n"),
    ("stream a --fields version --payload full", "VERSION\n      1\n      3\n"),
    (
      "stream a --fields version,id -o ndjson",
      #"{"version":1,"id":"00000000-0000-0000-0000-000000000001"}"# + "\n"
        + #"{"version":3,"id":"00000000-0000-0000-0000-000000000002"}"# + "\n"
    ),
    ("stream a --fields version -o json", "[\n{\"version\":1},\n{\"version\":3}\n]\n"),
    (
      "stream a --fields event_data,version -o csv",
      "event_data,version\r\n\"{\"\"n\"\": 1}\",1\r\n\"{\"\"n\"\": 2}\",3\r\n"
    ),
    (
      "stream a --fields payload,version -x",
      "-[ RECORD 1 ]-----\nPAYLOAD | {\"n\": 1}\nVERSION | 1\n-[ RECORD 2 ]-----\nPAYLOAD | {\"n\": 2}\nVERSION | 3\n"
    ),
    ("verify-versions --fields version,kind", "VERSION  KIND\n      2  gap\n"),
    ("types --fields events,event_type", "EVENTS  EVENT TYPE\n     1  Added\n     1  Taken\n"),
    ("streams --fields last_version,aggregate_id", "LAST VERSION  AGGREGATE ID\n           3  a\n"),
    ("stats --fields types,events", "TYPES  EVENTS\n    2       2\n"),
    (
      "stats --by type,stream --fields events,event_type",
      "EVENTS  EVENT TYPE\n     1  Added\n     1  Taken\n"
    ),
    ("snapshot show a --fields version,state", "VERSION  STATE\n      3  {\"n\": 2}\n"),
    ("append a Added --fields version,status", "VERSION  STATUS\n      4  appended\n"),
    ("projections --fields dead_letters -o csv", "dead_letters\r\n"),
  ])
  func fieldsArePickedAndOrdered(command: String, output: String) async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(command.split(separator: " ").map(String.init))
      // Without the line above a stream.
      let text = run.standardOutput.replacing(/^a: 2 events.*\n\n/, with: "")
      #expect(text == output, "\(run.standardError)")
    }
  }

  @Test func aHeadingIsANameToo() async throws {
    try await withEvents { db, annals in
      try await db.psql(Self.fill)
      let run = try await annals(["stream", "--fields", "Event Type, version"])
      #expect(run.standardOutput == "EVENT TYPE  VERSION\nAdded             1\nTaken             3\n")
    }
  }

  @Test func whatIsNoRecordHasNoFields() async throws {
    for (command, message) in [
      ("replay --fields position", "-x and --fields need --dry-run"),
      ("evolve plan x.sql --fields events -o json", "-o json prints the whole plan"),
    ] {
      let run = try await AnnalsBinary.run(command.split(separator: " ").map(String.init))
      #expect(run.exitCode == 64 && run.standardError.contains(message), "\(run.standardError)")
    }
  }

  /// Even those that a table would leave out first; numbers are not cut for others.
  @Test func whatIsAskedForIsShown() async throws {
    try await withEvents { db, _ in
      try await db.psql(Self.fill)
      let run = try await runShell(
        "script -qec \"'\(AnnalsBinary.path)' stream a --fields id,interval,version,timestamp --color never\" /dev/null < /dev/null",
        environment: db.environment.merging(["TERM": "xterm", "COLUMNS": "50", "ANNALS_PAGER": ""]) { $1 }
      )
      let heading = run.standardOutput.split(separator: "\r\n").first { $0.hasPrefix("ID ") }
      #expect(heading?.hasSuffix("INTERVAL  VERSION  TIMESTAMP") == true, "\(run.standardOutput)")
      #expect(!run.standardOutput.contains("also shows"))
    }
  }
}
