import TestSupport
import Testing

@testable import EventStore

/// Ids that are made from a member of the payload: values that are equal in PostgreSQL give the same id.
@Suite struct MadeIDTests {
  private static let numbers = [
    "0", "-0", "0.0", "0e9", "1", "1.0", "1e0", "10e-1", "0.01E+2", "-1", "-1.00", "100", "1e2", "1E+2",
    "0.1e3", "12.5", "12.50", "1250e-2", "0.00125", "1.25e-3", "1e40", "1e41", "1e-40", "1e-41", "10e40",
    "123456789012345678901", "1234567890123456789.01e2", "0.1", "1e-1", "1.5e-50", "15e-51", "1.2345e-2",
  ]

  @Test func anIDIsThatOfTheNumber() async throws {
    try await TestCluster.withDatabase { database in
      let rows = Self.numbers.map { "('\($0)', '\($0)'::numeric)" }.joined(separator: ", ")
      let groups = try await database.psql(
        """
        SELECT string_agg(t, ' ' ORDER BY t COLLATE "C") FROM (VALUES \(rows)) AS v (t, n) GROUP BY n
        """
      )
      let named = Dictionary(grouping: Self.numbers) { number in
        let bytes = Array(number.utf8)
        return JSONScanner.canonicalNumber(0..<bytes.count, in: bytes.span)
      }
      let own = named.values.map { $0.sorted().joined(separator: " ") }.sorted()
      #expect(own == groups.split(separator: "\n").map(String.init).sorted())
      #expect(named.keys.contains("1") && named.keys.contains("12.5") && named.keys.contains("0.00125"))
    }
  }

  @Test func oneNumberIsOneEvent() async throws {
    try await withStore { database, store in
      var options = BulkAppendOptions()
      options.idField = "n"
      for number in ["1", "1.0", "1e0"] {
        let line = #"{"aggregate_id":"a","event_type":"T","event_data":{"n":\#(number)}}"#
        _ = try await store.append(text: line, options: options)
      }
      #expect(try await database.psql("SELECT count(*) FROM events") == "1")
    }
  }

  /// Of a member that is there several times, jsonb keeps the last.
  @Test func theLastOfADoubledMemberCounts() async throws {
    try await withStore { database, store in
      var options = BulkAppendOptions()
      options.idField = "n"
      for data in [
        #"{"n":1,"n":2,"x":{"n":3}}"#, #"{"n":2,"x":{"n":3}}"#, #"{"n":[],"\u006e":2,"x":{"n":3}}"#,
      ] {
        let line = #"{"aggregate_id":"a","event_type":"T","event_data":\#(data)}"#
        _ = try await store.append(text: line, options: options)
      }
      #expect(try await database.psql("SELECT count(*), max(event_data ->> 'n') FROM events") == "1|2")
    }
  }
}
