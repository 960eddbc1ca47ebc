internal import CLibPQ

/// Asks over a second connection what happened to a first one that is silent.
///
/// A statement may take hours and send nothing. A lost server, proxy or network is silent too: on the connection itself
/// the two look the same as long as something at the other end acknowledges keepalives.
struct Probe {
  /// How long a connection is silent before it is checked, and again after each answer.
  static let interval = Duration.seconds(30)
  /// Seconds that the second connection may take to open, and to answer.
  private static let limitSeconds = 10

  /// The parameters of the silent connection, with the exact host that it is connected to.
  let parameters: ConnectionParameters
  /// Its server process; nil if it is not known.
  let backend: Backend?

  /// A server process.
  struct Backend: Hashable {
    let processID: Int32
    /// Microseconds since 1970; distinguishes one server from another at the same address.
    let serverStart: Int64
  }

  init(of connection: Connection) {
    var parameters = connection.parameters
    parameters.overrides = [
      "host": connection.host, "hostaddr": connection.hostAddress, "port": connection.port,
      "connect_timeout": "\(Self.limitSeconds)",
    ]
    parameters.responseTimeout = .seconds(Self.limitSeconds)
    self.parameters = parameters
    backend = connection.backend
  }

  /// Why the connection is lost; nil if it may only be busy. It blocks for up to three times the limit.
  func findLoss() -> String? {
    guard serverAnswers() else { return "the server does not answer a new connection either" }
    // If a server answers, but accepts no more connections of this role, the state stays unknown.
    guard let backend, let canceller = try? Canceller(),
      let connection = try? Connection(parameters, canceller: canceller),
      connection.backend?.serverStart == backend.serverStart
    else { return nil }
    for look in 1...2 {
      guard let state = try? Self.state(of: backend, connection) else { return nil }
      if let loss = state.loss { return loss }
      guard state.waitsForClient else { return nil }
      if look == 1 { try? canceller.sleep(for: .seconds(1)) }
    }
    return "the server waits for this client"
  }

  /// Not a query: a role may be refused a second connection, and that is an answer too (manual, PQping).
  private func serverAnswers() -> Bool {
    let keywords = parameters.keywords
    let answer = unsafe withCStrings(keywords.map(\.0)) { names in
      unsafe withCStrings(keywords.map(\.1)) { values in unsafe PQpingParams(names, values, 1) }
    }
    return answer != PQPING_NO_RESPONSE
  }

  private struct State {
    var loss: String?
    var waitsForClient = false
  }

  /// If both sides wait for each other, something that one of them sent was lost, or is just about to arrive.
  private static func state(of backend: Backend, _ connection: Connection) throws(PostgresError) -> State {
    let sql = "SELECT wait_event_type IS NOT DISTINCT FROM 'Client' FROM pg_stat_activity WHERE pid = $1"
    let row = try connection.query(sql, [.int4(backend.processID)])
    if row.isEmpty { return State(loss: "the server has ended this session") }
    return State(waitsForClient: row.bool(0, 0))
  }
}
