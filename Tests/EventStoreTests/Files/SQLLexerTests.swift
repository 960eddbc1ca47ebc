import EventStore
import Testing

private func statements(_ sql: String) throws -> [SQLStatement] {
  let bytes = Array(sql.utf8)
  let tokens = try SQLLexer.tokens(of: bytes, file: "f.sql")
  return try SQLStatement.split(tokens[...], of: bytes, file: "f.sql")
}

private func failure(_ sql: String) -> String? {
  do {
    _ = try statements(sql)
    return nil
  } catch {
    return "\(error)"
  }
}

private let wrongSQL: [(sql: String, message: String)] = [
  ("SELECT 1;\n SELECT 'a", "f.sql:2:9: unterminated string"),
  ("SELECT E'a\\'", "f.sql:1:8: unterminated string"),
  ("SELECT \"a", "f.sql:1:8: unterminated quoted identifier"),
  ("/* /* */", "f.sql:1:1: unterminated comment"),
  ("SELECT $x$ $y$", "f.sql:1:8: unterminated dollar-quoted string $x$"),
  ("SELECT 1;\n\\i other.sql", "f.sql:2:1: \\i is a command of psql, not SQL"),
  ("SELECT f(1, (2)", "f.sql:1:9: this parenthesis is never closed"),
]

@Suite struct SQLLexerTests {
  @Test(arguments: [
    "SELECT 'a;b', 'it''s;'",
    #"SELECT 'ends with a backslash\'"#,
    #"SELECT E'quote \' ; and \\'"#,
    "SELECT E'a\\''  -- why\n  'b\\';'",
    #"SELECT U&'\0441;' UESCAPE '!'"#,
    #"SELECT "a;""b""#,
    "SELECT $$a;b$$",
    "SELECT $a$ $$;$b$; $a$",
    "SELECT a$b$ + 1",
    "SELECT $1, $2",
    "SELECT /* ; /* ; */ ; */ 1",
    "SELECT 1 -- ; '\n + 1",
    "SELECT (';' || f(1))",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM a; DELETE FROM b; END",
  ])
  func keepsOneStatementWhole(sql: String) throws {
    let found = try statements(sql + ";SELECT 2")
    #expect(found.map(\.text) == [sql, "SELECT 2"])
  }

  @Test func beginOutsideAFunctionIsAWord() throws {
    #expect(try statements("BEGIN; COMMIT;").map(\.text) == ["BEGIN", "COMMIT"])
  }

  @Test func countsColumnsInCharacters() throws {
    let found = try statements("-- été\r\n  SELECT 'é😀';  SELECT 2")
    #expect(found.map(\.location) == [SQLLocation(line: 2, column: 3), SQLLocation(line: 2, column: 17)])
  }

  @Test func leavesCommentsAroundAStatementOut() throws {
    #expect(try statements("/* a */ SELECT 1 -- b\n; -- c").map(\.text) == ["SELECT 1"])
  }

  @Test(arguments: wrongSQL)
  func tellsWhereItIsWrong(sql: String, message: String) {
    #expect(failure(sql) == message)
  }

  @Test(arguments: [
    ("select 1", "SELECT"),
    ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "INSERT"),
    ("WITH RECURSIVE update AS (SELECT 1), delete AS (SELECT 2) SELECT 1", "SELECT"),
    ("WITH a(x) AS MATERIALIZED (SELECT 1) MERGE INTO t USING a ON true", "MERGE"),
  ])
  func findsWhatAWithClauseIsFor(sql: String, keyword: String) throws {
    #expect(try statements(sql)[0].mainKeyword == keyword)
  }
}
