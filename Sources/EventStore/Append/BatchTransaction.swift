internal import LibPQ

/// A transaction that appends a batch, and how far it got, to find its outcome after a lost connection.
///
/// PostgreSQL itself knows the outcome of a transaction (manual, `pg_xact_status`). A transaction whose COMMIT was not
/// sent cannot be committed. Otherwise its id is needed, which the server returned with the first statement.
struct BatchTransaction {
  /// Its id, a xid8 as text; nil until the server has returned it, and then nothing was written.
  var id: String?
  /// When it began. The server may assign the id again after a crash; id and time together name one transaction.
  var start: Timestamp?
  /// Whether COMMIT was sent, or may have been.
  var isCommitSent = false
  /// An event that this transaction stored and that was not stored before.
  private var witness: EventChunk.Entry?

  enum Fate {
    case committed
    case rolledBack
    /// It has ended, and the server does not know how, since that was too long ago.
    case ended
    /// It may still be committed: its COMMIT waits for a synchronous standby, for example.
    case open
  }

  /// Notes that a chunk was stored, without the events that were there already.
  mutating func note(_ chunk: EventChunk, _ places: [Place]) {
    if let index = places.lastIndex(where: { $0.status == .appended }) { witness = chunk.entries[index] }
  }

  /// Asks for the outcome of the transaction over another connection, until there is an answer or the time is up.
  func fate(
    in table: EventsTable,
    _ connection: Connection,
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Fate {
    guard let id else { return .rolledBack }
    if !isCommitSent { try endSession(id, connection) }
    var backoff = Backoff(within: deadline - .now, longest: .milliseconds(500))
    while true {
      switch try status(id, connection) {
      // This is another transaction: after a crash the server assigned the id again.
      case "committed" where !isCommitSent: return .rolledBack
      case "committed": return try hasWitness(in: table, connection) ? .committed : .ended
      case "aborted": return .rolledBack
      case nil: return isCommitSent ? .ended : .rolledBack
      default: break
      }
      guard let pause = backoff.next() else { return isCommitSent ? .open : .rolledBack }
      try connection.canceller.sleep(for: pause)
    }
  }

  private func status(_ id: String, _ connection: Connection) throws(PostgresError) -> String? {
    do {
      return try connection.query(SQLTemplate.transactionFate.sql, [.text(id)])
        .optionalString(0, 0)
    } catch  where error.sqlState == SQLState.invalidParameterValue {
      // No transaction has this id yet: the server, or a standby that replaced it, lost the transaction in a crash.
      return "aborted"
    }
  }

  /// Whether an event of the transaction is stored. After a crash the server may assign the id to another transaction.
  private func hasWitness(in table: EventsTable, _ connection: Connection) throws(PostgresError) -> Bool {
    guard let witness else { return true }
    let (ids, aggregateID) = (
      Parameter.uuidArray([(witness.id.high, witness.id.low)]), Parameter.text(utf8: witness.aggregateID)
    )
    return try connection.hasEvent(
      in: table.name.sql,
      where: "e.id = ANY (\(ids)) AND e.aggregate_id = \(aggregateID)"
    )
  }

  /// The server may not notice for hours that its client is gone; until then it keeps the rows of the batch locked.
  private func endSession(_ id: String, _ connection: Connection) throws(PostgresError) {
    do {
      _ = try connection.query(SQLTemplate.endTransaction.sql, [.text(id), .text(start.map { "\($0)" })])
    } catch  where error.kind == .statement {
      // Without the right to end it, wait.
    }
  }
}

extension Connection {
  /// Waits until the server process of a lost connection has finished its statement; returns whether it has.
  ///
  /// After that, the events that the statement stored are found by id. This is for a statement that commits by itself:
  /// the id of its transaction would come with its answer, too late to ask for the outcome.
  func waitForStatement(
    ofProcess process: Int32,
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Bool {
    let sql = SQLTemplate.isStatementRunning.sql
    var backoff = Backoff(within: deadline - .now, longest: .milliseconds(500))
    while try query(sql, [.int4(process)]).bool(0, 0) {
      guard let pause = backoff.next() else { return false }
      try canceller.sleep(for: pause)
    }
    return true
  }
}
