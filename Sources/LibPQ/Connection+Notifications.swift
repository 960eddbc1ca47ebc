internal import CLibPQ
internal import Dispatch
internal import Glibc

/// Notifications (NOTIFY) of other sessions. Only that there are some counts: what they say is for the reader to look up.
extension Connection {
  /// Has the server tell this session about a channel from now on.
  ///
  /// It needs a session of its own: behind a pooler it would stay in one that another client gets.
  package func listen(to channel: String) throws(PostgresError) {
    try execute("LISTEN \(quoteIdentifier(channel))")
    isListening = true
  }

  /// Waits for a notification, at most for a time; a cancellation, or any other word of the server, ends the wait.
  ///
  /// - Returns: whether one has arrived.
  package func waitForNotification(for duration: Duration) throws(PostgresError) -> Bool {
    if takeNotifications() { return true }
    var descriptors = [
      pollfd(fd: unsafe PQsocket(handle), events: Int16(POLLIN), revents: 0),
      pollfd(fd: canceller.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    unsafe _ = poll(&descriptors, 2, duration.pollTimeout)
    try canceller.checkCancellation()
    guard descriptors[0].revents != 0 else { return false }
    try consumeInput()
    return takeNotifications()
  }

  /// What to wait on, while this connection may be used; nil if notifications have arrived already.
  package func silence() -> SilentSocket? {
    if takeNotifications() { return nil }
    let socket = unsafe PQsocket(handle)
    return socket < 0 ? nil : SilentSocket(socket: socket)
  }

  /// - Returns: whether some had arrived.
  private func takeNotifications() -> Bool {
    var found = false
    while let notification = unsafe PQnotifies(handle) {
      unsafe PQfreemem(notification)
      found = true
    }
    return found
  }
}

/// The socket of a connection on which nothing is expected.
///
/// If the connection is used or closed meanwhile, the wait ends early, or late by at most its time: its user looks
/// again in any case.
package struct SilentSocket: Sendable {
  fileprivate let socket: Int32

  /// Waits until the server says something, at most for a time, on a thread of its own.
  package func wait(for duration: Duration) async {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "annals.notifications").async {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        unsafe _ = poll(&descriptor, 1, duration.pollTimeout)
        continuation.resume()
      }
    }
  }
}
