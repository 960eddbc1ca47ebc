import EventStore
import TestSupport
import Testing

@Suite struct EvolutionCheckTests {
  @Test func aSoundUpcasterHasNoFindings() async throws {
    try await withStore(UpcasterTests.fill) { _, store in
      let result = try await store.check(
        upcasters(
          "@event Submitted\n-- @when NOT event.event_data ? 'n'\n-- @data\nSELECT event.event_data || '{\"n\": 1}'"
        )
      )
      #expect(result.findings.isEmpty && result.counts.isEmpty)
      #expect(result.events == 40 && result.changed == 40)
    }
  }

  /// A rule that matches its own outcome, and does not change it.
  @Test(arguments: [
    ("@event Submitted\n-- @data\nSELECT event.event_data", 0),
    ("@event Submitted\n-- @data\nSELECT event.event_data || '{\"z\": 1}'", 0),
    ("@event *\n-- @metadata\nSELECT event.metadata || '{\"z\": 1}'", 0),
    ("@event Submitted\n-- @data\nSELECT jsonb_build_object('was', event.event_data)", 40),
    ("@event Submitted\n-- @metadata\nSELECT jsonb_build_object('was', event.metadata)", 40),
    // The second time it fails, which no reader meets.
    (
      "@event Paid\n-- @data\nSELECT jsonb_build_object('value', (event.event_data->>'value')::numeric || ' BRL')",
      40
    ),
    ("@event Submitted\n-- @split\nSELECT 'Submitted', event.event_data UNION ALL SELECT 'Filled', '{}'", 40),
  ])
  func aRuleIsComparedWithItselfAppliedTwice(rule: String, again: Int64) async throws {
    try await withStore(UpcasterTests.fill) { _, store in
      let result = try await store.check(upcasters(rule))
      let found = result.findings.filter { $0.kind != .typeChanges }
      #expect(found.map { "\($0.kind) \($0.events)" } == (again == 0 ? [] : ["notIdempotent \(again)"]))
      #expect(found.allSatisfy { $0.rules == ["f.sql:2"] && $0.aggregateID == "order-1" })
    }
  }

  /// A rule for a type that no event has is valid only if an earlier rule produces the type.
  @Test func aTypeThatAnEarlierRuleMakesIsThere() async throws {
    try await withStore(UpcasterTests.fill) { _, store in
      let split =
        "@event Submitted\n-- @split\nSELECT 'Opened', '{}'::jsonb UNION ALL SELECT 'Filled', event.event_data"
      let later = "-- @event Filled\n-- @when false\n-- @drop\n-- @event Nowhere\n-- @when false\n-- @drop\n"
      let result = try await store.check(
        upcasters("\(split);\n-- @rename Opened Begun\n-- @rename Begun Started\n\(later)")
      )
      #expect(result.findings.map { "\($0.kind) \($0.eventType)" } == ["noEvents Nowhere"])
      let before = try await store.check(upcasters("\(later.dropFirst(3))-- \(split)"))
      #expect(
        before.findings.filter { $0.kind == .noEvents }.map(\.eventType) == ["Filled", "Nowhere"]
      )
    }
  }

  /// The failing events are named and all counted, and the others are still checked.
  @Test(arguments: [true, false])
  func failingEventsAreNamed(hasPosition: Bool) async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      try await db.psql(
        "UPDATE events SET event_data = '{\"items\": []}' WHERE aggregate_id LIKE 'order-1_' AND version = 1"
      )
      if !hasPosition { try await db.psql("ALTER TABLE events DROP COLUMN position") }
      var options = EvolutionCheckOptions()
      options.failureLimit = 3
      let result = try await store.check(
        upcasters(
          "@event Submitted\n-- @data\nSELECT event.event_data || jsonb_build_object('a', 1 / jsonb_array_length(event.event_data->'items'))"
        ),
        options
      )
      let failures = result.findings.filter { $0.kind == .failure }
      #expect(failures.map(\.aggregateID) == ["order-10", "order-11", "order-12"])
      #expect(
        failures.allSatisfy {
          $0.version == 1 && $0.detail == "division by zero (22012)" && $0.rules == ["f.sql:2"]
        }
      )
      #expect(result.counts[.failure] == 10)
    }
  }

  @Test func everythingStrangeIsFound() async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      let result = try await store.check(
        upcasters(
          """
          @event Submitted
          -- @data
          SELECT event.event_data
            || jsonb_build_object('note', event.event_data->'note', 'items', event.event_data->>'items', 'old', event.event_data);
          -- @event Paid
          -- @when event.aggregate_id = 'order-7'
          -- @data
          SELECT NULL::jsonb;
          -- @event Forgotten
          -- @drop
          """
        )
      )
      let found = result.findings.map { "\($0.kind) \($0.eventType) \($0.path ?? "-") \($0.events)" }
      #expect(
        found == [
          "noPayload Paid - 1", "notIdempotent Submitted - 40", "nullAppears Submitted .note 40",
          "typeChanges Submitted .items 40", "noEvents Forgotten - 0",
        ]
      )
      #expect(result.findings[0].aggregateID == "order-7")
    }
  }

  /// Each run must give the same result, whatever the names in braces are; they are not places of ours.
  @Test(arguments: ["key", "step", "limit", "sample", "events", "position", "values", "source", "condition"])
  func aPathLiteralIsNotAPlaceOfOurs(member: String) async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      try await db.psql("UPDATE events SET event_data = '{\"\(member)\": 1}' WHERE event_type = 'Submitted'")
      for _ in 1...3 {
        let file = "@event Submitted\n-- @data\nSELECT jsonb_set(event.event_data, '{\(member)}', '\"x\"')"
        let result = try await store.check(upcasters(file))
        #expect(result.findings.map { "\($0.kind) \($0.path ?? "-")" } == ["typeChanges .\(member)"])
      }
      // One event fails, and no other is named.
      try await db.psql("UPDATE events SET event_data = '{\"\(member)\": 0}' WHERE aggregate_id = 'order-7'")
      for _ in 1...3 {
        let file = """
          @event Submitted
          -- @data
          SELECT event.event_data || jsonb_build_object('n', 1 / (event.event_data #>> '{\(member)}')::integer)
          """
        let result = try await store.check(upcasters(file))
        let failures = result.findings.filter { $0.kind == .failure }
        #expect(failures.map { $0.aggregateID } == ["order-7"])
        #expect(failures.map(\.detail) == ["division by zero (22012)"])
        #expect(result.counts[.failure] == 1)
      }
    }
  }

  /// The sample of events does not hold the one that fails; that of the shapes does.
  @Test func aFailureOutsideOfTheSampleIsReported() async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version)
        SELECT 'many-' || n, 'Submitted', '{"n": 1}', 1 FROM generate_series(1, 1000) n;
        UPDATE events SET event_data = '{"n": 0}'
        WHERE position = (SELECT min(position) FROM events WHERE event_type = 'Submitted') + 401
        """
      )
      var options = EvolutionCheckOptions()
      (options.sample, options.comparedPerType) = (1, 10_000)
      let file = """
        @event Submitted
        -- @data
        SELECT event.event_data || jsonb_build_object('n', 1 / coalesce((event.event_data ->> 'n')::integer, 1))
        """
      let result = try await store.check(upcasters(file), options)
      #expect(result.counts[.failure] == 1)
      #expect(result.findings.filter { $0.kind == .failure }.map(\.detail) == ["division by zero (22012)"])
    }
  }

  /// The sample of shapes hardly ever has the one event; if it has, the path is known. The text of a rule tells whether
  /// it can make a null at all.
  @Test(arguments: [
    "event.event_data || '{\"note\": null}'",
    "event.event_data || jsonb_build_object('note', event.event_data->'note')",
    "event.event_data || concat('{\"note\": nu', 'll}')::jsonb",
    "event.event_data || E'{\"note\": n\\165ll}'",
  ])
  func aNullInOneEventIsFound(expression: String) async throws {
    try await withStore(UpcasterTests.fill) { _, store in
      var options = EvolutionCheckOptions()
      options.comparedPerType = 1
      let rule =
        "@event Submitted\n-- @when NOT event.event_data ? 'note' AND event.aggregate_id = 'order-30'\n-- @data\n"
      let result = try await store.check(upcasters(rule + "SELECT \(expression)"), options)
      let found = result.findings.map { "\($0.kind) \($0.aggregateID ?? "-") \($0.path ?? "-") \($0.events)" }
      #expect([["nullAppears order-30 - 1"], ["nullAppears order-30 .note 1"]].contains(found), "\(found)")
    }
  }

  /// Only differing values are descended into, and elements of an array are compared together.
  @Test func shapesAreComparedBelowWhatDiffers() async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      try await db.psql(
        """
        UPDATE events SET event_data = '{"a": {"b": {"c": 1, "d": 2}, "e": null}, "l": [{"p": 1}, {"p": 2, "q": []}], "s": {"t": 1}}'
        WHERE event_type = 'Submitted'
        """
      )
      let result = try await store.check(
        upcasters(
          """
          @event Submitted
          -- @when event.event_data->'s' <> '[null]'
          -- @data
          SELECT jsonb_set(jsonb_set(jsonb_set(event.event_data, '{a,b,c}', '"1"'), '{l,1,p}', 'null'), '{s}', '[null]')
          """
        )
      )
      let found = result.findings.map { "\($0.kind) \($0.path ?? "-") \($0.detail)" }
      #expect(
        found == [
          "nullAppears .l[].p number becomes null|number in 40 of 40 events compared",
          "nullAppears .s[] absent becomes null in 40 of 40 events compared",
          "typeChanges .a.b.c number becomes string in 40 of 40 events compared",
          "typeChanges .s object becomes array in 40 of 40 events compared",
        ]
      )
    }
  }

  @Test func typesThatNobodyKnowsAreNamed() async throws {
    try await withStore(UpcasterTests.fill) { _, store in
      var options = EvolutionCheckOptions()
      let projection = "-- @projection p\n-- @create\nCREATE TABLE p ();\n-- @on Paid\nSELECT 1;"
      options.projections = [try Projection(path: "p.sql", bytes: Array(projection.utf8))]
      let result = try await store.check(upcasters("@rename Submitted Placed"), options)
      #expect(result.findings.map(\.eventType) == ["Noise"] && result.counts == [.unhandled: 1])
    }
  }

  @Test func aStandbyAndSelectAloneAreEnough() async throws {
    try await withStore(UpcasterTests.fill) { db, store in
      try await db.psql(
        """
        ALTER DATABASE \(db.name) SET default_transaction_read_only = on;
        CREATE ROLE "check_\(db.name)" LOGIN; GRANT SELECT ON events TO "check_\(db.name)";
        REVOKE TEMPORARY ON DATABASE \(db.name) FROM PUBLIC;
        """
      )
      let reader = try EventStore(connecting: db.conninfo + " user=check_\(db.name)")
      let result = try await reader.check(
        upcasters("@event Paid\n-- @data\nSELECT to_jsonb((event.event_data->>'x')::integer / 0)")
      )
      #expect(result.counts[.noPayload] == 1)
      let failing = try await reader.check(
        upcasters("@event Paid\n-- @data\nSELECT to_jsonb(event.version / 0)")
      )
      #expect(failing.counts[.failure] == 40)
      try await db.psql(
        "SET default_transaction_read_only = off; DROP OWNED BY \"check_\(db.name)\"; DROP ROLE \"check_\(db.name)\""
      )
    }
  }

  private func upcasters(_ rules: String) throws -> Upcasters {
    try Upcasters([("f.sql", Array("-- @upcaster f\n-- \(rules)".utf8))])
  }
}
