import EventStore
import TestSupport
import Testing

@Suite struct UpcasterTests {
  /// Orders whose events of 2025 are in reais, and those of 2026 in centavos.
  static let fill = """
    INSERT INTO events (aggregate_id, event_type, event_data, version, timestamp, metadata)
    SELECT 'order-' || a, t, d, v, '2025-06-01'::timestamptz + (a * 10 + v) * interval '1 day', '{"source": "web"}'
    FROM generate_series(1, 40) a, (VALUES
      (1, 'Submitted', '{"items": [{"price": 1.5}, {"price": 20}]}'::jsonb), (2, 'Paid', '{"value": 21.5}'), (3, 'Noise', '{}')
    ) AS e (v, t, d) ORDER BY v, a;
    UPDATE events SET event_data = event_data || '{"currency": "EUR"}' WHERE aggregate_id = 'order-7' AND version = 1;
    """

  static let rules = """
    -- @upcaster order-currency
    -- @event Submitted
    -- @when NOT event.event_data ? 'currency'
    -- @when event.timestamp < '2026-01-01'
    -- @data
    SELECT event.event_data || '{"currency": "BRL"}'; -- those were the days

    -- @rename Paid PaymentReceived
    -- @data
    SELECT jsonb_build_object('minor', (event.event_data->>'value')::numeric * 100);
    -- @metadata
    SELECT event.metadata || '{"was": "Paid"}';

    -- Sees what the first rule made.
    -- @event Submitted
    -- @when event.event_data ? 'currency'
    -- @data
    SELECT event.event_data || jsonb_build_object('label', (event.event_data->>'currency') || '/' || event.version);

    -- @event Noise
    -- @drop
    """

  @Test func rulesApplyInOrderWhereverEventsAreRead() async throws {
    try await withStore(Self.fill) { db, store in
      await store.use(try Upcasters([("orders.sql", Array(Self.rules.utf8))]))
      var read: [String] = []
      for try await event in store.events(matching: EventQuery()) {
        read.append("\(event.position!) \(event.type) \(event.data) \(event.metadata!)")
      }
      // The same, as SQL would be written by hand.
      let expected = try await db.rows(
        """
        SELECT concat_ws(' ', position, CASE event_type WHEN 'Paid' THEN 'PaymentReceived' ELSE event_type END,
          CASE WHEN event_type = 'Paid' THEN '{"minor": 2150.0}'
               WHEN event_data ? 'currency' THEN event_data || '{"label": "EUR/1"}'
               WHEN timestamp < '2026-01-01' THEN event_data || '{"currency": "BRL", "label": "BRL/1"}'
               ELSE event_data END,
          CASE event_type WHEN 'Paid' THEN metadata || '{"was": "Paid"}' ELSE metadata END)
        FROM events WHERE event_type <> 'Noise' ORDER BY position
        """
      )
      #expect(read == expected)
      #expect(Set(read.map { $0.contains("BRL") }) == [true, false])
      // The types are those that readers see.
      var query = EventQuery()
      query.types = ["PaymentReceived"]
      #expect(try await store.writeNDJSON(query) { _ in }.count == 40)
      query.types = ["Paid"]
      await #expect { try await store.writeNDJSON(query) { _ in } } throws: {
        ($0 as? EventStoreError)?.code == .notFound
      }
      #expect(
        try await store.state(of: "order-7").state
          == #"{"items": [{"price": 1.5}, {"price": 20}], "label": "EUR/1", "minor": 2150.0, "currency": "EUR"}"#
      )
      await store.use(.none)
      #expect(try await store.state(of: "order-7").state.contains("minor") == false)
    }
  }

  /// The error names the rule and the event; the table is not at fault.
  @Test(arguments: [true, false])
  func aRuleThatYieldsNullIsNamed(hasPosition: Bool) async throws {
    try await withStore(Self.fill) { db, store in
      if !hasPosition { try await db.psql("ALTER TABLE events DROP COLUMN position") }
      let rules = """
        -- @upcaster f
        -- @event Paid
        -- @data
        SELECT event.event_data || '{"x": null}';
        -- @event Paid
        -- @when event.aggregate_id = 'order-7'
        -- @data
        SELECT jsonb_set(event.event_data, '{x}', NULL);
        """
      await store.use(try Upcasters([("f.sql", Array(rules.utf8))]))
      for query in [EventQuery(), EventQuery(aggregateID: "order-7")] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.writeNDJSON(query) { _ in }
        }
        let place = hasPosition ? ", position 47" : ""
        #expect(error?.message == "f.sql:5: the rule yields NULL as the payload of order-7 version 2\(place)")
        #expect(error?.code == .invalidDefinition)
        #expect(error?.detail?.contains("The table") != true && "\(error?.hint as Any)".contains("coalesce"))
      }
      // Without the rule it is the table.
      await store.use(try Upcasters([("f.sql", Array("-- @upcaster f\n-- @rename Paid Settled".utf8))]))
      try await db.psql(
        "ALTER TABLE events ALTER event_data DROP NOT NULL; UPDATE events SET event_data = NULL WHERE aggregate_id = 'order-7' AND version = 2"
      )
      let error = await #expect(throws: EventStoreError.self) {
        try await store.writeNDJSON(EventQuery()) { _ in }
      }
      #expect(error?.detail == "The table lets its columns be NULL.")
    }
  }

  @Test func aClassicTableAndSelectAloneAreEnough() async throws {
    try await withStore(Self.fill) { db, store in
      let expected = try await db.rows(
        "SELECT event_data->'items' FROM events WHERE event_type = 'Submitted'"
      )
      try await db.psql(
        """
        ALTER TABLE events DROP COLUMN position, DROP COLUMN metadata;
        CREATE ROLE "upcast_\(db.name)" LOGIN; GRANT SELECT ON events TO "upcast_\(db.name)";
        REVOKE TEMPORARY ON DATABASE \(db.name) FROM PUBLIC; REVOKE ALL ON SCHEMA annals FROM PUBLIC;
        """
      )
      let reader = try EventStore(connecting: db.conninfo + " user=upcast_\(db.name)")
      await reader.use(
        try Upcasters([
          (
            "x.sql",
            Array("-- @upcaster x\n-- @event Submitted\n-- @data\nSELECT event.event_data->'items'".utf8)
          )
        ])
      )
      var query = EventQuery()
      query.types = ["Submitted"]
      var read: [String] = []
      for try await event in reader.events(matching: query) { read.append(event.data) }
      #expect(read == expected)
      try await db.psql("DROP OWNED BY \"upcast_\(db.name)\"; DROP ROLE \"upcast_\(db.name)\"")
    }
  }

  static let faults: [(file: String, message: String)] = [
    ("-- @upcaster a\n", "f.sql:1:1: no @event and no @rename section"),
    ("-- @upcaster a\n-- @when true\n-- @event A\n", "f.sql:2:1: @when belongs to no event type"),
    ("-- @upcaster a\n-- @event A\n", "f.sql:2:1: the section has no rule"),
    ("-- @upcaster a\n-- @rename A\n", "f.sql:2:12: @rename takes the old and the new"),
    ("-- @upcaster a\n-- @event A\n-- @drop\n-- @data\nSELECT '{}'::jsonb", "f.sql:2:1: @drop must be alone"),
    ("-- @upcaster a\n-- @event A\n-- @data\nUPDATE x SET y = 1", "f.sql:4:1: @data takes one query"),
    ("-- @upcaster a\n-- @event A\n-- @data\nSELECT 1;\nSELECT 2;", "f.sql:5:1: @data takes one query"),
    ("-- @upcaster a\n-- @event A\n-- @when a; b\n-- @drop", "f.sql:3:10: @when takes one condition"),
    ("-- @upcaster a\n-- @event A\n-- @when (a\n-- @drop", "f.sql:3:10: this parenthesis is never closed"),
    // What only the server can know.
    (
      "-- @upcaster a\n-- @event A\n-- @when event.nope\n-- @drop",
      "f.sql:3:10: column event.nope does not exist"
    ),
    (
      "-- @upcaster a\n-- @event A\n-- @when 1\n-- @drop",
      "f.sql:3:10: argument of CASE/WHEN must be type boolean"
    ),
    (
      "-- @upcaster a\n-- @event A\n-- @data\nSELECT event.event_data ||\n  nope(1)",
      "f.sql:5:3: function nope(integer)"
    ),
    ("-- @upcaster a\n-- @event A\n-- @data\nSELECT 1", "f.sql:4:1: CASE types"),
    (
      "-- @upcaster a\n-- @event A\n-- @data\nSELECT event.event_data || $1",
      "f.sql:4:28: there is no parameter $1 in"
    ),
    // What would not be the same the next time.
    ("-- @upcaster a\n-- @event A\n-- @data\nSELECT to_jsonb(\n  now())", "f.sql:5:3: now can return"),
    ("-- @upcaster a\n-- @event A\n-- @when random() < 0.5\n-- @drop", "f.sql:3:10: random can return"),
    (
      "-- @upcaster a\n-- @event A\n-- @data\nSELECT to_jsonb(current_date)",
      "f.sql:4:17: current_date can return"
    ),
    (
      "-- @upcaster a\n-- @event A\n-- @data\nSELECT public.own(event.event_data)",
      "f.sql:4:15: own can return"
    ),
    (
      "-- @upcaster a\n-- @event A\n-- @split\nSELECT 'B', event.event_data",
      "f.sql:2: a @split cannot be applied"
    ),
  ]

  @Test(arguments: faults.indices)
  func faultsAreFoundBeforeTheFirstEvent(index: Int) async throws {
    let (file, message) = Self.faults[index]
    try await withStore(Self.fill) { db, store in
      try await db.psql("CREATE FUNCTION own(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1'")
      await #expect {
        await store.use(try Upcasters([("f.sql", Array(file.utf8))]))
        try await store.writeNDJSON(EventQuery()) { _ in }
      } throws: { error in
        let error = error as? EventStoreError
        return error?.code == .invalidDefinition && error?.message.hasPrefix(message) == true
      }
    }
  }

  /// Conditions on what no rule changes reach the index, also through several levels of rules.
  @Test func readingOneStreamDoesNotReadTheStore() async throws {
    try await withStore(Self.fill) { db, store in
      await store.use(try Upcasters([("orders.sql", Array(Self.rules.utf8))]))
      try await db.psql(
        """
        -- Any other event would divide by zero.
        UPDATE events SET event_data = '{"value": "no number"}' WHERE event_type = 'Paid' AND aggregate_id <> 'order-3';
        """
      )
      #expect(try await store.writeNDJSON(EventQuery(aggregateID: "order-3")) { _ in }.count == 2)
      await #expect(throws: EventStoreError.self) { try await store.writeNDJSON(EventQuery()) { _ in } }
    }
  }

  @Test func aProjectionSeesUpcastEventsAndRemembersIt() async throws {
    let projection = """
      -- @projection revenue
      -- @create
      CREATE TABLE revenue (id text PRIMARY KEY, minor numeric NOT NULL);
      -- @on PaymentReceived
      INSERT INTO revenue VALUES (event.aggregate_id, (event.event_data->>'minor')::numeric);
      """
    try await withStore(Self.fill) { db, store in
      await store.use(try Upcasters([("orders.sql", Array(Self.rules.utf8))]))
      let outcome = try await store.rebuildProjection(
        try Projection(path: "revenue.sql", bytes: Array(projection.utf8))
      )
      #expect(outcome.events == 40)
      #expect(try await db.psql("SELECT count(*), sum(minor) FROM revenue") == "40|86000.0")
      let hash = "SELECT count(DISTINCT definition_hash) FROM annals.generations"
      #expect(try await db.psql(hash) == "1")
      await store.use(.none)
      #expect(
        try await store.projectionFile(of: "revenue") == projection,
        "without what stands for the upcasters"
      )
      let error = await #expect(throws: EventStoreError.self) {
        try await store.project(
          try Projection(path: "revenue.sql", bytes: Array(projection.utf8)),
          options: CatchUpOptions()
        )
      }
      #expect(
        error?.message == "the live read model of projection revenue was built with upcasters orders.sql"
      )
      #expect(error?.detail == "Now its events would be read without upcasters.")
      #expect(try await store.projections("revenue").map(\.upcasters) == [["orders.sql"]])
      // One of an earlier version has no record of them.
      try await db.psql("UPDATE annals.generations SET upcasters = NULL")
      let unknown = await #expect(throws: EventStoreError.self) {
        try await store.project(
          try Projection(path: "revenue.sql", bytes: Array(projection.utf8)),
          options: CatchUpOptions()
        )
      }
      #expect(unknown?.message.contains("was built with upcasters whose names are not known") == true)
      #expect(try await store.projections("revenue").map(\.upcasters) == [nil])
      _ = try await store.rebuildProjection(
        try Projection(path: "revenue.sql", bytes: Array(projection.utf8))
      )
      #expect(try await db.psql(hash) == "2", "other upcasters are another definition")
    }
  }
}
