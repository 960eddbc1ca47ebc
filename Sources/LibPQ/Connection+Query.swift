internal import CLibPQ

extension Connection {
  /// Runs one statement, whose interpolated values are its parameters, and returns its rows.
  ///
  /// - Parameter prepared: keep the statement prepared on this connection from its second run on.
  package func query(_ sql: SQL, prepared: Bool = false) throws(PostgresError) -> QueryResult {
    try query(sql.text, sql.parameters, prepared: prepared)
  }

  /// Runs one statement with its parameters and returns its rows: for a template, and for statements that run hundreds
  /// of thousands of times.
  package func query(
    _ sql: String,
    _ parameters: [Parameter],
    prepared: Bool = false
  ) throws(PostgresError) -> QueryResult {
    try send(sql, parameters, prepared: prepared)
    return try receive()
  }

  /// Runs one or more statements without parameters, and ignores their rows.
  ///
  /// Several statements in one text are one transaction (manual, "Simple Query").
  package func execute(_ sql: String) throws(PostgresError) {
    try sending { () throws(PostgresError) in try sendExecute(sql) }
    _ = try receive()
  }

  /// The same, but behind a pooler without its own transaction.
  func executeAlone(_ sql: String) throws(PostgresError) {
    try sendExecute(sql)
    _ = try receive()
  }

  /// Sends a statement. Behind a pooler a single statement gets a transaction, which ``receive()`` ends: otherwise its
  /// settings would have no effect.
  private func sending(_ body: () throws(PostgresError) -> Void) throws(PostgresError) {
    guard isPooled, !isInTransaction else { return try body() }
    try sending(after: TransactionMode.readWrite.rawValue, body)
  }

  /// Sends a statement in a transaction that begins here, and that ``receive()`` ends.
  private func sending(
    after beginning: String,
    _ body: () throws(PostgresError) -> Void
  ) throws(PostgresError) {
    try begin(beginning)
    do {
      try body()
    } catch {
      cleanUp { try executeAlone("ROLLBACK") }
      throw error
    }
    endsTransaction = true
  }

  private func sendExecute(_ sql: String) throws(PostgresError) {
    try checkReady()
    try Connection.checkSendable(sql)
    guard unsafe PQsendQuery(handle, sql) == 1 else { throw lost() }
  }

  /// Starts a statement without waiting for its rows. Call ``receive()`` next.
  ///
  /// Between the two calls the server works while the caller does.
  package func send(
    _ sql: String,
    _ parameters: [Parameter] = [],
    prepared: Bool = false
  ) throws(PostgresError) {
    // Behind a pooler the name would stay in a session of others, and the next statement may not find it.
    let name = prepared && !isPooled ? try prepare(sql, parameters) : nil
    try sending { () throws(PostgresError) in try send(sql, parameters, preparedAs: name) }
  }

  /// Starts a statement with an operator's SQL: in its own read-only transaction, and with a time limit.
  package func send(_ sql: SQL, readOnlyWithin limit: Duration) throws(PostgresError) {
    let milliseconds = max(1, min(limit / .milliseconds(1), Double(Int32.max)))
    let settings = "SET LOCAL statement_timeout = \(Int32(milliseconds))"
    let beginning = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; \(settings)"
    try sending(after: beginning) { () throws(PostgresError) in
      try send(sql.text, sql.parameters, preparedAs: nil)
    }
  }

  private func send(
    _ sql: String,
    _ parameters: [Parameter],
    preparedAs name: String?
  ) throws(PostgresError) {
    try checkReady()
    if name == nil { try Connection.checkSendable(sql) }
    let sent = unsafe withParameters(parameters) { count, types, values, lengths, formats in
      if let name {
        unsafe PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
      } else {
        unsafe PQsendQueryParams(handle, sql, count, types, values, lengths, formats, 1)
      }
    }
    guard sent == 1 else { throw lost() }
    try flush()
  }

  /// Waits for the statement that ``send(_:_:prepared:)`` started, and returns the rows of its last result.
  package func receive() throws(PostgresError) -> QueryResult {
    guard endsTransaction else { return try receiveResult() }
    endsTransaction = false
    let result: QueryResult
    do {
      result = try receiveResult()
    } catch {
      cleanUp { try executeAlone("ROLLBACK") }
      throw error
    }
    try executeAlone("COMMIT")
    return result
  }

  private func receiveResult() throws(PostgresError) -> QueryResult {
    // A text longer than the socket's buffer is still partly here, and the server waits for the rest.
    try flush()
    var last: QueryResult?
    var failure: PostgresError?
    while let result = unsafe try nextResult() {
      let owned = unsafe QueryResult(owning: result)
      switch unsafe PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
        last = consume owned
      case PGRES_COPY_IN, PGRES_COPY_OUT:
        // libpq returns this result again and again until the copy is done: leave the loop.
        return owned
      default:
        if failure == nil { failure = unsafe PostgresError(result: result) }
      }
    }
    if let failure { throw failure }
    guard let last = consume last else { throw lost() }
    return last
  }

  /// Prepares `sql` on its second run, and returns its name. Nil on the first run, which may be the only one and
  /// would take a round trip more.
  private func prepare(_ sql: String, _ parameters: [Parameter]) throws(PostgresError) -> String? {
    // A loop runs the same text again and again; comparing it is faster than hashing it.
    let key = ByteString(sql)
    if let last = lastPrepared, last.sql == key { return last.name }
    guard let known = preparedStatements[key] else {
      preparedStatements[key] = .some(nil)
      return nil
    }
    if let known {
      lastPrepared = (key, known)
      return known
    }
    try checkReady()
    try Connection.checkSendable(sql)
    preparedCount += 1
    let name = "annals_\(preparedCount)"
    let types = parameters.map(\.type.rawValue)
    guard unsafe PQsendPrepare(handle, name, sql, Int32(types.count), types) == 1 else { throw lost() }
    _ = try receive()
    preparedStatements[key] = name
    return name
  }

  /// A cancelled connection starts nothing new, so a loop of statements ends with the current one.
  func checkReady() throws(PostgresError) {
    try canceller.checkCancellation()
  }

  /// Refuses a statement that contains a NUL: libpq takes C strings, and would send only the part before it.
  static func checkSendable(_ sql: String) throws(PostgresError) {
    guard sql.utf8.contains(0) else { return }
    throw PostgresError(
      kind: .statement,
      message: "an SQL statement holds a NUL character, which PostgreSQL cannot store",
      sqlState: SQLState.characterNotInRepertoire
    )
  }
}

/// Converts the parameters to libpq's parallel arrays.
private func withParameters<R>(
  _ parameters: [Parameter],
  _ body: (
    Int32, UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
    UnsafePointer<Int32>?
  ) -> R
) -> R {
  let types = parameters.map(\.type.rawValue)
  let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
  let formats = [Int32](repeating: 1, count: parameters.count)
  // One byte more than needed, so that the arena has an address even when all values are empty.
  var arena: [UInt8] = []
  arena.reserveCapacity(lengths.reduce(1) { $0 + Int($1) })
  var offsets: [Int?] = []
  for parameter in parameters {
    offsets.append(parameter.bytes == nil ? nil : arena.count)
    if let bytes = parameter.bytes { arena += bytes }
  }
  arena.append(0)
  return unsafe arena.withUnsafeBytes { buffer in
    let start = unsafe buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
    let values: [UnsafePointer<CChar>?] = unsafe offsets.map { offset in
      unsafe offset.map { unsafe start + $0 }
    }
    return unsafe body(Int32(parameters.count), types, values, lengths, formats)
  }
}
