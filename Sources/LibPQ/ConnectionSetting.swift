internal import CLibPQ
internal import Glibc

/// One of libpq's settings, and its source.
package struct ConnectionSetting: Sendable, Hashable {
  package enum Source: Sendable, Hashable {
    /// An option of the command line, such as `host`.
    case option
    /// The conninfo string or URI.
    case connectionString
    case serviceFile
    case environment(String)
    case standard
  }

  /// libpq's name for it.
  package let keyword: String
  /// Passwords are asterisks.
  package let value: String
  package let source: Source
}

/// The release of the libpq in use, such as 150018 for 15.18.
package var libpqVersion: Int { Int(PQlibVersion()) }

extension Connection {
  /// The settings of this connection, except defaults (see ``ConnectionParameters/settings()``).
  package var settings: [ConnectionSetting] { unsafe parameters.settings(of: handle) }
}

extension ConnectionParameters {
  /// The settings of a new connection, as far as libpq knows them before the server answers: for when it does not.
  ///
  /// There are none if a setting may contain a password in the wrong place.
  package func settings() -> [ConnectionSetting] {
    do { try checkTarget() } catch { return [] }
    let keywords = keywords
    let handle = unsafe withCStrings(keywords.map(\.0)) { names in
      unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectStartParams(names, values, 1) }
    }
    guard let handle = unsafe handle else { return [] }
    defer { unsafe PQfinish(handle) }
    return unsafe settings(of: handle)
  }

  /// Shown first and always, whatever their source.
  private static let essential = ["host", "port", "dbname", "user"]
  /// Settings that do not decide where and how to connect.
  private static let hidden: Set = ["client_encoding", "fallback_application_name", "replication"]

  fileprivate func settings(of handle: OpaquePointer) -> [ConnectionSetting] {
    let string = connectionStringOptions ?? [:]
    let ours = Dictionary(keywords, uniquingKeysWith: { $1 })
    var found: [(keyword: String, value: String, variable: String?, compiled: String?, isSecret: Bool)] = []
    unsafe forEachOption(PQconninfo(handle)) { option in
      guard let value = unsafe text(option.val), !value.isEmpty else { return }
      let isSecret = unsafe text(option.dispchar)?.utf8.first == UInt8(ascii: "*")
      unsafe found.append(
        (String(cString: option.keyword), value, text(option.envvar), text(option.compiled), isSecret)
      )
    }
    if !found.contains(where: { ["host", "hostaddr"].contains($0.keyword) }) {
      unsafe found.append(("host", String(cString: PQhost(handle)), nil, nil, false))
    }
    // libpq takes its name, and forgets it.
    let service = unsafe string["service"] ?? text(getenv("PGSERVICE"))
    if let service { found.append(("service", service, "PGSERVICE", nil, false)) }
    let options = [("host", host), ("port", port), ("user", user)]
    return found.sorted { Self.rank($0.keyword) < Self.rank($1.keyword) }.compactMap {
      keyword,
      value,
      variable,
      compiled,
      isSecret in
      let isDefault =
        value == compiled || value == ours[keyword] || value == Self.systemUser
        || value.utf8.suffix(8).elementsEqual("/.pgpass".utf8)
      let source: ConnectionSetting.Source =
        if options.contains(where: { $0.0 == keyword && $0.1 != nil }) {
          .option
        } else if keyword == "dbname", database == value {
          .option
        } else if string[keyword] != nil {
          .connectionString
        } else if let variable, unsafe text(getenv(variable)) == value {
          .environment(variable)
        } else if service != nil, !isDefault {
          .serviceFile
        } else {
          .standard
        }
      let isShown = Self.essential.contains(keyword) || source != .standard
      guard isShown, !Self.hidden.contains(keyword) else { return nil }
      return ConnectionSetting(keyword: keyword, value: isSecret ? "********" : value, source: source)
    }
  }

  private static func rank(_ keyword: String) -> Int { essential.firstIndex(of: keyword) ?? essential.count }

  /// The user, and the name of the database, by default.
  private static let systemUser = unsafe getpwuid(geteuid()).flatMap { unsafe text($0.pointee.pw_name) }
}

/// Calls `body` with each option of an array that libpq made, and frees the array.
func forEachOption(
  _ options: UnsafeMutablePointer<PQconninfoOption>?,
  _ body: (PQconninfoOption) -> Void
) {
  guard let options = unsafe options else { return }
  defer { unsafe PQconninfoFree(options) }
  var option = unsafe options
  while unsafe option.pointee.keyword != nil {
    unsafe body(option.pointee)
    unsafe option += 1
  }
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
  unsafe pointer.map { unsafe String(cString: $0) }
}
