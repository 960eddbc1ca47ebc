internal import CLibPQ

extension Connection {
  /// Sends data to the server with `COPY … FROM STDIN`.
  ///
  /// - Parameters:
  ///   - sql: the COPY statement.
  ///   - body: calls its argument with pieces of the data, in the format of the statement, cut anywhere.
  ///   - meanwhile: is called when everything is sent, while the server still works.
  /// - Returns: the number of rows that were stored.
  /// - Throws: what `body` threw (nothing is stored then), or the server's error.
  @discardableResult
  package func copyIn(
    _ sql: String,
    _ body: (_ write: ([UInt8]) throws(PostgresError) -> Void) throws -> Void,
    meanwhile: () -> Void = {}
  ) throws -> Int {
    try inTransaction { try sendCopy(sql, body, meanwhile: meanwhile) }
  }

  private func sendCopy(
    _ sql: String,
    _ body: (_ write: ([UInt8]) throws(PostgresError) -> Void) throws -> Void,
    meanwhile: () -> Void
  ) throws -> Int {
    try checkReady()
    try Connection.checkSendable(sql)
    guard unsafe PQsendQuery(handle, sql) == 1 else { throw lost() }
    _ = try receive()
    do {
      try body { (bytes) throws(PostgresError) in try self.putCopyData(bytes) }
    } catch {
      _ = try? endCopy(failingWith: "the sender stopped")
      throw error
    }
    return try endCopy(failingWith: nil, meanwhile: meanwhile)
  }

  /// Reads the rows of `COPY … TO STDOUT`, and calls `body` for each.
  package func copyOut(_ sql: String, _ body: (RawSpan) throws -> Void) throws {
    try inTransaction { try receiveCopy(sql, body) }
  }

  private func receiveCopy(_ sql: String, _ body: (RawSpan) throws -> Void) throws {
    try checkReady()
    try Connection.checkSendable(sql)
    guard unsafe PQsendQuery(handle, sql) == 1 else { throw lost() }
    _ = try receive()
    while true {
      var buffer: UnsafeMutablePointer<CChar>?
      let length = unsafe PQgetCopyData(handle, &buffer, 1)
      switch length {
      case 1...:
        defer { unsafe PQfreemem(buffer) }
        try body(unsafe RawSpan(_unsafeStart: buffer!, byteCount: Int(length)))
      case 0:
        try wait(for: .read)
        try consumeInput()
      case -1:
        _ = try receive()
        return
      default: throw lost()
      }
    }
  }

  private func putCopyData(_ bytes: [UInt8]) throws(PostgresError) {
    try checkReady()
    while true {
      let queued = unsafe bytes.withUnsafeBytes {
        unsafe PQputCopyData(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
      }
      if queued < 0 { throw lost() }
      // Flush every piece: otherwise libpq would grow its buffer without a limit.
      try flush()
      if queued == 1 { return }
    }
  }

  @discardableResult
  private func endCopy(
    failingWith message: String?,
    meanwhile: () -> Void = {}
  ) throws(PostgresError) -> Int {
    while true {
      let queued = unsafe PQputCopyEnd(handle, message)
      if queued < 0 { throw lost() }
      try flush()
      if queued == 1 { break }
    }
    meanwhile()
    return try receive().affectedRows
  }
}
