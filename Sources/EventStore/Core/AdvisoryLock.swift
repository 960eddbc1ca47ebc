internal import LibPQ

/// The advisory locks of this project. Their keys begin with "anna" in ASCII, which keeps them apart from those of an
/// application. They end with the session, so a killed command leaves none.
enum AdvisoryLock {
  /// Held by `initialize` to the end of its transaction.
  static let initialization = Int64(0x616e_6e61_0000_0001)

  /// Held to the end of a bulk append's transaction, once such an append ended in a deadlock.
  static let bulkAppend = Int64(0x616e_6e61_0000_0002)

  /// The first of the two words of a named lock's key; the second is the name's hash.
  static let named: Int32 = 0x616e_6e61

  /// The server process of a killed client may work for this long (see ``LibPQ/Connection/prepareLongWork()``).
  private static let patienceSeconds = 2.0

  /// Runs `body` while this session holds the lock of a name, such as "projection orders".
  ///
  /// - Throws: ``EventStoreError`` with code `locked`, which names the holder, when another session has it.
  static func hold<T>(_ name: String, _ connection: Connection, _ body: () throws -> T) throws -> T {
    try hold([name], connection, body)
  }

  /// The same for several locks.
  static func hold<T>(_ names: [String], _ connection: Connection, _ body: () throws -> T) throws -> T {
    let value = try take(names, connection, body)
    for name in names { release(name, connection) }
    return value
  }

  /// Takes locks for work that goes on after `body`, see ``EventStore/holding(_:_:)``; frees them when `body` fails.
  static func take<T>(_ names: [String], _ connection: Connection, _ body: () throws -> T) throws -> T {
    try acquire(names, connection)
    return try keep(names, connection, body)
  }

  /// Frees locks that were taken when `body` fails.
  fileprivate static func keep<T>(_ names: [String], _ connection: Connection, _ body: () throws -> T) throws
    -> T
  {
    do { return try body() } catch {
      for name in names { release(name, connection) }
      throw error
    }
  }

  /// Runs `body` while this session holds a lock that others share for a transaction at a time; waits for those.
  ///
  /// Once this session waits, nobody gets a share any more.
  ///
  /// - Throws: `lockNotAvailable` when a transaction that shares it takes too long.
  static func holdAlone<T>(_ name: String, _ connection: Connection, _ body: () throws -> T) throws -> T {
    // lock_timeout applies to advisory locks too; a session's lock outlives the transaction that took it.
    try connection.transaction {
      try connection.execute("SET LOCAL lock_timeout = '5s'")
      _ = try connection.query("SELECT pg_advisory_lock($1, hashtext($2))", key(name))
    }
    connection.heldLocks.insert(ByteString(name))
    defer { release(name, connection) }
    return try body()
  }

  /// Shares a lock to the end of the transaction; false while a session holds it alone, or waits to.
  ///
  /// A session that wants a share asks again after its transaction. If it waited, it would hold a snapshot meanwhile,
  /// and the holder may be waiting for that.
  static func share(_ name: String, _ connection: Connection) throws -> Bool {
    let sql = "SELECT pg_try_advisory_xact_lock_shared($1, hashtext($2))"
    return try connection.query(sql, key(name), prepared: true).bool(0, 0)
  }

  /// Takes all of these locks, or none.
  static func acquire(_ names: [String], _ connection: Connection) throws {
    for (index, name) in names.enumerated() {
      do {
        try acquire(name, connection)
      } catch {
        for name in names[..<index] { release(name, connection) }
        throw error
      }
    }
  }

  /// Takes a lock; each needs its own ``release(_:_:)``.
  ///
  /// Operations of one store share its session, also between the steps of one that waits for something else. One
  /// operation cannot take a lock that another one holds.
  static func acquire(_ name: String, _ connection: Connection) throws {
    try connection.requireSession()
    try acquire(name, by: "SELECT pg_try_advisory_lock($1, hashtext($2))", connection)
    connection.heldLocks.insert(ByteString(name))
  }

  /// Takes a lock to the end of the transaction; a pooler keeps the session for that long.
  static func acquireForTransaction(_ name: String, _ connection: Connection) throws {
    try acquire(name, by: "SELECT pg_try_advisory_xact_lock($1, hashtext($2))", connection)
  }

  private static func acquire(_ name: String, by sql: String, _ connection: Connection) throws {
    guard !connection.heldLocks.contains(ByteString(name)) else {
      throw EventStoreError(
        .locked,
        "another operation of this store works on \(name)",
        hint: "Wait until it ends, or use a separate store object."
      )
    }
    var waitedSeconds = 0.0
    while try !connection.query(sql, key(name)).bool(0, 0) {
      try endPredecessor(holding: name, connection)
      guard waitedSeconds < patienceSeconds else {
        throw EventStoreError(
          .locked,
          "another session works on \(name)",
          detail: try holder(name, connection),
          hint: "Try again when it has ended."
        )
      }
      try connection.canceller.sleep(for: .milliseconds(100))
      waitedSeconds += 0.1
    }
  }

  /// Takes the locks of an unfinished operation again, which are lost if its session has ended.
  static func acquireLost(_ names: [String], _ connection: Connection) throws {
    try acquire(names.filter { !connection.heldLocks.contains(ByteString($0)) }, connection)
  }

  /// Also after a cancellation: the session may continue with other work.
  static func release(_ name: String, _ connection: Connection) {
    guard connection.heldLocks.remove(ByteString(name)) != nil else { return }
    connection.cleanUp {
      _ = try connection.query("SELECT pg_advisory_unlock($1, hashtext($2))", key(name))
    }
  }

  private static func key(_ name: String) -> [Parameter] { [.int4(named), .text(name)] }

  /// Ends the session of a connection that was lost here, if the server has not noticed and the session keeps the lock.
  /// After a network failure the server may keep such a session for hours.
  private static func endPredecessor(holding name: String, _ connection: Connection) throws {
    guard !connection.predecessors.isEmpty else { return }
    let sql = "SELECT pg_terminate_backend(l.pid) FROM \(holders) AND l.pid = ANY ($3)"
    _ = try connection.query(sql, key(name) + [.int4Array(connection.predecessors)])
  }

  /// The sessions that hold a lock, and what is known about them. A key of two words is in classid and objid, with
  /// objsubid 2 (manual, "pg_locks").
  private static let holders = """
    pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = $1::bigint::oid AND l.objid = (hashtext($2)::bigint & 4294967295)::oid
    """

  /// The sessions that hold locks of these names, in words, by the name.
  static func holders(of names: [String], _ connection: Connection) throws -> [ByteString: String] {
    var holders: [ByteString: String] = [:]
    let sql: SQL = """
      SELECT n.name, \(raw: description) AS holder FROM unnest(\(Parameter.textArray(names))) AS n (name)
      JOIN pg_locks l ON l.objid = (hashtext(n.name)::bigint & 4294967295)::oid LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid = \(Int64(named))::oid
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """
    try connection.query(sql).forEachRow { holders[ByteString($0.string("name"))] = $0.string("holder") }
    return holders
  }

  private static let description =
    "format('process %s, user %s, application %s, since %s', l.pid, a.usename, a.application_name, a.backend_start)"

  private static func holder(_ name: String, _ connection: Connection) throws -> String? {
    let sql = """
      SELECT \(description) FROM \(holders)
      """
    let result = try connection.query(sql, key(name))
    return result.isEmpty ? nil : result.string(0, 0)
  }
}

extension StoreConnection {
  /// Runs `body` while this session holds a lock.
  ///
  /// - Parameter waits: for its turn, when another session has the lock.
  func hold<T>(_ name: String, inTurn waits: Bool, _ body: () throws -> T) throws -> T {
    let value = try take(name, inTurn: waits, body)
    AdvisoryLock.release(name, connection)
    return value
  }

  /// Takes a lock for work that goes on after `body`; frees it when `body` fails.
  func take<T>(_ name: String, inTurn waits: Bool, _ body: () throws -> T) throws -> T {
    try waits ? acquireInTurn(name) : AdvisoryLock.acquire(name, connection)
    return try AdvisoryLock.keep([name], connection, body)
  }

  /// Takes a lock; while another session has it, waits and says so.
  ///
  /// It asks again and again: a session that waits in pg_advisory_lock() holds a snapshot, which hinders vacuum.
  private func acquireInTurn(_ name: String) throws {
    var isWaiting = false
    while true {
      do {
        try AdvisoryLock.acquire(name, connection)
        if isWaiting { notify("taking over \(name)") }
        return
      } catch let error as EventStoreError {
        // A lock of another operation of this store is never freed while this one waits.
        guard error.code == .locked, !connection.heldLocks.contains(ByteString(name)) else { throw error }
        if !isWaiting { notify("on standby: \(error.message)\(error.detail.map { " (\($0))" } ?? "")") }
        isWaiting = true
      }
    }
  }
}

extension Connection {
  /// Prepares the session for long work: as in pg_dump, the limits that a role has for short statements of an
  /// application do not apply; and a long statement, with the locks of this session, ends soon after the client was
  /// killed.
  func prepareLongWork() throws {
    var settings = [
      SessionSetting("statement_timeout", "0"), SessionSetting("idle_in_transaction_session_timeout", "0"),
    ]
    if serverVersion >= 140_000 {
      settings.append(SessionSetting("client_connection_check_interval", "'500ms'"))
    }
    if serverVersion >= 170_000 { settings.append(SessionSetting("transaction_timeout", "0")) }
    try set(settings)
  }

  /// Lets the server end this session, with its locks, when the client is silent for this long: it was stopped, or its
  /// network failed. PostgreSQL 13 notices that only within a transaction. Zero, the default, means never.
  func endWhenSilent(for silence: Duration) throws {
    let value = "\(Int64(silence / .milliseconds(1)))"
    var settings = [SessionSetting("idle_in_transaction_session_timeout", value)]
    if serverVersion >= 140_000 { settings.append(SessionSetting("idle_session_timeout", value)) }
    try set(settings)
  }

  /// Sleeps, and tells the server from time to time that the client is there.
  ///
  /// - Parameter isWoken: whether a notification ends it.
  func sleepAlive(for duration: Duration, untilNotified isWoken: Bool = false) throws {
    func isNotified(within duration: Duration) throws -> Bool {
      if isWoken { return try waitForNotification(for: duration) }
      try canceller.sleep(for: duration)
      return false
    }
    var rest = duration
    while rest > Self.signOfLife {
      if try isNotified(within: Self.signOfLife) { return }
      try execute("")
      rest -= Self.signOfLife
    }
    _ = try isNotified(within: rest)
  }

  private static let signOfLife = Duration.milliseconds(500)
}
