/// What kind of failure it is, by PostgreSQL's codes (manual, appendix A). The first two characters are the class.
extension PostgresError {
  /// Whether the same may succeed later: a lost connection, a deadlock, a lock, a full disk (classes 40, 53, 55, 57, 58).
  package var isPassing: Bool {
    kind == .statement && sqlState != nil ? isOf(["40", "53", "55", "57", "58"]) : kind != .noSession
  }

  /// Whether the connection is gone, and with it the answer to what was sent last.
  package var isLoss: Bool { kind == .connectionLost || kind == .timedOut }

  /// Whether the transaction may not write, on a standby or by a setting.
  package var isReadOnlyTransaction: Bool { sqlState == SQLState.readOnlyTransaction }

  /// Whether the statement itself is at fault, not the connection, the moment or the role.
  package var isAboutStatement: Bool {
    !isPassing && ![SQLState.insufficientPrivilege, SQLState.readOnlyTransaction].contains(sqlState)
  }

  /// Whether it says nothing of the data: the run itself was stopped or refused.
  package var isAboutTheRun: Bool {
    sqlState == nil || sqlState == SQLState.queryCanceled || isOf(["40", "42", "53", "55", "57", "58"])
  }

  /// Whether the values are at fault, or what a function computed of them: wrong values, several rows in the place of one,
  /// exceeded limits, an exception raised in a function.
  package var isAboutData: Bool {
    kind == .statement && isOf(["21", "22", "2F", "38", "39", "54", "P0"])
  }

  /// Whether a value has not the form that its type takes (class 22).
  package var isWrongValue: Bool { isOf(["22"]) }

  /// Whether the server refused a row, not the statement: class 22 (data), 23 (constraints) or 54 (limits).
  package var isRefusedData: Bool { isOf(["22", "23", "54"]) }

  /// Whether another writer was first: a new attempt may succeed.
  package var isLostRace: Bool { sqlState == SQLState.uniqueViolation || isDeadlock }

  /// Whether a deadlock or a serialization failure was resolved at this transaction's cost.
  package var isDeadlock: Bool {
    sqlState == SQLState.deadlockDetected || sqlState == SQLState.serializationFailure
  }

  /// Whether a standby ended the statement, or its session, because it was in the way of what is replayed (manual, "Handling
  /// Query Conflicts"): a lock, row versions that are removed, a buffer, a tablespace.
  ///
  /// The codes alone would not tell it from what a function raises. These functions of the server raise it, the first up to
  /// version 15, the second since 16.
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
