internal import Dispatch
internal import Glibc
internal import Synchronization

/// A call that blocks, on its own thread, so that a task that waits for it can abandon it.
///
/// Some of libpq's calls can be neither interrupted nor polled: PQcancel, PQping, the look-up of a host's name. An
/// abandoned call ends by itself, and its value is then released.
final class BackgroundCall<Value: Sendable>: Sendable {
  /// Can be read as soon as the value is there, for poll().
  let descriptor: Int32
  private let finished = Mutex<Value?>(nil)

  /// Starts the call.
  init(_ body: @escaping @Sendable () -> Value) throws(PostgresError) {
    let ends = try makePipe()
    descriptor = ends.read
    // A queue gets its own thread as soon as others block theirs.
    DispatchQueue(label: "annals.background-call").async {
      let value = body()
      self.finished.withLock { $0 = value }
      close(ends.write)
    }
  }

  deinit { close(descriptor) }

  /// What the call returned; nil as long as it runs.
  var value: Value? { finished.withLock { $0 } }

  /// Waits for the call, at most until a time; with nil, until it returns.
  ///
  /// - Returns: its value; nil when the time was up, or the canceller fired.
  func wait(until deadline: ContinuousClock.Instant?, or canceller: Canceller? = nil) -> Value? {
    var descriptors = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      // poll() ignores a negative descriptor.
      pollfd(fd: canceller?.readEnd ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let ready = unsafe poll(&descriptors, 2, pollTimeout(until: deadline))
      if ready < 0 && errno == EINTR { continue }
      return value
    }
  }
}

/// A pipe whose ends are not inherited by programs that are started.
func makePipe() throws(PostgresError) -> (read: Int32, write: Int32) {
  var ends: [Int32] = [0, 0]
  guard unsafe pipe(&ends) == 0 else {
    throw PostgresError(kind: .cannotConnect, message: "no pipe could be made (error \(errno))")
  }
  for end in ends {
    _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    _ = fcntl(end, F_SETFL, O_NONBLOCK)
  }
  return (ends[0], ends[1])
}

/// The timeout for poll(): until a time, or without end if there is none.
func pollTimeout(until deadline: ContinuousClock.Instant?) -> Int32 {
  // A millisecond more; otherwise the last part of one would be a busy loop.
  deadline.map { max(0, ($0 - .now).pollTimeout + 1) } ?? -1
}
