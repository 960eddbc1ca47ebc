internal import CLibPQ
internal import Glibc
internal import Synchronization

/// Ends the waits of connections. It may be used from any thread, and does no harm afterwards.
///
/// The waiting thread polls the read end of a pipe beside its socket. It then asks the server to cancel the
/// statement and continues to read, so that the connection stays in a known state (manual, "Canceling Queries in
/// Progress"). If the server does not answer within ``grace``, the connection is closed.
package final class Canceller: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32
  private let requested = Atomic(false)
  /// When a cancelled connection is closed, whatever it waits for; nil before a cancellation.
  private let graceEnd = Mutex<ContinuousClock.Instant?>(nil)
  /// libpq's cancel objects, one for each open connection that waits on this.
  private let requests = Mutex<[CancelRequest]>([])

  package init() throws(PostgresError) {
    (readEnd, writeEnd) = try makePipe()
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Whether ``cancel()`` was called.
  package var isCancelled: Bool { requested.load(ordering: .acquiring) }

  /// How long the server may take to answer after a cancellation, and how long cleaning up may take.
  package static let grace = Duration.seconds(5)

  /// When a cancelled operation stops waiting; nil if none was cancelled.
  var deadline: ContinuousClock.Instant? { graceEnd.withLock { $0 } }

  /// Ends the current statement with SQLSTATE 57014, and refuses those that follow.
  package func cancel() {
    graceEnd.withLock { $0 = $0 ?? .now + Self.grace }
    request()
  }

  private func request() {
    guard !requested.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 1
    unsafe _ = write(writeEnd, &byte, 1)
  }

  /// Lets statements run again, for another operation.
  package func reset() {
    takeBack()
    graceEnd.withLock { $0 = nil }
  }

  private func takeBack() {
    var byte: UInt8 = 0
    while unsafe read(readEnd, &byte, 1) == 1 {}
    requested.store(false, ordering: .releasing)
  }

  /// Lets a cancelled operation clean up, within the rest of ``grace``.
  func whileSuspended(_ body: () -> Void) {
    guard isCancelled else { return body() }
    takeBack()
    body()
    request()
  }

  /// Waits without keeping a statement or a snapshot on the server; a cancellation ends the wait.
  package func sleep(for duration: Duration) throws(PostgresError) {
    var descriptor = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    unsafe _ = poll(&descriptor, 1, duration.pollTimeout)
    try checkCancellation()
  }

  func checkCancellation() throws(PostgresError) {
    guard isCancelled else { return }
    throw PostgresError(
      kind: .statement,
      message: "canceling statement due to user request",
      sqlState: SQLState.queryCanceled
    )
  }

  func attach(to connection: OpaquePointer) {
    guard let request = unsafe CancelRequest(connection) else { return }
    requests.withLock { $0.append(request) }
  }

  func detach(from connection: OpaquePointer) {
    requests.withLock { requests in requests.removeAll { unsafe $0.connection == connection } }
  }

  /// Sends the request to the server, for each connection, and returns when the server has them all or ``grace`` is
  /// over. A request that was sent may have had no effect.
  ///
  /// PQcancel connects and waits for the server without a limit. A request that is still on its way must not be
  /// forgotten while its connection is used: it would end a later statement.
  ///
  /// - Returns: whether the server has them all.
  func sendRequests() -> Bool {
    let calls = requests.withLock(\.self).map { request in
      try? BackgroundCall { () -> Bool in
        request.send()
        return true
      }
    }
    return calls.allSatisfy { $0?.wait(until: deadline) == true }
  }
}

/// Owns a PGcancel; its only use, PQcancel, is documented to be safe in any thread.
@safe private final class CancelRequest: @unchecked Sendable {
  private let handle: OpaquePointer
  /// Only compared, never used: the connection may be gone.
  let connection: OpaquePointer

  init?(_ connection: OpaquePointer) {
    guard let handle = unsafe PQgetCancel(connection) else { return nil }
    unsafe self.handle = handle
    unsafe self.connection = connection
  }

  deinit { unsafe PQfreeCancel(handle) }

  func send() {
    // The manual recommends 256 as the size of the error text, which is not read here.
    var message = [CChar](repeating: 0, count: 256)
    unsafe _ = PQcancel(handle, &message, 256)
  }
}
