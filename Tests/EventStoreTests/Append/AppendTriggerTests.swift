import EventStore
import TestSupport
import Testing

/// Triggers and rules of the operator that drop or change events.
@Suite struct AppendTriggerTests {
  static let changes = [
    "RETURN NULL;",
    "IF NEW.event_type = 'U' THEN RETURN NULL; END IF; RETURN NEW;",
    "NEW.id := gen_random_uuid(); RETURN NEW;",
    "NEW.aggregate_id := upper(NEW.aggregate_id); RETURN NEW;",
    "NEW.version := NEW.version + 100; RETURN NEW;",
    "NEW.event_type := 'Other'; RETURN NEW;",
    "NEW.event_data := '{\"n\": 9}'; RETURN NEW;",
  ]

  private func create(_ change: String, _ db: TestDatabase) async throws {
    try await db.psql(
      """
      CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(change) END $$;
      CREATE TRIGGER "change it" BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION change()
      """
    )
  }

  private func expectRefusal(_ db: TestDatabase, _ append: () async throws -> Void) async throws {
    let error = try await #require(throws: EventStoreError.self) { try await append() }
    #expect("\(error)".contains("change it"), "\(error)")
    #expect(try await db.psql("SELECT count(*) FROM events") == "0")
  }

  @Test(arguments: changes)
  func aTriggerThatChangesEventsIsNamed(change: String) async throws {
    try await withStore { db, _ in
      try await create(change, db)
      // A new store: the trigger is there when it connects.
      let store = try EventStore(connecting: db.conninfo)
      try await expectRefusal(db) { try await store.append([NewEvent(type: "U", data: "{}")], to: "a") }
      try await expectRefusal(db) {
        try await store.append([NewEvent(type: "T"), NewEvent(type: "U")], to: "a")
      }
      let lines = ["T", "U", "T"].map { #"{"aggregate_id":"a","event_type":"\#($0)","event_data":{}}"# }
      for batchSize in [nil, 1, 2] {
        var options = BulkAppendOptions()
        options.batchSize = batchSize
        options.onReceipts = { _ in }
        let text =
          (batchSize == 1
          ? ["U", "T"].map { #"{"aggregate_id":"a","event_type":"\#($0)","event_data":{}}"# } : lines)
          .joined(separator: "\n")
        try await expectRefusal(db) {
          // The line that passes unchanged would be stored.
          _ = try await store.append(text: text, options: options)
        }
      }
    }
  }

  /// A trigger that came after the store connected is noticed by the count.
  @Test func droppedRowsAreCounted() async throws {
    try await withStore { db, store in
      _ = try await store.previewAppend([NewEvent(type: "T")], to: "a")
      try await create("RETURN NULL;", db)
      try await expectRefusal(db) { try await store.append([NewEvent(type: "U")], to: "a") }
      try await expectRefusal(db) {
        _ = try await store.append(text: #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#)
      }
    }
  }

  /// A trigger that does not change an event is allowed.
  @Test func otherTriggersAreWelcome() async throws {
    try await withStore { db, _ in
      try await db.psql("ALTER TABLE events ADD COLUMN tenant text; CREATE TABLE outbox (id uuid)")
      try await create("NEW.tenant := 'x'; INSERT INTO public.outbox VALUES (NEW.id); RETURN NEW;", db)
      let store = try EventStore(connecting: db.conninfo)
      try await store.append([NewEvent(type: "U"), NewEvent(type: "U")], to: "a")
      for batchSize in [nil, 1] {
        var options = BulkAppendOptions()
        options.batchSize = batchSize
        let text = #"{"aggregate_id":"b","event_type":"T","event_data":{}}"#
        _ = try await store.append(text: text, options: options)
      }
      #expect(try await db.psql("SELECT count(*), count(DISTINCT id) FROM outbox") == "4|4")
      #expect(
        try await db.psql("SELECT aggregate_id, version, tenant FROM events ORDER BY 1, 2")
          == "a|1|x\na|2|x\nb|1|x\nb|2|x"
      )
    }
  }

  @Test(arguments: ["INSTEAD NOTHING", "ALSO DELETE FROM events"])
  func aRuleIsNamed(action: String) async throws {
    try await withStore { db, _ in
      try await db.psql("CREATE RULE \"change it\" AS ON INSERT TO events DO \(action)")
      let store = try EventStore(connecting: db.conninfo)
      try await expectRefusal(db) { try await store.append([NewEvent(type: "U")], to: "a") }
      try await expectRefusal(db) {
        _ = try await store.append(text: #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#)
      }
    }
  }

  /// Rows of a partitioned table meet the triggers of their partition.
  @Test func aPartitionsTriggerIsNamed() async throws {
    try await TestCluster.withDatabase { db in
      try await db.psql(
        """
        CREATE TABLE events (\(AppendTableTests.columns), UNIQUE (aggregate_id, version), UNIQUE (aggregate_id, id))
          PARTITION BY HASH (aggregate_id);
        CREATE TABLE p0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := 7; RETURN NEW; END $$;
        CREATE TRIGGER "change it" BEFORE INSERT ON p0 FOR EACH ROW EXECUTE FUNCTION change()
        """
      )
      let store = try EventStore(connecting: db.conninfo)
      try await expectRefusal(db) {
        _ = try await store.append(text: #"{"aggregate_id":"a","event_type":"T","event_data":{}}"#)
      }
    }
  }
}
