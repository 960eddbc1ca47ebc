internal import CLibPQ

/// What is between a connection and the server.
package enum Pooling: Sendable, Hashable {
  /// Nothing: the connection is one session of the server's.
  case none
  /// A pooler that keeps one session for the connection.
  case session
  /// A pooler that gives each transaction any free session. The state of a session (its locks, settings, prepared
  /// statements and temporary objects) stays there, for the next client of that session.
  case transaction
}

/// A parameter of the server, and its value as SET takes it.
package struct SessionSetting: Sendable, Hashable {
  let name: String
  let value: String

  package init(_ name: String, _ value: String) {
    (self.name, self.value) = (name, value)
  }
}

extension Connection {
  /// These decide how values are read and printed, whatever a role, a database or PGOPTIONS have set.
  private var initialSettings: [SessionSetting] {
    let settings = [
      SessionSetting("TimeZone", "'UTC'"), SessionSetting("DateStyle", "'ISO, YMD'"),
      SessionSetting("IntervalStyle", "'postgres'"), SessionSetting("extra_float_digits", "1"),
      SessionSetting("standard_conforming_strings", "on"), SessionSetting("bytea_output", "'hex'"),
      SessionSetting("quote_all_identifiers", "off"), SessionSetting("client_min_messages", "warning"),
    ]
    // A session may wait for new events, a command or a reader at a terminal. The limit is for forgotten sessions.
    return serverVersion < 140_000 ? settings : settings + [SessionSetting("idle_session_timeout", "0")]
  }

  /// The server process of this connection; nil if it changes, or is not known.
  package var process: Int32? { backend?.processID }

  /// Sets parameters for everything that this connection does from now on.
  ///
  /// Behind a pooler another client gets the session next. So they are set at the beginning of each transaction, only
  /// for that transaction.
  package func set(_ new: [SessionSetting]) throws(PostgresError) {
    sessionSettings.removeAll { setting in new.contains { $0.name == setting.name } }
    sessionSettings += new
    if !isPooled {
      try execute(Self.statements(new, "SET"))
    } else if isInTransaction {
      try execute(Self.statements(new, "SET LOCAL"))
    }
  }

  private static func statements(_ settings: [SessionSetting], _ command: String) -> String {
    settings.map { "\(command) \($0.name) = \($0.value)" }.joined(separator: "; ")
  }

  /// Begins a transaction with the parameters of ``set(_:)``.
  func begin(_ statement: String) throws(PostgresError) {
    try executeAlone(isPooled ? "\(statement); \(Self.statements(sessionSettings, "SET LOCAL"))" : statement)
  }

  /// Runs a single statement in a transaction if it might not find its settings otherwise.
  func inTransaction<T>(_ body: () throws -> T) throws -> T {
    guard isPooled, !isInTransaction else { return try body() }
    return try transaction(.readWrite, body)
  }

  /// Finds the server process of this connection, and applies the settings for it.
  ///
  /// A pooler invents the process id that it tells its clients: PgBouncer cannot know which one will serve them.
  func openSession() throws(PostgresError) {
    let sql: SQL = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_postmaster_start_time()"
    let row = try query(sql)
    let process = row.int32(0, 0)
    isPooled = process != backendProcessID
    if isPooled {
      sessionSettings = initialSettings
      try refuseStatementPooling()
    } else {
      backend = Probe.Backend(processID: process, serverStart: row.int64(0, 1))
      try set(initialSettings)
    }
  }

  private func refuseStatementPooling() throws(PostgresError) {
    do throws(PostgresError) {
      try begin(TransactionMode.readWrite.rawValue)
      try executeAlone("ROLLBACK")
    } catch {
      guard error.message.utf8.contains("statement pooling".utf8) else { throw error }
      throw Self.noSession("the pooler in front of the server does not allow transactions", error.message)
    }
  }

  private static func noSession(_ message: String, _ detail: String) -> PostgresError {
    var error = PostgresError(kind: .noSession, message: message)
    error.detail = detail
    error.hint = "Connect to the server itself, or through a pool in session mode."
    return error
  }

  /// Refuses operations that a pooler would break: session locks, and temporary objects over several transactions.
  ///
  /// - Throws: `noSession` behind a pooler that does not keep a session.
  package func requireSession() throws(PostgresError) {
    guard try findPooling() == .transaction else { return }
    throw Self.noSession(
      "this needs one session of the server, and the pooler in front of it may use another for each transaction",
      "Locks and temporary functions would stay in a session that the pooler gives to another client."
    )
  }

  /// What is between this connection and the server; behind a pooler it asks, once, outside of transactions.
  package func findPooling() throws(PostgresError) -> Pooling {
    guard isPooled else { return .none }
    if let pooling { return pooling }
    let found = try askForPooling()
    pooling = found
    return found
  }

  /// A pooler does not say how it shares. Sessions are shared if a transaction is served by another process than the
  /// one before it on its connection, or by the same process as one on a second connection.
  ///
  /// PgBouncer assigns the session that was returned last: the second connection then gets the first one's. With
  /// `server_round_robin` it assigns the one that was returned first: then a connection's own transactions change
  /// sessions. They come in runs of several lengths, so that they do not keep step with other clients.
  private func askForPooling() throws(PostgresError) -> Pooling {
    let process: SQL = "SELECT pg_catalog.pg_backend_pid()"
    let own = try query(process).int32(0, 0)
    var second: Connection?
    for length in 1...5 {
      for _ in 1...length where try query(process).int32(0, 0) != own { return .transaction }
      do throws(PostgresError) {
        if second == nil {
          var parameters = parameters
          parameters.responseTimeout = .seconds(2)
          second = try Connection(parameters, canceller: canceller)
        }
        if try second?.query(process).int32(0, 0) == own { return .transaction }
      } catch {
        // The pool has no session left, although this connection's transaction has ended: so it keeps its session.
        guard error.kind == .timedOut else { throw error }
        return .session
      }
    }
    return .session
  }
}
