internal import CLibPQ
internal import Glibc

/// What may be repeated about the target of a connection.
///
/// The errors of libpq and the server repeat what they were given: an unreadable piece of a connection string, a host
/// or a database that does not exist. A mistyped URI, or an `@` in a password, puts the password there. So a text that
/// looks like that is refused here, in words that repeat nothing, and is sent to no server.
extension ConnectionParameters {
  func checkTarget() throws(PostgresError) {
    var named: [(what: String, keyword: String, value: String)] = []
    if let database, Self.isConnectionString(database) {
      guard let options = Self.options(of: database) else {
        throw Self.refusal("the connection string cannot be read", Self.howToWrite)
      }
      for (keyword, value) in options where Self.names[keyword] != nil {
        named.append(("the \(Self.names[keyword] ?? "") in the connection string", keyword, value))
      }
      // A slash in a password ends what libpq takes as the host, and the rest becomes the database.
      if !database.utf8.contains(UInt8(ascii: "=")),
        options["dbname"]?.utf8.contains(UInt8(ascii: "@")) == true
      {
        throw Self.refusal("the database in the connection string has an '@'", Self.howToWrite)
      }
    } else if let database {
      named.append(("the name of the database", "dbname", database))
    }
    for (keyword, value) in [("host", host), ("port", port), ("user", user)] {
      if let value { named.append(("the \(Self.names[keyword] ?? "")", keyword, value)) }
    }
    for (variable, keyword) in Self.variables {
      guard let value = unsafe getenv(variable) else { continue }
      unsafe named.append((variable, keyword, String(cString: value)))
    }
    for (what, keyword, value) in named { try Self.check(value, keyword, what) }
  }

  private static let names = [
    "host": "host", "hostaddr": "address", "port": "port", "user": "user", "dbname": "database",
    "service": "service",
  ]
  private static let variables = [
    ("PGDATABASE", "dbname"), ("PGHOST", "host"), ("PGHOSTADDR", "hostaddr"), ("PGPORT", "port"),
    ("PGUSER", "user"),
    ("PGSERVICE", "service"),
  ]

  private static func check(_ value: String, _ keyword: String, _ what: String) throws(PostgresError) {
    switch keyword {
    case "port":
      let isNumber = value.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || ", -+".utf8.contains($0)
      }
      if !isNumber { throw refusal("\(what) is not a number", howToWrite) }
    case "host", "hostaddr":
      // A folder of sockets, or an abstract socket (it begins with an @), may have any name.
      for host in value.utf8.split(separator: UInt8(ascii: ",")) where ![0x2F, 0x40].contains(host.first) {
        if host.contains(0x40) || looksLikeURI(host) {
          throw refusal("\(what) has an '@' or looks like a URI", howToWrite)
        }
      }
    case "user", "dbname", "service":
      if looksLikeURI(value.utf8[...]) { throw refusal("\(what) looks like a mistyped URI", howToWrite) }
    default: break
    }
  }

  /// Whether a name has a scheme, or credentials as in a URI: a colon and later an `@`. This is also true of a
  /// `keyword=value` string where only a name is allowed.
  private static func looksLikeURI(_ name: Substring.UTF8View) -> Bool {
    let text = String(decoding: name, as: UTF8.self).utf8.map { $0 | 0x20 }
    let signs = ["://", "postgres:", "postgresql:", "password="].map { Array($0.utf8) }
    if signs.contains(where: { sign in text.indices.contains { text[$0...].starts(with: sign) } }) {
      return true
    }
    guard let colon = name.firstIndex(of: UInt8(ascii: ":")) else { return false }
    return name[colon...].contains(UInt8(ascii: "@"))
  }

  private static let howToWrite = """
    A URI is postgresql://user@host:port/database, in lower case; in a password %40 stands for @, %3A for :, %2F for /. \
    A string is host=... user=... dbname=... A password is best kept in the file .pgpass.
    """

  private static func refusal(_ message: String, _ detail: String) -> PostgresError {
    var error = PostgresError(kind: .cannotConnect, message: message)
    error.detail = detail
    return error
  }

  /// What libpq takes as more than a name (fe-connect.c, recognized_connection_string).
  static func isConnectionString(_ text: String) -> Bool {
    text.utf8.starts(with: "postgresql://".utf8) || text.utf8.starts(with: "postgres://".utf8)
      || text.utf8.contains(UInt8(ascii: "="))
  }

  /// Nil when libpq cannot read it.
  private static func options(of connectionString: String) -> [String: String]? {  // ASCII
    guard let options = unsafe PQconninfoParse(connectionString, nil) else { return nil }
    var values: [String: String] = [:]  // ASCII
    unsafe forEachOption(options) { option in
      guard let value = unsafe option.val else { return }
      unsafe values[String(cString: option.keyword)] = String(cString: value)
    }
    return values
  }

  /// The same for a command line that is shown: without the passwords of a connection string. Nil if one may be in
  /// the wrong place.
  package var withoutPasswords: ConnectionParameters? {
    do { try checkTarget() } catch { return nil }
    var shown = self
    guard let options = connectionStringOptions else { return shown }
    let harmless = options.filter { !$0.key.utf8.suffix(8).elementsEqual("password".utf8) }
    if harmless.count < options.count {
      // libpq escapes with a backslash within quotes (manual, "Keyword/Value Connection Strings").
      shown.database = harmless.sorted { $0.key < $1.key }.map { keyword, value in
        let escaped = value.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
          scalar == "'" || scalar == "\\" ? ["\\", scalar] : [scalar]
        }
        let isPlain = !value.isEmpty && escaped.allSatisfy { ("!"..."~").contains($0) && $0 != "\\" }
        return "\(keyword)=" + (isPlain ? value : "'\(String(String.UnicodeScalarView(escaped)))'")
      }.joined(separator: " ")
    }
    return shown
  }

  /// The settings in the conninfo string or URI; nil if there is none, or libpq cannot read it.
  var connectionStringOptions: [String: String]? {  // ASCII
    database.flatMap { Self.isConnectionString($0) ? Self.options(of: $0) : nil }
  }
}
