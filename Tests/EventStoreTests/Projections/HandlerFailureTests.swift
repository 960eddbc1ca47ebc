import EventStore
import LibPQ
import TestSupport
import Testing

@Suite struct HandlerFailureTests {
  private static let setUp = """
    CREATE TABLE events (
      id uuid DEFAULT gen_random_uuid(), aggregate_id varchar(255) COLLATE "C", event_type varchar(100),
      event_data jsonb, version integer, "timestamp" timestamptz DEFAULT now(), metadata jsonb,
      position bigint GENERATED ALWAYS AS IDENTITY UNIQUE);
    CREATE TABLE t (n integer PRIMARY KEY);
    INSERT INTO events (aggregate_id, event_type, event_data, version)
    SELECT 'a-' || n, 'A', to_jsonb(n), n FROM generate_series(1, 5) AS n;
    """

  private func compiler(_ sections: String) throws -> ProjectionCompiler {
    let text = "-- @projection p\n-- @create\nCREATE TABLE t (n integer PRIMARY KEY);\n" + sections
    let file = try Projection(path: "p.sql", bytes: Array(text.utf8))
    return ProjectionCompiler(file, source: "events")
  }

  /// The error of compiling the function, or else of running it.
  private func failure(of code: GeneratedCode, running call: String) async throws -> PostgresError? {
    try await TestCluster.withDatabase { database in
      try await database.psql(Self.setUp)
      let connection = try Connection(
        ConnectionParameters(database: database.conninfo),
        canceller: Canceller()
      )
      do throws(PostgresError) {
        try connection.execute(code.sql)
        try connection.execute(call)
        return nil
      } catch {
        return error
      }
    }
  }

  @Test(arguments: [
    ("-- @on A\nUPDATE t\nSET n = 1 WERE n = 2;", "p.sql:6:11: syntax error at or near \"WERE\""),
    ("-- @on A\n  SELECT n,\n    é FROM t;", "p.sql:6:5: column \"é\" does not exist"),
    (
      "-- @on A\nDELETE FROM t; UPDATE t SET x = 1;",
      "p.sql:5:29: column \"x\" of relation \"t\" does not exist"
    ),
    ("-- @on A\nSELECT event.nothing;", "p.sql:5:1: record \"event\" has no field \"nothing\""),
    (
      "-- @batch A\nWITH a AS (SELECT 1)\nINSERT INTO t SELECT x FROM events;",
      "p.sql:6:22: column \"x\" does not exist"
    ),
    ("-- @on A\nDELETE FROM t;\n-- @check c\nSELECT n\nFROM u;", "p.sql:8:6: relation \"u\" does not exist"),
  ])
  func pointsIntoTheFile(sections: String, message: String) async throws {
    let code = try compiler(sections).checkFunction()
    let error = try await failure(of: code, running: "SELECT pg_temp.annals_check()")
    #expect(error.flatMap(code.fileError)?.description == message)
  }

  @Test func namesTheEvent() async throws {
    let code = try compiler("-- @on A\n\nINSERT INTO t VALUES (1 / (3 - event.version));").applyFunction()
    let error = try await failure(of: code, running: "SELECT pg_temp.annals_apply(2, 9)")
    #expect(error?.sqlState == "22012")
    #expect(error?.message == "division by zero")
    let failure = try #require(error?.detail.flatMap(HandlerFailure.init(errorDetail:)))
    #expect(failure.firstPosition == 3 && failure.lastPosition == 3)
    #expect(failure.aggregateID == "a-3")
    #expect(failure.version == 3)
    #expect(failure.eventType == "A")
    #expect(failure.detail == nil)
    #expect(code.location(inContext: failure.context)?.line == 6)
  }

  @Test func namesTheRun() async throws {
    let code = try compiler("-- @batch A\nINSERT INTO t SELECT 1 FROM events;").applyFunction()
    let error = try await failure(of: code, running: "SELECT pg_temp.annals_apply(1, 4)")
    #expect(error?.sqlState == "23505")
    let failure = try #require(error?.detail.flatMap(HandlerFailure.init(errorDetail:)))
    #expect(failure.firstPosition == 2)
    #expect(failure.lastPosition == 4)
    #expect(failure.aggregateID == nil)
    #expect(failure.detail == "Key (n)=(1) already exists.")
    #expect(code.location(inContext: failure.context)?.line == 5)
  }
}
