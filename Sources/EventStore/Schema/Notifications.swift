internal import LibPQ

/// A trigger that tells followers about new events, where an operator asked for it.
///
/// It costs writers: a transaction with a NOTIFY holds a lock on the queue of the whole server from its commit on
/// (PreCommit_Notify in async.c), so such commits wait for each other. Benchmarks/notify.sh measures it.
extension StoreConnection {
  private static let trigger = "annals_notify"

  /// A name of ASCII, however the table is called, that is short enough for a channel.
  private var channel: String {
    "annals_"
      + SHA256.hash(of: table.description).prefix(8).map { byte in
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
      }.joined()
  }

  var notificationsOfNodes: EventStoreError {
    EventStoreError(
      .invalidDefinition,
      "Citus distributes \(table), and its nodes do not pass on notifications",
      hint: "Leave it so: followers ask for new events several times a second."
    )
  }

  /// The step that adds or removes the trigger; nil when nothing is to be done.
  ///
  /// - Parameter events: the table as it is; nil if it is created in the same transaction.
  func notificationStep(_ isWanted: Bool, _ events: EventsTable?) throws -> InitializationResult.Step? {
    try requireOwn("notifications")
    if isWanted, events?.isDistributed == true { throw notificationsOfNodes }
    let state = try connection.query(
      """
      SELECT tgenabled IN ('O', 'A') AS is_on FROM pg_trigger
      WHERE tgrelid = to_regclass(\(table.sql)) AND tgname = \(Self.trigger)
      """
    ).first { $0.bool("is_on") }
    let drop = "DROP TRIGGER IF EXISTS \(Self.trigger) ON \(table.sql);\n"
    guard isWanted else {
      return state == nil ? nil : .init(title: "Do not notify followers of \(table)", sql: drop)
    }
    if state == true { return nil }
    // A statement on a partitioned table fires the trigger of that table, whatever partitions its rows go to.
    return .init(
      title: "Notify followers of \(table)",
      sql: """
        \(drop)CREATE TRIGGER \(Self.trigger) AFTER INSERT ON \(table.sql)
          FOR EACH STATEMENT EXECUTE FUNCTION annals.notify_followers(\(quoteLiteral(channel)));

        """
    )
  }
}

// MARK: - Followers

extension StoreConnection {
  /// Listens, once for a connection, if the table has the trigger and the session is this connection's own.
  func listenForAppends() throws {
    guard !connection.hasAskedToListen else { return }
    connection.hasAskedToListen = true
    guard foreign == nil, try connection.findPooling() != .transaction else { return }
    // A standby gets no notifications, and refuses LISTEN.
    let channel = try connection.query(
      """
      SELECT encode(substr(t.tgargs, 1, octet_length(t.tgargs) - 1), 'escape') AS channel FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = \(table.schema) AND c.relname = \(table.name) AND t.tgname = \(Self.trigger)
        AND t.tgenabled IN ('O', 'A') AND t.tgnargs = 1 AND NOT pg_is_in_recovery()
      """
    ).first { $0.string("channel") }
    if let channel { try connection.listen(to: channel) }
  }
}

extension EventStore {
  private enum Listening {
    /// No notification can come.
    case no
    /// Some have arrived since the last look.
    case hasHeard
    case silent(SilentSocket)
  }

  /// Waits between two looks for new events, at most for a time. A notification ends the wait; other operations of the
  /// store do not wait for it.
  nonisolated func idle(_ pause: inout PollingPause) async throws {
    switch await listening {
    case .no: try await Task.sleep(for: pause.next())
    case .hasHeard: break
    case .silent(let socket): await socket.wait(for: pause.longest)
    }
    try Task.checkCancellation()
  }

  private var listening: Listening {
    guard let connection = session.openConnection, connection.isListening else { return .no }
    return connection.silence().map(Listening.silent) ?? .hasHeard
  }
}
