import TestSupport
import Testing

@testable import EventStore

/// What the client accepts must be what the server stores, nothing more and nothing less.
@Suite struct PostgresAgreementTests {
  @Test func scannerAcceptsWhatJsonbAccepts() async throws {
    var generator = SplitMix64(state: 42)
    let documents = (0..<4000).map { _ in mutated(with: &generator) }
    let verdicts = try await TestCluster.withDatabase { database in
      let rows = documents.enumerated().map { #"(\#($0.offset), '\x\#(hex($0.element))')"# }
      return try await database.psql(
        """
        CREATE FUNCTION verdict(document bytea) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM convert_from(document, 'UTF8')::jsonb;
          RETURN 'accepted';
        EXCEPTION WHEN OTHERS THEN RETURN 'refused';
        END $$;
        SELECT verdict(document::bytea) FROM (VALUES \(rows.joined(separator: ","))) AS v (number, document)
        ORDER BY number;
        """
      )
    }.split(separator: "\n")
    try #require(verdicts.count == documents.count)
    #expect(verdicts.count { $0 == "accepted" } > 400)
    var scanner = JSONScanner()
    for (document, verdict) in zip(documents, verdicts) {
      let value = try? scanner.scanValue(in: document.span, from: 0)
      let isAccepted =
        value.map {
          JSONScanner.skipWhitespace(in: document.span, from: $0.upperBound) == document.count
        } ?? false
      #expect((verdict == "accepted") == isAccepted, "\(String(decoding: document, as: UTF8.self))")
    }
  }

  @Test func timestampsAreThoseOfTimestamptz() async throws {
    var generator = SplitMix64(state: 7)
    // From year 1 to 9999: PostgreSQL reads no expanded years.
    let range: Range<Int64> = -63_082_281_600_000_000..<252_455_616_000_000_000
    let timestamps = (0..<2000).map { number in
      let exact = Int64.random(in: range, using: &generator)
      return Timestamp(microseconds: number % 2 == 0 ? exact : exact / 1_000_000 * 1_000_000)
    }
    let texts = timestamps.map { "'\($0)'" }.joined(separator: ",")
    let microseconds = try await TestCluster.withDatabase { database in
      try await database.psql(
        """
        SELECT (extract(epoch FROM text::timestamptz - '2000-01-01Z'::timestamptz) * 1000000)::bigint
        FROM unnest(ARRAY[\(texts)]) WITH ORDINALITY AS t (text, number) ORDER BY number;
        """
      )
    }
    #expect(microseconds.split(separator: "\n").map { Int64($0) } == timestamps.map(\.microseconds))
  }
}

private func hex(_ bytes: [UInt8]) -> String {
  String(decoding: bytes.flatMap { [hexadecimalDigit($0 >> 4), hexadecimalDigit($0 & 0x0F)] }, as: UTF8.self)
}

/// A sound document with up to three pieces cut out, put in or replaced.
private func mutated(with generator: inout SplitMix64) -> [UInt8] {
  let documents = [
    #"{"a":1,"b":[true,false,null,"x"],"c":{"d":-1.5e10,"e":"\u00e9\ud83d\ude00"}}"#,
    #"{"n":"São Paulo – 日本 😀","q":"\"\\\/\b\f\n\r\t"}"#,
    #"[1,2.5,-0,0.0,1e5,1E+5,1e-5,[[],{}],""]"#,
    #" { "x" : [ 1 , 2 ] } "#, "1e131071", "0.1e131072", "1.5e-16382", #""\ud800\udc00""#,
  ]
  let pieces =
    [
      "\"", "\\", "\\u", "\\u0000", "\\ud800", "\\udc00", "{", "}", "[", "]", ",", ":", "0", "1", "-", "+",
      ".", "e",
      "E", " ", "\t", "\u{1}", "\u{7F}", "é", "😀", "tru", "null", "NaN", "'", "01", "e131072", "e-16384",
      "0.0",
      "\"a\":", "e1073741823",
    ].map { Array($0.utf8) } + [
      [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
    ]
  var bytes = Array((documents.randomElement(using: &generator) ?? "").utf8)
  for _ in 0..<Int.random(in: 0...3, using: &generator) {
    let start = Int.random(in: 0...bytes.count, using: &generator)
    let end = min(bytes.count, start + Int.random(in: 0...4, using: &generator))
    let piece = Bool.random(using: &generator) ? pieces.randomElement(using: &generator) : nil
    bytes.replaceSubrange(start..<end, with: piece ?? [])
  }
  return bytes
}
