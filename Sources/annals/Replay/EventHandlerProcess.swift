internal import EventStore
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// A command that is given events as NDJSON and answers, line by line, with the position up to which it is done.
struct EventHandlerProcess {
  /// A line for `sh -c`.
  let command: String
  /// The longest silence while an answer is due.
  let timeout: Duration

  /// Most events that are unanswered. Their answers fit into the pipe, so that neither side waits for the other.
  static let batchSize = 500

  /// Runs the command while `body` passes it batches, then closes its input and waits for its end.
  ///
  /// - Throws: ``HandlerProcessFailure`` when the command ended early, was silent too long, answered something else
  ///   or ended with a status other than 0; what `body` throws.
  func run(_ body: (EventHandlerSession) async throws -> Void) async throws {
    // A command that ended is then found by the write that fails.
    signal(SIGPIPE, SIG_IGN)
    let watchdog = Watchdog(timeout)
    var options = PlatformOptions()
    // A group of its own, so that what the shell started ends with it.
    options.processGroupID = 0
    let result = try await Subprocess.run(
      .path("/bin/sh"),
      arguments: ["-c", command],
      platformOptions: options,
      input: .inputWriter,
      output: .sequence,
      error: .currentStandardError
    ) { execution in
      let guardian = Task {
        await watchdog.watch { try? execution.send(signal: .kill, toProcessGroup: true) }
      }
      defer { guardian.cancel() }
      let session = EventHandlerSession(
        input: execution.standardInputWriter,
        answers: execution.standardOutput.strings().makeAsyncIterator(),
        watchdog: watchdog
      )
      do {
        try await body(session)
        try await session.finish()
        return (any Error)?.none
      } catch {
        try? execution.send(signal: .terminate, toProcessGroup: true)
        return error
      }
    }
    if watchdog.hasFired { throw HandlerProcessFailure("did not answer within \(timeout)") }
    let end = Self.description(of: result.terminationStatus)
    switch result.closureResult {
    case nil: if result.terminationStatus != .exited(0) { throw HandlerProcessFailure(end) }
    case is SubprocessError, is EventHandlerSession.EndOfAnswers:
      throw HandlerProcessFailure("\(end) before it had answered for all its events")
    case let error?: throw error
    }
  }

  private static func description(of status: TerminationStatus) -> String {
    switch status {
    case .exited(let code): "ended with status \(code)"
    case .signaled(let number): "was ended by signal \(number)"
    }
  }
}

/// What a command did wrong, as the rest of a sentence that begins with it.
struct HandlerProcessFailure: Error {
  let what: String

  init(_ what: String) {
    self.what = what
  }
}

/// The conversation with a running command; it belongs to one task.
final class EventHandlerSession {
  struct EndOfAnswers: Error {}

  private let input: StandardInputWriter
  private var answers: SubprocessOutputSequence.StringSequence<UTF8>.AsyncIterator
  private let watchdog: Watchdog

  init(
    input: StandardInputWriter,
    answers: SubprocessOutputSequence.StringSequence<UTF8>.AsyncIterator,
    watchdog: Watchdog
  ) {
    (self.input, self.answers, self.watchdog) = (input, answers, watchdog)
  }

  /// Passes on a batch, and returns when the command is done with it.
  ///
  /// - Throws: ``PartlyDone`` when it did a part only.
  func handle(_ batch: EventBatch) async throws {
    guard let last = batch.positions.last else { return }
    var done: Int64 = 0
    do {
      watchdog.begin()
      do {
        _ = try await input.write(batch.lines)
      } catch {
        // It ended before it had read all. Its answers say how far it got.
      }
      while done < last {
        guard let line = try await answers.next() else { throw EndOfAnswers() }
        guard let position = Int64(line), done < position, position <= last else {
          let shown = TextEscaping.forPeople(String(line.prefix(80)))
          throw HandlerProcessFailure("answered '\(shown)', not the position of an event that it was given")
        }
        done = position
        watchdog.begin()
      }
      watchdog.end()
    } catch {
      throw done == 0 ? error : PartlyDone(upTo: done, cause: error)
    }
  }

  /// Closes the command's input, and waits until it closes its output.
  func finish() async throws {
    watchdog.begin()
    try await input.finish()
    while try await answers.next() != nil {}
    watchdog.end()
  }
}

/// Acts when an answer is due for too long.
final class Watchdog: Sendable {
  private let timeout: Duration
  private let deadline = Mutex<ContinuousClock.Instant?>(nil)
  private let fired = Mutex(false)

  init(_ timeout: Duration) {
    self.timeout = timeout
  }

  var hasFired: Bool { fired.withLock { $0 } }

  func begin() {
    deadline.withLock { $0 = .now + timeout }
  }

  func end() {
    deadline.withLock { $0 = nil }
  }

  /// Calls `act` at the first deadline that passes; ends with its task.
  func watch(_ act: () -> Void) async {
    while !Task.isCancelled {
      let next = deadline.withLock { $0 }
      if let next, next <= .now {
        fired.withLock { $0 = true }
        return act()
      }
      try? await Task.sleep(until: min(next ?? .now + timeout, .now + .seconds(1)))
    }
  }
}
