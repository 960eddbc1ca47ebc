internal import CLibPQ
internal import Glibc
internal import Synchronization

/// Ends what connections are waiting for; it may be used from any thread, and stays harmless afterwards.
///
/// The waiting thread polls the read end of a pipe beside its socket. It then asks the server to cancel the
/// statement and goes on reading, so that the connection stays in a known state (manual, "Canceling Queries in Progress").
package final class Canceller: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32
  private let requested = Atomic(false)
  /// libpq's cancel objects, one for each open connection that waits on this.
  private let requests = Mutex<[CancelRequest]>([])

  package init() throws(PostgresError) {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else {
      throw PostgresError(kind: .cannotConnect, message: "no pipe could be made (error \(errno))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    readEnd = ends[0]
    writeEnd = ends[1]
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Whether ``cancel()`` was called.
  package var isCancelled: Bool { requested.load(ordering: .acquiring) }

  /// Ends the current statement with SQLSTATE 57014, and refuses those that follow.
  package func cancel() {
    guard !requested.exchange(true, ordering: .acquiringAndReleasing) else { return }
    var byte: UInt8 = 1
    unsafe _ = write(writeEnd, &byte, 1)
  }

  /// Lets statements run again, so that a cancelled operation can clean up behind itself.
  package func reset() {
    var byte: UInt8 = 0
    while unsafe read(readEnd, &byte, 1) == 1 {}
    requested.store(false, ordering: .releasing)
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

  /// Sends the request to the server, for each connection. That it was sent says nothing of whether it had an effect.
  func sendRequest() {
    requests.withLock { for request in $0 { request.send() } }
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
    // 256 is the size that the manual recommends for the error text, which nobody reads here.
    var message = [CChar](repeating: 0, count: 256)
    unsafe _ = PQcancel(handle, &message, 256)
  }
}
