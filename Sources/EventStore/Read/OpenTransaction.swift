internal import LibPQ

/// A transaction that somebody else has under way.
public struct OpenTransaction: Sendable, Hashable {
  /// PostgreSQL's name of the transaction.
  public let name: String
  /// The server process; 0 for a prepared transaction.
  public let processID: Int32
  /// The role that it works as.
  public let user: String
  /// The application_name of its connection.
  public let application: String
  /// Seconds since the transaction began.
  public let ageSeconds: Double
  /// Its current or last statement, where the role may see it.
  public let query: String

  /// For people: who it is, in one line.
  public var summary: String {
    let who = processID == 0 ? "a prepared transaction" : "process \(processID)"
    let application = application.isEmpty ? "" : ", application \(application)"
    let query = query.isEmpty ? "" : ": \(query.prefix(120))"
    return "\(who), user \(user)\(application), for \(Int(ageSeconds)) s\(query)"
  }
}

extension EventStore {
  /// Runs a query whose rows are open transactions, oldest first.
  func openTransactions(
    _ template: SQLTemplate,
    _ parameters: [Parameter] = [],
    _ connection: Connection
  ) throws -> [OpenTransaction] {
    let result = try connection.query(template.sql, parameters)
    return (0..<result.rowCount).map { row in
      OpenTransaction(
        name: result.string(row, 0),
        processID: result.int32(row, 1),
        user: result.string(row, 2),
        application: result.string(row, 3),
        ageSeconds: result.float64(row, 4),
        query: result.string(row, 5)
      )
    }
  }

  /// Waits until the transactions that `list` yields now have ended; those that begin meanwhile do not count.
  ///
  /// - Parameters:
  ///   - purpose: for the notice after a second: what the transaction does that makes us wait.
  ///   - limitSeconds: gives up then.
  /// - Returns: those that had not ended at the limit; none without a limit.
  func waitForEnd(
    purpose: String,
    limitSeconds: Double = .infinity,
    _ connection: Connection,
    of list: () throws -> [OpenTransaction]
  ) throws -> [OpenTransaction] {
    var awaited = try list()
    var waitedSeconds = 0.0
    var hasReported = false
    while !awaited.isEmpty, waitedSeconds < limitSeconds {
      // Sleeping in the server makes the wait one that cancellation ends.
      let pause = min(0.002 + waitedSeconds / 10, 0.2)
      _ = try connection.query("SELECT pg_sleep($1)", [.float8(pause)])
      waitedSeconds += pause
      let names = Set(awaited.map(\.name))
      awaited = try list().filter { names.contains($0.name) }
      if waitedSeconds > 1, !hasReported, let oldest = awaited.first {
        hasReported = true
        let others = awaited.count > 1 ? " and \(awaited.count - 1) more" : ""
        notify("waiting for a transaction that \(purpose): \(oldest.summary)\(others)")
      }
    }
    return awaited
  }
}
