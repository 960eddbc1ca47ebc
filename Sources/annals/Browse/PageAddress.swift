internal import EventStore

/// The address of a page: a path with its query. Any text gives either a page or nil.
struct PageAddress: Equatable, Sendable {
  enum Place: Equatable, Sendable {
    case start, events, streams, compare, projections, deadLetters, types, checks, help, style, script, icon
    /// The text in the search field of the head.
    case search
    case event(EventReference)
    case stream(String)
    /// The difference of two of its states.
    case difference(String)
    case trace(String)
    case projection(String)
    case deadLetter(String, position: Int64)
    case type(String)
  }

  var place: Place
  var query = PageQuery()

  init(_ place: Place, _ query: [(String, String)] = []) {
    self.place = place
    self.query = PageQuery(query)
  }

  /// Longer addresses are not valid: an id has at most 255 characters.
  static let longest = 8192

  /// - Parameter target: the target in a request's first line, `/path?query`.
  init?(_ target: String) {
    guard target.utf8.count <= Self.longest, target.utf8.first == UInt8(ascii: "/") else { return nil }
    let parts = target.utf8.split(
      separator: UInt8(ascii: "?"),
      maxSplits: 1,
      omittingEmptySubsequences: false
    )
    guard let query = PageQuery(parsing: parts.count > 1 ? Array(parts[1]) : []) else { return nil }
    let segments = parts[0].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
    let decoded = segments.compactMap { PercentCoding.decode(Array($0)) }
    guard decoded.count == segments.count, let place = Self.place(decoded, query) else { return nil }
    (self.place, self.query) = (place, query)
  }

  /// Lists and pages without a name.
  private static let fixed: [(String, Place)] = [
    ("", .start), ("events", .events), ("streams", .streams), ("compare", .compare),
    ("projections", .projections), ("dead-letters", .deadLetters), ("types", .types), ("checks", .checks),
    ("help", .help), ("go", .search), ("annals.css", .style), ("annals.js", .script), ("annals.svg", .icon),
  ]

  private static func place(_ segments: [String], _ query: PageQuery) -> Place? {
    if segments.count == 1 { return fixed.first { $0.0.utf8.elementsEqual(segments[0].utf8) }?.1 }
    guard (2...3).contains(segments.count) else { return nil }
    // A browser resolves "." and ".." anywhere in a path, so such names are a parameter.
    guard let name = segments[1].isEmpty ? query["id"] : segments[1], !name.isEmpty else { return nil }
    let rest = segments.count == 3 ? segments[2] : nil
    switch (segments[0], rest) {
    case ("events", nil): return reference(name).map { .event($0) }
    case ("streams", nil): return query["view"] == "diff" ? .difference(name) : .stream(name)
    case ("streams", "diff"?): return .difference(name)
    case ("trace", nil): return .trace(name)
    case ("projections", nil): return .projection(name)
    case ("types", nil): return .type(name)
    case ("dead-letters", let position):
      return Int64(position ?? query["position"] ?? "").map { .deadLetter(name, position: $0) }
    default: return nil
    }
  }

  /// An event's id, or `@` and its position.
  static func reference(_ text: String) -> EventReference? {
    if text.utf8.first == UInt8(ascii: "@") { return Int64(text.dropFirst()).map { .position($0) } }
    return EventID(text).map { .id($0) }
  }

  /// The same page with another parameter; nil removes it.
  func with(_ name: String, _ value: String?) -> PageAddress {
    var address = self
    address.query.set(name, value)
    return address
  }

  /// Path and query, for a link. It begins with one `/` and a letter, so it leads to no other server.
  var text: String {
    var query = query
    query.set("id", nil)
    query.set("view", nil)
    var path = "/" + path(&query)
    let pairs = query.text
    if !pairs.isEmpty { path += "?" + pairs }
    return path
  }

  private func path(_ query: inout PageQuery) -> String {
    if let fixed = Self.fixed.first(where: { $0.1 == place }) { return fixed.0 }
    switch place {
    case .event(.id(let id)): return "events/\(id)"
    case .event(.position(let position)): return "events/@\(position)"
    case .stream(let id): return Self.named("streams", id, &query)
    case .difference(let id):
      if Self.isFolded(id) { query.set("view", "diff") }
      return Self.named("streams", id, &query) + (Self.isFolded(id) ? "" : "/diff")
    case .trace(let id): return Self.named("trace", id, &query)
    case .projection(let name): return Self.named("projections", name, &query)
    case .type(let name): return Self.named("types", name, &query)
    case .deadLetter(let name, let position):
      guard Self.isFolded(name) else { return Self.named("dead-letters", name, &query) + "/\(position)" }
      query.set("position", "\(position)")
      return Self.named("dead-letters", name, &query)
    default: return ""
    }
  }

  private static func isFolded(_ name: String) -> Bool { [".", "..", ""].contains(name) }

  private static func named(_ folder: String, _ name: String, _ query: inout PageQuery) -> String {
    guard isFolded(name) else { return "\(folder)/\(PercentCoding.encode(name))" }
    query.set("id", name)
    return "\(folder)/"
  }
}

/// The parameters after the `?`, in their order.
struct PageQuery: Equatable, Sendable {
  private struct Pair: Equatable {
    var name: String
    var value: String
  }

  private var pairs: [Pair] = []

  init(_ pairs: [(String, String)] = []) { self.pairs = pairs.map { Pair(name: $0.0, value: $0.1) } }

  private static let most = 32

  /// Nil if it is not one.
  init?(parsing bytes: [UInt8]) {
    let parts = bytes.split(separator: UInt8(ascii: "&"))
    guard parts.count <= Self.most else { return nil }
    for part in parts {
      let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let texts = sides.compactMap { PercentCoding.decode(Array($0), plusIsBlank: true) }
      guard texts.count == sides.count else { return nil }
      pairs.append(Pair(name: texts[0], value: texts.count > 1 ? texts[1] : ""))
    }
  }

  /// The first value that is not empty: a form sends its empty fields too.
  subscript(name: String) -> String? { all(name).first { !$0.isEmpty } }

  func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

  mutating func set(_ name: String, _ value: String?) {
    pairs.removeAll { $0.name == name }
    if let value { pairs.append(Pair(name: name, value: value)) }
  }

  var text: String {
    pairs.map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }.joined(separator: "&")
  }
}

/// RFC 3986, section 2.1.
enum PercentCoding {
  /// Encodes everything except unreserved characters.
  static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
      default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Nil if it is not such a text, not UTF-8, or has a NUL, at which libpq would cut it.
  static func decode(_ bytes: [UInt8], plusIsBlank: Bool = false) -> String? {
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case 0x25:
        guard index + 2 < bytes.count, let high = digit(bytes[index + 1]), let low = digit(bytes[index + 2])
        else { return nil }
        decoded.append(high << 4 | low)
        index += 2
      case 0x2B where plusIsBlank: decoded.append(0x20)
      case let byte: decoded.append(byte)
      }
      index += 1
    }
    guard !decoded.contains(0) else { return nil }
    return String(validating: decoded, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
