import EventStore
import TestSupport
import Testing

/// Tests of what is beside a read model: tables of the database, layouts.
extension TestRunTests {
  @Test func aTableBesideTheReadModel() async throws {
    let file = Self.sums.replacing("-- @create", with: "-- @writes mail.box\n-- @create")
      .replacing("-- @on Added\n", with: "-- @on Added\nINSERT INTO mail.box VALUES (event.position);\n")
    let text = Self.passing.replacing(
      "-- @given",
      with: "-- @setup\nCREATE SCHEMA mail;\nCREATE TABLE mail.box (n bigint);\n-- @given"
    )
    .replacing("SELECT id, total FROM sums", with: "SELECT 'a-1' AS id, sum(n) AS total FROM mail.box")
    let files = Self.files(["p.sql": file])
    let made = try await result(text, files)
    #expect(made.status == .passed, "\(made.failures)")
    let live = try await result(
      text.replacing(/-- @setup(.|\n)*-- @given/, with: "-- @given"),
      files,
      sql: "CREATE SCHEMA mail; CREATE TABLE mail.box (n bigint)"
    )
    #expect(live.status == .wrong)
    #expect(
      live.failures.first?.message
        == "p.sql: the projection writes to mail.box, which is there in this database"
    )
  }

  @Test(arguments: [
    ("INSERT INTO public.live VALUES (1);", "t.test.sql:4:1: @setup changes or locks public.live"),
    ("CREATE TABLE public.live ();", "t.test.sql:4:1: relation \"live\" already exists"),
    ("COPY public.live FROM stdin;", "t.test.sql:4:1: @setup cannot run COPY"),
    ("SELECT 1/0;", "t.test.sql:4:1: division by zero"),
  ])
  func setUpThatIsRefused(statement: String, message: String) async throws {
    let result = try await result(
      "-- @test a\n-- @reducer r.sql\n-- @setup\n\(statement)\n-- @expect\nSELECT 1 AS n;\n-- n\n-- -\n-- 1\n",
      sql: "CREATE TABLE live (n bigint)"
    )
    #expect(result.status == .wrong)
    #expect(result.failures.first?.message.hasPrefix(message) == true, "\(result.failures)")
  }

  @Test func aLayout() async throws {
    let layout = """
      -- @layout audit
      -- @table app.audit
      SELECT a.uid AS id, a.entity AS aggregate_id, a.action AS event_type, a.payload::jsonb AS event_data,
        a.revision AS version, to_timestamp(a.at_ms / 1000.0) AS "timestamp", a.number AS position
      FROM app.audit AS a
      """
    let text = """
      -- @layout l.sql
      -- @setup
      CREATE SCHEMA app;
      CREATE TABLE app.audit (number bigserial PRIMARY KEY, uid uuid, entity text, action text, payload json,
        revision integer, at_ms bigint);
      -- @test a row is an event
      -- @setup
      INSERT INTO app.audit (uid, entity, action, payload, revision, at_ms)
      VALUES (gen_random_uuid(), 'a-1', 'Added', '{"n":1}', 1, 1767225600000);
      -- @expect
      SELECT aggregate_id, event_type, event_data, "timestamp" FROM events;
      -- aggregate_id | event_type | event_data | timestamp
      -- -------------+------------+------------+-----------------------
      -- a-1          | Added      | {"n": 1}   | 2026-01-01 00:00:00+00

      """
    let result = try await result(text, Self.files(["l.sql": layout]))
    #expect(result.status == .passed, "\(result.failures)")
    let wrong = try await self.result(
      text,
      Self.files(["l.sql": layout.replacing("a.revision", with: "a.rev")])
    )
    #expect(wrong.status == .wrong)
    #expect(wrong.failures.first?.message.hasPrefix("l.sql does not fit this database: column a.rev") == true)
  }

  @Test func anExpectationChangesNothing() async throws {
    let text = Self.passing.replacing(
      "SELECT id, total FROM sums;",
      with: "SELECT 'a-1' AS id, nextval('public.numbers') AS total;"
    )
    let result = try await result(text, sql: "CREATE SEQUENCE numbers")
    #expect(result.status == .failed)
    #expect(result.failures.first?.message.contains("read-only transaction") == true, "\(result.failures)")
  }
}
