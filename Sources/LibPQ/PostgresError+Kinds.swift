/// The kind of failure, by PostgreSQL's codes (manual, appendix A). The first two characters are the class.
extension PostgresError {
  /// Whether another attempt may succeed: a lost connection, a deadlock, a lock, a full disk (class 40, 53, 55, 57,
  /// 58).
  package var isPassing: Bool {
    kind == .statement && sqlState != nil ? isOf(["40", "53", "55", "57", "58"]) : kind != .noSession
  }

  /// Whether the connection is lost, and with it the answer to the last statement.
  package var isLoss: Bool { kind == .connectionLost || kind == .timedOut }

  /// Whether the transaction may not write, on a standby or by a setting.
  package var isReadOnlyTransaction: Bool { sqlState == SQLState.readOnlyTransaction }

  /// Whether the statement itself is at fault, instead of the connection, the moment or the role.
  package var isAboutStatement: Bool {
    !isPassing && ![SQLState.insufficientPrivilege, SQLState.readOnlyTransaction].contains(sqlState)
  }

  /// Whether it is not about the data: the run itself was stopped or refused.
  package var isAboutTheRun: Bool {
    sqlState == nil || sqlState == SQLState.queryCanceled || isOf(["40", "42", "53", "55", "57", "58"])
  }

  /// Whether the values are at fault, or what a function computed from them: wrong values, several rows instead of one,
  /// exceeded limits, an exception raised in a function.
  package var isAboutData: Bool {
    kind == .statement && isOf(["21", "22", "2F", "38", "39", "54", "P0"])
  }

  /// Whether a value does not have the form of its type (class 22).
  package var isWrongValue: Bool { isOf(["22"]) }

  /// Whether the server refused a row, and not the statement: class 22 (data), 23 (constraints) or 54 (limits).
  package var isRefusedData: Bool { isOf(["22", "23", "54"]) }

  /// Whether another writer was first: a new attempt may succeed.
  package var isLostRace: Bool { sqlState == SQLState.uniqueViolation || isDeadlock }

  /// Whether this transaction was the victim of a deadlock or a serialization failure.
  package var isDeadlock: Bool {
    sqlState == SQLState.deadlockDetected || sqlState == SQLState.serializationFailure
  }

  /// Whether a standby ended the statement, or its session, because it conflicted with the replay (manual, "Handling
  /// Query Conflicts"): a lock, removed row versions, a buffer, a tablespace.
  ///
  /// The codes alone do not tell it from errors that functions raise. These functions of the server raise it, the first
  /// up to version 15, the second since 16.
  package var isRecoveryConflict: Bool {
    let functions = [
      "ProcessInterrupts", "ProcessRecoveryConflictInterrupt", "CheckRecoveryConflictDeadlock",
    ]
    return isDeadlock && sourceFunction.map(functions.contains) == true
  }

  private func isOf(_ classes: [String]) -> Bool {
    guard let sqlState else { return false }
    return classes.contains { sqlState.utf8.starts(with: $0.utf8) }
  }
}
