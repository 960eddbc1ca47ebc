internal import LibPQ

/// A connection that is opened when it is first needed, and anew after it was lost.
final class Session {
  private let parameters: ConnectionParameters
  private let canceller: Canceller
  /// Nil until it is needed.
  private(set) var openConnection: Connection?
  /// Which connection that is, counted from 1.
  private(set) var number = 0
  /// As ``LibPQ/Connection/predecessors``.
  private var predecessors: [Int32] = []

  /// - Parameter canceller: ends what the session waits for; several sessions may share it.
  init(_ parameters: ConnectionParameters, canceller: Canceller) {
    self.parameters = parameters
    self.canceller = canceller
  }

  /// The open connection; a broken one is replaced.
  func connection() throws(PostgresError) -> Connection {
    if let openConnection, !openConnection.isBroken { return openConnection }
    disconnect()
    let connection = try Connection(parameters, canceller: canceller)
    connection.predecessors = predecessors
    openConnection = connection
    number += 1
    return connection
  }

  /// What libpq makes of the parameters, and who decided it; also when there is no connection.
  var settings: [ConnectionSetting] { openConnection?.settings ?? parameters.settings() }

  /// Gives up the connection; ``connection()`` opens the next.
  func disconnect() {
    if let process = openConnection?.process { predecessors.append(process) }
    openConnection = nil
  }

  /// Runs `body` on new connections, until one of them is not lost; `body` must find out what the lost one did.
  ///
  /// - Parameters:
  ///   - error: how the connection was lost.
  ///   - deadline: how long to try.
  /// - Throws: what `body` throws; when the time is up, how the last connection was lost or could not be made.
  func reconnecting<T>(
    after error: PostgresError,
    until deadline: ContinuousClock.Instant,
    _ body: (Connection) throws -> T
  ) throws -> T {
    var (error, pause) = (error, Duration.milliseconds(50))
    while .now + pause < deadline {
      if Task.isCancelled { throw error }
      disconnect()
      try canceller.sleep(for: pause * Double.random(in: 0.5...1))
      do {
        return try body(try connection())
      } catch let next as PostgresError where next.isLoss || next.kind == .cannotConnect {
        error = next
      }
      pause = min(pause * 2, .seconds(1))
    }
    throw error
  }
}
