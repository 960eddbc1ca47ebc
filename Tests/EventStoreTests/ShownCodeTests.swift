import EventStore
import FoundationEssentials
import Synchronization
import TestSupport
import Testing

/// Every Swift paragraph of README and of the library's articles stands here, where it is compiled and run.
@Suite struct ShownCodeTests {
  private static let root = SourceTree.path("")

  private static var pages: [String] {
    get throws {
      let folder = "Sources/EventStore/EventStore.docc"
      let articles = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted()
      return ["README.md"] + articles.filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
    }
  }

  /// The lines of a text, without indentation and without empty ones.
  private static func lines(_ text: some StringProtocol) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  @Test(arguments: try pages) func isCompiled(page: String) throws {
    let compiled = "\n" + Self.lines(try String(contentsOfFile: #filePath, encoding: .utf8)) + "\n"
    let blocks = try String(contentsOfFile: "\(Self.root)/\(page)", encoding: .utf8)
      .split(separator: "```swift\n").dropFirst().map {
        $0.prefix(upTo: $0.firstRange(of: "```")!.lowerBound)
      }
    for paragraph in blocks.flatMap({ $0.split(separator: "\n\n") }) where !paragraph.hasPrefix(".package(") {
      let isThere = compiled.contains("\n\(Self.lines(paragraph))\n")
      #expect(isThere, "not in this file:\n\(paragraph)")
    }
  }

  @Test func opening() throws {
    let store = try EventStore(connecting: "host=/run/postgresql dbname=shop")
    #expect(store.table == .events)
  }

  @Test func firstSteps() async throws {
    try await withShop { store in
      try await store.initialize()

      let submitted = NewEvent(type: "OrderSubmitted", data: #"{"customer": "grace"}"#)
      try await store.append([submitted], to: "order-42", expecting: .noStream)

      for try await event in store.events(matching: EventQuery(aggregateID: "order-42")) {
        print(event.version, event.type, event.data)
      }
    }
  }

  @Test func readme() async throws {
    try await withOrder(events: 3) { store in
      let shipped = NewEvent(type: "OrderShipped", data: #"{"carrier": "DHL"}"#)
      try await store.append([shipped], to: "order-42", expecting: .version(3))
      for try await event in store.events(matching: EventQuery(aggregateID: "order-42")) {
        print(event.version, event.type, event.data)
      }
      #expect(try await store.summary(ofStream: "order-42")?.lastVersion == 4)
    }
  }

  @Test func appending() async throws {
    try await withOrder(events: 2) { store in
      let paid = NewEvent(type: "PaymentProcessed", data: #"{"amount": 12.5}"#)
      do {
        try await store.append([paid], to: "order-42", expecting: .version(1))
      } catch let error as EventStoreError where error.code == .versionConflict {
        print(error.message)
      }
      #expect(try await store.summary(ofStream: "order-42")?.lastVersion == 2)

      let receipts = try await store.append([paid], to: "order-42")
      print(receipts[0].version, receipts[0].status)

      let input = Input(#"{"aggregate_id": "order-43", "event_type": "OrderSubmitted", "event_data": {}}"#)
      var options = BulkAppendOptions()
      options.batchSize = 10_000
      let result = try await store.append(lines: { try input.nextBytes() }, options: options)
      print(result.appendedCount, result.existingCount)
      #expect(result.appendedCount == 1)
    }
  }

  @Test func reading() async throws {
    try await withOrder(events: 2) { store in
      try await store.append([NewEvent(type: "OrderShipped")], to: "order-42")
      var query = EventQuery()
      query.category = "order"
      query.types = ["OrderShipped"]
      query.since = try await store.time("2 days ago")
      for try await event in store.events(matching: query) {
        print(event.aggregateID, event.timestamp)
      }

      let watermark = try await store.watermark()
      for writer in watermark.writers {
        print(writer.summary)
      }

      for try await event in store.events(matching: EventQuery(), following: true) {
        print(event.type)
        if event.type == "OrderShipped" { break }
      }
    }
  }

  @Test func replaying() async throws {
    try await withOrder(events: 2) { store in
      let mailer = Mailer()
      for _ in 1...2 {
        var options = ReplayOptions()
        options.checkpoint = "mail"
        try await store.replay(EventQuery(), options) { batch in
          try await mailer.send(batch.lines)
        }
      }
      #expect(await mailer.lineCount == 2)
    }
  }

  @Test func projections() async throws {
    try await withOrder(events: 2) { store in
      let article = try String(
        contentsOfFile: "\(Self.root)/Sources/EventStore/EventStore.docc/Projections.md",
        encoding: .utf8
      )
      let block = article.split(separator: "```sql\n")[1]
      let file = Array(block.prefix(upTo: block.firstRange(of: "```")!.lowerBound).utf8)
      for _ in 1...2 {
        let orders = try Projection(path: "orders.sql", bytes: file)
        var options = RebuildOptions()
        options.differenceLimit = .percent(1)
        let outcome = try await store.rebuildProjection(orders, options: options) {
          print($0.done, "of", $0.total)
        }
        print(outcome.ending)
        #expect(outcome.ending == .live)
      }

      let orders = try Projection(path: "orders.sql", bytes: file)
      var catchUp = CatchUpOptions()
      catchUp.once = true
      try await store.project(orders, options: catchUp)
      for letter in try await store.deadLetters(of: "orders") {
        print(letter.position, letter.message)
      }

      try await store.rollBackProjection("orders")
      #expect(try await store.projections("orders").first { $0.state == .live }?.generation == 1)
    }
  }

  @Test func states() async throws {
    try await withOrder(events: 3) { store in
      let state = try await store.state(of: "order-42", at: .version(2))
      print(state.version, state.state)

      for value in try await store.blame("order-42", path: ".amount") {
        print(value.path, value.value, value.event?.version ?? 0)
      }

      try await store.takeSnapshots(of: .all, every: 100)
    }
  }

  @Test func checking() async throws {
    try await withOrder(events: 3) { store in
      let result = try await store.verifyVersions { finding in
        print(finding.kind, finding.aggregateID ?? "", finding.detail)
      }
      print(result.errors, "errors in", result.events, "events")

      let health = try await store.health()
      print(health.head, health.lagEvents, health.deadLetters)
      #expect(health.head == 3)
    }
  }

  private func withShop(_ body: (EventStore) async throws -> Void) async throws {
    try await TestCluster.withDatabase { try await body(EventStore(connecting: $0.conninfo)) }
  }

  /// A store with the first events of order-42.
  private func withOrder(events count: Int, _ body: (EventStore) async throws -> Void) async throws {
    try await withShop { store in
      try await store.initialize()
      let paid = (1..<count).map { NewEvent(type: "PaymentProcessed", data: #"{"amount": \#($0)}"#) }
      try await store.append([NewEvent(type: "OrderSubmitted")] + paid, to: "order-42")
      try await body(store)
    }
  }
}

/// What the articles take for given.
private final class Input: Sendable {
  private let rest: Mutex<[UInt8]?>

  init(_ line: String) { rest = Mutex(Array((line + "\n").utf8)) }

  func nextBytes() throws -> [UInt8]? {
    rest.withLock { rest in
      defer { rest = nil }
      return rest
    }
  }
}

private actor Mailer {
  private(set) var lineCount = 0

  func send(_ lines: [UInt8]) throws { lineCount += lines.count { $0 == UInt8(ascii: "\n") } }
}
