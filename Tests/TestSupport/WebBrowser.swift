package import FoundationEssentials
import Subprocess
import SystemPackage

/// A real web browser, Debian's chromium, which a test leads by W3C WebDriver: HTTP and JSON to a chromedriver.
package struct WebBrowser: Sendable {
  private let port: Int
  private var session = ""

  /// Whether both programs are in PATH.
  package static let isInstalled = ["chromium", "chromedriver"].allSatisfy { name in
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
  }

  /// Why a test that needs it is left out.
  package static let isMissing =
    "chromium and chromedriver are not in PATH: apt install chromium chromium-driver"

  /// A sandbox of its own needs rights that root and most containers do not have; it loads nothing but pages of ours.
  package static let options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

  /// Runs the body with a browser of its own, which is gone after it, with all that it stored.
  ///
  /// - Parameter scripts: whether it runs the scripts of pages.
  package static func run(
    scripts: Bool = true,
    _ body: @escaping @Sendable (WebBrowser) async throws -> Void
  ) async throws {
    let folder = "/tmp/annals-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    // The shell leads a session of its own, so that its group is the driver and the browser. They end with the body, or
    // with this process: then the pipe to the shell's standard input closes.
    let script = """
      mkdir -m 700 "$1" && export HOME="$1" TMPDIR="$1" || exit
      trap 'rm -rf "$1"' EXIT
      chromedriver --port=0 > "$1/port" 2>&1 &
      read -r _
      trap '' TERM
      kill -TERM 0
      wait
      """
    var environment: [Environment.Key: String] = ["LC_ALL": "C.UTF-8", "TZ": "UTC"]
    environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
    var platform = PlatformOptions()
    platform.createSession = true
    _ = try await Subprocess.run(
      .path("/bin/sh"),
      arguments: ["-c", script, "sh", folder],
      environment: .custom(environment),
      platformOptions: platform,
      input: .inputWriter,
      output: .discarded,
      error: .currentStandardError
    ) { execution in
      var browser = WebBrowser(port: try await port(printedTo: "\(folder)/port"))
      try await browser.begin(scripts: scripts)
      let result: Result<Void, any Error>
      do { result = .success(try await body(browser)) } catch { result = .failure(error) }
      _ = try? await browser.send("DELETE", "", as: Nothing.self)
      try await execution.standardInputWriter.finish()
      try result.get()
    }
  }

  private init(port: Int) { self.port = port }

  private static func port(printedTo path: String) async throws -> Int {
    var port: Int?
    try await until {
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      port = text.firstMatch(of: /successfully on port ([0-9]+)/).flatMap { Int($0.1) }
      return port != nil
    }
    return port ?? 0
  }

  private mutating func begin(scripts: Bool) async throws {
    struct Begun: Decodable {
      let sessionId: String
    }
    // 1 is "allow" and 2 is "block".
    let body = """
      {"capabilities": {"alwaysMatch": {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {
        "args": [\((Self.options + ["--window-size=1280,900"]).map(Self.quoted).joined(separator: ", "))],
        "prefs": {"profile.managed_default_content_settings.javascript": \(scripts ? 1 : 2)}}}}}
      """
    session = try await send("POST", nil, body, as: Begun.self).sessionId
  }

  /// Loads a page, and waits until it is there.
  package func open(_ url: String) async throws {
    _ = try await send("POST", "/url", #"{"url": \#(Self.quoted(url))}"#, as: Nothing.self)
  }

  /// What an expression of JavaScript is in the page.
  package func value<Value: Decodable>(_ expression: String, as _: Value.Type = Value.self) async throws
    -> Value
  {
    let body = #"{"script": \#(Self.quoted("return " + expression)), "args": []}"#
    return try await send("POST", "/execute/sync", body)
  }

  /// Runs a statement of JavaScript in the page.
  package func execute(_ statement: String) async throws {
    let body = #"{"script": \#(Self.quoted(statement)), "args": []}"#
    _ = try await send("POST", "/execute/sync", body, as: Nothing.self)
  }

  /// Presses keys one after the other, in whatever has the focus. Those without a character are in ``Key``.
  package func press(_ keys: String...) async throws {
    let steps = keys.flatMap { key in
      ["keyDown", "keyUp"].map { #"{"type": "\#($0)", "value": \#(Self.quoted(key))}"# }
    }
    let body =
      #"{"actions": [{"type": "key", "id": "keys", "actions": [\#(steps.joined(separator: ", "))]}]}"#
    _ = try await send("POST", "/actions", body, as: Nothing.self)
  }

  /// Clicks on the first element of a CSS selector.
  package func click(_ selector: String) async throws {
    let body = #"{"using": "css selector", "value": \#(Self.quoted(selector))}"#
    let element = try await send("POST", "/element", body, as: [String: String].self)
    _ = try await send("POST", "/element/\(element.values.first ?? "")/click", "{}", as: Nothing.self)
  }

  /// What the console got since it was asked for last: errors, warnings and notes of pages and of the browser.
  package func messages() async throws -> [String] {
    struct Entry: Decodable {
      let level: String
      let message: String
    }
    let entries = try await send("POST", "/se/log", #"{"type": "browser"}"#, as: [Entry].self)
    return entries.map { "\($0.level) \($0.message)" }
  }

  /// Makes pages look as for somebody who has chosen a dark or a light style.
  package func prefer(dark: Bool) async throws {
    let feature = #"{"name": "prefers-color-scheme", "value": "\#(dark ? "dark" : "light")"}"#
    let body = #"{"cmd": "Emulation.setEmulatedMedia", "params": {"features": [\#(feature)]}}"#
    _ = try await send("POST", "/goog/cdp/execute", body, as: Nothing.self)
  }

  /// The window as PNG.
  package func screenshot() async throws -> Data {
    Data(base64Encoded: try await send("GET", "/screenshot", as: String.self)) ?? Data()
  }

  private static func quoted(_ text: String) -> String {
    let json = try? JSONEncoder().encode(text)
    return String(decoding: json ?? Data(), as: UTF8.self)
  }

  private struct Answer<Value: Decodable>: Decodable {
    let value: Value
  }

  private struct Nothing: Decodable {
    init(from _: any Decoder) {}
  }

  /// - Parameter path: below that of the session; nil where there is no session yet.
  private func send<Value: Decodable>(
    _ method: String,
    _ path: String?,
    _ body: String = "",
    as _: Value.Type = Value.self
  ) async throws -> Value {
    let client = try SocketClient(port: port)
    let target = path.map { "/session/\(session)\($0)" } ?? "/session"
    client.send(
      "\(method) \(target) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    )
    // The driver does not always end the connection.
    let answer = await client.answer(upTo: Self.isWhole)
    guard answer.utf8.starts(with: "HTTP/1.1 200".utf8) else {
      throw WebBrowserError(description: "\(method) \(target): \(answer)")
    }
    let content = answer.utf8.drop { $0 != UInt8(ascii: "{") }
    return try JSONDecoder().decode(Answer<Value>.self, from: Data(content)).value
  }

  /// Whether as many bytes of JSON have come as the head says.
  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    let head = String(decoding: bytes.prefix { $0 != UInt8(ascii: "{") }, as: UTF8.self).lowercased()
    guard let length = head.firstMatch(of: /content-length: *([0-9]+)/).flatMap({ Int($0.1) }) else {
      return false
    }
    return bytes.count >= head.utf8.count + length
  }
}

/// Keys without a character, as WebDriver names them (W3C WebDriver, 17.4.2).
package enum Key {
  package static let tab = "\u{E004}"
  package static let enter = "\u{E007}"
  package static let escape = "\u{E00C}"
  package static let left = "\u{E012}"
  package static let right = "\u{E014}"
}

package struct WebBrowserError: Error, CustomStringConvertible {
  package let description: String
}
