internal import EventStore

/// A process of a command, started again when it failed; it works through one share of events after another.
final class HandlerWorker: Sendable {
  /// Events to pass on, and who waits until they are done.
  private struct Job: Sendable {
    let share: HandlerShare
    let end: CheckedContinuation<Void, any Error>
  }

  private let handler: EventHandlerProcess
  private let retries: Int
  /// Begins what it says.
  private let prefix: String
  /// Makes a dead letter of an event; nil where an event that fails stops the replay.
  private let park: (@Sendable (_ position: Int64, _ attempts: Int, _ message: String) async throws -> Void)?
  private let (jobs, jobSource) = AsyncStream.makeStream(of: Job.self)

  init(
    _ handler: EventHandlerProcess,
    retries: Int,
    prefix: String,
    park: (@Sendable (_ position: Int64, _ attempts: Int, _ message: String) async throws -> Void)?
  ) {
    (self.handler, self.retries, self.prefix, self.park) = (handler, retries, prefix, park)
  }

  /// Passes events on, and returns when the command is done with them.
  ///
  /// - Throws: ``HandlerProcessFailure`` when the command failed once more than it may without getting any further;
  ///   ``HandlerShare/done`` says how far it came.
  func handle(_ share: HandlerShare) async throws {
    try await withCheckedThrowingContinuation { end in
      if case .terminated = jobSource.yield(Job(share: share, end: end)) {
        end.resume(throwing: CancellationError())
      }
    }
  }

  /// Lets the command come to its end: there are no more events.
  func finish() { jobSource.finish() }

  /// Runs the command until ``finish()``.
  ///
  /// - Throws: ``HandlerProcessFailure`` when it ended with a failure once more than it may.
  func run() async throws {
    var iterator = jobs.makeAsyncIterator()
    var (current, failures) = (Job?.none, 0)
    do {
      while true {
        let before = current?.share.done.count
        do {
          return try await handler.run { session in
            while true {
              if current == nil { current = await iterator.next() }
              // The stream also ends when the task is cancelled.
              guard let job = current else { return try Task.checkCancellation() }
              try await job.share.pass(to: session)
              (current, failures) = (nil, 0)
              job.end.resume()
            }
          }
        } catch let failure as HandlerProcessFailure {
          failures = current?.share.done.count == before ? failures + 1 : 1
          try await prepareRetry(of: current?.share, after: failure, &failures)
        }
      }
    } catch {
      current?.end.resume(throwing: error)
      while let job = await iterator.next() { job.end.resume(throwing: error) }
      throw error
    }
  }

  /// Decides how to go on after a failure, and waits.
  private func prepareRetry(
    of share: HandlerShare?,
    after failure: HandlerProcessFailure,
    _ failures: inout Int
  ) async throws {
    if let park, !failure.isOfCommand, let share, let last = share.unanswered.last {
      if last != share.unanswered.first {
        StandardError.warn("\(prefix)the command \(failure.what); passing its events one by one")
        share.suspect()
        failures = 0
        return
      } else if failures > retries {
        try await park(last, failures, "the command \(failure.what)")
        share.settle(upTo: last)
        failures = 0
        return
      }
    }
    guard failures <= retries else { throw failure }
    let pause = 1 << min(failures - 1, 10)
    StandardError.warn(
      "\(prefix)the command \(failure.what); trying again in \(pause) s (\(failures) of \(retries))"
    )
    try await Task.sleep(for: .seconds(pause))
  }
}
