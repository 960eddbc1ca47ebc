import LibPQ
import TestSupport
import Testing

/// PostgreSQL itself decides what a text means.
@Suite struct QuotingTests {
  private static let texts = hostileTexts(around: ["'", "\"", "\\", "`", "$", "\n", "\r"])

  @Test func noScalarHidesAQuoteFromALiteral() async throws {
    // Says what the suite covers, and fails when a list gets lost: about 2,500 scalars in Unicode 15 to 17.
    #expect(joiningScalars.count > 2400)
    #expect(Self.texts.count == joiningScalars.count * 28)
    try await withConnection { connection, _ in
      for texts in Self.texts.chunks(of: 20_000) {
        let quoted = texts.map(quoteLiteral)
        // As PostgreSQL quotes them itself …
        let differing = try connection.query(
          "SELECT text FROM unnest($1, $2) AS u (text, quoted) WHERE quoted IS DISTINCT FROM quote_literal(text)",
          [.textArray(texts), .textArray(quoted)]
        )
        #expect(differing.rowCount == 0)
        // … and as it reads them, whatever the setting.
        for setting in ["on", "off"] {
          try connection.execute("SET standard_conforming_strings = \(setting); SET backslash_quote = off")
          let misread = try connection.query(
            """
            SELECT text FROM unnest($1, ARRAY[\(quoted.joined(separator: ","))]) AS u (text, read)
            WHERE text IS DISTINCT FROM read
            """,
            [.textArray(texts)]
          )
          #expect(misread.rowCount == 0)
        }
      }
    }
  }

  @Test func noScalarHidesAQuoteFromAnIdentifier() async throws {
    try await withConnection { connection, _ in
      for texts in Self.texts.chunks(of: 1000) {
        let quoted = texts.map(quoteIdentifier)
        let differing = try connection.query(
          "SELECT text FROM unnest($1, $2) AS u (text, quoted) WHERE quoted IS DISTINCT FROM quote_ident(text)",
          [.textArray(texts), .textArray(quoted)]
        )
        #expect(differing.rowCount == 0)
        let columns = try connection.query(
          "SELECT \(raw: quoted.map { "1 AS \($0)" }.joined(separator: ","))"
        )
        #expect(texts.indices.allSatisfy { columns.columnName($0).utf8.elementsEqual(texts[$0].utf8) })
      }
    }
  }

  @Test(arguments: [
    "", "$", "$$", "$annals$", "$annals$\u{301}; DROP", "\u{600}$annals$", "x$annals", "$annals$annals_1$",
    "$annals$ $annals_8$ $annals_10$ $annals_11$", "$annals_1$annals$annals_2", #"\'"$"#,
    (0..<1000).map { "$annals_\($0)$" }.joined() + "$annals$",
  ])
  func noTextEndsItsDollarQuote(text: String) async throws {
    try await withConnection { connection, _ in
      let read = try connection.text("SELECT \(quoteDollar(text))")
      #expect(read.utf8.elementsEqual(text.utf8))
    }
  }

  /// libpq would send what stands before the NUL, and the server would run it.
  @Test func aStatementWithANULIsNotSent() async throws {
    try await withConnection { connection, _ in
      try connection.execute("CREATE TABLE t (a text)")
      let sql = "INSERT INTO t VALUES ('a'); --\(quoteLiteral("\0"))"
      let error = #expect(throws: PostgresError.self) { try connection.execute(sql) }
      #expect(error?.sqlState == "22021")
      #expect(throws: PostgresError.self) { _ = try connection.query("SELECT 1 --\0") }
      #expect(throws: PostgresError.self) { _ = try connection.query("SELECT 1 --\0", prepared: true) }
      #expect(throws: PostgresError.self) { try connection.copyOut("COPY t TO STDOUT --\0") { _ in } }
      #expect(throws: PostgresError.self) { try connection.copyIn("COPY t FROM STDIN --\0") { _ in } }
      #expect(try connection.number("SELECT count(*) FROM t") == 0)
    }
  }
}
