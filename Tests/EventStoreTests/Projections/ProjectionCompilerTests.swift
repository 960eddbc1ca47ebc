import EventStore
import LibPQ
import TestSupport
import Testing

private let eventsTable = """
  CREATE TABLE events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregate_id varchar(255) COLLATE "C" NOT NULL,
    event_type varchar(100) COLLATE "C" NOT NULL, event_data jsonb NOT NULL, version integer NOT NULL,
    "timestamp" timestamptz NOT NULL DEFAULT now(), metadata jsonb,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE);

  """

private func compiler(_ sections: String) throws -> ProjectionCompiler {
  let text =
    "-- @projection p\n-- @create\nCREATE TABLE log (n serial, note text CHECK (note <> 'bad'));\n" + sections
  return ProjectionCompiler(
    try Projection(path: "p.sql", bytes: Array(text.utf8)),
    source: "\"public\".\"events\""
  )
}

/// Appends an event of each type, one aggregate for all.
private func append(_ types: String...) -> String {
  types.enumerated().map { index, type in
    "INSERT INTO events (aggregate_id, event_type, event_data, version) "
      + "VALUES ('a-1', '\(type)', '{\"n\": \(index + 1)}', \(index + 1));\n"
  }.joined()
}

private let createLog = "CREATE TABLE log (n serial, note text CHECK (note <> 'bad'));\n"

@Suite struct ProjectionCompilerTests {
  /// Runs the handlers over everything, and returns the notes in order.
  private func notes(_ sections: String, over events: String) async throws -> String {
    let code = try compiler(sections)
    return try await TestCluster.withDatabase { database in
      try await database.psql(
        eventsTable + createLog + events + code.checkFunction().sql + ";\n" + code.applyFunction().sql + ";\n"
          + """
          SELECT pg_temp.annals_check() \\g /dev/null
          SELECT annals_events FROM pg_temp.annals_apply(0, 1000);
          SELECT string_agg(note, ' ' ORDER BY n) FROM log;
          """
      )
    }
  }

  @Test func runsStatementsOfEveryKind() async throws {
    let sections = #"""
      -- @on A
      INSERT INTO log (note) VALUES ('insert;' || (event.event_data->>'n')); -- after it
      SELECT setval('log_n_seq', 100);
      WITH x AS (INSERT INTO log (note) VALUES ('with') RETURNING n) SELECT n FROM x;
      INSERT INTO log (note) SELECT $annals$dollar$annals$ RETURNING n;
      VALUES (setval('log_n_seq', 200));
      UPDATE log SET note = note || '!' WHERE note LIKE 'with%';
      """#
    #expect(try await notes(sections, over: append("B", "A")) == "1\ninsert;2 with! dollar")
  }

  /// The function's own tag is another one; looking for it ends.
  @Test func aHandlerMayHoldAnyDollarTag() async throws {
    let sections = """
      -- @on A
      INSERT INTO log (note) VALUES ('$annals$ $annals_8$ $annals_10$ $annals_11$');
      INSERT INTO log (note) VALUES ('$annals$\u{301} $annals_1$\u{301}');
      """
    #expect(
      try await notes(sections, over: append("A"))
        == "1\n$annals$ $annals_8$ $annals_10$ $annals_11$ $annals$\u{301} $annals_1$\u{301}"
    )
  }

  @Test func runsSectionsOfOneTypeInFileOrder() async throws {
    let sections = """
      -- @on A, B
      INSERT INTO log (note) VALUES ('1' || event.event_type);
      -- @on B
      INSERT INTO log (note) VALUES ('2' || event.event_type);
      -- @on *
      INSERT INTO log (note) VALUES ('*' || event.event_type);
      """
    #expect(try await notes(sections, over: append("A", "C", "B")) == "3\n1A *C 1B 2B")
  }

  @Test func keepsTheOrderOfRunsAndEvents() async throws {
    let sections = """
      -- @batch A, B
      INSERT INTO log (note) SELECT string_agg(event_type, '+' ORDER BY position) FROM events;
      -- @batch B
      WITH RECURSIVE one AS (SELECT 1) INSERT INTO log (note) SELECT count(*) || 'B' FROM events, one;
      -- @on C
      INSERT INTO log (note) VALUES (event.event_type);
      -- @batch D
      SELECT setval('log_n_seq', 100) FROM events;
      INSERT INTO log (note) SELECT event_type FROM events;
      """
    let events = append("A", "B", "A", "C", "X", "B", "D", "B")
    #expect(try await notes(sections, over: events) == "7\nA+B+A 1B C B 1B D B 1B")
  }

  @Test func comparesIdsInTheCollationOfTheReadModel() async throws {
    let sections = """
      -- @on A
      INSERT INTO log (note) VALUES (pg_collation_for(event.aggregate_id));
      -- @batch B
      INSERT INTO log (note) SELECT pg_collation_for(aggregate_id) FROM events;
      """
    #expect(try await notes(sections, over: append("A", "B")) == "2\n\"default\" \"default\"")
  }

  @Test func copiesTheFileLineByLine() throws {
    let code = try compiler("-- @on A\n  SELECT 'é',\n  2; DELETE FROM log;").applyFunction()
    let lines = code.sql.split(separator: "\n", omittingEmptySubsequences: false)
    let copied = zip(lines, code.fileLines).compactMap { line, number in number.map { "\($0)\(line)" } }
    #expect(copied == ["5PERFORM", "5         'é',", "6  2;", "6     DELETE FROM log;"])
  }
}
