import EventStore
import TestSupport
import Testing

/// A rebuild that sets events aside whose handler fails.
@Suite struct RebuildParkTests {
  /// `sums` by single events and by batches; events with an odd hundred fail.
  enum Form: CaseIterable {
    case on, batch

    var file: String {
      // The server must not be able to divide when it plans the statement.
      let poison = "(event_data->>'n')::bigint + 0 / ((event_data->>'n')::int % 100 - 42)"
      switch self {
      case .on:
        return sums.replacing(
          "(event.event_data->>'n')::bigint",
          with: poison.replacing("event_data", with: "event.event_data")
        )
      case .batch:
        let head = sums.prefix(upTo: sums.ranges(of: "-- @on")[0].lowerBound)
        return head + """
          -- @batch Added
          INSERT INTO sums SELECT aggregate_id, count(*), sum(\(poison)) FROM events GROUP BY aggregate_id
          ON CONFLICT (id) DO UPDATE SET events = sums.events + excluded.events, total = sums.total + excluded.total;

          """
      }
    }
  }

  private static let expected = """
    SELECT aggregate_id, count(*), sum((event_data->>'n')::bigint) FROM events WHERE (event_data->>'n')::int % 100 <> 42
    GROUP BY aggregate_id ORDER BY aggregate_id COLLATE "default"
    """
  private static let letters = """
    SELECT string_agg(position::text, ' ' ORDER BY position) FROM annals.dead_letters WHERE state = 'parked'
    """

  @Test(arguments: Form.allCases, [1, 3]) func theRestIsBuilt(_ form: Form, workers: Int) async throws {
    try await Shop.open(events: 500) { shop in
      let error = await shop.failure(of: form.file)
      #expect(error?.sqlState == "22012", "without --park it stops at the first")
      #expect(try await shop.psql(Self.letters) == "")
      let result = try await shop.rebuild(form.file) {
        ($0.mostDeadLetters, $0.workers, $0.chunkSize) = (5, workers, 64)
      }
      #expect(result.ending == .live && result.deadLetters == 5 && result.events == 495)
      #expect(try await shop.sums() == shop.psql(Self.expected))
      #expect(try await shop.psql(Self.letters) == "43 143 243 343 443")
      // They count as seen: the catch-up continues behind them, and a repaired handler applies them.
      try await shop.append(10)
      try await shop.project(form.file)
      #expect(try await shop.sums() == shop.psql(Self.expected))
      let repaired = form.file.replacing("0 / (", with: "0 * (")
      let retry = try await shop.store().retryDeadLetters(
        of: "sums",
        with: try Projection(path: "sums.sql", bytes: Array(repaired.utf8))
      )
      #expect(retry.applied == 5 && retry.failed == 0)
      #expect(try await shop.sums() == shop.expectedSums())
    }
  }

  /// With more than the limit the build stops, and continues with a higher one.
  @Test func noMoreThanTheLimit() async throws {
    try await Shop.open(events: 500) { shop in
      let error = await shop.failure(of: Form.on.file) { ($0.mostDeadLetters, $0.chunkSize) = (3, 50) }
      #expect(error?.sqlState == "22012" && error?.message.contains("position 343") == true)
      #expect(try await shop.psql(Self.letters) == "43 143 243")
      let result = try await shop.rebuild(Form.on.file) { $0.mostDeadLetters = 100 }
      #expect(result.isResumed && result.deadLetters == 5)
      #expect(try await shop.sums() == shop.psql(Self.expected))
    }
  }

  /// A wrong handler fails for each event; none of them is at fault.
  @Test func aFaultOfTheHandlerStopsIt() async throws {
    try await Shop.open(events: 10) { shop in
      try await shop.psql(
        "CREATE FUNCTION wrong() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT n FROM nonesuch); END'"
      )
      let error = await shop.failure(of: sums + "SELECT public.wrong();\n") { $0.mostDeadLetters = 100 }
      #expect(error?.sqlState == "42P01")
      #expect(try await shop.psql(Self.letters) == "")
    }
  }

  /// The last events are applied by the swap.
  @Test func anEventBeforeTheSwap() async throws {
    try await Shop.open(events: 20) { shop in
      let store = try shop.store()
      let database = shop.database
      await store.onSwapStep { step in
        guard step == .begun else { return }
        blocking {
          try await database.psql(
            """
            INSERT INTO events (aggregate_id, event_type, event_data, version)
            SELECT 'z', 'Added', jsonb_build_object('n', n), n - 40 FROM generate_series(41, 43) AS n
            WHERE NOT EXISTS (SELECT FROM events WHERE aggregate_id = 'z')
            """
          )
        }
      }
      var options = RebuildOptions()
      options.mostDeadLetters = 1
      let result = try await store.rebuildProjection(
        try Projection(path: "sums.sql", bytes: Array(Form.on.file.utf8)),
        options: options
      )
      #expect(result.ending == .live && result.deadLetters == 1)
      #expect(try await shop.sums() == shop.psql(Self.expected))
    }
  }
}
