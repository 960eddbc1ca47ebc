/// The parts of a request that a page needs.
struct BrowseRequest: Sendable {
  var method: String
  var target: String
  /// Names in lower case.
  var fields: [(name: String, value: String)]

  func all(_ name: String) -> [String] {
    fields.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
  }
}

/// What a server that other users of the machine can reach must refuse. This code does not use sockets.
enum RequestRules {
  static let longestHead = 16 << 10
  static let mostFields = 64

  /// Checks the bytes of a head, including its empty line, before they go to a more tolerant parser.
  static func refusal(ofHead bytes: [UInt8]) -> PageAnswer? {
    if bytes.contains(0) { return .text(400, "The request has a NUL byte.") }
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    for (index, byte) in bytes.enumerated() {
      let isEnd = byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A
      if byte == 0x0D, !isEnd { return .text(400, "A line ends with CR alone.") }
      if byte == 0x0A, index == 0 || bytes[index - 1] != 0x0D {
        return .text(400, "A line ends with LF alone.")
      }
      if isEnd {
        lines.append(bytes[start..<index])
        start = index + 2
      }
    }
    let fields = lines.dropFirst().filter { !$0.isEmpty }
    if fields.contains(where: { $0.first == 0x20 || $0.first == 0x09 }) {
      return .text(400, "A header field continues on the next line.")
    }
    if fields.count > mostFields { return .text(431, "The request has too many header fields.") }
    return refusal(ofLine: lines.first ?? [])
  }

  /// `GET /path HTTP/1.1`, of printable ASCII.
  private static func refusal(ofLine line: ArraySlice<UInt8>) -> PageAnswer? {
    let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
    let versions = ["HTTP/1.1", "HTTP/1.0"]
    guard words.count == 3, versions.contains(where: { $0.utf8.elementsEqual(words[2]) }),
      line.allSatisfy({ (0x20..<0x7F).contains($0) })
    else { return .text(400, "This is not an HTTP/1.1 request.") }
    return nil
  }

  static func refusal(of request: BrowseRequest) -> PageAnswer? {
    if request.target.utf8.first != UInt8(ascii: "/") { return .text(400, "The target must be a path.") }
    let lengths = request.all("content-length")
    if lengths.contains(where: { !$0.utf8.elementsEqual("0".utf8) })
      || !request.all("transfer-encoding").isEmpty
    {
      return .text(400, "A request must not have a body.")
    }
    let hosts = request.all("host")
    guard hosts.count == 1 else { return .text(400, "The request must have one Host field.") }
    if !isLocal(hosts[0]) { return .text(403, "This server answers only for localhost.") }
    guard request.method == "GET" || request.method == "HEAD" else {
      var answer = PageAnswer.text(405, "These pages are read-only.")
      answer.fields = [("Allow", "GET, HEAD")]
      return answer
    }
    return nil
  }

  /// If another site makes its name lead here (DNS rebinding), its pages send that name. The port is not compared,
  /// since `ssh -L` changes it.
  private static func isLocal(_ host: String) -> Bool {
    let bytes = Array(host.lowercased().utf8)
    return ["localhost", "127.0.0.1", "[::1]"].contains { name in
      guard bytes.starts(with: name.utf8) else { return false }
      let rest = bytes.dropFirst(name.utf8.count)
      if rest.isEmpty { return true }
      let digits = rest.dropFirst()
      return rest.first == 0x3A && (1...5).contains(digits.count)
        && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
  }
}

extension PageAnswer {
  private static let reasons = [
    200: "OK", 303: "See Other", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    503: "Service Unavailable",
  ]

  /// Prevents that a page loads, runs or is shown in anything that is not of this server, and that it is stored.
  private static let safety = [
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
      + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cache-Control: no-store",
    "Cross-Origin-Resource-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
    "Connection: close",
  ]

  /// The answer as it is sent.
  func message(isHead: Bool) -> [UInt8] {
    var lines = ["HTTP/1.1 \(status) \(Self.reasons[status] ?? "Unknown")", "Content-Type: \(type)"]
    lines += ["Content-Length: \(body.count)"] + Self.safety + fields.map { "\($0.name): \($0.value)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : body)
  }
}
