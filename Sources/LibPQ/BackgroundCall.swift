internal import Dispatch
internal import Glibc
internal import Synchronization

/// A call that blocks, on a thread of its own, so that a task that waits for it can leave it behind.
///
/// Some of libpq's calls can be neither interrupted nor polled: PQcancel, PQping, the look-up of a host's name. One that
/// is left behind ends by itself, and its value is released then.
final class BackgroundCall<Value: Sendable>: Sendable {
  /// Can be read as soon as the value is there, for poll().
  let descriptor: Int32
  private let finished = Mutex<Value?>(nil)

  /// Starts the call.
  init(_ body: @escaping @Sendable () -> Value) throws(PostgresError) {
    let ends = try makePipe()
    descriptor = ends.read
    // A queue has a thread of its own as soon as others block theirs.
    DispatchQueue(label: "annals.background-call").async {
      let value = body()
      self.finished.withLock { $0 = value }
      close(ends.write)
    }
  }

  deinit { close(descriptor) }

  /// What the call returned; nil while it goes on.
  var value: Value? { finished.withLock { $0 } }

  /// Waits for the call, and no longer than until a time; nil waits as long as it takes.
  ///
  /// - Returns: its value; nil when the time came first, or the canceller fired.
  func wait(until deadline: ContinuousClock.Instant?, or canceller: Canceller? = nil) -> Value? {
    var descriptors = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      // poll() passes over a negative descriptor.
      pollfd(fd: canceller?.readEnd ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let ready = unsafe poll(&descriptors, 2, pollTimeout(until: deadline))
      if ready < 0 && errno == EINTR { continue }
      return value
    }
  }
}

/// A pipe whose ends no program that is started inherits.
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

/// What poll() is to wait: until a time, or forever without one.
func pollTimeout(until deadline: ContinuousClock.Instant?) -> Int32 {
  // A millisecond more, or the last part of one would be waited for in a busy loop.
  deadline.map { max(0, ($0 - .now).pollTimeout + 1) } ?? -1
}
