internal import CLibPQ

extension Connection {
  /// The statement that begins a transaction.
  package enum TransactionMode: String, Sendable {
    /// Each statement sees what was committed before it, whatever the default of a role or database is.
    case readWrite = "BEGIN ISOLATION LEVEL READ COMMITTED"
    case repeatableReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
  }

  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
  ///
  /// - Throws: what `body` threw, or the error of BEGIN or COMMIT. After a `connectionLost` from COMMIT it is not known
  ///   whether the transaction was committed.
  package func transaction<T>(
    _ mode: TransactionMode = .readWrite,
    _ body: () throws -> T
  ) throws -> T {
    try begin(mode.rawValue)
    let value: T
    do {
      value = try body()
    } catch {
      cleanUp { try execute("ROLLBACK") }
      throw error
    }
    try execute("COMMIT")
    return value
  }

  /// Runs `body` in a transaction that is committed, or rolled back for a look at what it would do.
  package func transaction<T>(rolledBack isRolledBack: Bool, _ body: () throws -> T) throws -> T {
    try isRolledBack ? rolledBack(body) : transaction(.readWrite, body)
  }

  /// Runs `body` in a transaction, or a subtransaction of the current one, and rolls it back.
  package func rolledBack<T>(_ body: () throws -> T) throws -> T {
    let isPart = isInTransaction
    if isPart { try execute("SAVEPOINT annals") } else { try begin(TransactionMode.readWrite.rawValue) }
    defer {
      cleanUp { try execute(isPart ? "ROLLBACK TO SAVEPOINT annals; RELEASE SAVEPOINT annals" : "ROLLBACK") }
    }
    return try body()
  }

  /// Runs `body` in a subtransaction of the current transaction; an error undoes only the subtransaction.
  package func savepoint<T>(_ body: () throws -> T) throws -> T {
    try execute("SAVEPOINT annals")
    let value: T
    do {
      value = try body()
    } catch {
      cleanUp { try execute("ROLLBACK TO SAVEPOINT annals; RELEASE SAVEPOINT annals") }
      throw error
    }
    try execute("RELEASE SAVEPOINT annals")
    return value
  }

  /// Runs statements that must also run after a cancellation; after a loss the server undoes the work itself.
  package func cleanUp(_ body: () throws -> Void) {
    guard !isBroken else { return }
    canceller.whileSuspended { try? body() }
  }
}
