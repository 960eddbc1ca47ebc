internal import Synchronization

/// Protects pages on a port that every user of the machine can reach: only the printed address lets a browser in. It
/// works once, for a cookie.
final class BrowseLogin: Sendable {
  private let cookieName: String
  private let session = BrowseLogin.secret()
  /// Nil after it was used.
  private let token: Mutex<String?>
  /// The path that logs in.
  let path: String

  /// - Parameter name: distinguishes the cookie from those of other servers of this machine, since cookies ignore
  ///   ports; nil means a new one.
  init(name: String?) {
    let secret = Self.secret()
    cookieName = "annals-\(name ?? String(Self.secret().prefix(8)))"
    token = Mutex(secret)
    path = "/login?token=\(secret)"
  }

  /// 256 random bits from the system.
  private static func secret() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let hex = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - hex.utf8.count) + hex
    }.joined()
  }

  /// The answer to a request that is not let in; nil for one that is.
  func answer(to request: BrowseRequest) -> PageAnswer? {
    if isEntry(request.target) { return enter(request.target) }
    if request.all("cookie").contains(where: admits) { return nil }
    return .text(
      403,
      "Open the address that 'annals browse' printed. It works once; start it again for another one."
    )
  }

  private func isEntry(_ target: String) -> Bool { target.utf8.starts(with: "/login?".utf8) }

  private func enter(_ target: String) -> PageAnswer {
    let isRight = token.withLock { token in
      guard let known = token, Self.areEqual("/login?token=" + known, target) else { return false }
      token = nil
      return true
    }
    guard isRight else { return .text(403, "This address is wrong or was used before.") }
    var answer = PageAnswer.text(303, "See /")
    answer.fields = [
      ("Location", "/"), ("Set-Cookie", "\(cookieName)=\(session); Path=/; HttpOnly; SameSite=Lax"),
    ]
    return answer
  }

  private func admits(_ cookies: String) -> Bool {
    cookies.utf8.split(separator: UInt8(ascii: ";")).contains { pair in
      let text = pair.drop { $0 == 0x20 }
      return Self.areEqual("\(cookieName)=\(session)", String(Substring(text)))
    }
  }

  /// The time does not depend on how much of it is right.
  private static func areEqual(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
