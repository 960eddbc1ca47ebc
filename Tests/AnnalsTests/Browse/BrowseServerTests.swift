import EventStore
import Subprocess
import TestSupport
import Testing

@testable import annals

/// The server of pages, byte by byte on its socket.
@Suite struct BrowseServerTests {
  private struct Served {
    let path: String
    let database: TestDatabase

    func ask(_ bytes: String) async throws -> String {
      let client = try SocketClient(path: path)
      client.send(bytes)
      return await client.answer()
    }

    func status(_ bytes: String) async throws -> Int? {
      Int(try await ask(bytes).dropFirst("HTTP/1.1 ".count).prefix(3))
    }
  }

  /// More than a busy machine needs.
  private static let patient = BrowsePatience(
    head: .seconds(600),
    answer: .seconds(600),
    end: .seconds(600)
  )

  /// - Parameter sleeps: makes the page of a stream take an hour.
  private func serving(
    login: BrowseLogin? = nil,
    patience: BrowsePatience = patient,
    sleeps: Bool = false,
    _ body: (Served) async throws -> Void
  ) async throws {
    try await TestCluster.withDatabase { database in
      let store = try EventStore(connecting: database.conninfo)
      _ = try await store.initialize()
      try await database.psql(
        "INSERT INTO events (aggregate_id, event_type, event_data, version) VALUES ('a-1', 'Added', '{\"n\": 1}', 1)"
      )
      var settings = BrowseSettings()
      if sleeps {
        let text =
          "-- @reducer slow\n-- @initial\nSELECT '{}'::jsonb;\n-- @on *\nSELECT state FROM pg_sleep(3600);\n"
        settings.reducers = [(nil, try Reducer(path: "slow.sql", bytes: Array(text.utf8)))]
        settings.partLimit = .seconds(3600)
      } else {
        await store.restrictToReading(statementTimeout: .seconds(2), lockTimeout: .milliseconds(200))
      }
      let browser = await Browser(settings, for: store)
      let service = BrowseService(browser: browser, stores: StorePool(store), login: login)
      let path = "/tmp/annals-test-\(database.name).sock"
      let server = try await BrowseServer.listen(on: .socket(path), patience: patience, service)
      let run = Task { try await server.run() }
      let result: Result<Void, any Error>
      do { result = .success(try await body(Served(path: path, database: database))) } catch {
        result = .failure(error)
      }
      run.cancel()
      _ = await run.result
      #expect(CLibrary.status(of: path) == nil)
      try result.get()
    }
  }

  private static let host = "Host: localhost\r\n\r\n"

  /// The bytes that are sent, and the status of the answer.
  private static let requests: [(bytes: String, status: Int)] = [
    ("GET / HTTP/1.1\r\n" + host, 200), ("HEAD / HTTP/1.1\r\n" + host, 200),
    ("GET /help HTTP/1.0\r\n" + host, 200),
    ("GET /nothing HTTP/1.1\r\n" + host, 404), ("GET /events?o=xml HTTP/1.1\r\n" + host, 400),
    ("POST / HTTP/1.1\r\n" + host, 405), ("DELETE /events HTTP/1.1\r\n" + host, 405),
    ("OPTIONS /events HTTP/1.1\r\n" + host, 405),
    ("CONNECT localhost:80 HTTP/1.1\r\n" + host, 400), ("GET http://localhost/ HTTP/1.1\r\n" + host, 400),
    ("GET /\r\n\r\n", 400), ("GET / HTTP/0.9\r\n" + host, 400), ("GET / HTTP/2.0\r\n" + host, 400),
    ("GET  / HTTP/1.1\r\n" + host, 400), ("GET /\u{7F} HTTP/1.1\r\n" + host, 400),
    ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nContent-Length: 2\r\n" + host + "ab", 400),
    ("GET / HTTP/1.1\r\nContent-Length: 0\r\n" + host, 200),
    ("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 1\r\n" + host, 400),
    ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "0\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nX: a\u{0}b\r\n" + host, 400), ("GET / HTTP/1.1\r\nX: a\rb\r\n" + host, 400),
    ("GET / HTTP/1.1\nHost: localhost\n\r\n\r\n", 400), ("GET / HTTP/1.1\r\nX: a\r\n b\r\n" + host, 400),
    ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: localhost\r\n" + host, 400),
    ("GET / HTTP/1.1\r\n\(fields(63))" + host, 200), ("GET / HTTP/1.1\r\n\(fields(64))" + host, 431),
    ("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 15 << 10))\r\n" + host, 200),
    ("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 16 << 10))\r\n" + host, 431),
  ]

  private static func fields(_ count: Int) -> String {
    (0..<count).map { "X-\($0): a\r\n" }.joined()
  }

  private static let hosts: [(host: String, status: Int)] = [
    ("localhost", 200), ("LOCALHOST:1", 200), ("127.0.0.1", 200), ("127.0.0.1:65535", 200), ("[::1]", 200),
    ("[::1]:8000", 200), ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403),
    ("evil.example", 403),
    ("localhost:", 403), ("localhost:80a", 403), ("localhost:123456", 403), ("localhost@evil.example", 403),
    ("", 403),
    ("127.0.0.2", 403), ("::1", 403),
  ]

  @Test func whatIsAsked() async throws {
    try await serving { served in
      for (bytes, expected) in Self.requests {
        let status = try await served.status(bytes)
        #expect(status == expected, "\(bytes.prefix(200).debugDescription)")
      }
      for (host, expected) in Self.hosts {
        let status = try await served.status("GET /help HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        #expect(status == expected, "\(host)")
      }
    }
  }

  /// The parser after the rules also refuses some of these, with the same status: the rules' own words show that they
  /// work.
  @Test(arguments: [
    ("X: a\u{0}b\r\n", "The request has a NUL byte."), ("X: a\rb\r\n", "A line ends with CR alone."),
    ("X: a\nY: b\r\n", "A line ends with LF alone."),
    ("X: a\r\n b\r\n", "A header field continues on the next line."),
  ])
  func aHeadIsRefusedForItsReason(field: String, reason: String) {
    let head = "GET / HTTP/1.1\r\n\(field)\(Self.host)"
    let answer = RequestRules.refusal(ofHead: Array(head.utf8))
    #expect(answer.map { String(decoding: $0.body, as: UTF8.self) } == reason + "\n")
  }

  @Test func everyAnswerIsSafe() async throws {
    try await serving { served in
      for target in [
        "/", "/annals.js", "/annals.css", "/events?o=json", "/go?to=a-1", "/<secret>", "/streams/secret",
      ] {
        let answer = try await served.ask("GET \(target) HTTP/1.1\r\n" + Self.host)
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1).map(String.init)
        for field in [
          "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; ",
          "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cache-Control: no-store",
          "Cross-Origin-Resource-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
          "Connection: close",
          "Content-Length: \(parts[1].utf8.count)\r\n",
        ] {
          #expect(parts[0].contains(field), "\(target): \(field)")
        }
        #expect(!parts[0].contains("Access-Control"))
        #expect(!answer.contains("secret"))
      }
      let head = try await served.ask("HEAD /help HTTP/1.1\r\n" + Self.host)
      #expect(head.hasSuffix("\r\n\r\n") && !head.contains("<html"))
    }
  }

  /// One request on each connection: bytes after it are ignored.
  @Test func aSecondRequestIsNotAnswered() async throws {
    try await serving { served in
      let answer = try await served.ask(
        "GET /help HTTP/1.1\r\n\(Self.host)GET /nothing HTTP/1.1\r\n\(Self.host)"
      )
      #expect(answer.ranges(of: "HTTP/1.1 ").count == 1)
    }
  }

  @Test func aHeadMustComeInTime() async throws {
    try await serving(patience: BrowsePatience(head: .milliseconds(100))) { served in
      let status = try await served.status("GET / HTTP/1.1\r\nHost: local")
      #expect(status == 408)
    }
  }

  @Test func aHeadMayComeInPieces() async throws {
    try await serving { served in
      let client = try SocketClient(path: served.path)
      for byte in "GET /help HTTP/1.1\r\n\(Self.host)".utf8 {
        client.send([byte])
        await Task.yield()
      }
      let answer = await client.answer()
      #expect(answer.hasPrefix("HTTP/1.1 200"))
    }
  }

  @Test func connectionsHaveALimit() async throws {
    try await serving(patience: BrowsePatience(head: .seconds(3600))) { served in
      let clients = try (0..<16).map { _ in try SocketClient(path: served.path) }
      for client in clients { client.send("GET /help") }
      try await until {
        let answer = try await served.ask("GET /help HTTP/1.1\r\n" + Self.host)
        return answer.hasPrefix("HTTP/1.1 503") && answer.contains("Retry-After: 1\r\n")
      }
      for client in clients { client.hangUp() }
      try await until { try await served.status("GET /help HTTP/1.1\r\n" + Self.host) == 200 }
    }
  }

  private static let sleeping =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"

  @Test func workInTheDatabaseHasALimitAndEndsWithTheClient() async throws {
    try await serving(sleeps: true) { served in
      let clients = try (0..<4).map { _ in try SocketClient(path: served.path) }
      for client in clients { client.send("GET /streams/a-1 HTTP/1.1\r\n" + Self.host) }
      try await until(within: .seconds(600)) { try await served.database.psql(Self.sleeping) == "4" }
      let busy = try await served.ask("GET /events HTTP/1.1\r\n" + Self.host)
      #expect(busy.hasPrefix("HTTP/1.1 503") && busy.contains("Retry-After: 1\r\n"))
      let atHand = try await served.status("GET /annals.css HTTP/1.1\r\n" + Self.host)
      #expect(atHand == 200)
      for client in clients { client.hangUp() }
      try await until(within: .seconds(600)) { try await served.database.psql(Self.sleeping) == "0" }
      try await until(within: .seconds(600)) {
        try await served.status("GET /events HTTP/1.1\r\n" + Self.host) == 200
      }
    }
  }

  @Test func anAddressLogsInOnce() async throws {
    let login = BrowseLogin(name: "1")
    try await serving(login: login) { served in
      func ask(_ target: String, _ cookie: String? = nil) async throws -> String {
        let field = cookie.map { "Cookie: \($0)\r\n" } ?? ""
        return try await served.ask("GET \(target) HTTP/1.1\r\n\(field)\(Self.host)")
      }
      for target in ["/", "/annals.css", "/nothing", "/login?token=", "/login?token=x", login.path + "0"] {
        let answer = try await ask(target)
        #expect(answer.hasPrefix("HTTP/1.1 403"), "\(target)")
      }
      let answer = try await ask(login.path)
      #expect(answer.hasPrefix("HTTP/1.1 303") && answer.contains("\r\nLocation: /\r\n"))
      let cookie = answer.split(separator: "Set-Cookie: ")[1].prefix { $0 != ";" }
      #expect(answer.contains("\(cookie); Path=/; HttpOnly; SameSite=Lax\r\n"))
      for (value, status) in [
        ("\(cookie)", 200), ("a=b; \(cookie)", 200), ("\(cookie)0", 403), ("annals-1=", 403),
        ("x\(cookie)", 403),
      ] {
        let answer = try await ask("/help", value)
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(value)")
      }
      let again = try await ask(login.path)
      #expect(again.hasPrefix("HTTP/1.1 403"))
    }
  }

  @Test func theSocketIsItsOwners() async throws {
    try await serving { served in
      let mode = try await runShell("stat -c %a '\(served.path)'")
      #expect(mode.standardOutput == "600\n")
      let second = try await AnnalsBinary.run(
        ["browse", "--socket", served.path],
        environment: served.database.environment
      )
      #expect(second.exitCode == 1 && second.standardError.contains("it exists and is in use"))
    }
  }

  /// From the printed address to the signal.
  @Test(arguments: [("INT", 2), ("TERM", 15)] as [(String, Int32)], ["", "--socket FILE.sock"])
  func theProgramServesUntilASignal(signal: (name: String, number: Int32), options: String) async throws {
    try await TestCluster.withDatabase { database in
      _ = try await AnnalsBinary.run(["init"], environment: database.environment)
      let file = "/tmp/annals-test-\(database.name)"
      let options = options.replacing("FILE", with: file)
      let script = """
        (until [ -s '\(file)' ]; do sleep 0.1; done; kill -\(signal.name) $$) &
        exec \(AnnalsBinary.path) browse \(options) > '\(file)'
        """
      let run = try await runShell(script, environment: database.environment)
      #expect(run.status == .signaled(signal.number), "\(run.standardError)")
      #expect(run.standardError == "")
      let printed = try await runShell("cat '\(file)'; rm '\(file)'; ls '\(file)'*").standardOutput
      if options.isEmpty {
        #expect(printed.contains(/^http:\/\/127\.0\.0\.1:[0-9]+\/login\?token=[0-9a-f]{64}\n$/))
      } else {
        #expect(printed == "\(file).sock\n")
      }
    }
  }
}
