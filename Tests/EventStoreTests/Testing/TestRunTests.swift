import EventStore
import TestSupport
import Testing

/// Tests of projections, reducers, upcasters and layouts, as they run.
@Suite struct TestRunTests {
  static let sums = """
    -- @projection sums
    -- @create
    CREATE TABLE sums (id text PRIMARY KEY, total bigint NOT NULL);
    -- @on Added
    INSERT INTO sums VALUES (event.aggregate_id, (event.event_data->>'n')::bigint)
    ON CONFLICT (id) DO UPDATE SET total = sums.total + excluded.total;
    -- @check none is negative
    SELECT id FROM sums WHERE total < 0;

    """
  static let reducer = """
    -- @reducer r
    -- @on Added
    SELECT state || jsonb_build_object('n', coalesce((state->>'n')::bigint, 0) + (event.event_data->>'n')::bigint);
    """
  static let upcaster = """
    -- @upcaster u
    -- @event Plus
    -- @data
    SELECT event.event_data || '{"n": 5}';
    -- @rename Plus Added
    """

  static func added(_ n: String, to id: String = "a-1", _ type: String = "Added") -> String {
    #"-- {"aggregate_id": "\#(id)", "event_type": "\#(type)", "event_data": {"n": \#(n)}}"# + "\n"
  }

  static func files(_ more: [String: String] = [:]) -> TestFiles {
    TestFiles(files: ["p.sql": sums, "r.sql": reducer, "u.sql": upcaster].merging(more) { $1 })
  }

  func run(
    _ text: String,
    _ files: TestFiles = files(),
    in database: TestDatabase,
    timeout: Duration? = nil,
    recording: Bool = false
  ) async throws -> [TestResult] {
    let store = try EventStore(connecting: database.conninfo)
    var results: [TestResult] = []
    for test in try files.read(text).tests {
      results.append(try await store.run(test, timeout: timeout, recording: recording))
    }
    return results
  }

  /// The only result of a text in a database of its own.
  func result(_ text: String, _ files: TestFiles = files(), sql: String = "") async throws
    -> TestResult
  {
    try await TestCluster.withDatabase { database in
      if !sql.isEmpty { try await database.psql(sql) }
      return try await run(text, files, in: database)[0]
    }
  }

  static let passing = """
    -- @test two events
    -- @projection p.sql
    -- @given
    \(added("1"))\(added("2"))-- @expect
    SELECT id, total FROM sums;
    -- id  | total
    -- ----+------
    -- a-1 | 3

    """

  /// The database has no table of events, and none of annals; a read model of the same name stays as it is.
  @Test func nothingIsChangedOrSeen() async throws {
    try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        CREATE TABLE sums (id text PRIMARY KEY, total bigint); INSERT INTO sums VALUES ('a-1', 40);
        CREATE TABLE events (id text);
        """
      )
      let before = try await database.psql(Self.contents)
      #expect(try await run(Self.passing, in: database).map(\.status) == [.passed])
      let seeing = Self.passing.replacing(
        "SELECT id, total FROM sums",
        with: "SELECT id, total FROM public.sums WHERE false"
      )
      #expect(try await run(seeing, in: database).map(\.status) == [.failed])
      #expect(try await database.psql(Self.contents) == before)
      #expect(try await database.psql("SELECT total FROM sums") == "40")
    }
  }

  static let contents = """
    SELECT (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc)
    """

  /// What the lines leave out is the same each time.
  @Test func eventsAreNumbered() async throws {
    let result = try await result(
      """
      -- @test a
      -- @upcaster u.sql
      -- @given
      \(Self.added("1"))\(Self.added("2", to: "a-2"))
      -- @given
      \(Self.added("3"))
      -- @expect
      SELECT position, id, aggregate_id, version, "timestamp", metadata FROM events ORDER BY position;
      -- position | id                                   | aggregate_id | version | timestamp              | metadata
      -- ---------+--------------------------------------+--------------+---------+------------------------+---------
      -- 1        | 00000000-0000-0000-0000-000000000001 | a-1          | 1       | 2000-01-01 00:00:01+00 | NULL
      -- 2        | 00000000-0000-0000-0000-000000000002 | a-2          | 1       | 2000-01-01 00:00:02Z   | NULL
      -- 3        | 00000000-0000-0000-0000-000000000003 | a-1          | 2       | 2000-01-01 00:00:03+00 | NULL
      """
    )
    #expect(result.status == .passed, "\(result.failures)")
  }

  @Test func eventsGoThroughUpcasters() async throws {
    let result = try await result(
      """
      -- @test a
      -- @upcaster u.sql
      -- @projection p.sql
      -- @given
      \(Self.added("1", to: "a-1", "Plus"))\(Self.added("2"))
      -- @expect
      SELECT total FROM sums;
      -- total
      -- -----
      -- 7
      """
    )
    #expect(result.status == .passed, "\(result.failures)")
  }

  /// As in the copy that an evolution makes.
  @Test func anUpcasterThatSplits() async throws {
    let split = """
      -- @upcaster s
      -- @event Both
      -- @split
      SELECT 'Added', jsonb_build_object('n', n) FROM jsonb_array_elements(event.event_data->'n') AS n;
      """
    let result = try await result(
      """
      -- @test a
      -- @upcaster s.sql
      -- @given
      \(Self.added("[1, 2]", to: "a-1", "Both"))\(Self.added("3"))
      -- @expect
      SELECT position, version, event_type, event_data FROM events ORDER BY position;
      -- position | version | event_type | event_data
      -- ---------+---------+------------+-----------
      -- 1        | 1       | Added      | {"n": 1}
      -- 2        | 2       | Added      | {"n": 2}
      -- 3        | 3       | Added      | {"n": 3}

      -- @given
      \(Self.added("[4]", to: "a-1", "Both"))
      -- @expect
      SELECT count(*), max(version) FROM events;
      -- count | max
      -- ------+----
      -- 4     | 4
      """,
      Self.files(["s.sql": split])
    )
    #expect(result.status == .passed, "\(result.failures)")
  }

  @Test func theStatesOfAReducer() async throws {
    let result = try await result(
      """
      -- @test a
      -- @reducer r.sql
      -- @given
      \(Self.added("1"))\(Self.added("2"))
      -- @expect
      SELECT * FROM states;
      -- aggregate_id | version | state
      -- -------------+---------+---------
      -- a-1          | 2       | {"n":3}

      -- @given
      \(Self.added("3"))
      -- @expect
      SELECT version, state FROM states;
      -- version | state
      -- --------+---------
      -- 3       | {"n": 6}

      -- @given
      \(Self.added("\"x\""))
      -- @expect-error 22P02
      """
    )
    #expect(result.status == .passed, "\(result.failures)")
  }

  @Test func aReducerThatFailsNamesTheEvent() async throws {
    let result = try await result(
      """
      -- @test a
      -- @reducer r.sql
      -- @given
      \(Self.added("1"))\(Self.added("\"x\""))
      -- @expect
      SELECT 1 AS one;
      -- one
      -- ---
      -- 1
      """
    )
    #expect(result.status == .failed)
    #expect(
      result.failures.first?.message
        == "r.sql:3: the reducer failed for the event at version 2 of 'a-1' (Added): invalid input syntax for type bigint: \"x\""
    )
  }

  // MARK: Rows

  @Test func rowsThatDiffer() async throws {
    let text = """
      -- @test a
      -- @projection p.sql
      -- @given
      \(Self.added("1"))\(Self.added("2", to: "a-2"))
      -- @expect
      SELECT id, total FROM sums;
      -- id  | total
      -- ----+------
      -- a-2 | 2
      -- a-1 | 1
      """
    #expect(try await result(text).status == .passed, "without ORDER BY no order is meant")
    let ordered = try await result(text.replacing("FROM sums", with: "FROM sums ORDER BY id"))
    #expect(ordered.status == .failed)
    #expect(ordered.failures.map(\.message) == ["t.test.sql:7:1: the rows come in another order"])
    let other = try await result(text.replacing("-- a-1 | 1", with: "-- a-1 | 3\n-- a-3 | NULL"))
    #expect(other.failures.map(\.message) == ["t.test.sql:7:1: the rows differ"])
    #expect(
      other.failures.first?.difference == [
        "  id  | total", "  ----+------", "- a-1 | 3", "- a-3 | NULL", "+ a-1 | 1",
      ]
    )
    let columns = try await result(text.replacing("SELECT id, total", with: "SELECT id, total AS sum"))
    #expect(columns.failures.map(\.message) == ["t.test.sql:7:1: the columns are id, sum, not id, total"])
    let none = try await result(text.replacing(/-- id(.|\n)*$/, with: ""))
    #expect(
      none.failures.map(\.message) == [
        "t.test.sql:7:1: the file has no rows for this query, which gives 2 rows"
      ]
    )
    let wrong = try await result(text.replacing("a-1 | 1", with: "a-1 | one"))
    #expect(wrong.status == .wrong)
    #expect(
      wrong.failures.map(\.message) == ["t.test.sql:12:1: invalid input syntax for type bigint: \"one\""]
    )
  }

  /// A failing query does not keep the next one from running.
  @Test func aQueryThatFails() async throws {
    let one = "-- @expect\nSELECT 1 / count(*) AS n FROM events;\n-- n\n-- -\n-- 1\n\n"
    let result = try await result("-- @test a\n-- @reducer r.sql\n\(one)\(one.replacing("1 /", with: "2 /"))")
    #expect(result.status == .failed)
    #expect(
      result.failures.map(\.message) == [
        "t.test.sql:4:1: division by zero", "t.test.sql:10:1: division by zero",
      ]
    )
    let wrong = try await self.result(
      "-- @test a\n-- @reducer r.sql\n-- @expect\nSELECT n\n  FROM nothing;\n-- n\n-- -\n"
    )
    #expect(
      wrong.status == .wrong && wrong.failures.first?.message.hasPrefix("t.test.sql:5:8: relation") == true
    )
  }

  /// Whatever a value is, the recorded text is read back as the same value.
  @Test func recordingWritesWhatItReads() async throws {
    let odd = """
      SELECT v AS "a value|", NULL AS n, b, ARRAY['x', NULL] AS list, ROW(1, NULL) AS pair, d, j, c
      FROM (VALUES (1, '', true, interval '90 min', '[1,  2]'::json, 'ab '::char(4)), (2, 'NULL', false, '-1 day', '"|"', 'c'),
        (3, E'two\\nlines', NULL, NULL, NULL, NULL), (4, ' a | b ', NULL, NULL, NULL, NULL), (5, '"quoted"', NULL, NULL, NULL, NULL),
        (6, '@test', NULL, NULL, NULL, NULL), (7, '(2 rows)', NULL, NULL, NULL, NULL), (8, E'back\\\\slash', NULL, NULL, NULL, NULL),
        (9, 'ä 🙂', NULL, NULL, NULL, NULL)) AS t (k, v, b, d, j, c) ORDER BY k;
      """
    let text =
      "-- @test a\n-- @reducer r.sql\n-- @expect\n\(odd)\n-- old\n-- ---\n\n-- After it.\n-- @expect\nTABLE states"
    try await TestCluster.withDatabase { database in
      var results = try await run(text, in: database, recording: true)
      #expect(results.map(\.status) == [.recorded])
      let file = try Self.files().read(text)
      let recorded = String(decoding: file.recording(results), as: UTF8.self)
      #expect(recorded.contains(#"-- "a value|"   | n    | b"#), "\(recorded)")
      #expect(
        recorded.contains("\n\n-- After it.\n-- @expect\nTABLE states\n-- aggregate_id | version | state\n")
      )
      #expect(recorded.contains("\n-- (0 rows)\n"))
      results = try await run(recorded, in: database)
      #expect(results.map(\.status) == [.passed], "\(results.flatMap(\.failures))\n\(recorded)")
      let again = try await run(recorded, in: database, recording: true)
      #expect(again.map(\.status) == [.passed])
      #expect(file.recording([]) == Array(text.utf8))
    }
  }

  // MARK: As a rebuild

  @Test func aHandlerThatFails() async throws {
    let given = "-- @test a\n-- @projection p.sql\n-- @given\n\(Self.added("1"))\(Self.added("\"x\""))"
    let failed = try await result(given + "-- @expect\nSELECT 1 AS n;\n-- n\n-- -\n-- 1")
    #expect(failed.status == .failed)
    #expect(
      failed.failures.map(\.message) == [
        "p.sql:5: the handler failed for the event at position 2 (a-1, version 2, Added): invalid input syntax for type bigint: \"x\""
      ]
    )
    #expect(try await result(given + "-- @expect-error 22P02").status == .passed)
    let other = try await result(given + "-- @expect-error 23505")
    #expect(
      other.failures.first?.message.hasPrefix(
        "t.test.sql:6:1: SQLSTATE 22P02 came, and 23505 was expected: p.sql:5:"
      ) == true
    )
    let none = try await result(given.replacing("\"x\"", with: "2") + "-- @expect-error 22P02")
    #expect(
      none.failures.map(\.message) == ["t.test.sql:6:1: no error came, and SQLSTATE 22P02 was expected"]
    )
  }

  @Test func aCheckThatFindsSomething() async throws {
    let given = "-- @test a\n-- @projection p.sql\n-- @given\n\(Self.added("-1"))"
    let failed = try await result(given + "-- @expect\nSELECT 1 AS n;\n-- n\n-- -\n-- 1")
    #expect(failed.failures.map(\.message) == ["p.sql:7: check failed: none is negative"])
    #expect(try await result(given + "-- @expect-check none is negative").status == .passed)
    let none = try await result(given.replacing("-1}", with: "1}") + "-- @expect-check none is negative")
    #expect(none.failures.map(\.message) == ["t.test.sql:5:1: the check finds nothing: none is negative"])
  }

  /// A statement that a rebuild refuses is refused.
  @Test(arguments: [
    ("SELECT nothing FROM sums;", "p.sql:8:8: column \"nothing\" does not exist"),
    ("INSERT INTO live VALUES (1);", "p.sql:8:13: relation \"live\" does not exist"),
    ("INSERT INTO public.live VALUES (1);", "p.sql:7:1: its statements change or lock public.live"),
    ("SELECT * FROM events;", "p.sql:8:15: relation \"events\" does not exist"),
    ("UPDATE sums SET total = public.next();", "p.sql:7:1: its statements change or lock public.live"),
  ])
  func isRefusedAsInARebuild(statement: String, message: String) async throws {
    let check = "-- @check none is negative\nSELECT id FROM sums WHERE total < 0;\n"
    let file = Self.sums.replacing(check, with: "-- @on *\n\(statement)\n")
    try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        CREATE TABLE live (n bigint);
        CREATE FUNCTION next() RETURNS bigint LANGUAGE sql AS 'INSERT INTO public.live VALUES (1) RETURNING n';
        """
      )
      let text = Self.passing.replacing(
        "\"Added\", \"event_data\": {\"n\": 2}",
        with: "\"Other\", \"event_data\": {}"
      )
      let results = try await run(text, Self.files(["p.sql": file]), in: database)
      #expect(results.map(\.status) == [.wrong])
      #expect(results[0].failures.first?.message.hasPrefix(message) == true, "\(results[0].failures)")
      #expect(try await database.psql("SELECT count(*) FROM live") == "0")
    }
  }

  /// A constraint acts when it would in a rebuild, also in the second part of a test.
  @Test func deferredConstraints() async throws {
    let file = """
      -- @projection p
      -- @create
      CREATE TABLE a (id text PRIMARY KEY);
      CREATE TABLE b (id text REFERENCES a DEFERRABLE INITIALLY DEFERRED);
      -- @on Child
      INSERT INTO b VALUES (event.event_data->>'n');
      -- @on Parent
      INSERT INTO a VALUES (event.event_data->>'n');
      """
    let result = try await result(
      """
      -- @test a
      -- @projection p.sql
      -- @given
      \(Self.added("1", to: "c", "Child"))\(Self.added("1", to: "p", "Parent"))-- @expect
      SELECT id FROM b;
      -- id
      -- --
      -- 1

      -- @given
      \(Self.added("2", to: "c", "Child"))\(Self.added("2", to: "p", "Parent"))-- @expect
      SELECT count(*) FROM b;
      -- count
      -- -----
      -- 2

      -- @given
      \(Self.added("3", to: "c", "Child"))-- @expect-error 23503
      """,
      Self.files(["p.sql": file])
    )
    #expect(result.status == .passed, "\(result.failures)")
  }

  @Test func whatRunsTooLongFails() async throws {
    try await TestCluster.withDatabase { database in
      let slow = Self.sums.replacing("INSERT INTO", with: "SELECT pg_sleep(60);\nINSERT INTO")
      let text =
        Self.passing + "-- @test the next\n-- @reducer r.sql\n-- @expect\nSELECT 1 AS n;\n-- n\n-- -\n-- 1\n"
      let results = try await run(
        text,
        Self.files(["p.sql": slow]),
        in: database,
        timeout: .milliseconds(300)
      )
      #expect(results.map(\.status) == [.failed, .passed], "\(results.flatMap(\.failures))")
      #expect(
        results[0].failures.first?.message.contains("canceling statement due to statement timeout") == true
      )
    }
  }
}
