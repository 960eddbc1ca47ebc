internal import CLibPQ

/// Where to connect, as in psql: everything that is not given here comes from libpq's own sources
/// (PG* variables, service files, .pgpass; manual, "Database Connection Control Functions").
package struct ConnectionParameters: Sendable, Hashable {
  /// Host name, address, or the folder of a Unix socket.
  package var host: String?
  package var port: String?
  package var user: String?
  /// A database name, a `keyword=value` string or a `postgresql://` URI.
  package var database: String?
  /// The name in `pg_stat_activity`, unless the operator's own settings have another one.
  package var applicationName: String
  /// The longest silence of the server during one statement; nil waits as long as the server exists.
  package var responseTimeout: Duration?
  /// Settings that override everything else, by libpq's keywords.
  var overrides: [String: String] = [:]  // ASCII

  package init(
    host: String? = nil,
    port: String? = nil,
    user: String? = nil,
    database: String? = nil,
    applicationName: String = "annals"
  ) {
    self.host = host
    self.port = port
    self.user = user
    self.database = database
    self.applicationName = applicationName
  }

  /// Seconds that one host may take to answer.
  ///
  /// libpq itself waits forever; a cron job that hangs on a dead host is never noticed.
  static let connectTimeoutSeconds = "10"

  /// Defaults for what libpq would not do, or would wait for forever; the operator's settings come before them.
  private static let defaults = [
    // A lost peer is noticed within about a minute, instead of the kernel's two hours.
    ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
    ("tcp_user_timeout", "60000"), ("connect_timeout", connectTimeoutSeconds),
  ]

  /// libpq's keywords in the order that PQconnectdbParams needs: a string in `dbname` is expanded in its place, so
  /// keywords before it are defaults, and keywords after it win.
  var keywords: [(String, String)] {
    var keywords = [("fallback_application_name", applicationName)]
    for (keyword, value) in [("dbname", database), ("host", host), ("port", port), ("user", user)] {
      if let value { keywords.append((keyword, value)) }
    }
    keywords.append(("client_encoding", "UTF8"))
    keywords += overrides.map { ($0.key, $0.value) }
    let isSet = Self.settled(by: keywords)
    return keywords + Self.defaults.filter { !isSet.contains($0.0) }
  }

  /// The names of the settings that these keywords give, and of those from PG* variables and the service file, which
  /// libpq only uses for settings that are not given.
  ///
  /// libpq reads them when it begins to connect. An invalid port prevents that, and the reading of .pgpass.
  private static func settled(by keywords: [(String, String)]) -> Set<String> {  // ASCII
    let keywords = keywords + [("port", "0"), ("password", "-")]
    let handle = unsafe withCStrings(keywords.map(\.0)) { names in
      unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQconnectStartParams(names, values, 1) }
    }
    guard let handle = unsafe handle else { return [] }
    defer { unsafe PQfinish(handle) }
    var names: Set<String> = []  // ASCII
    unsafe forEachOption(PQconninfo(handle)) { option in
      if unsafe option.val != nil { unsafe names.insert(String(cString: option.keyword)) }
    }
    return names
  }
}
