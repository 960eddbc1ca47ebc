internal import Dispatch
internal import Glibc
internal import Synchronization

/// What Ctrl-C and `kill` do: the first cancels the work, which rolls back and reports; the second ends the process.
enum Interruption {
  private static let received = Atomic<Int32>(0)

  private static let waitingHandler = Mutex<(@Sendable (Int32) -> Void)?>(nil)
  private static let work = Mutex<Task<Void, any Error>?>(nil)
  private static let childHandler = Mutex<(@Sendable (Int32) -> Void)?>(nil)

  /// From now on signals do nothing here but call the handler: a child process decides what they mean.
  static func leaveToChild(_ handler: @escaping @Sendable (Int32) -> Void) {
    childHandler.withLock { $0 = handler }
  }

  /// From now on signals still cancel the work, but do not end the process: a child process that has the terminal is
  /// waited for. The handler may pass them on to it.
  static func waitForChild(_ handler: @escaping @Sendable (Int32) -> Void) {
    waitingHandler.withLock { $0 = handler }
  }

  /// Cancels the work as a signal does.
  static func cancelWork() {
    work.withLock { $0?.cancel() }
  }

  /// The exit status for the signal that was received; nil when none was.
  static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: nil
    }
  }

  static func cancellingOnSignal(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task(operation: body)
    work.withLock { $0 = task }
    let sources = [SIGINT, SIGTERM].map { number in
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler {
        if let handler = childHandler.withLock({ $0 }) { return handler(number) }
        received.store(number, ordering: .relaxed)
        // With the bar goes what the terminal shows of Ctrl-C.
        StandardError.draw(nil)
        task.cancel()
        guard let handler = waitingHandler.withLock({ $0 }) else {
          // From now on the signal has its ordinary effect.
          signal(number, SIG_DFL)
          return
        }
        handler(number)
      }
      // Dispatch only watches: without this the signal would still end the process.
      signal(number, SIG_IGN)
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    try await task.value
  }
}
