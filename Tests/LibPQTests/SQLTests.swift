import LibPQ
import TestSupport
import Testing

@Suite struct SQLTests {
  @Test func valuesAreParametersAndNumberedInOrder() {
    let sql: SQL = "SELECT \("it's"), \(Int64(7)) WHERE \(true)"
    #expect(sql.text == "SELECT $1, $2 WHERE $3")
    #expect(sql.parameters == [.text("it's"), .int8(7), .bool(true)])
  }

  @Test func partsBringTheirValues() {
    let older: SQL = "version < \(Int32(3))"
    let conditions: [SQL] = ["aggregate_id = \("a")", older, "true"]
    let sql: SQL = "SELECT \(Int64(1)) FROM \(raw: "events") WHERE \(conditions.joined(separator: " AND "))"
    #expect(sql.text == "SELECT $1 FROM events WHERE aggregate_id = $2 AND version < $3 AND true")
    #expect(sql.parameters == [.int8(1), .text("a"), .int4(3)])
  }

  @Test func aPartIsNumberedBehindOthersOrNamed() {
    let part: SQL = "a = \("x") AND b = \(Int64(7))"
    #expect(part.text(after: 9) == "a = $10 AND b = $11")
    #expect(part.text(naming: ["'$2'", "7"]) == "a = '$2' AND b = 7")
  }

  /// What a value or a name holds is never read as SQL, not even as a place for a parameter.
  @Test func hostileValuesAndNamesStayWhatTheyAre() async throws {
    try await withConnection { connection, _ in
      for text in ["$1", "'", "\"; DROP TABLE x; --", "x\u{0600}'", "\\'", ""] {
        let sql: SQL = "SELECT \(text) AS value, \(text) IS NULL AS missing"
        let row = try connection.query(sql.text, sql.parameters).first {
          ($0.string("value"), $0.bool("missing"))
        }
        #expect(try #require(row) == (text, false))
        guard !text.isEmpty else { continue }
        let named: SQL = "SELECT 1 AS \(identifier: text)"
        let name = try connection.query(named.text, named.parameters).columnName(0)
        #expect(name == text)
      }
    }
  }

  @Test func aMissingValueIsNullOfItsType() async throws {
    try await withConnection { connection, _ in
      let (text, number): (String?, Int64?) = (nil, nil)
      let sql: SQL = "SELECT pg_typeof(\(text))::text AS text, pg_typeof(\(number))::text AS number"
      let types = try connection.query(sql.text, sql.parameters).first {
        [$0.string("text"), $0.string("number")]
      }
      #expect(types == ["text", "bigint"])
    }
  }
}

@Suite struct RowTests {
  @Test func valuesAreReadByName() async throws {
    try await withConnection { connection, _ in
      let result = try connection.query(
        """
        SELECT 'é' AS text, 1 AS small, 2::bigint AS large, true AS yes, 0.5::float8 AS half, n, NULL::text AS none
        FROM generate_series(1::bigint, 3) AS n ORDER BY n
        """
      )
      let numbers = result.map { $0.int64("n") }
      #expect(numbers == [1, 2, 3])
      // #expect cannot hold a row, which does not escape.
      let (row, text) = (result[2], "é")
      let (read, small, large, yes) = (
        row.string("text"), row.int32("small"), row.int64("large"), row.bool("yes")
      )
      #expect((read, small) == (text, 1))
      #expect((large, yes) == (2, true))
      let (half, isNull, none, last) = (
        row.float64("half"), row.isNull("none"), row.optionalString("none"), row.optionalInt64("n")
      )
      #expect((half, isNull) == (0.5, true))
      #expect((none, last) == (nil, 3))
    }
  }

  @Test func aResultWithoutRowsHasNoFirst() async throws {
    try await withConnection { connection, _ in
      let value = try connection.query("SELECT 1 AS n WHERE false").first { $0.int32("n") }
      #expect(value == nil)
    }
  }
}
