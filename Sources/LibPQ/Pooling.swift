internal import CLibPQ

/// What is between a connection and the server.
package enum Pooling: Sendable, Hashable {
  /// Nothing: the connection is one session of the server's.
  case none
  /// A pooler that keeps one session for the connection.
  case session
  /// A pooler that gives each transaction whichever session is free. What belongs to a session (its locks, settings,
  /// prepared statements and temporary objects) stays there, for the client that gets that session next.
  case transaction
}

/// A parameter of the server's, and its value as SET takes it.
package struct SessionSetting: Sendable, Hashable {
  let name: String
  let value: String

  package init(_ name: String, _ value: String) {
    (self.name, self.value) = (name, value)
  }
}

extension Connection {
  /// Whatever a role, a database or PGOPTIONS may have set, these decide how values are read and printed.
  private var initialSettings: [SessionSetting] {
    let settings = [
      SessionSetting("TimeZone", "'UTC'"), SessionSetting("DateStyle", "'ISO, YMD'"),
      SessionSetting("IntervalStyle", "'postgres'"), SessionSetting("extra_float_digits", "1"),
      SessionSetting("standard_conforming_strings", "on"), SessionSetting("bytea_output", "'hex'"),
      SessionSetting("quote_all_identifiers", "off"), SessionSetting("client_min_messages", "warning"),
    ]
    // A session waits for new events, a command or a reader at a terminal. The limit is for those that were forgotten.
    return serverVersion < 140_000 ? settings : settings + [SessionSetting("idle_session_timeout", "0")]
  }

  /// The server's process that serves this connection; nil where it changes, or is not known.
  package var process: Int32? { backend?.processID }

  /// Sets parameters for all that this connection does from now on.
  ///
  /// Behind a pooler a session is somebody else's next: there they are set at the beginning of each transaction, for
  /// that transaction alone.
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

  /// Begins a transaction in which ``set(_:)`` holds.
  func begin(_ statement: String) throws(PostgresError) {
    try executeAlone(isPooled ? "\(statement); \(Self.statements(sessionSettings, "SET LOCAL"))" : statement)
  }

  /// Runs a statement of its own in a transaction, where it would not be sure to find its settings otherwise.
  func inTransaction<T>(_ body: () throws -> T) throws -> T {
    guard isPooled, !isInTransaction else { return try body() }
    return try transaction(.readWrite, body)
  }

  /// Finds out who serves this connection, and applies what holds for it.
  ///
  /// A pooler makes up the process id that it tells its clients: so PgBouncer, which cannot know who will serve them.
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

  /// Refuses what a pooler would take apart: session locks, and temporary objects from one transaction to the next.
  ///
  /// - Throws: `noSession` behind a pooler that keeps no session.
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

  /// A pooler does not say how it shares. As soon as a transaction is served by another process than the one before it
  /// on its connection, or by the same process as one on a second connection, sessions are shared.
  ///
  /// PgBouncer gives out the session that came back last: the second connection then gets the first one's. With
  /// `server_round_robin` it is the one that came back first: then a connection's own transactions change sessions.
  /// They come in runs of several lengths, so that they do not keep step with somebody else's.
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
        // The pool has no session left for it, although this connection's transaction has ended: so that one is kept.
        guard error.kind == .timedOut else { throw error }
        return .session
      }
    }
    return .session
  }
}
