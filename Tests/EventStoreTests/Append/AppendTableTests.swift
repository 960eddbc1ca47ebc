import EventStore
import TestSupport
import Testing

/// Tables that annals did not make.
@Suite struct AppendTableTests {
  static let columns = """
    id uuid, aggregate_id text NOT NULL, event_type text NOT NULL, event_data jsonb NOT NULL,
    version integer NOT NULL, "timestamp" timestamp NOT NULL DEFAULT current_timestamp
    """
  static let keys = "PRIMARY KEY (id), UNIQUE (aggregate_id, version)"

  @Test func aClassicTableTakesEvents() async throws {
    try await withTable("CREATE TABLE events (\(Self.columns), \(Self.keys)); SET timezone = 'Asia/Tokyo'") {
      db,
      store in
      let time = try Timestamp(iso8601: "2020-06-01T12:00:00+02:00")
      let event = NewEvent(type: "A", timestamp: time)
      let receipts = try await store.append([event, NewEvent(type: "B")], to: "a")
      #expect(receipts.map(\.position) == [nil, nil])
      #expect(try await store.append([event], to: "a").map(\.status) == [.existing])
      let result = try await store.append(text: #"{"aggregate_id":"a","event_type":"C","event_data":1}"#)
      #expect(result.appendedCount == 1)
      let rows = try await db.psql(
        "SELECT version, event_type, timestamp = '2020-06-01 10:00:00', "
          + "abs(extract(epoch FROM timestamp - now() AT TIME ZONE 'UTC')) < 600 FROM events ORDER BY version"
      )
      #expect(rows == "1|A|t|f\n2|B|f|t\n3|C|f|t")
    }
  }

  @Test func metadataNeedsItsColumn() async throws {
    try await withTable("CREATE TABLE events (\(Self.columns), \(Self.keys))") { db, store in
      let one = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "A", metadata: "{}")], to: "a")
      }
      #expect(one.message == "the event has metadata, and public.events has no column metadata")
      let many = try await #require(throws: EventStoreError.self) {
        try await store.append(text: #"{"aggregate_id":"a","event_type":"C","event_data":1,"metadata":{}}"#)
      }
      #expect(many.message == "line 1, column 64: metadata: the table public.events has no column for it")
      #expect(many.code == .invalidInput)
    }
  }

  /// On Citus an id is unique together with the aggregate's only; the same id elsewhere is another event.
  @Test func idsMayBeUniqueWithinTheirAggregateOnly() async throws {
    let table =
      "CREATE TABLE events (\(Self.columns), PRIMARY KEY (aggregate_id, version), UNIQUE (aggregate_id, id))"
    try await withTable(table) { db, store in
      let event = NewEvent(type: "A")
      try await store.append([event], to: "a", expecting: .noStream)
      #expect(try await store.append([event], to: "a", expecting: .noStream).map(\.status) == [.existing])
      #expect(try await store.append([event], to: "b").map(\.status) == [.appended])
      var other = event
      other.type = "B"
      await #expect(throws: EventStoreError.self) { try await store.append([other], to: "a") }

      let lines = ["a", "b", "c"].map {
        #"{"id":"\#(event.id)","aggregate_id":"\#($0)","event_type":"A","event_data":{}}"#
      }
      let result = try await store.append(text: lines.joined(separator: "\n"))
      #expect((result.appendedCount, result.existingCount) == (1, 2))
    }
  }

  /// In a partition the violated index has another name, and is not the partitioned table's.
  @Test func aPartitionedTableHasItsRaces() async throws {
    let table = """
      CREATE TABLE events (\(Self.columns), UNIQUE (aggregate_id, version), UNIQUE (aggregate_id, id))
      PARTITION BY HASH (aggregate_id);
      CREATE TABLE p0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE p1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      """
    try await withTable(table) { db, _ in
      try await withThrowingTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            let store = try EventStore(connecting: db.conninfo)
            for _ in 0..<25 { try await store.append([NewEvent(type: "A")], to: "a") }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await db.psql("SELECT count(*), max(version) FROM events") == "100|100")
    }
  }

  @Test func theOperatorsOwnConstraintsAreReported() async throws {
    let table = """
      CREATE TABLE events (\(Self.columns), \(Self.keys), CHECK (event_type <> 'Forbidden'));
      CREATE UNIQUE INDEX one_invoice ON events ((event_data->>'invoice'));
      """
    try await withTable(table) { db, store in
      try await store.append([NewEvent(type: "A", data: #"{"invoice": 7}"#)], to: "a")
      let duplicate = NewEvent(type: "A", data: #"{"invoice": 7}"#)
      var error = try await #require(throws: EventStoreError.self) {
        try await store.append([duplicate], to: "b")
      }
      #expect(error.code == .invalidInput)
      #expect(error.message.contains("one_invoice"), "\(error)")

      let lines = (1...20).map {
        #"{"aggregate_id":"c","event_type":"A","event_data":{"invoice":\#($0 == 13 ? 7 : 100 + $0)}}"#
      }
      error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: lines.joined(separator: "\n"))
      }
      #expect(error.message.hasPrefix("line 13: "), "\(error)")

      let forbidden = lines.prefix(5) + [#"{"aggregate_id":"c","event_type":"Forbidden","event_data":{}}"#]
      error = try await #require(throws: EventStoreError.self) {
        try await store.append(text: forbidden.joined(separator: "\n"))
      }
      #expect(error.message.hasPrefix("line 6, refused by the server: "), "\(error)")
      #expect(error.code == .invalidInput)
      #expect(try await db.psql("SELECT count(*) FROM events") == "1")
    }
  }

  private func withTable(
    _ sql: String,
    _ body: (TestDatabase, EventStore) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(sql)
      try await body(db, try EventStore(connecting: db.conninfo))
    }
  }
}

extension EventStore {
  /// Appends the lines of a text, which come in pieces of a few bytes.
  func append(
    text: String,
    options: BulkAppendOptions = BulkAppendOptions()
  ) async throws -> BulkAppendResult {
    let pieces = Pieces(Array(text.utf8))
    return try await append(lines: { pieces.next() }, options: options)
  }
}
