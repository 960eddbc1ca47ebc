internal import LibPQ

/// A transaction of another session.
public struct OpenTransaction: Sendable, Hashable {
  /// PostgreSQL's name of the transaction.
  public let name: String
  /// The server process; nil for a prepared transaction.
  public let processID: Int32?
  /// The name of a prepared transaction; nil for any other.
  public let preparedAs: String?
  /// The role that runs it, or that prepared it; nil if that is not known.
  public let user: String?
  /// The application_name of its connection; nil for a prepared transaction.
  public let application: String?
  /// Seconds since the transaction began, or was prepared; nil if the role may not see it.
  public let ageSeconds: Double?
  /// Its current or last statement; nil if the role may not see it, and for a prepared transaction.
  public let query: String?

  /// One line for people that describes it.
  public var summary: String {
    var parts = [
      processID.map { "process \($0)" } ?? "prepared transaction" + (preparedAs.map { " '\($0)'" } ?? "")
    ]
    if let user { parts.append("user \(user)") }
    if let application, !application.isEmpty { parts.append("application \(application)") }
    parts.append(ageSeconds.map { "for \(Int($0)) s" } ?? "for an unknown time")
    let statement = query.map { $0.isEmpty ? "" : ": \($0.prefix(120))" } ?? ""
    return parts.joined(separator: ", ") + statement
  }
}

extension StoreConnection {
  /// Runs a query whose rows are open transactions, oldest first.
  func openTransactions(
    _ template: SQLTemplate,
    _ parameters: [Parameter] = []
  ) throws -> [OpenTransaction] {
    try connection.query(template.sql, parameters, prepared: true).map { row in
      OpenTransaction(
        name: row.string("name"),
        processID: row.optionalInt32("pid"),
        preparedAs: row.optionalString("prepared_as"),
        user: row.optionalString("username"),
        application: row.optionalString("application"),
        ageSeconds: row.optionalFloat64("age_seconds"),
        query: row.optionalString("query")
      )
    }
  }

  /// Waits until the transactions that `list` returns now have ended; later ones do not count.
  ///
  /// - Parameters:
  ///   - purpose: for the notice after a second: what the transaction does that makes this session wait.
  ///   - limitSeconds: when to give up.
  /// - Returns: the transactions that had not ended at the limit; none without a limit.
  func waitForEnd(
    purpose: String,
    limitSeconds: Double = .infinity,
    of list: () throws -> [OpenTransaction]
  ) throws -> [OpenTransaction] {
    var awaited = try list()
    var waitedSeconds = 0.0
    var hasReported = false
    while !awaited.isEmpty, waitedSeconds < limitSeconds {
      // Sleep in the server, so that a cancellation ends the wait.
      let pause = min(0.002 + waitedSeconds / 10, 0.2)
      _ = try connection.query("SELECT pg_sleep(\(pause))")
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
