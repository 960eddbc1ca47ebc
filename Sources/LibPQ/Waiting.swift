internal import CLibPQ
internal import Glibc

extension Connection {
  enum Direction {
    case read
    case readOrWrite
  }

  /// Waits until the socket can be read (or written), the canceller fires, or the server was silent too long.
  func wait(for direction: Direction) throws(PostgresError) {
    var cancelSent = false
    let events = direction == .read ? Int16(POLLIN) : Int16(POLLIN | POLLOUT)
    while true {
      let socket = unsafe PQsocket(handle)
      // poll() would pass over it, and wait for ever.
      guard socket >= 0 else { throw lost() }
      var descriptors = [
        pollfd(fd: socket, events: events, revents: 0),
        // A negative descriptor is passed over by poll(): a fired canceller would otherwise wake it for ever.
        pollfd(fd: cancelSent ? -1 : canceller.readEnd, events: Int16(POLLIN), revents: 0),
      ]
      let ready = unsafe poll(&descriptors, 2, responseTimeout?.pollTimeout ?? -1)
      if ready < 0 && errno == EINTR { continue }
      if ready == 0 { throw silentTooLong() }
      if descriptors[0].revents != 0 { return }
      canceller.sendRequest()
      cancelSent = true
    }
  }

  /// Waits until at least one of several connections, which share a canceller, has something to read.
  ///
  /// - Returns: their indexes.
  /// - Throws: 57014 after a cancellation; the statements under way are then being cancelled, and still answer.
  package static func waitForAny(
    of connections: [Connection],
    _ canceller: Canceller
  ) throws(PostgresError) -> [Int] {
    let sockets = connections.map { unsafe PQsocket($0.handle) }
    var descriptors = (sockets + [canceller.readEnd]).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    while true {
      let ready = unsafe poll(&descriptors, nfds_t(descriptors.count), -1)
      if ready < 0 && errno == EINTR { continue }
      if canceller.isCancelled {
        canceller.sendRequest()
        try canceller.checkCancellation()
      }
      return connections.indices.filter { descriptors[$0].revents != 0 }
    }
  }

  /// Reads what has come, and returns whether ``receive()`` would not have to wait any more.
  package func hasAnswer() throws(PostgresError) -> Bool {
    try consumeInput()
    return unsafe PQisBusy(handle) == 0
  }

  private func silentTooLong() -> PostgresError {
    breakConnection()
    return PostgresError(
      kind: .timedOut,
      message: "the server did not answer within \(responseTimeout ?? .zero)"
    )
  }

  /// Makes the connection unusable: whatever is still on its way must not be taken for a later answer.
  private func breakConnection() {
    shutdown(unsafe PQsocket(handle), Int32(SHUT_RDWR))
    unsafe _ = PQconsumeInput(handle)
  }

  /// Sends what libpq has buffered, reading what the server says meanwhile, so that neither side blocks the other.
  func flush() throws(PostgresError) {
    while true {
      switch unsafe PQflush(handle) {
      case 0: return
      case 1:
        try wait(for: .readOrWrite)
        try consumeInput()
      default: throw lost()
      }
    }
  }

  func consumeInput() throws(PostgresError) {
    guard unsafe PQconsumeInput(handle) == 1 else { throw lost() }
  }

  /// The next result of the statement under way, or nil after its last.
  func nextResult() throws(PostgresError) -> OpaquePointer? {
    while unsafe PQisBusy(handle) == 1 {
      try wait(for: .read)
      try consumeInput()
    }
    return unsafe PQgetResult(handle)
  }

  func lost() -> PostgresError {
    // What follows the first line is the context of the statement, and libpq's guess at what happened.
    var message = lastMessage.split(separator: "\n").first ?? "the connection was lost"
    if message.hasPrefix("FATAL:  ") { message = message.dropFirst(8) }
    return PostgresError(kind: .connectionLost, message: String(message))
  }
}

extension Duration {
  /// In the milliseconds of poll(), where negative ones would wait for ever.
  var pollTimeout: Int32 {
    Int32(clamping: max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000))
  }
}
