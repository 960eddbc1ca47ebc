import EventStore
import TestSupport
import Testing

/// A table that somebody made may let a version be NULL, which PostgreSQL sorts behind all versions.
@Suite struct EventWithoutVersionTests {
  /// It does not block other appends.
  @Test(arguments: [nil, 1, 100])
  func isNoHead(batchSize: Int?) async throws {
    try await withEvents { database, store in
      let receipts = try await store.append([NewEvent(type: "Added")], to: "a", expecting: .version(5))
      #expect(receipts.map(\.version) == [6])
      let pieces = Pieces(
        Array(#"{"aggregate_id":"a","event_type":"T","event_data":{},"expected_version":6}"#.utf8)
      )
      var options = BulkAppendOptions()
      options.batchSize = batchSize
      #expect(try await store.append(lines: { pieces.next() }, options: options).appendedCount == 1)
      #expect(try await database.psql("SELECT max(version), count(*) FROM events") == "7|8")
    }
  }

  @Test func isNotWhatAConflictIsWith() async throws {
    try await withEvents { database, store in
      let first = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "Added")], to: "a", expecting: .version(4))
      }
      #expect(first.code == .versionConflict && first.actualVersion == 5)
      #expect(first.detail?.hasPrefix("The last event is version 5, Added, of ") == true)
      let line = #"{"aggregate_id":"a","event_type":"T","event_data":{},"version":3}"#
      let many = try await #require(throws: EventStoreError.self) { try await store.append(text: line) }
      #expect(many.code == .versionConflict && many.actualVersion == 5)
      // The event to name may lack something else.
      try await database.psql(
        "ALTER TABLE events ALTER event_type DROP NOT NULL; UPDATE events SET event_type = NULL"
      )
      let unnamed = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "Added")], to: "a", expecting: .version(4))
      }
      #expect(unnamed.code == .versionConflict && unnamed.detail == nil)
    }
  }

  /// An event with incomplete content cannot be compared.
  @Test(arguments: ["version", "event_type", "timestamp"])
  func isNotTheSameEvent(column: String) async throws {
    try await withEvents { database, store in
      try await database.psql(
        "ALTER TABLE events ALTER \(column) DROP NOT NULL; UPDATE events SET \(column) = NULL"
      )
      let stored = try await database.psql("SELECT id FROM events LIMIT 1")
      let error = try await #require(throws: EventStoreError.self) {
        try await store.append([NewEvent(id: EventID(stored)!, type: "Added", data: #"{"n": 1}"#)], to: "a")
      }
      #expect(error.message.hasPrefix("the event \(stored) has no "), "\(error)")
    }
  }

  @Test func isNoStateOfItsStream() async throws {
    try await withEvents { _, store in
      let error = try await #require(throws: EventStoreError.self) { try await store.state(of: "a") }
      #expect(error.message == "an event of a has no version")
      #expect(try await store.state(of: "a", at: .version(3)).version == 3)
    }
  }

  /// A copy whose versions are numbered anew gives it none.
  @Test func getsNoVersionInACopy() async throws {
    try await withEvents { database, store in
      let rule = "-- @upcaster x\n-- @event Added\n-- @when event.version = 2\n-- @drop"
      let plan = try await store.planEvolution(try Upcasters([("x.sql", Array(rule.utf8))]))
      let error = try await #require(throws: EventStoreError.self) {
        _ = try await store.applyEvolution(plan, into: QualifiedName("events_v2")!)
      }
      #expect(error.message == "an event of a has no version")
      #expect(try await database.psql("SELECT to_regclass('events_v2') IS NULL") == "t")
    }
  }

  /// Five events of stream a, and one without a version.
  private func withEvents(_ body: (TestDatabase, EventStore) async throws -> Void) async throws {
    try await withStore { database, store in
      try await database.psql(
        """
        ALTER TABLE events ALTER version DROP NOT NULL, DROP CONSTRAINT events_version_check;
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'a', 'Added', '{"n": 1}', v FROM unnest(ARRAY[1, 2, 3, 4, 5, NULL]) AS v
        """
      )
      try await body(database, store)
    }
  }
}
