internal import Dispatch
internal import Glibc
internal import Synchronization

/// What Ctrl-C and `kill` do: the first cancels the work, which rolls back and reports; the second ends the process.
enum Interruption {
  private static let received = Atomic<Int32>(0)

  private static let childHandler = Mutex<(@Sendable (Int32) -> Void)?>(nil)

  /// From now on signals do nothing here but call the handler: a child process decides what they mean.
  static func leaveToChild(_ handler: @escaping @Sendable (Int32) -> Void) {
    childHandler.withLock { $0 = handler }
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
    let sources = [SIGINT, SIGTERM].map { number in
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler {
        if let handler = childHandler.withLock({ $0 }) { return handler(number) }
        received.store(number, ordering: .relaxed)
        // With the bar goes what the terminal shows of Ctrl-C.
        StandardError.draw(nil)
        task.cancel()
        // From now on the signal has its ordinary effect.
        signal(number, SIG_DFL)
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
