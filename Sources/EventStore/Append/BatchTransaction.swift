internal import LibPQ

/// A transaction that appends a batch, and how far it got: what is asked about when its connection is lost.
///
/// PostgreSQL itself knows what became of a transaction (manual, `pg_xact_status`). Without a COMMIT that was sent it
/// cannot take place. With one, its id is needed; the server told it in answer to the first statement.
struct BatchTransaction {
  /// Its id, a xid8 as text; nil as long as the server has not told it, and nothing was written.
  var id: String?
  /// When it began. With the id it names one transaction, where a server that crashed may give the id to another one.
  var start: Timestamp?
  /// Whether COMMIT was sent, or may have been.
  var isCommitSent = false
  /// An event that this transaction stored and that was not stored before.
  private var witness: EventChunk.Entry?

  enum Fate {
    case committed
    case rolledBack
    /// It has ended, and the server does not know how: it was too long ago.
    case ended
    /// It may yet be committed: its COMMIT waits for a synchronous standby, for example.
    case open
  }

  /// Notes that a chunk was stored, as far as it was not there already.
  mutating func note(_ chunk: EventChunk, _ places: [Place]) {
    if let index = places.lastIndex(where: { $0.status == .appended }) { witness = chunk.entries[index] }
  }

  /// Asks what became of the transaction, over another connection, until there is an answer or the time is up.
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
      // Of another transaction, to which a server that crashed has given the id.
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
      // No transaction has had this id yet: the server crashed, or another one took its place, before it heard of it.
      return "aborted"
    }
  }

  /// Whether an event of the transaction is there. A server that crashed may give the id to another transaction.
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

  /// The server may not notice for hours that its client is gone, and the rows of the batch stay locked until then.
  private func endSession(_ id: String, _ connection: Connection) throws(PostgresError) {
    do {
      _ = try connection.query(SQLTemplate.endTransaction.sql, [.text(id), .text(start.map { "\($0)" })])
    } catch  where error.kind == .statement {
      // Without the right to, there is only waiting.
    }
  }
}

extension Connection {
  /// Waits until the server process of a lost connection has done with its statement; returns whether it has.
  ///
  /// What that statement stored is found by id from then on. It is about a statement that commits by itself: its
  /// transaction's id would come with its answer, too late to be asked about.
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
