import EventStore
import TestSupport
import Testing

/// What `@create` makes beside tables moves with them at every swap, or is refused before the first build.
@Suite struct ReadModelTypesTests {
  @Test(arguments: [
    // A type of ranges brings one of multiranges with it (PostgreSQL 14), and functions of both names.
    "CREATE TYPE span AS RANGE (SUBTYPE = float8); CREATE TABLE spans (s span, m span_multirange);",
    """
    CREATE TYPE span AS RANGE (SUBTYPE = float8);
    CREATE FUNCTION width(span_multirange) RETURNS int LANGUAGE sql AS 'SELECT 1';
    """,
    "CREATE DOMAIN amount AS int; CREATE FUNCTION twice(amount) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';",
    "CREATE DOMAIN amount AS int; CREATE TYPE amounts AS RANGE (SUBTYPE = amount);",
    "CREATE TYPE colour AS ENUM ('red'); CREATE FUNCTION f(colour[]) RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "CREATE TYPE point3 AS (x int, y int, z int); CREATE TABLE points (p point3[]);",
    "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');",
    "CREATE PROCEDURE nothing(INOUT a int) LANGUAGE sql AS 'SELECT 1';",
  ])
  func itMovesWithTheTables(_ definitions: String) async throws {
    try await Shop.open(events: 30) { shop in
      for build in 1...3 {
        #expect(try await shop.rebuild(Self.file(definitions, "\(build)")).ending == .live)
      }
      let store = try shop.store()
      for _ in 1...2 { _ = try await store.rollBackProjection("sums") }
      #expect(try await shop.rebuild(Self.file(definitions, "4")).ending == .live)
      #expect(try await shop.sums() == shop.expectedSums())
      try await store.dropProjection("sums")
      let left = """
        SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = 'public'::regnamespace
          AND objid NOT IN (SELECT oid FROM pg_class WHERE relname LIKE 'events%')
        """
      #expect(try await shop.psql(left) == "0")
    }
  }

  /// Handlers of a live read model find the type of multiranges too.
  @Test func aMultirangeIsFoundAfterTheSwap() async throws {
    try await Shop.open(events: 30) { shop in
      let file =
        Self.file("CREATE TYPE span AS RANGE (SUBTYPE = float8);", "1")
        + "SELECT '{[1,2)}'::span_multirange WHERE span(1, 2) <> span(1, 3);\n"
      try await shop.rebuild(file)
      try await shop.append(10)
      try await shop.project(file)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  @Test(arguments: [
    ("CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);", "operator ===(text,text)"),
    ("CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple);", "text search configuration words"),
    ("CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = pg_catalog.simple);", "text search dictionary words"),
    ("CREATE COLLATION plain FROM \"C\";", "collation plain"),
    ("CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;", "conversion latin"),
    ("CREATE OPERATOR FAMILY few USING btree;", "operator family few for access method btree"),
    (
      "DO 'BEGIN CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq); END';",
      "operator ===(text,text)"
    ),
  ])
  func whatCannotMoveIsRefused(_ definition: String, _ name: String) async throws {
    try await Shop.open(events: 30) { shop in
      let error = await shop.failure(of: Self.file(definition, "1"))
      #expect(error?.code == .invalidDefinition)
      #expect(
        error?.message == "sums.sql:4:1: @create makes \(name), which cannot move with the read model"
      )
      let generations = try await shop.psql("SELECT count(*) FROM annals.generations")
      #expect(generations == "0")
    }
  }

  private static func file(_ definitions: String, _ version: String) -> String {
    let file = sums.replacing("CREATE TABLE", with: "\(definitions)\nCREATE TABLE")
    return file.replacing("-- @parallel aggregate", with: "-- @version \(version)")
  }
}
