import LibPQ
import TestSupport
import Testing

@Suite struct ValueTests {
  @Test func parametersArriveAsTheyAre() async throws {
    try await withConnection { connection, _ in
      let hostile = "it's \"quoted\" \\ $1 \u{1B}[31m\u{202E} 😀\n"
      let result = try connection.query(
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8",
        [
          .text(hostile), .text(nil), .int4(.min), .int8(.max), .bool(true), .float8(0.1),
          .jsonb(Array(#"{"b": 1, "a": [null]}"#.utf8)), .text(""),
        ]
      )
      #expect(result.string(0, 0) == hostile)
      #expect(result.optionalString(0, 1) == nil)
      #expect(result.int32(0, 2) == .min)
      #expect(result.int64(0, 3) == .max)
      #expect(result.bool(0, 4) == true)
      #expect(result.float64(0, 5) == 0.1)
      #expect(String(utf8Bytes: result.jsonb(0, 6)) == #"{"a": [null], "b": 1}"#)
      #expect(result.optionalString(0, 7) == "", "an empty text is not NULL")
    }
  }

  @Test func arraysArriveInOrder() async throws {
    try await withConnection { connection, _ in
      let id = (high: 0x0001_0203_0405_0607 as UInt64, low: 0x0809_0a0b_0c0d_0e0f as UInt64)
      let time: Int64 = 1_000_000
      let result = try connection.query(
        "SELECT $1::text, $2::text, $3::text, $4::text, cardinality($5), $6::text, $7::text, $8::text",
        [
          .textArray(["a", "", "NULL", "{,\""]), .int4Array([1, -2]), .int8Array([.min, 3]), .uuidArray([id]),
          .textArray([]), .textArray(utf8: [Array("é".utf8)]), .timestamptzArray([time, nil]),
          .jsonbArray([Array("[1 ]".utf8)[1...2], nil]),
        ]
      )
      #expect(result.string(0, 0) == #"{a,"","NULL","{,\""}"#)
      #expect(result.string(0, 1) == "{1,-2}")
      #expect(result.string(0, 2) == "{-9223372036854775808,3}")
      #expect(result.string(0, 3) == "{00010203-0405-0607-0809-0a0b0c0d0e0f}")
      #expect(result.int32(0, 4) == 0)
      #expect(result.string(0, 5) == "{é}")
      #expect(result.string(0, 6) == #"{"2000-01-01 00:00:01+00",NULL}"#)
      #expect(result.string(0, 7) == "{1,NULL}")
    }
  }

  /// libpq would cut a text parameter at a NUL; a binary one reaches the server, which refuses it.
  @Test func aNULIsRefusedAndNotCut() async throws {
    try await withConnection { connection, _ in
      let error = #expect(throws: PostgresError.self) {
        _ = try connection.query("SELECT $1", [.text("order\u{0}-1")])
      }
      #expect(error?.sqlState == "22021")
    }
  }

  @Test func timestampsAreMicrosecondsSince2000() async throws {
    try await withConnection { connection, _ in
      let result = try connection.query(
        "SELECT $1 = '2000-01-01 00:00:01.5Z'::timestamptz, '1999-12-31 23:59:59Z'::timestamptz",
        [.timestamptz(1_500_000)]
      )
      #expect(result.bool(0, 0) == true)
      #expect(result.int64(0, 1) == -1_000_000)
    }
  }

  @Test func aPreparedStatementRunsAgain() async throws {
    try await withConnection { connection, _ in
      for number in Int32(1)...3 {
        let result = try connection.query("SELECT $1 * 2", [.int4(number)], prepared: true)
        #expect(result.int32(0, 0) == number * 2)
        // Another one of the same length, in turn with the first.
        let sum = try connection.query("SELECT $1 + 2", [.int4(number)], prepared: true)
        #expect(sum.int32(0, 0) == number + 2)
      }
      #expect(try connection.number("SELECT count(*) FROM pg_prepared_statements") == 2)
    }
  }

  @Test func aStatementUnderWayIsReceivedLater() async throws {
    try await withConnection { connection, _ in
      try connection.send("SELECT g FROM generate_series(1, 100000) AS g")
      let result = try connection.receive()
      #expect(result.rowCount == 100_000)
      #expect(result.columnName(0) == "g")
      #expect(result.int32(99_999, 0) == 100_000)
    }
  }

  @Test func identifiersAndLiteralsAreQuoted() async throws {
    try await withConnection { connection, _ in
      let name = #"My "Table"; DROP"#
      try connection.execute("CREATE TABLE \(quoteIdentifier(name)) (a text)")
      try connection.execute(
        "INSERT INTO \(quoteIdentifier(name)) VALUES (\(quoteLiteral("it's \\ \"so\"")))"
      )
      #expect(try connection.text("SELECT a FROM \(quoteIdentifier(name))") == "it's \\ \"so\"")
    }
  }
}

@Suite struct CopyTests {
  @Test func dataGoesInAndComesOut() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int, b text)")
      let rows = (1...50_000).map { "\($0)\tvalue \($0)\n" }.joined()
      let count = try connection.copyIn("COPY t FROM STDIN") { write in
        // Pieces are cut anywhere, also in the middle of a line.
        for piece in Array(rows.utf8).chunks(of: 10_007) { try write(piece) }
      }
      #expect(count == 50_000)
      var (lines, bytes) = (0, 0)
      try connection.copyOut("COPY (SELECT * FROM t ORDER BY a) TO STDOUT") { line in
        lines += 1
        bytes += line.byteCount
      }
      #expect(lines == 50_000)
      #expect(bytes == rows.utf8.count)
      #expect(try connection.number("SELECT 1") == 1)
    }
  }

  @Test func aWriterThatThrowsStoresNothing() async throws {
    struct Stop: Error {}
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int)")
      #expect(throws: Stop.self) {
        _ = try connection.copyIn("COPY t FROM STDIN") { write in
          try write(Array("1\n".utf8))
          throw Stop()
        }
      }
      #expect(try connection.number("SELECT count(*) FROM t") == 0)
    }
  }

  @Test func aBadRowIsNamedByTheServer() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a int)")
      let error = #expect(throws: PostgresError.self) {
        _ = try connection.copyIn("COPY t FROM STDIN") { try $0(Array("1\nx\n".utf8)) }
      }
      #expect(error?.sqlState == "22P02")
      #expect(error?.context?.contains("line 2") == true)
      #expect(try connection.number("SELECT count(*) FROM t") == 0)
    }
  }
}

extension Array {
  func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
