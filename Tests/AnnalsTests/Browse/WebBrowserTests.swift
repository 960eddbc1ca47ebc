import EventStore
import FoundationEssentials
import TestSupport
import Testing

@testable import annals

/// The pages and the report in a real web browser, by the address that the program prints.
@Suite(.serialized, .enabled(if: WebBrowser.isInstalled, "\(WebBrowser.isMissing)"))
struct WebBrowserTests {
  private struct Served: Sendable {
    let browser: WebBrowser
    let base: String

    func open(_ target: String) async throws { try await browser.open(base + target) }

    /// The browser's current path and query.
    func place() async throws -> String { try await browser.value("location.pathname + location.search") }

    /// Waits until the browser has arrived, after a key or a click.
    func arrive(at target: String) async throws { try await until { try await place() == target } }

    func text(_ selector: String) async throws -> String {
      try await browser.value("document.querySelector('\(selector)')?.textContent ?? ''")
    }
  }

  /// Runs the body with the pages of a store, and a browser that has logged in.
  private func serving(
    scripts: Bool = true,
    _ prepare: (TestDatabase) async throws -> Void,
    _ body: @escaping @Sendable (Served) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase(isInitialized: true) { database in
      try await prepare(database)
      let store = try EventStore(connecting: database.conninfo)
      await store.restrictToReading(statementTimeout: .seconds(20), lockTimeout: .seconds(20))
      let browser = await Browser(BrowseSettings(), for: store)
      let login = BrowseLogin(name: nil)
      let service = BrowseService(browser: browser, stores: StorePool(store), login: login)
      let server = try await BrowseServer.listen(on: .port(0), service)
      let base = "http://127.0.0.1:\(try #require(server.port))"
      let run = Task { try await server.run() }
      let result: Result<Void, any Error>
      do {
        result = .success(
          try await WebBrowser.run(scripts: scripts) { browser in
            try await browser.open(base + login.path)
            try await body(Served(browser: browser, base: base))
          }
        )
      } catch { result = .failure(error) }
      run.cancel()
      _ = await run.result
      try result.get()
    }
  }

  /// The example shop, with a projection that has given up on an event.
  private static func shop(_ database: TestDatabase) async throws {
    let file = "/tmp/annals-test-\(database.name).sql"
    let broken = """
      -- @projection broken
      -- @create
      CREATE TABLE broken (n integer);
      -- @on OrderShipped
      INSERT INTO broken VALUES (1 / CASE event.aggregate_id WHEN 'order-1007' THEN 0 ELSE 1 END);
      """
    try broken.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    for arguments in [
      ["rebuild-projection", file],
      ["append", "--from", SourceTree.path("Examples/orders/events.ndjson")],
      ["rebuild-projection", SourceTree.path("Examples/orders/orders.sql")],
      ["project", file, "--once", "--attempts", "1"],
    ] {
      let run = try await AnnalsBinary.run(arguments, environment: database.environment)
      #expect([0, 5].contains(run.exitCode), "\(arguments): \(run.standardError)")
    }
  }

  private static let pagesOfShop = [
    "/", "/events", "/events?type=PaymentProcessed", "/events?category=order", "/events?at=2024-03-05",
    "/events/@1", "/streams", "/streams?prefix=order-10", "/streams/order-1007",
    "/streams/order-1007?version=3",
    "/streams/order-1007/diff?from=2&to=4", "/compare?stream=order-1001&stream=order-1002",
    "/trace/e6d876f2-2f48-523f-a295-79bd5e264550", "/projections", "/projections/orders",
    "/projections/broken",
    "/dead-letters", "/types", "/types/OrderSubmitted", "/checks", "/help",
  ]

  /// A blocked style, script or picture, an exception and a missing page would each give a message.
  @Test func noPageOfTheShopHasAMessage() async throws {
    try await serving(Self.shop) { served in
      for target in Self.pagesOfShop { try await Self.look(at: target, served) }
      try await served.open("/dead-letters")
      try await served.browser.click("main tbody a")
      try await until { try await served.place().hasPrefix("/dead-letters/broken/") }
      let title = try await served.text("h1")
      #expect(title.hasPrefix("Dead letter at "))
      let letters = try await served.browser.messages()
      #expect(letters == [])
      // This shows that there are messages when something is wrong.
      try await served.open("/nothing")
      let missing = try await served.browser.messages()
      #expect(missing.contains { $0.contains("404") }, "\(missing)")
    }
  }

  @Test func noPageOfAHostileStoreHasAMessage() async throws {
    let prepare: (TestDatabase) async throws -> Void = { try await $0.psql(BrowseHostileTests.events) }
    try await serving(prepare) { served in
      for target in BrowseHostileTests.targets { try await Self.look(at: target, served) }
    }
  }

  private static func look(at target: String, _ served: Served) async throws {
    try await served.open(target)
    let title = try await served.text("h1")
    #expect(!title.isEmpty, "\(target)")
    let messages = try await served.browser.messages()
    #expect(messages == [], "\(target)")
    // Only the script shows them, so it ran to its end.
    let runs: Bool = try await served.browser.value("!document.querySelector('#switches').hidden")
    #expect(runs, "\(target)")
  }

  @Test func keysLeadFromPageToPage() async throws {
    try await serving(Self.shop) { served in
      let browser = served.browser
      // The first stop of Tab is the link that skips the top of every page.
      try await served.open("/streams")
      try await browser.press(Key.tab, Key.enter, Key.tab)
      let isInside: Bool = try await browser.value("document.activeElement.closest('main') !== null")
      #expect(isInside)

      try await served.open("/streams")
      try await browser.press("j", "j", "j", "k")
      let chosen: Int = try await browser.value(
        "[...document.querySelectorAll('main tbody tr')].findIndex(row => row.classList.contains('at'))"
      )
      #expect(chosen == 1)
      let name = try await served.text("tr.at a")
      try await browser.press(Key.enter)
      try await served.arrive(at: "/streams/\(name)")
      try await browser.press(Key.escape)
      try await served.arrive(at: "/streams")

      try await browser.press("/", "o", "r", "d", "e", "r", "-", "1", "0", "0", "7", "?", Key.escape, "?")
      try await served.arrive(at: "/help")
      try await browser.press("/", "o", "r", "d", "e", "r", "-", "1", "0", "0", "7", Key.enter)
      try await served.arrive(at: "/streams/order-1007")

      try await served.open("/events")
      let first = try await served.text("main tbody td")
      try await browser.press("o")
      try await until { try await served.place().hasPrefix("/events?before=") }
      let second = try await served.text("main tbody td")
      #expect(first != second)
      try await browser.press("n")
      try await until { try await served.place().hasPrefix("/events?after=") }
      let again = try await served.text("main tbody td")
      #expect(again == first)

      // Single keys can be switched off (WCAG 2.2, 2.1.4), for all pages.
      try await served.open("/dead-letters")
      try await browser.click("#keys")
      try await served.open("/streams")
      try await browser.press("j", "?")
      let rows: Int = try await browser.value("document.querySelectorAll('tr.at').length")
      let place = try await served.place()
      #expect(rows == 0 && place == "/streams")
      let messages = try await browser.messages()
      #expect(messages == [])
    }
  }

  /// The script replaces this page by that of another version; the focus stays.
  @Test func theSliderChangesTheVersion() async throws {
    try await serving(Self.shop) { served in
      let browser = served.browser
      try await served.open("/streams/order-1007")
      try await browser.execute("window.isTheSamePage = true")
      try await browser.execute("document.querySelector('#version').focus()")
      try await browser.press(Key.left)
      try await served.arrive(at: "/streams/order-1007?version=3")
      try await until { try await served.text("#chosen") == "3 of 4" }
      try await browser.press(Key.left)
      try await served.arrive(at: "/streams/order-1007?version=2")
      try await browser.execute("document.activeElement.blur()")
      try await browser.press("]")
      try await served.arrive(at: "/streams/order-1007?version=3")
      try await browser.press("[", "[")
      try await served.arrive(at: "/streams/order-1007?version=2")
      let heading = try await served.text("main section:last-child h2")
      #expect(heading == "State after version 2")
      let isTheSamePage: Bool = try await browser.value("window.isTheSamePage === true")
      #expect(isTheSamePage)
      let messages = try await browser.messages()
      #expect(messages == [])
    }
  }

  @Test func theSliderNeedsNoScript() async throws {
    try await serving(scripts: false, Self.shop) { served in
      let browser = served.browser
      try await served.open("/streams/order-1007")
      let isOff: Bool = try await browser.value("document.querySelector('#switches').hidden")
      #expect(isOff)
      // The click leaves it somewhere in the middle.
      try await browser.click("#version")
      try await browser.press(Key.left, Key.left, Key.left, Key.right)
      try await browser.click("#slider button")
      try await served.arrive(at: "/streams/order-1007?version=2")
      let heading = try await served.text("main section:last-child h2")
      #expect(heading == "State after version 2")
      try await browser.click("#slider a[rel=prev]")
      try await served.arrive(at: "/streams/order-1007?version=1")
    }
  }

  @Test func pagesAreDarkForWhoWantsIt() async throws {
    try await serving(Self.shop) { served in
      let browser = served.browser
      var pictures: [Data] = []
      for (dark, color) in [(false, "rgb(255, 255, 255)"), (true, "rgb(21, 24, 27)")] {
        try await browser.prefer(dark: dark)
        try await served.open("/streams/order-1007?version=3")
        let back: String = try await browser.value("getComputedStyle(document.body).backgroundColor")
        #expect(back == color)
        pictures.append(try await browser.screenshot())
      }
      for picture in pictures {
        // An empty window of this size has less than 10 kB.
        #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && picture.count > 20_000)
      }
      #expect(pictures[0] != pictures[1])
    }
  }

  /// The page of a report on paper: as `chromium --print-to-pdf` and a person's Ctrl-P make it.
  @Test func aReportIsPrinted() async throws {
    try await TestCluster.withDatabase(isInitialized: true) { database in
      try await Self.shop(database)
      let folder = "/tmp/annals-test-\(database.name)"
      let run = try await runShell(
        """
        mkdir -m 700 \(folder) && cd \(folder) && export HOME=$PWD
        \(AnnalsBinary.path) report --html report.html --now 2024-06-01
        chromium \(WebBrowser.options.joined(separator: " ")) --print-to-pdf=report.pdf "file://$PWD/report.html" > log 2>&1 ||
          cat log >&2
        cat report.pdf
        cd / && rm -rf \(folder)
        """,
        environment: database.environment
      )
      let text = String(decoding: run.outputBytes, as: UTF8.self)
      #expect(text.hasPrefix("%PDF-"), "\(run.standardError)")
      #expect(text.matches(of: /\/Type \/Page\b(?!s)/).count > 1)
    }
  }
}
