internal import EventStore
internal import Glibc
internal import Subprocess
internal import Synchronization
internal import SystemPackage

/// A command that gets events as NDJSON and answers, line by line, with the position up to which it is done.
struct EventHandlerProcess {
  /// A line for `sh -c`.
  let command: String
  /// The longest silence while an answer is due.
  let timeout: Duration

  /// The most unanswered events. Their answers fit into the pipe, so that neither side waits for the other.
  static let batchSize = 500

  /// Runs the command while `body` passes it batches, then closes its input and waits for its end.
  ///
  /// - Throws: ``HandlerProcessFailure`` when the command ended early, was silent too long, answered something else
  ///   or ended with a status other than 0; what `body` throws.
  func run(_ body: (EventHandlerSession) async throws -> Void) async throws {
    // Then a failed write shows that a command ended.
    signal(SIGPIPE, SIG_IGN)
    let watchdog = Watchdog(timeout)
    var options = PlatformOptions()
    // Its own process group, so that programs started by the shell end with it.
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
    // The statuses by which a shell says that there is no such command, or that it cannot be run.
    let isOfCommand = [.exited(126), .exited(127)].contains(result.terminationStatus)
    switch result.closureResult {
    case nil:
      if result.terminationStatus != .exited(0) { throw HandlerProcessFailure(end, isOfCommand: isOfCommand) }
    case is SubprocessError, is EventHandlerSession.EndOfAnswers:
      throw HandlerProcessFailure(
        "\(end) before it had answered for all its events",
        isOfCommand: isOfCommand
      )
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

extension EventHandlerProcess {
  /// Passes on events that the command failed at before.
  ///
  /// - Returns: its fault this time; nil when it is done with them.
  func retry(_ batch: EventBatch) async throws -> String? {
    do {
      try await run { try await $0.handle(batch) }
      return nil
    } catch let failure as HandlerProcessFailure {
      guard !failure.isOfCommand else { throw CommandError(failure) }
      let message = "the command \(failure.what)"
      StandardError.warn("the event at position \(batch.positions.last ?? 0) failed again: \(message)")
      return message
    }
  }
}

/// The fault of a command, as the rest of a sentence that begins with it.
struct HandlerProcessFailure: Error {
  let what: String
  /// Whether it would fail at any event: it cannot be run, or does not follow the protocol.
  let isOfCommand: Bool

  init(_ what: String, isOfCommand: Bool = false) {
    (self.what, self.isOfCommand) = (what, isOfCommand)
  }
}

extension CommandError {
  init(_ failure: HandlerProcessFailure, detail: String? = nil, hint: String? = nil) {
    self.init(.failure, "the command \(failure.what)", code: "handlerFailed", detail: detail, hint: hint)
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
  /// - Parameter settle: is called with each position up to which it is done.
  /// - Throws: ``PartlyDone`` when it did only a part.
  func handle(_ batch: EventBatch, settle: (Int64) -> Void = { _ in }) async throws {
    var done: Int64?
    do {
      for run in batch.runs {
        try await handle(run) { position in
          // The answer covers the events of that position that it has received so far.
          if run.isContinued, position == run.last { return }
          done = position
          settle(position)
        }
      }
    } catch {
      throw done.map { PartlyDone(upTo: $0, cause: error) } ?? error
    }
  }

  private func handle(_ run: EventBatch.Run, answered: (Int64) -> Void) async throws {
    watchdog.begin()
    do {
      _ = try await input.write(run.lines)
    } catch {
      // It ended before it had read everything. Its answers tell how far it got.
    }
    var last: Int64?
    while last != run.last {
      guard let line = try await answers.next() else { throw EndOfAnswers() }
      guard let position = Int64(line), last.map({ $0 < position }) ?? true, position <= run.last else {
        let shown = line.prefix(80)
        throw HandlerProcessFailure(
          "answered '\(shown)', not the position of an event that it was given",
          isOfCommand: true
        )
      }
      last = position
      answered(position)
      watchdog.begin()
    }
    watchdog.end()
  }

  /// Closes the command's input, and waits until it closes its output.
  func finish() async throws {
    watchdog.begin()
    try await input.finish()
    while try await answers.next() != nil {}
    watchdog.end()
  }
}

extension EventBatch {
  /// Events of different positions, so that an answer says which of them are done.
  fileprivate struct Run {
    var lines: [UInt8]
    let last: Int64
    /// Whether the next run begins with another event of the last position.
    let isContinued: Bool
  }

  fileprivate var runs: [Run] {
    let ends = positions.indices.dropLast().filter { positions[$0] == positions[$0 + 1] }
    guard let last = positions.last else { return [] }
    if ends.isEmpty { return [Run(lines: lines, last: last, isContinued: false)] }
    var rest = lines.split(separator: UInt8(ascii: "\n"))[...]
    var first = 0
    return (ends + [positions.count - 1]).map { end in
      defer { first = end + 1 }
      let lines = rest.prefix(end + 1 - first)
      rest = rest.dropFirst(lines.count)
      return Run(
        lines: lines.flatMap { $0 + [UInt8(ascii: "\n")] },
        last: positions[end],
        isContinued: end + 1 < positions.count
      )
    }
  }
}

/// Acts when an answer is overdue.
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
