internal import ArgumentParser
internal import EventStore

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Report the health of the store and its readers.",
    discussion: """
        annals check --max-lag 5min --max-age 1h
        annals check --max-lag 10000 --format prometheus

      It prints one line. The exit status is 0 when all is well, 2 when a limit is exceeded or a reader has stopped, \
      and 3 when the store does not answer in time.
      """
  )

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case nagios
    case prometheus
    case json
  }

  @OptionGroup var connection: ConnectionOptions

  @Option(
    help: ArgumentHelp(
      "How far a reader may be behind: a number of events, or a time (90s, 5min, 1h, 2d).",
      valueName: "number|duration"
    )
  )
  var maxLag: LagLimit?

  @Option(help: "Most dead letters a projection may have.")
  var maxDeadLetters: Int64 = 0

  @Option(
    help: ArgumentHelp("Largest age of the newest event (90s, 5min, 1h, 2d).", valueName: "duration")
  )
  var maxAge: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "Ignore the lag of a replay that has not run for this long.",
      valueName: "duration"
    )
  )
  var staleAfter: DurationArgument?

  @OptionGroup var watch: WatchOptions

  @Option(help: "Output format.")
  var format: Format = .nagios

  @Option(help: ArgumentHelp("How long the answer may take.", valueName: "duration"))
  var timeLimit: DurationArgument = "10s"

  func validate() throws {
    try timeLimit.requirePositive("--time-limit")
    try staleAfter?.requirePositive("--stale-after")
  }

  func run() async throws {
    try await watch.repeating {
      do { try await answer() } catch let end as EndWithStatus {
        // The viewer sees it, and watching continues.
        if watch.watch == nil || Task.isCancelled { throw end }
      }
    }
  }

  private func answer() async throws {
    let alarm = Task.detached { [self] in
      try await Task.sleep(for: timeLimit.duration)
      let limit = timeLimit.duration
      printUnknown(Failure(EventStoreError(.timedOut, "the store gave no answer within \(limit)")))
      // Asks the server to end the statement, and does not wait for that.
      Interruption.cancelWork()
      try await Task.sleep(for: .seconds(1))
      Failure(EndWithStatus(status: .unknown)).report(asJSON: false)
    }
    do {
      let health = try await connection.store().health(limits)
      alarm.cancel()
      let problems = health.problems(limits)
      print(HealthReport(health: health, problems: problems, stale: health.staleReaders(limits)).text(format))
      if !problems.isEmpty { throw EndWithStatus(status: .findings) }
    } catch let end as EndWithStatus {
      throw end
    } catch is CancellationError where Interruption.status == nil {
      throw EndWithStatus(status: .unknown)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      alarm.cancel()
      let failure = Failure(error)
      printUnknown(failure)
      // For a monitor, 1 is a warning, and everything above 3 is unknown.
      throw EndWithStatus(status: failure.status == .failure ? .unknown : failure.status)
    }
  }

  private func printUnknown(_ failure: Failure) {
    print(HealthReport.unknown(failure.message, format))
    failure.print(asJSON: false)
  }

  private func print(_ report: String) {
    for line in report.unicodeScalars.split(separator: "\n") { StandardOutput.print(String(line)) }
    StandardOutput.flush()
  }

  private var limits: StoreHealth.Limits {
    var limits = StoreHealth.Limits()
    limits.deadLetters = maxDeadLetters
    limits.ageSeconds = maxAge?.seconds
    limits.staleSeconds = staleAfter?.seconds
    switch maxLag {
    case .events(let events): limits.lagEvents = events
    case .time(let time): limits.lagSeconds = time.seconds
    case nil: break
    }
    return limits
  }
}
