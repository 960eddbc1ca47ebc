internal import CLibPQ
internal import Glibc

extension Connection {
  enum Direction {
    case read
    case readOrWrite
  }

  /// Waits until the socket can be read (or written), the canceller fires, or the wait for the server is given up.
  func wait(for direction: Direction) throws(PostgresError) {
    let events = direction == .read ? Int16(POLLIN) : Int16(POLLIN | POLLOUT)
    var silence = Silence(of: self)
    while true {
      let socket = unsafe PQsocket(handle)
      // poll() would ignore it, and wait forever.
      guard socket >= 0 else { throw lost() }
      var descriptors = [
        pollfd(fd: socket, events: events, revents: 0),
        // poll() ignores a negative descriptor: a fired canceller would otherwise wake it all the time.
        pollfd(fd: silence.wasCancelled ? -1 : canceller.readEnd, events: Int16(POLLIN), revents: 0),
        pollfd(fd: silence.probeDescriptor, events: Int16(POLLIN), revents: 0),
      ]
      let ready = unsafe poll(&descriptors, 3, pollTimeout(until: silence.nextLook))
      if ready < 0 && errno == EINTR { continue }
      if descriptors[0].revents != 0 { return }
      if descriptors[1].revents != 0 {
        silence.wasCancelled = true
        if !canceller.sendRequests() { throw givenUp() }
      }
      if let error = silence.findEnd() { throw error }
    }
  }

  /// Waits until at least one of several connections, which share a canceller, has something to read.
  ///
  /// - Returns: their indexes.
  /// - Throws: 57014 after a cancellation; the running statements are then being cancelled, and still answer.
  package static func waitForAny(
    of connections: [Connection],
    _ canceller: Canceller
  ) throws(PostgresError) -> [Int] {
    var silences = connections.map { Silence(of: $0) }
    while true {
      let sockets = connections.map { unsafe PQsocket($0.handle) }
      var descriptors = (sockets + silences.map(\.probeDescriptor) + [canceller.readEnd]).map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      let nextLook = silences.compactMap(\.nextLook).min()
      let ready = unsafe poll(&descriptors, nfds_t(descriptors.count), pollTimeout(until: nextLook))
      if ready < 0 && errno == EINTR { continue }
      if canceller.isCancelled {
        _ = canceller.sendRequests()
        try canceller.checkCancellation()
      }
      // A connection that is given up here is broken; its owner finds that when it reads.
      let ended = silences.indices.filter { silences[$0].findEnd() != nil }
      let answered = connections.indices.filter {
        descriptors[$0].revents != 0 || sockets[$0] < 0 || ended.contains($0)
      }
      if !answered.isEmpty { return answered }
    }
  }

  /// Reads what has arrived, and returns whether ``receive()`` would return without waiting.
  package func hasAnswer() throws(PostgresError) -> Bool {
    try consumeInput()
    return unsafe PQisBusy(handle) == 0
  }

  /// The server did not answer in time after a cancellation.
  fileprivate func givenUp() -> PostgresError {
    breakConnection()
    return PostgresError(
      kind: .connectionLost,
      message:
        "the server did not answer within \(Canceller.grace.components.seconds) s after the cancellation"
    )
  }

  fileprivate func silentTooLong() -> PostgresError {
    breakConnection()
    return PostgresError(
      kind: .timedOut,
      message: "the server did not answer within \(responseTimeout ?? .zero)"
    )
  }

  fileprivate func lost(_ reason: String, after silence: Duration) -> PostgresError {
    breakConnection()
    return PostgresError(
      kind: .connectionLost,
      message: "the connection was lost: after \(silence.components.seconds) s of silence \(reason)"
    )
  }

  /// Makes the connection unusable: later data must not be taken as an answer to another statement.
  private func breakConnection() {
    shutdown(unsafe PQsocket(handle), Int32(SHUT_RDWR))
    unsafe _ = PQconsumeInput(handle)
  }

  /// Sends what libpq has buffered, and reads what the server sends meanwhile, so that neither side blocks the other.
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

  /// The next result of the current statement, or nil after its last.
  func nextResult() throws(PostgresError) -> OpaquePointer? {
    while unsafe PQisBusy(handle) == 1 {
      try wait(for: .read)
      try consumeInput()
    }
    return unsafe PQgetResult(handle)
  }

  func lost() -> PostgresError {
    // After the first line come the context of the statement, and libpq's guess at the cause.
    var message =
      lastMessage.unicodeScalars.split(separator: "\n").first.map(String.init) ?? "the connection was lost"
    if message.utf8.starts(with: "FATAL:  ".utf8) { message.unicodeScalars.removeFirst(8) }
    return PostgresError(kind: .connectionLost, message: message)
  }
}

/// A wait for a silent server, and what ends it.
private struct Silence {
  private let connection: Connection
  private let start = ContinuousClock.now
  private var probe: BackgroundCall<String?>?
  private var nextProbe: ContinuousClock.Instant
  /// Whether the server was asked to cancel.
  var wasCancelled = false

  init(of connection: Connection) {
    self.connection = connection
    nextProbe = start + connection.probeInterval
  }

  /// Can be read when a probe has its answer; negative when there is none.
  var probeDescriptor: Int32 { probe?.descriptor ?? -1 }

  private var responseEnd: ContinuousClock.Instant? { connection.responseTimeout.map { start + $0 } }

  /// When ``findEnd()`` must be called at the latest.
  var nextLook: ContinuousClock.Instant? {
    [responseEnd, connection.canceller.deadline, probe == nil ? nextProbe : nil].compactMap(\.self).min()
  }

  /// Why to stop waiting; nil to continue.
  mutating func findEnd() -> PostgresError? {
    let now = ContinuousClock.now
    if let deadline = connection.canceller.deadline, deadline <= now { return connection.givenUp() }
    if let responseEnd, responseEnd <= now { return connection.silentTooLong() }
    if let answer = probe?.value {
      if let loss = answer { return connection.lost(loss, after: now - start) }
      probe = nil
      nextProbe = now + connection.probeInterval
    } else if probe == nil, nextProbe <= now {
      let question = Probe(of: connection)
      probe = try? BackgroundCall { question.findLoss() }
      nextProbe = now + connection.probeInterval
    }
    return nil
  }
}

extension Duration {
  /// In the milliseconds of poll(), for which a negative number means without end.
  var pollTimeout: Int32 {
    Int32(clamping: max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000))
  }
}
