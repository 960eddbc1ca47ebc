import EventStore
import LibPQ
import Synchronization
import TestSupport
import Testing

/// "é" as one scalar and as two: equal to Swift's `String`, not to PostgreSQL.
private let composed = "caf\u{E9}"
private let decomposed = "cafe\u{301}"

/// What PostgreSQL keeps apart stays apart, wherever names are compared.
@Suite struct ByteEqualityTests {
  @Test func theNamesAreEqualToSwiftAlone() async throws {
    #expect(composed == decomposed && Set([composed, decomposed]).count == 1)
    let names = [ByteString(decomposed), ByteString(composed)]
    #expect(Set(names).count == 2 && names.sorted().map(\.string.utf8.count) == [6, 5])
    #expect(ByteString(composed) == ByteString(String(decoding: Array(composed.utf8), as: UTF8.self)))
    #expect(Set([ByteString("a"), "a", "b"]) == ["a", "b"])
    try await TestCluster.withDatabase { db in
      let comparison = "SELECT '\(composed)' = '\(decomposed)', '\(decomposed)' < '\(composed)' COLLATE \"C\""
      let answer = try await db.psql(comparison)
      #expect(answer == "f|t")
    }
  }

  @Test(arguments: ["on", "batch"])
  func eachTypeHasItsOwnHandler(mode: String) async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let event = mode == "on" ? "event.event_type" : "event_type FROM events"
      try await shop.rebuild(
        """
        -- @projection seen
        -- @create
        CREATE TABLE seen (handler text, type text);
        -- @\(mode) \(composed)
        INSERT INTO seen SELECT 'composed', \(event);
        -- @\(mode) \(decomposed)
        INSERT INTO seen SELECT 'decomposed', \(event);
        """
      )
      let right = "(handler = 'composed') = (type = '\(composed)')"
      #expect(try await shop.psql("SELECT count(*), bool_and(\(right)) FROM seen") == "2|t")
    }
  }

  @Test func theStarTakesTheOtherOne() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      try await shop.rebuild(
        """
        -- @projection seen
        -- @create
        CREATE TABLE seen (handler text, type text);
        -- @on \(composed)
        INSERT INTO seen VALUES ('own', event.event_type);
        -- @on *
        INSERT INTO seen VALUES ('other', event.event_type);
        """
      )
      #expect(
        try await shop.psql("SELECT handler, type = '\(composed)' FROM seen ORDER BY handler DESC")
          == "own|t\nother|f"
      )
    }
  }

  @Test func oneTypeMayBeHandledByEventAndTheOtherInRuns() throws {
    let file = try Projection(
      path: "p.sql",
      bytes: Array(
        "-- @projection p\n-- @create\nCREATE TABLE p ();\n-- @on \(composed)\nSELECT 1;\n-- @batch \(decomposed)\nSELECT 1;\n"
          .utf8
      )
    )
    #expect(file.handledTypes == [ByteString(composed), ByteString(decomposed)])
  }

  @Test func aReducerHasASectionForEach() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth(aggregate: "'a'", versions: [1, 2])
      let reducer = try Reducer(
        path: "r.sql",
        bytes: Array(
          """
          -- @reducer seen
          -- @on \(composed)
          SELECT state || '{"composed": true}';
          -- @on \(decomposed)
          SELECT state || '{"decomposed": true}';
          """.utf8
        )
      )
      #expect(
        try await shop.store().state(of: "a", reducer: reducer).state
          == #"{"composed": true, "decomposed": true}"#
      )
    }
  }

  @Test func aPoisonEventIsOfItsOwnSection() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth(aggregate: "'a'", versions: [1, 2])
      let reducer = try Reducer(
        path: "r.sql",
        bytes: Array(
          "-- @reducer r\n-- @on \(composed)\nSELECT state;\n-- @on \(decomposed)\nSELECT to_jsonb(1 / (event.version - 2));\n"
            .utf8
        )
      )
      await #expect { try await shop.store().state(of: "a", reducer: reducer) } throws: {
        "\($0)".contains("r.sql:5: the reducer failed")
      }
    }
  }

  @Test func aTypeCanBeRenamedToItsOtherForm() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let upcasters = try Upcasters([
        ("u.sql", Array("-- @upcaster u\n-- @rename \(decomposed) \(composed)\n".utf8))
      ])
      let store = try shop.store()
      let result = try await store.check(upcasters)
      #expect(result.events == 1 && result.changed == 1 && result.findings.isEmpty)
      let plan = try await store.planEvolution(upcasters)
      let reread = try EvolutionPlan(path: "p", bytes: Array(plan.json.utf8))
      #expect(reread.types.count == 1 && reread.types[0].changed == 1)
      #expect(reread.types[0].becomes.map { Array($0.type.utf8) } == [Array(composed.utf8)])
      let copy = QualifiedName(schema: "public", name: "events_v2")
      _ = try await store.applyEvolution(reread, into: copy)
      #expect(
        try await shop.psql(
          "SELECT count(*), count(*) FILTER (WHERE event_type = '\(composed)') FROM events_v2"
        ) == "2|2"
      )
    }
  }

  @Test func aTypeThatSplitsIntoBothFormsIsCountedAsBoth() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let upcasters = try Upcasters([
        (
          "u.sql",
          Array(
            "-- @upcaster u\n-- @event \(composed)\n-- @split\nVALUES ('\(composed)', '{}'::jsonb), ('\(decomposed)', '{}');\n"
              .utf8
          )
        )
      ])
      let plan = try await shop.store().planEvolution(upcasters)
      let reread = try EvolutionPlan(path: "p", bytes: Array(plan.json.utf8))
      #expect(reread.types.count == 1)
      #expect(reread.types.first?.becomes.map(\.events) == [1, 1])
    }
  }

  @Test func upcastersChangeOneTypeAlone() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let upcasters = try Upcasters([
        (
          "u.sql",
          Array(
            """
            -- @upcaster u
            -- @event \(composed)
            -- @data
            SELECT '{"is": "composed"}'::jsonb;
            -- @event \(decomposed)
            -- @data
            SELECT '{"is": "decomposed"}'::jsonb;
            """.utf8
          )
        )
      ])
      let store = try shop.store()
      let result = try await store.check(upcasters)
      #expect(result.events == 2 && result.changed == 2)
      let plan = try await store.planEvolution(upcasters)
      #expect(
        plan.types.map { "\($0.type.utf8.count) \($0.events) \($0.changed)" }.sorted() == ["5 1 1", "6 1 1"]
      )
      // What one type alone handles is not handled for the other.
      var options = EvolutionCheckOptions()
      options.projections = [
        try Projection(
          path: "p.sql",
          bytes: Array(
            "-- @projection p\n-- @create\nCREATE TABLE p ();\n-- @on \(composed)\nSELECT 1;\n".utf8
          )
        )
      ]
      let other = try Upcasters([("u.sql", Array("-- @upcaster u\n-- @event X\n-- @drop\n".utf8))])
      let unhandled = try await store.check(other, options).findings.filter { $0.kind == .unhandled }
      #expect(unhandled.map { Array($0.eventType.utf8) } == [Array(decomposed.utf8)])
    }
  }

  @Test func shapesTellMembersApart() async throws {
    try await Shop.open { shop in
      try await shop.psql(
        """
        INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES
          ('a', 'T', '{"\(composed)": 1, "\(decomposed)": "x"}', 1), ('b', 'T', '{"\(composed)": {"in": 1}}', 1)
        """
      )
      let store = try shop.store()
      let shape = try await store.shape(ofType: "T", sample: nil, findingRequired: true)
      #expect(
        shape.paths.map { "\(Array($0.path.utf8).count) \($0.events) \($0.isRequired ?? false)" }
          == ["1 2 false", "9 1 false", "8 2 true", "11 1 true"]
      )
      #expect(shape.paths.compactMap(\.example) == ["\"x\"", "1", "1"])
      // Two properties in the schema too.
      let schema = Array(shape.jsonSchema.utf8)
      for name in [composed, decomposed] {
        #expect(schema.containsBytes(of: "\"\(name)\":"))
      }
    }
  }

  @Test func typesAreCountedApart() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      try await shop.insertBoth(aggregate: "'z'", versions: [1, 2])
      let store = try shop.store()
      let types = try await store.eventTypes(sample: nil)
      #expect(types.map { "\($0.type.utf8.count) \($0.events)" } == ["6 2", "5 2"])
      let hours = try await store.eventsPerHour()
      #expect(hours.map { "\($0.type.utf8.count) \($0.counts.reduce(0, +))" }.sorted() == ["5 2", "6 2"])
      for (type, count) in [(composed, 2), (decomposed, 2)] {
        var query = EventQuery()
        query.types = [type]
        #expect(try await store.events(query).count == count)
      }
      var both = EventQuery()
      both.types = [composed, decomposed]
      #expect(try await store.planReplay(both).types.count == 2)
    }
  }

  @Test func aCheckpointOfOneTypeIsNotThatOfTheOther() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let store = try shop.store()
      var query = EventQuery()
      query.types = [composed]
      var options = ReplayOptions()
      options.checkpoint = "c"
      #expect(try await store.replay(query, options) { _ in }.count == 1)
      query.types = [decomposed]
      await #expect { try await store.replay(query, options) { _ in } } throws: {
        ($0 as? EventStoreError)?.message.contains("belongs to another replay") == true
      }
      // Nor is a checkpoint named in one form that of the other.
      var other = options
      other.checkpoint = composed
      _ = try await store.replay(query, other) { _ in }
      other.checkpoint = decomposed
      #expect(try await store.replay(query, other) { _ in }.count == 1)
    }
  }

  @Test(arguments: [nil, 1, 2])
  func streamsOfBothNamesAreAppendedApart(workers: Int?) async throws {
    try await Shop.open { shop in
      let store = try shop.store()
      var lines = ""
      for n in 0..<6 {
        let name = n % 2 == 0 ? composed : decomposed
        lines +=
          #"{"aggregate_id":"\#(name)","event_type":"T","event_data":{"n":\#(n)},"expected_version":\#(n / 2)}"#
          + "\n"
      }
      var options = BulkAppendOptions()
      if let workers {
        options.batchSize = 1
        options.workers = workers
      }
      let pieces = Pieces(Array(lines.utf8))
      let result = try await store.append(lines: { pieces.next() }, options: options)
      #expect(result.appendedCount == 6)
      for name in [composed, decomposed] {
        let stream = try await store.events(EventQuery(aggregateID: name))
        #expect(stream.map(\.version) == [1, 2, 3])
        #expect(stream.allSatisfy { ByteString($0.aggregateID) == ByteString(name) })
      }
      let event = NewEvent(type: "T")
      _ = try await store.append([event], to: composed, expecting: .version(3))
      await #expect(throws: EventStoreError.self) {
        try await store.append([NewEvent(type: "T")], to: decomposed, expecting: .version(4))
      }
    }
  }

  @Test func manifestsTellStreamsApart() async throws {
    try await Shop.open { shop in
      for name in [composed, decomposed, "cafe", "caff", "caf\u{2F00}"] {
        try await shop.psql(
          "INSERT INTO events (aggregate_id, event_type, event_data, version) SELECT '\(name)', 'T', '{}', n FROM generate_series(1, 3) n"
        )
      }
      let store = try shop.store()
      let written = try await store.manifest()
      for incremental in [false, true] {
        var check = VersionCheck()
        check.isIncremental = incremental
        #expect(try await store.findings(check, against: written).isEmpty)
      }
      try await shop.psql("DELETE FROM events WHERE aggregate_id = '\(decomposed)'")
      let findings = try await store.findings(VersionCheck(), against: written)
      #expect(findings.count == 1 && findings.first?.kind == .streamCutOff)
      #expect(findings.first?.aggregateID.map { Array($0.utf8) } == Array(decomposed.utf8))
    }
  }

  @Test func readModelsMayHaveTablesOfBothNames() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      let file = """
        -- @projection seen
        -- @create
        CREATE TABLE "\(composed)" (type text);
        CREATE TABLE "\(decomposed)" (type text);
        -- @on \(composed)
        INSERT INTO "\(composed)" VALUES (event.event_type);
        -- @on \(decomposed)
        INSERT INTO "\(decomposed)" VALUES (event.event_type);

        """
      try await shop.rebuild(file)
      try await shop.psql(
        "CREATE INDEX \"i\(composed)\" ON \"\(composed)\" (type); CREATE INDEX \"i\(decomposed)\" ON \"\(decomposed)\" (type)"
      )
      try await shop.rebuild(file + "-- @version 2\n")
      #expect(
        try await shop.psql(
          "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'icaf%'"
        ) == "2"
      )
      #expect(
        try await shop.psql(
          "SELECT (SELECT count(*) FROM \"\(composed)\"), (SELECT count(*) FROM \"\(decomposed)\")"
        ) == "1|1"
      )
    }
  }

  /// One file with a text in one form is not the file with the text in the other.
  @Test func aFileInTheOtherFormIsAnotherFile() async throws {
    try await Shop.open { shop in
      try await shop.insertBoth()
      func file(_ text: String) -> String {
        "-- @projection p\n-- @create\nCREATE TABLE p (t text);\n-- @on *\nINSERT INTO p VALUES ('\(text)');\n"
      }
      try await shop.rebuild(file(composed))
      await #expect(throws: EventStoreError.self) { try await shop.project(file(decomposed)) }
      try await shop.rebuild(file(decomposed))
      #expect(try await shop.psql("SELECT DISTINCT t = '\(decomposed)' FROM p") == "t")
    }
  }

  @Test func schemasAndTablesOfBothNamesAreTwo() async throws {
    let first = QualifiedName(schema: composed, name: "events")
    let second = QualifiedName(schema: decomposed, name: "events")
    #expect(first != second && Set([first, second]).count == 2)
    #expect(QualifiedName("\(composed).events") == first)
  }

  /// Statements that differ in form alone are two prepared statements.
  @Test func statementsArePreparedApart() async throws {
    try await TestCluster.withDatabase { db in
      let connection = try Connection(ConnectionParameters(database: db.conninfo), canceller: Canceller())
      for _ in 0..<3 {
        for text in [composed, decomposed] {
          let row = try connection.query("SELECT '\(text)'", [], prepared: true)
          #expect(Array(row.string(0, 0).utf8) == Array(text.utf8))
        }
      }
    }
  }
}

extension [UInt8] {
  fileprivate func containsBytes(of text: String) -> Bool {
    indices.contains { self[$0...].starts(with: text.utf8) }
  }
}

extension Shop {
  /// An event of each type, of one aggregate each, or of one with two versions.
  fileprivate func insertBoth(aggregate: String? = nil, versions: [Int] = [1, 1]) async throws {
    try await psql(
      """
      INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES
        (\(aggregate ?? "'x'"), '\(composed)', '{}', \(versions[0])), (\(aggregate ?? "'y'"), '\(decomposed)', '{}', \(versions[1]))
      """
    )
  }
}

extension EventStore {
  fileprivate func events(_ query: EventQuery) async throws -> [Event] {
    var all: [Event] = []
    for try await event in events(matching: query) { all.append(event) }
    return all
  }

  fileprivate func manifest() async throws -> [UInt8] {
    let bytes = Bytes()
    var integrity = IntegrityCheck()
    integrity.writeManifest = { bytes.add($0) }
    _ = try await verifyVersions(VersionCheck(), integrity: integrity) { _ in }
    return bytes.all
  }

  fileprivate func findings(_ check: VersionCheck, against manifest: [UInt8]) async throws -> [Finding] {
    let pieces = Pieces(manifest)
    let found = Mutex<[Finding]>([])
    var integrity = IntegrityCheck()
    integrity.readManifest = { pieces.next() }
    _ = try await verifyVersions(check, integrity: integrity) { finding in
      found.withLock { $0.append(finding) }
    }
    return found.withLock(\.self)
  }
}

private final class Bytes: Sendable {
  private let bytes = Mutex<[UInt8]>([])
  var all: [UInt8] { bytes.withLock(\.self) }
  func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
}
