internal import EventStore

/// Runs consumers side by side, and starts each again that failed; none waits for another.
struct Supervisor {
  /// A consumer that can be run, again and again.
  struct Member: Sendable {
    let name: String
    /// Passes events on until the task is cancelled, or to the end of history; returns a status other than 0.
    let run: @Sendable () async throws -> ExitStatus?
  }

  let members: [Member]
  /// Whether each ends with history, or when it fails.
  let once: Bool

  private static let longestPause = Duration.seconds(60)

  /// - Throws: ``EndWithStatus`` with what was first other than 0.
  func run() async throws {
    let status = try await withThrowingTaskGroup(of: ExitStatus?.self) { group in
      for member in members { group.addTask { try await keepRunning(member) } }
      return try await group.reduce(ExitStatus?.none) { $0 ?? $1 }
    }
    if let status { throw EndWithStatus(status: status) }
  }

  private func keepRunning(_ member: Member) async throws -> ExitStatus? {
    var pause = Duration.seconds(1)
    while true {
      let start = ContinuousClock.now
      do {
        return try await member.run()
      } catch let end as EndWithStatus {
        return end.status
      } catch {
        try Task.checkCancellation()
        let failure = Failure(error)
        StandardError.warn("\(member.name): \(failure.message)")
        if let detail = failure.detail { StandardError.print("DETAIL:  \(detail)") }
        if let hint = failure.hint { StandardError.print("HINT:  \(hint)") }
        if once { return failure.status }
        // One that ran well for long enough begins with a short pause.
        if ContinuousClock.now - start > Self.longestPause { pause = .seconds(1) }
        StandardError.warn("\(member.name): starting again in \(Int(pause / .seconds(1))) s")
        try await Task.sleep(for: pause)
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }
}
