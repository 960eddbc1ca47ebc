internal import Dispatch
internal import Glibc
internal import Synchronization

/// The effect of Ctrl-C and `kill`: the first cancels the work, which rolls back and reports; the second ends the
/// process.
enum Interruption {
  private static let received = Atomic<Int32>(0)

  private static let waitingHandler = Mutex<(@Sendable (Int32) -> Void)?>(nil)
  private static let work = Mutex<Task<Void, any Error>?>(nil)
  private static let childHandler = Mutex<(@Sendable (Int32) -> Void)?>(nil)

  /// From now on signals only call the handler: a child process decides their effect.
  static func leaveToChild(_ handler: @escaping @Sendable (Int32) -> Void) {
    childHandler.withLock { $0 = handler }
  }

  /// From now on signals still cancel the work, but do not end the process: it waits for a child process that has the
  /// terminal. The handler may pass signals on to the child.
  static func waitForChild(_ handler: @escaping @Sendable (Int32) -> Void) {
    waitingHandler.withLock { $0 = handler }
  }

  /// Cancels the work as a signal does.
  static func cancelWork() {
    work.withLock { $0?.cancel() }
  }

  /// From now on the work does not end by itself. People end it by a signal, which is then not a failure.
  static func isTheEnd() {
    endsByItself.store(false, ordering: .relaxed)
  }

  /// Whether the work ends without a signal.
  static var isUnexpected: Bool { endsByItself.load(ordering: .relaxed) }

  private static let endsByItself = Atomic<Bool>(true)

  /// The exit status for the signal that was received; nil when none was.
  static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case SIGINT: .interrupted
    case SIGTERM: .terminated
    default: nil
    }
  }

  /// Ends the process by the signal that was received, if that is the reason for its end, so that a shell, cron and
  /// systemd see it.
  static func dieBySignal(_ status: ExitStatus) {
    guard status == self.status else { return }
    CLibrary.die(by: received.load(ordering: .relaxed))
  }

  /// The library gives up waits within ``LibPQ/Canceller/grace``. This is for other waits, such as for a stopped reader
  /// of standard output.
  private static let secondsToEnd = 8

  /// Ends the process if the cancelled work does not, unless it waits for a child.
  private static func endSoon(by number: Int32) {
    func later(_ seconds: Int, _ body: @escaping @Sendable () -> Void) {
      // One queue for each: work that blocks one must not block the other.
      DispatchQueue(label: "annals.interruption").asyncAfter(deadline: .now() + .seconds(seconds)) {
        if waitingHandler.withLock({ $0 == nil }) { body() }
      }
    }
    later(secondsToEnd) {
      StandardError.print(lines: ["annals: error: interrupted", "DETAIL:  \(Failure.afterInterruption)"])
    }
    later(secondsToEnd + 1) { CLibrary.die(by: number) }
  }

  static func cancellingOnSignal(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task(operation: body)
    work.withLock { $0 = task }
    let sources = [SIGINT, SIGTERM].map { number in
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler {
        if let handler = childHandler.withLock({ $0 }) { return handler(number) }
        let isFirst = received.exchange(number, ordering: .relaxed) == 0
        // Clearing the bar also clears the terminal's echo of Ctrl-C.
        StandardError.draw(nil)
        task.cancel()
        if let handler = waitingHandler.withLock({ $0 }) { return handler(number) }
        if isFirst { endSoon(by: number) }
        // From now on the signal has its default effect; not at once, since timeout(1) signals the command and its
        // group.
        DispatchQueue(label: "annals.signal").asyncAfter(deadline: .now() + .milliseconds(100)) {
          signal(number, SIG_DFL)
        }
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
