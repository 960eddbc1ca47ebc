import EventStore
import LibPQ
import TestSupport
import Testing

/// Writers that race for the same stream.
@Suite struct AppendRaceTests {
  /// In each round every writer expects the version that the round before left behind.
  @Test func oneWriterWinsEachVersion() async throws {
    let writers = 32
    let rounds = 300
    try await withStore { db, _ in
      let stores = try (0..<writers).map { _ in try EventStore(connecting: db.conninfo) }
      for round in 0..<rounds {
        let expected: ExpectedVersion = round == 0 ? .noStream : .version(round)
        let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
          for (writer, store) in stores.enumerated() {
            group.addTask {
              do {
                let event = NewEvent(type: "W\(writer)")
                let receipts = try await store.append([event], to: "a", expecting: expected)
                #expect(receipts.map(\.version) == [round + 1])
                return true
              } catch let error as EventStoreError where error.code == .versionConflict {
                return false
              }
            }
          }
          return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1, "round \(round)")
      }
      #expect(
        try await db.psql("SELECT count(*), min(version), max(version), count(DISTINCT version) FROM events")
          == "\(rounds)|1|\(rounds)|\(rounds)"
      )
    }
  }

  @Test func withoutAnExpectationNobodyLoses() async throws {
    try await withStore { db, _ in
      let receipts = try await withThrowingTaskGroup(of: [AppendReceipt].self) { group in
        for writer in 0..<16 {
          group.addTask {
            let store = try EventStore(connecting: db.conninfo)
            var receipts: [AppendReceipt] = []
            for number in 0..<20 {
              let events = [NewEvent(type: "W\(writer)"), NewEvent(type: "N\(number)")]
              receipts += try await store.append(events, to: "a", expecting: number == 0 ? .any : .exists)
            }
            return receipts
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(Set(receipts.map(\.version)) == Set(1...640))
      // Each pair stands together.
      let pairs = """
        SELECT count(*) FROM events a JOIN events b ON b.version = a.version + 1
        WHERE a.version % 2 = 1 AND a.event_type LIKE 'W%' AND b.event_type LIKE 'N%'
        """
      #expect(try await db.psql(pairs) == "320")
    }
  }

  /// The same id from many writers at once is stored once, and all of them succeed.
  @Test func oneEventFromManyWriters() async throws {
    try await withStore { db, _ in
      let stores = try (0..<16).map { _ in try EventStore(connecting: db.conninfo) }
      for round in 0..<20 {
        let event = NewEvent(type: "A", data: "\(round)")
        let receipts = try await withThrowingTaskGroup(of: [AppendReceipt].self) { group in
          for store in stores {
            group.addTask {
              try await store.append([event], to: "a", expecting: round == 0 ? .noStream : .version(round))
            }
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(receipts.map(\.version) == receipts.map { _ in round + 1 })
        #expect(receipts.count { $0.status == .appended } == 1)
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "20")
    }
  }

  /// Bulk appends and single ones share streams; each goes on where the other was first.
  @Test func bulkAgainstSingle() async throws {
    try await withStore { db, _ in
      let writers = 4
      try await withThrowingTaskGroup { group in
        for writer in 0..<writers {
          group.addTask {
            let lines = (0..<3000).map {
              #"{"aggregate_id":"a\#($0 % 7)","event_type":"Bulk\#(writer)","event_data":\#($0)}"#
            }.joined(separator: "\n")
            var options = BulkAppendOptions()
            options.batchSize = 250
            let store = try EventStore(connecting: db.conninfo)
            let result = try await store.append(text: lines, options: options)
            #expect(result.appendedCount == 3000)
          }
          group.addTask {
            let store = try EventStore(connecting: db.conninfo)
            for number in 0..<200 { try await store.append([NewEvent(type: "Single")], to: "a\(number % 7)") }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "\(writers * 3200)")
      #expect(try await db.streamsAreContiguous())
      // An input's events of one aggregate keep their order.
      let disorder = """
        SELECT count(*) FROM (
          SELECT event_data::int - lag(event_data::int) OVER (PARTITION BY event_type, aggregate_id ORDER BY version) AS step
          FROM events WHERE event_type LIKE 'Bulk%'
        ) AS steps WHERE step <> 7
        """
      #expect(try await db.psql(disorder) == "0")
    }
  }

  enum Form: CaseIterable { case events, text }

  /// An append that waits for another writer of its stream has the later version, and not an earlier time.
  @Test(arguments: Form.allCases) func aLaterVersionHasNoEarlierTime(_ form: Form) async throws {
    try await withStore { db, store in
      let append: @Sendable (String) async throws -> Void = { type in
        switch form {
        case .events: _ = try await store.append([NewEvent(type: type)], to: "a")
        case .text:
          _ = try await store.append(text: #"{"aggregate_id":"a","event_type":"\#(type)","event_data":{}}"#)
        }
      }
      // From here on the store knows the table, and waits with the append itself.
      try await append("A")
      let writer = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      try writer.execute("BEGIN; LOCK TABLE events")
      async let waiting: Void = append("C")
      try await until {
        let waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass"
        return try await db.psql(waiting) == "t"
      }
      try writer.execute(
        """
        INSERT INTO events (id, aggregate_id, event_type, event_data, version, timestamp)
        VALUES (gen_random_uuid(), 'a', 'B', '{}', 2, clock_timestamp()); COMMIT
        """
      )
      try await waiting
      let orders = """
        SELECT string_agg(event_type, '' ORDER BY version), string_agg(event_type, '' ORDER BY timestamp) FROM events
        """
      #expect(try await db.psql(orders) == "ABC|ABC")
    }
  }
}

extension TestDatabase {
  /// Whether the versions of each stream are 1, 2, 3 and so on.
  func streamsAreContiguous() async throws -> Bool {
    let sql = """
      SELECT count(*) = 0 FROM (
        SELECT FROM events GROUP BY aggregate_id
        HAVING min(version) <> 1 OR max(version) <> count(*) OR count(DISTINCT version) <> count(*)
      ) AS broken
      """
    return try await psql(sql) == "t"
  }
}
