import EventStore
import FoundationEssentials
import TestSupport
import Testing

/// What takes the place of which values.
@Suite struct RedactionTests {
  private static let payloads = "SELECT event_data FROM events ORDER BY version"

  /// A path, a payload, and the payload afterwards; nil when it does not change.
  private static let cases: [(path: String, before: String, after: String?)] = [
    (".email", #"{"email": "ann@x.org", "n": 1}"#, #"{"n": 1, "email": "[redacted]"}"#),
    ("email", #"{"email": null}"#, #"{"email": "[redacted]"}"#),
    (".email", #"{"name": "ann@x.org"}"#, nil), (".email", "[]", nil), (".email", "3", nil),
    (
      ".customer.email", #"{"customer": {"email": 3, "id": 1}}"#,
      #"{"customer": {"id": 1, "email": "[redacted]"}}"#
    ),
    (".customer.email", #"{"customer": "ann"}"#, nil),
    (
      ".customer.email", #"{"customer": [{"email": 1}, 2, {}]}"#,
      #"{"customer": [{"email": "[redacted]"}, 2, {}]}"#
    ),
    (
      ".items[*].note", #"{"items": [{"note": "x"}, {}, {"note": {"a": 1}}]}"#,
      #"{"items": [{"note": "[redacted]"}, {}, {"note": "[redacted]"}]}"#
    ),
    (".items[*].note", #"{"items": {"note": "x"}}"#, #"{"items": {"note": "[redacted]"}}"#),
    (".items[]", #"{"items": [1, [2]]}"#, #"{"items": ["[redacted]", "[redacted]"]}"#),
    (".items[*]", #"{"items": []}"#, nil),
    (".items[1]", #"{"items": [1, 2, 3]}"#, #"{"items": [1, "[redacted]", 3]}"#),
    (".items[3]", #"{"items": [1, 2, 3]}"#, nil),
    (".items[0].n", #"{"items": [[{"n": 1}]]}"#, #"{"items": [[{"n": "[redacted]"}]]}"#),
    (".", #"{"a": 1}"#, #""[redacted]""#),
    (#"."a.b""#, #"{"a": {"b": 1}, "a.b": 2}"#, #"{"a": {"b": 1}, "a.b": "[redacted]"}"#),
    (#"."it's \"{0}\" $1 é\\""#, #"{"it's \"{0}\" $1 é\\": 1}"#, #"{"it's \"{0}\" $1 é\\": "[redacted]"}"#),
    (#"."0""#, #"{"0": 1}"#, #"{"0": "[redacted]"}"#), (#"."0""#, "[1]", nil),
    (#"."""#, #"{"": 1}"#, #"{"": "[redacted]"}"#), (#"."a""#, #"{"A": 1}"#, nil),
    (".e\u{301}", "{\"\u{e9}\": 1}", nil),
  ]

  @Test func whereAPathLeads() async throws {
    for one in Self.cases {
      try await TestCluster.withDatabase(isInitialized: true) { db in
        let store = try EventStore(connecting: db.conninfo)
        try await db.insert([one.before])
        let stored = try await db.psql(Self.payloads)
        let plan = try await store.planRedaction(.of(one.path))
        #expect(plan.events == (one.after == nil ? 0 : 1), "\(one)")
        #expect(plan.fields.map(\.events) == [plan.events], "\(one)")
        #expect(try await db.psql(Self.payloads) == stored, "a plan changes nothing")
        let result = try await store.redact(for: "law", .of(one.path))
        #expect(result.events == plan.events, "\(one)")
        #expect(try await db.psql(Self.payloads) == one.after ?? stored, "\(one)")
        #expect(try await store.redact(for: "law", .of(one.path)).events == 0, "\(one)")
      }
    }
  }

  @Test func replacements() async throws {
    try await withStore { db, store in
      try await db.insert([#"{"a": "x"}"#, #"{"a": 1.50}"#, #"{"a": "x", "b": "x"}"#, #"{"a": {"b": [1]}}"#])
      try await store.redact(for: "law", .of(".b", by: .json(" null ")))
      #expect(try await db.psql(Self.payloads).contains(#"{"a": "x", "b": null}"#))
      let key = try RedactionKey(Array("a secret of an application".utf8))
      #expect("\(key) \(String(reflecting: key))".contains("97") == false)
      let before = try await db.psql("SELECT event_data->'a' FROM events ORDER BY version").split(
        separator: "\n"
      )
      let hashed = try Redaction.of(".a", by: .hash(key))
      #expect(try await store.redact(for: "law", hashed).events == 4)
      let after = try await db.psql("SELECT event_data->>'a' FROM events ORDER BY version").split(
        separator: "\n"
      )
      for (value, hash) in zip(before, after) {
        let expected = try await runShell(
          "printf '%s' \"$VALUE\" | openssl dgst -sha256 -hmac 'a secret of an application' -r | cut -d' ' -f1",
          environment: ["VALUE": String(value)]
        ).standardOutput
        #expect("\(hash)\n" == "hmac-sha256:" + expected, "\(value)")
      }
      #expect(try await store.redact(for: "law", hashed).events == 0)
      // A longer key than a block of the hash.
      let long = try RedactionKey([UInt8](repeating: 97, count: 100))
      try await db.psql(#"UPDATE events SET event_data = '{"a": "x"}' WHERE version = 1"#)
      #expect(try await store.redact(for: "law", .of(".a", by: .hash(long))).events == 1)
      let expected = try await runShell(
        #"printf '"x"' | openssl dgst -sha256 -hmac "$(printf 'a%.0s' $(seq 100))" -r | cut -d' ' -f1"#
      ).standardOutput
      #expect(
        try await db.psql("SELECT event_data->>'a' FROM events WHERE version = 1") + "\n"
          == "hmac-sha256:" + expected
      )
    }
  }

  @Test func whatIsRefused() async throws {
    for path in ["", "a b", ".a[", ".a=1", ".a..b", ".[x]"] {
      #expect(throws: EventStoreError.self, "\(path)") { try RedactedField(path) }
    }
    for json in ["", "ann", "{", "1 2", "[redacted]"] {
      #expect(throws: EventStoreError.self, "\(json)") { try Redaction.of(".a", by: .json(json)) }
    }
    #expect(throws: EventStoreError.self) { try Redaction.of(".a[*]", by: .json("[1]")) }
    #expect(throws: EventStoreError.self) { try Redaction(.fields([])) }
    #expect(throws: EventStoreError.self) { try RedactionKey(Array("fifteen bytes..".utf8)) }
    for rule in ["-- @drop", "-- @split\nSELECT 'A', '{}'::jsonb"] {
      let file = "-- @upcaster u\n-- @event T\n\(rule)\n"
      #expect(throws: EventStoreError.self) {
        try Redaction(.upcasters(Upcasters([("u.sql", Array(file.utf8))])))
      }
    }
    let rename = "-- @upcaster u\n-- @rename T U\n"
    #expect(throws: EventStoreError.self) {
      try Redaction(.upcasters(Upcasters([("u.sql", Array(rename.utf8))])))
    }
  }

  @Test func selectedEvents() async throws {
    try await withStore { db, store in
      try await db.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version, "timestamp", metadata)
        SELECT s, t, '{"a": 1}', row_number() OVER (PARTITION BY s), '2026-01-01'::timestamptz + n * interval '1 day',
          '{"user": "ann", "ip": "::1"}'
        FROM unnest(ARRAY['o-1', 'o-2', 'p-1']) s, unnest(ARRAY['T', 'U']) WITH ORDINALITY AS u (t, n)
        """
      )
      func left(_ change: @Sendable (inout Redaction) -> Void) async throws -> String {
        try await db.psql("UPDATE events SET event_data = '{\"a\": 1}' WHERE event_data->>'a' <> '1'")
        try await store.redact(for: "law", Redaction.of(".a", selecting: change))
        return try await db.psql(
          "SELECT string_agg(aggregate_id || event_type, ' ' ORDER BY position) FROM events WHERE event_data->>'a' = '1'"
        )
      }
      #expect(try await left { $0.streams = ["o-1", "p-1"] } == "o-2T o-2U")
      #expect(try await left { $0.query.category = "o" } == "p-1T p-1U")
      #expect(try await left { $0.query.types = ["T"] } == "o-1U o-2U p-1U")
      #expect(try await left { $0.query.fromPosition = 3 } == "o-1T o-1U")
      let condition = try SQLCondition("event.version = 2 AND event.metadata->>'user' = 'ann'")
      #expect(try await left { $0.query.contents = [.sql(condition)] } == "o-1T o-2T p-1T")
      for change: @Sendable (inout Redaction) -> Void in [
        { $0.streams = ["o-1", "o-9"] }, { $0.query.category = "q" }, { $0.query.types = ["V"] },
      ] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.planRedaction(.of(".a", selecting: change))
        }
        #expect(error?.code == .notFound)
      }
      let rest =
        "SELECT md5(string_agg((e.id, aggregate_id, event_type, version, \"timestamp\", position)::text, '' ORDER BY position)) FROM events e"
      let before = try await db.psql(rest)
      #expect(try await store.redact(for: "law", .of(metadata: [".user"])).events == 6)
      #expect(
        try await db.psql("SELECT DISTINCT metadata FROM events") == #"{"ip": "::1", "user": "[redacted]"}"#
      )
      #expect(try await db.psql(rest) == before, "nothing else of an event is changed")
    }
  }

  @Test func upcasters() async throws {
    func redaction(_ rule: String) throws -> Redaction {
      let file = "-- @upcaster forget\n-- @event T\n\(rule)\n"
      return try Redaction(.upcasters(Upcasters([("forget.sql", Array(file.utf8))])))
    }
    try await withStore { db, store in
      try await db.insert([#"{"a": "ann smith"}"#, #"{"a": "A."}"#, #"{"b": 1}"#])
      let rule = """
        -- @when event.event_data ? 'a'
        -- @data
        SELECT event.event_data || jsonb_build_object('a', upper(left(event.event_data->>'a', 1)) || '.')
        """
      let plan = try await store.planRedaction(redaction(rule))
      #expect(plan.types.map(\.type) == ["T"] && plan.events == 1 && plan.fields.isEmpty)
      #expect(try await store.redact(for: "law", redaction(rule)).events == 1)
      #expect(try await db.psql(Self.payloads).hasPrefix(#"{"a": "A."}"#))
      for (rule, message) in [
        (
          "-- @data\nSELECT event.event_data || jsonb_build_object('a', (event.event_data->>'a') || '.')",
          "change their own outcome again"
        ),
        (
          "-- @data\nSELECT NULLIF(event.event_data, '{\"b\": 1}')",
          "yield NULL as the payload of a version 3"
        ),
      ] {
        let error = await #expect(throws: EventStoreError.self) {
          try await store.redact(for: "law", redaction(rule))
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
      }
    }
  }
}
