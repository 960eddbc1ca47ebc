internal import LibPQ

/// How row security may affect an operation.
enum RowVisibility {
  /// It must see every row: if a policy applies to the role, the server refuses.
  case all
  /// It is useful with the rows that the policies let the role see.
  case permitted
}

/// A connection that is opened when it is first needed, and again after a loss.
final class Session {
  private let parameters: ConnectionParameters
  private let canceller: Canceller
  /// Nil until it is needed.
  private(set) var openConnection: Connection?
  /// The number of that connection, counted from 1.
  private(set) var number = 0
  /// As ``LibPQ/Connection/predecessors``.
  private var predecessors: [Int32] = []
  private var rows = RowVisibility.all
  /// Additional settings of its connections.
  var limits: [SessionSetting] = []

  /// - Parameter canceller: ends a wait of the session; several sessions may share it.
  init(_ parameters: ConnectionParameters, canceller: Canceller) {
    self.parameters = parameters
    self.canceller = canceller
  }

  /// A session of the same parameters and limits, for work side by side.
  func another() -> Session {
    let session = Session(parameters, canceller: canceller)
    session.limits = limits
    return session
  }

  /// The open connection; a broken one is replaced.
  func connection() throws(PostgresError) -> Connection {
    if let openConnection, !openConnection.isBroken { return openConnection }
    disconnect()
    let connection = try Connection(parameters, canceller: canceller)
    connection.predecessors = predecessors
    try connection.set([Self.searchPath, Self.rowSecurity(rows)] + limits)
    openConnection = connection
    number += 1
    return connection
  }

  /// The same, with the row security that an operation needs.
  func connection(seeing rows: RowVisibility) throws(PostgresError) -> Connection {
    if rows != self.rows, let openConnection, !openConnection.isBroken {
      do {
        try openConnection.set([Self.rowSecurity(rows)])
      } catch {
        guard error.kind == .connectionLost else { throw error }
        disconnect()
      }
    }
    self.rows = rows
    return try connection()
  }

  /// A connection of a store begins with this and ``rowSecurity(_:)``; nothing else sets them for a session.
  ///
  /// Names without a schema are PostgreSQL's own, whatever search path a role or a database has. If the path had a
  /// schema in which others may create objects, a function or operator of theirs that fits the types better would be
  /// called (CVE-2018-1058). Since PostgreSQL 17 maintenance commands have the same path. Temporary objects come last,
  /// where they hide nothing.
  private static let searchPath = SessionSetting("search_path", Connection.ownPath)

  private static func rowSecurity(_ rows: RowVisibility) -> SessionSetting {
    SessionSetting("row_security", rows == .all ? "off" : "on")
  }

  /// The parameters as libpq resolves them, and where each came from; also when there is no connection.
  var settings: [ConnectionSetting] { openConnection?.settings ?? parameters.settings() }

  /// Closes the connection; ``connection()`` opens the next.
  func disconnect() {
    if let process = openConnection?.process { predecessors.append(process) }
    openConnection = nil
  }

  /// Runs `body` on new connections until one is not lost; `body` must find out what the lost one did.
  ///
  /// - Parameters:
  ///   - error: how the connection was lost.
  ///   - deadline: how long to try.
  /// - Throws: what `body` throws; when the time is up, why the last connection was lost or could not be made.
  func reconnecting<T>(
    after error: PostgresError,
    until deadline: ContinuousClock.Instant,
    _ body: (Connection) throws -> T
  ) throws -> T {
    // Someone waits for the answer.
    var (error, backoff) = (error, Backoff(within: deadline - .now, longest: .seconds(1)))
    while let pause = backoff.next() {
      if Task.isCancelled { throw error }
      disconnect()
      try canceller.sleep(for: pause)
      do {
        return try body(try connection())
      } catch let next as PostgresError where next.isLoss || next.kind == .cannotConnect {
        error = next
      }
    }
    throw error
  }
}
