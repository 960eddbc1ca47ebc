import EventStore
import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// The pages, without a server.
@Suite struct BrowsePagesTests {
  struct Shop {
    let database: TestDatabase
    let store: EventStore

    func ask(_ target: String, _ settings: BrowseSettings = BrowseSettings()) async throws -> PageAnswer {
      try await Browser(settings, for: store).answer(target, store)
    }

    func page(_ target: String, _ settings: BrowseSettings = BrowseSettings()) async throws -> String {
      let answer = try await ask(target, settings)
      #expect(answer.status == 200, "\(target)")
      return String(decoding: answer.body, as: UTF8.self)
    }

    func annals(_ arguments: String...) async throws -> ProgramRun {
      try await AnnalsBinary.run(arguments, environment: database.environment)
    }
  }

  static func withShop(_ sql: String = "", _ body: (Shop) async throws -> Void) async throws {
    try await TestCluster.withDatabase { database in
      let store = try EventStore(connecting: database.conninfo)
      _ = try await store.initialize()
      if !sql.isEmpty { try await database.psql(sql) }
      await store.restrictToReading(statementTimeout: .seconds(2), lockTimeout: .milliseconds(200))
      try await body(Shop(database: database, store: store))
    }
  }

  private static let orders = """
    INSERT INTO events (id, aggregate_id, event_type, event_data, version, timestamp, metadata) VALUES
      ('00000000-0000-4000-8000-000000000001', 'order-1', 'Submitted', '{"total": 5, "card": "4111"}', 1,
       '2026-01-01 10:00Z', '{"correlation_id": "c-1"}'),
      ('00000000-0000-4000-8000-000000000002', 'order-1', 'Paid', '{"total": 6}', 2, '2026-01-01 10:01Z',
       '{"correlation_id": "c-1", "causation_id": "00000000-0000-4000-8000-000000000001"}'),
      ('00000000-0000-4000-8000-000000000003', 'mail-1', 'Sent', '{}', 1, '2026-01-02 10:00Z',
       '{"correlation_id": "c-1", "causation_id": "00000000-0000-4000-8000-000000000002"}')
    """

  /// The command on a page prints the same as the page gives to programs.
  @Test(arguments: [
    ("/events?o=ndjson", ["stream", "--reverse", "--limit", "50", "-o", "ndjson"]),
    ("/streams/order-1?o=csv", ["stream", "order-1", "-o", "csv"]),
    ("/streams?o=json", ["streams", "-o", "json"]),
    ("/streams?o=json&prefix=mail", ["streams", "mail", "-o", "json"]),
    ("/events/@2?o=json", ["show", "@2", "-o", "json"]),
    (
      "/streams/order-1/diff?from=1&to=2&o=json",
      ["snapshot", "show", "order-1", "--diff", "1", "2", "-o", "json"]
    ),
    ("/trace/c-1?o=ndjson", ["trace", "c-1", "-o", "ndjson"]), ("/types?o=csv", ["types", "-o", "csv"]),
    ("/types/Paid?o=json", ["types", "show", "Paid", "-o", "json"]), ("/?o=json", ["stats", "-o", "json"]),
    ("/dead-letters?o=json", ["dead-letters", "list", "-o", "json"]),
    ("/projections?o=json", ["projections", "-o", "json"]),
  ])
  func recordsAreThoseOfTheCommand(target: String, command: [String]) async throws {
    try await Self.withShop(Self.orders) { shop in
      let printed = try await AnnalsBinary.run(command, environment: shop.database.environment)
      let page = try await shop.page(target)
      #expect(page == printed.standardOutput)
      let got = try await shop.annals("browse", "--get", target)
      #expect(got.standardOutput == printed.standardOutput && got.exitCode == 0)
    }
  }

  @Test func aStreamAtAVersion() async throws {
    try await Self.withShop(Self.orders) { shop in
      let page = try await shop.page("/streams/order-1?version=1")
      #expect(page.contains("<h2>State after version 1</h2>") && page.contains("&quot;total&quot;: 5"))
      #expect(page.contains(#"<tr class="this" aria-current="true">"#))
      #expect(page.contains("annals snapshot show order-1 --at-version 1 --blame"))
      #expect(page.contains(#"<input type="range" name="version" id="version" min="1" max="2" value="1">"#))
      let last = try await shop.page("/streams/order-1")
      #expect(last.contains("<td>.total</td><td><code>5</code></td><td><code>6</code></td>"))
      #expect(last.contains("/streams/order-1/diff?from=1&amp;to=2"))
    }
  }

  @Test func pagesGoOn() async throws {
    let sql = """
      INSERT INTO events (aggregate_id, event_type, event_data, version)
      SELECT 'a-' || to_char(n, 'FM000'), 'Added', '{}', 1 FROM generate_series(1, 120) AS n
      """
    try await Self.withShop(sql) { shop in
      var (target, positions): (String?, [String]) = ("/events?o=csv", [])
      while let next = target {
        let answer = try await shop.ask(next)
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\r\n").dropFirst()
        positions += lines.map { String($0.prefix { $0 != "," }) }
        target = answer.fields.first { $0.name == "Link" }.map {
          String($0.value.dropFirst().prefix { $0 != ">" })
        }
      }
      #expect(positions == (1...120).reversed().map(String.init))
      let newer = try await shop.page("/events?after=10&o=csv")
      #expect(newer.split(separator: "\r\n").dropFirst().first?.hasPrefix("60,") == true)
      let names = try await shop.ask("/streams?o=csv")
      #expect(names.fields.contains { $0.value == "</streams?after=a-100&o=csv>; rel=\"next\"" })
    }
  }

  @Test func whatSomebodyTypes() async throws {
    try await Self.withShop(Self.orders) { shop in
      let id = "00000000-0000-4000-8000-000000000002"
      for (text, expected) in [
        ("order-1", "/streams/order-1"), ("@2", "/events/@2"), ("2", "/events/@2"), (id, "/events/\(id)"),
        ("2026-01-02", "/events?at=2026-01-02"), ("ord", "/streams?prefix=ord"),
        ("//evil.example", "/streams?prefix=%2F%2Fevil.example"),
        ("00000000-0000-4000-8000-0000000000ff", "/trace/00000000-0000-4000-8000-0000000000ff"),
      ] {
        let answer = try await shop.ask("/go?to=\(PercentCoding.encode(text))")
        #expect(answer.status == 303)
        #expect(answer.fields.first { $0.name == "Location" }?.value == expected, "\(text)")
      }
      let day = try await shop.ask("/events?at=2026-01-01&type=Paid")
      #expect(day.fields.first?.value == "/events?type=Paid&before=3")
    }
  }

  @Test func payloadsCanBeHidden() async throws {
    try await Self.withShop(Self.orders) { shop in
      let targets = [
        "/events", "/events/@1", "/streams/order-1", "/streams/order-1/diff?from=1&to=2", "/trace/c-1",
        "/types/Submitted",
      ]
      for target in targets {
        for format in ["", "o=json", "o=csv"] {
          let full = target + (format.isEmpty ? "" : (target.contains("?") ? "&" : "?") + format)
          for extent in [PayloadExtent.none, .keys] {
            var settings = BrowseSettings()
            settings.payload = extent
            let answer = try await shop.ask(full, settings)
            let page = String(decoding: answer.body, as: UTF8.self)
            #expect(!page.contains("4111"), "\(full) \(extent)")
            if extent == .none {
              #expect(!page.contains("&quot;card") && !page.contains("\"card"), "\(full)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: [
    (
      #"{"a": "b", "c": [1, true, null, {"d e": "\"x\": 1"}], "f": {}}"#,
      #"{"a": null, "c": [null, null, null, {"d e": null}], "f": {}}"#
    ),
    ("1e10", "null"), (#""a\\""#, "null"), (#""cut"#, "null"), ("", ""),
  ])
  func keysWithoutValues(json: String, keys: String) {
    #expect(JSONKeys.only(json) == keys)
  }

  @Test(
    arguments: [
      ("/nope", 4), ("/streams/secret", 4), ("/events/@99", 4), ("/events?type=secret", 4),
      ("/events?at=secret", 65),
      ("/help?o=json", 4), ("/types?o=secret", 64), ("/streams/order-1?version=3", 4), ("nope", 4),
      ("/projections/secret", 4),
    ] as [(String, Int32)]
  )
  func whatIsNotThere(target: String, status: Int32) async throws {
    try await Self.withShop(Self.orders) { shop in
      let run = try await shop.annals("browse", "--get", target)
      #expect(run.exitCode == status, "\(run.standardError)")
      #expect(!run.standardOutput.contains("secret") || target.contains("o=secret"))
    }
  }

  /// A part that takes too long is missing and says so; the rest of the page is complete.
  @Test func aPartHasALimit() async throws {
    try await Self.withShop(Self.orders) { shop in
      var settings = BrowseSettings()
      let text =
        "-- @reducer slow\n-- @initial\nSELECT '{}'::jsonb;\n-- @on *\nSELECT state FROM pg_sleep(3600);\n"
      settings.reducers = [(nil, try Reducer(path: "slow.sql", bytes: Array(text.utf8)))]
      let page = try await shop.page("/streams/order-1", settings)
      #expect(page.contains("Not computed within 2 s.") && page.contains("/streams/order-1?version=2"))
    }
  }

  /// The limit is for all statements of a part together; each statement keeps its own limit.
  @Test func aPartOfManyStatementsHasALimit() async throws {
    try await Self.withShop(Self.orders) { shop in
      var settings = BrowseSettings()
      settings.partLimit = .milliseconds(1)
      let text =
        "-- @reducer slow\n-- @initial\nSELECT '{}'::jsonb;\n-- @on *\nSELECT state FROM pg_sleep(0.5);\n"
      settings.reducers = [(nil, try Reducer(path: "slow.sql", bytes: Array(text.utf8)))]
      let page = try await shop.page("/streams/order-1", settings)
      #expect(page.contains("Not computed within"))
    }
  }

  /// The database, the role, and how far history is final.
  @Test func everyPageSaysWhereItIs() async throws {
    try await Self.withShop(Self.orders) { shop in
      for target in ["/", "/events", "/streams/order-1", "/checks"] {
        let page = try await shop.page(target)
        #expect(page.contains("public.events · watermark 3 final</p>"), "\(target)")
      }
      let help = try await shop.page("/help")
      #expect(help.contains("public.events</p>"))
    }
  }

  @Test func aStandbySaysSo() async throws {
    try await TestCluster.withDatabase(isInitialized: true, replicated: true) { database in
      try await database.psql(Self.orders)
      let store = try EventStore(connecting: try await TestCluster.standby(of: database).conninfo)
      await store.restrictToReading(statementTimeout: .seconds(20), lockTimeout: .seconds(20))
      let answer = try await Browser(BrowseSettings(), for: store).answer("/events", store)
      let page = String(decoding: answer.body, as: UTF8.self)
      #expect(page.contains("public.events · standby · no watermark published</p>"))
    }
  }

  /// The results of a check and a report, on the pages.
  @Test func filesOfChecksAreShown() async throws {
    try await Self.withShop(Self.orders) { shop in
      let folder = "/tmp/annals-test-\(shop.database.name)"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var settings = BrowseSettings()
      (settings.verify, settings.history) = ("\(folder)/found", "\(folder)/runs")
      let missing = try await shop.page("/checks", settings)
      #expect(missing.contains("cannot read \(folder)/found"))
      try await shop.database.psql("UPDATE events SET version = 9 WHERE aggregate_id = 'mail-1'")
      _ = try await shop.annals("report", "--history", "\(folder)/runs", "--now", "2026-03-01")
      for format in ["json", "ndjson"] {
        let found = try await shop.annals("verify-versions", "-o", format)
        try found.standardOutput.write(toFile: "\(folder)/found", atomically: true, encoding: .utf8)
        let checks = try await shop.page("/checks", settings)
        #expect(checks.contains(">1 error</a> in \(folder)/found"))
        #expect(checks.contains("<td><a href=\"/streams/mail-1\">mail-1</a></td>"))
        #expect(checks.contains("<td>problem</td>"))
      }
      let start = try await shop.page("/", settings)
      #expect(start.contains("<a href=\"/checks\">1 error</a>"))
      try "no findings".write(toFile: "\(folder)/found", atomically: true, encoding: .utf8)
      let wrong = try await shop.page("/checks", settings)
      #expect(wrong.contains("does not have the findings of a check"))
    }
  }

  /// A trace that takes too long names the index that would make it fast.
  @Test func aLateTraceNamesItsIndexes() async throws {
    try await Self.withShop(Self.orders) { shop in
      var settings = BrowseSettings()
      settings.partLimit = .zero
      let page = try await shop.page("/trace/c-1", settings)
      #expect(page.contains("Not computed within") && page.contains("all events are read"))
    }
  }

  @Test func nothingCanBeWritten() async throws {
    try await Self.withShop(Self.orders) { shop in
      await #expect(throws: EventStoreError.self) {
        _ = try await shop.store.append([NewEvent(type: "Added", data: "{}")], to: "order-1")
      }
      let count = try await shop.database.psql("SELECT count(*) FROM events")
      #expect(count == "3")
    }
  }
}
