import EventStore
import TestSupport
import Testing

/// Tables without a unique index on the id or the version: our writers still store each of them once.
@Suite struct AppendWithoutKeysTests {
  static let byTime = #", PRIMARY KEY (id, "timestamp")) PARTITION BY RANGE ("timestamp")"#
  static let withoutAny = ")"
  static let versionsOnly = ", UNIQUE (aggregate_id, version))"

  @Test(arguments: [byTime, withoutAny, versionsOnly])
  func anEventIsStoredOnce(keys: String) async throws {
    try await withTable(keys) { db, store in
      let event = NewEvent(type: "A", data: #"{"n": 1}"#)
      #expect(try await store.append([event], to: "a").map(\.status) == [.appended])
      #expect(try await store.append([event], to: "a").map(\.status) == [.existing])
      #expect(try await store.append([event], to: "a", expecting: .noStream).map(\.version) == [1])
      #expect(try await store.previewAppend([event], to: "a").map(\.status) == [.existing])
      var other = event
      other.type = "B"
      for (changed, stream) in [(other, "a"), (event, "b")] {
        let error = try await #require(throws: EventStoreError.self) {
          try await store.append([changed], to: stream)
        }
        #expect(error.code == .versionConflict)
        #expect(error.message == "another event already has the id \(event.id)")
      }
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }

  /// Also an id that is in the input twice, and whatever the batches.
  @Test(arguments: [byTime, withoutAny, versionsOnly], [nil, 1, 2, 100])
  func linesAreStoredOnce(keys: String, batchSize: Int?) async throws {
    try await withTable(keys) { db, store in
      let ids = (0..<5).map { _ in EventID() }
      let lines = (ids + [ids[0], ids[4]]).map {
        #"{"id":"\#($0)","aggregate_id":"a","event_type":"A","event_data":{}}"#
      }
      var options = BulkAppendOptions()
      options.batchSize = batchSize
      if batchSize != nil { options.workers = 2 }
      let first = try await store.append(text: lines.joined(separator: "\n"), options: options)
      #expect((first.appendedCount, first.existingCount) == (5, 2))
      let second = try await store.append(text: lines.joined(separator: "\n"), options: options)
      #expect((second.appendedCount, second.existingCount) == (0, 7))
      #expect(
        try await db.psql("SELECT count(*), count(DISTINCT id), max(version) FROM events") == "5|5|5"
      )
    }
  }

  /// Writers of one stream, one event at a time and many, give each version once, and store each event once.
  @Test(arguments: [byTime, withoutAny])
  func writersWaitForEachOther(keys: String) async throws {
    try await withTable(keys) { db, _ in
      let shared = (0..<10).map { _ in NewEvent(type: "Shared") }
      try await withThrowingTaskGroup { group in
        for writer in 0..<6 {
          group.addTask {
            let store = try EventStore(connecting: db.conninfo)
            for event in shared {
              try await store.append([event], to: "a")
              if writer.isMultiple(of: 2) {
                try await store.append([NewEvent(type: "Own")], to: "a")
              } else {
                let line = #"{"aggregate_id":"a","event_type":"Own","event_data":{}}"#
                _ = try await store.append(text: line)
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let counts = "count(*), count(DISTINCT id), count(DISTINCT version), max(version)"
      #expect(try await db.psql("SELECT \(counts) FROM events") == "70|70|70|70")
      // Writers that waited stored later than the ones before them.
      let previous = #"lag("timestamp") OVER (ORDER BY version) > "timestamp" AS is_back"#
      let back = try await db.psql("SELECT count(*) FROM (SELECT \(previous) FROM events) e WHERE is_back")
      #expect(back == "0")
    }
  }

  /// Two rows of one id, as others may have stored them: the same event is among them or it is not.
  @Test func oneOfSeveralIsTheSame() async throws {
    try await withTable(Self.withoutAny) { db, store in
      let event = NewEvent(type: "A")
      for (type, version) in [("B", 1), ("A", 2), ("A", 3)] {
        try await db.psql(
          """
          INSERT INTO events (id, aggregate_id, event_type, event_data, version)
          VALUES ('\(event.id)', 'a', '\(type)', '{}', \(version))
          """
        )
      }
      #expect(try await store.append([event], to: "a").map(\.version) == [2])
    }
  }

  /// The index of a parent table says nothing of its heirs.
  @Test func aTableThatIsInheritedFromHasNoKey() async throws {
    try await withTable(", PRIMARY KEY (id), UNIQUE (aggregate_id, version))") { db, store in
      let event = NewEvent(type: "A")
      try await db.psql(
        """
        CREATE TABLE old () INHERITS (events);
        INSERT INTO old (id, aggregate_id, event_type, event_data, version)
        VALUES ('\(event.id)', 'a', 'A', '{}', 1)
        """
      )
      #expect(try await store.append([event], to: "a").map(\.status) == [.existing])
    }
  }

  private func withTable(
    _ keys: String,
    _ body: (TestDatabase, EventStore) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (id uuid NOT NULL, aggregate_id text NOT NULL, event_type text NOT NULL,
          event_data jsonb NOT NULL, version int NOT NULL, "timestamp" timestamptz NOT NULL DEFAULT current_timestamp\(keys)
        """
      )
      if keys == Self.byTime {
        try await db.psql(
          "CREATE TABLE p0 PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');"
            + "CREATE TABLE p1 PARTITION OF events DEFAULT"
        )
      }
      try await body(db, try EventStore(connecting: db.conninfo))
    }
  }
}
