internal import CLibPQ

extension Connection {
  /// How a transaction begins.
  package enum TransactionMode: String, Sendable {
    case readWrite = "BEGIN"
    case repeatableReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
  }

  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
  ///
  /// - Throws: what `body` threw, or the error of BEGIN or COMMIT. A `connectionLost` from COMMIT leaves it unknown
  ///   whether the transaction was committed.
  package func transaction<T>(
    _ mode: TransactionMode = .readWrite,
    _ body: () throws -> T
  ) throws -> T {
    try execute(mode.rawValue)
    let value: T
    do {
      value = try body()
    } catch {
      rollback("ROLLBACK")
      throw error
    }
    try execute("COMMIT")
    return value
  }

  /// Runs `body` in a subtransaction of the current transaction, which an error undoes and nothing else.
  package func savepoint<T>(_ body: () throws -> T) throws -> T {
    try execute("SAVEPOINT annals")
    let value: T
    do {
      value = try body()
    } catch {
      rollback("ROLLBACK TO SAVEPOINT annals; RELEASE SAVEPOINT annals")
      throw error
    }
    try execute("RELEASE SAVEPOINT annals")
    return value
  }

  /// Undoes, also after a cancellation; on a connection that is gone the server does so itself.
  private func rollback(_ sql: String) {
    guard !isBroken else { return }
    let wasCancelled = canceller.isCancelled
    if wasCancelled { canceller.reset() }
    try? execute(sql)
    if wasCancelled { canceller.cancel() }
  }
}
