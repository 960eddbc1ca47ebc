internal import ArgumentParser
internal import EventStore

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell a monitor how the store and its readers are.",
    discussion: """
        annals check --max-lag 5min --max-age 1h
        annals check --max-lag 10000 --format prometheus

      One line and the exit status: 0 when all is well, 2 when a limit is exceeded or a reader has stopped, \
      3 when the store gives no answer in time.
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
      "Most events (10000), or longest time (90s, 5min, 1h, 2d), that a reader may be behind.",
      valueName: "number|duration"
    )
  )
  var maxLag: LagLimit?

  @Option(help: "Most dead letters a projection may have.")
  var maxDeadLetters: Int64 = 0

  @Option(
    help: ArgumentHelp("Oldest that the newest event may be (90s, 5min, 1h, 2d).", valueName: "duration")
  )
  var maxAge: DurationArgument?

  @Option(help: "Form of the answer.")
  var format: Format = .nagios

  @Option(help: ArgumentHelp("How long the answer may take.", valueName: "duration"))
  var timeLimit: DurationArgument = "10s"

  func validate() throws { try timeLimit.requirePositive("--time-limit") }

  func run() async throws {
    let alarm = Task.detached { [self] in
      try await Task.sleep(for: timeLimit.duration)
      let limit = timeLimit.duration
      printUnknown(Failure(EventStoreError(.timedOut, "the store gave no answer within \(limit)")))
      // The server is asked to end the statement. Whether it does is not waited for.
      Interruption.cancelWork()
      try await Task.sleep(for: .seconds(1))
      Failure(EndWithStatus(status: .unknown)).report(asJSON: false)
    }
    do {
      let health = try await connection.store().health()
      alarm.cancel()
      let problems = health.problems(limits)
      print(HealthReport(health: health, problems: problems).text(format))
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
      // A monitor takes 1 for a warning, and all above 3 for unknown.
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
    switch maxLag {
    case .events(let events): limits.lagEvents = events
    case .time(let time): limits.lagSeconds = time.seconds
    case nil: break
    }
    return limits
  }
}

/// How far a reader may be behind: a number alone is events, one with a unit a time.
enum LagLimit: ExpressibleByArgument {
  case events(Int64)
  case time(DurationArgument)

  init?(argument: String) {
    if let events = Int64(argument) {
      guard events >= 0 else { return nil }
      self = .events(events)
    } else if let time = DurationArgument(argument: argument),
      argument.unicodeScalars.last?.properties.isAlphabetic == true
    {
      self = .time(time)
    } else {
      return nil
    }
  }
}

/// What `check` prints.
struct HealthReport {
  let health: StoreHealth
  let problems: [String]

  func text(_ format: Check.Format) -> String {
    switch format {
    case .nagios: nagios
    case .prometheus: prometheus
    case .json: json
    }
  }

  /// What is printed when there is no answer; nothing for Prometheus, which has a metric of its own for that.
  static func unknown(_ reason: String, _ format: Check.Format) -> String {
    switch format {
    case .nagios:
      return
        "ANNALS UNKNOWN - \(nagiosText(reason.unicodeScalars.split(separator: "\n").first.map(String.init) ?? ""))\n"
    case .prometheus: return ""
    case .json:
      var object = JSONObject()
      object.add("status", "unknown")
      object.add("problems", json: "[\(JSONObject.quote(reason))]")
      return object.text + "\n"
    }
  }

  private static func nagiosText(_ text: String) -> String {
    // A bar would begin the performance data.
    var shown = String.UnicodeScalarView()
    for scalar in TextEscaping.forPeople(text).unicodeScalars { shown.append(scalar == "|" ? "/" : scalar) }
    return String(shown)
  }

  /// State, text and performance data, as the Monitoring Plugins' guidelines want it.
  private var nagios: String {
    let summary =
      problems.isEmpty
      ? "head \(health.head), \(health.readers.count) readers, at most \(health.lagEvents) events behind"
      : problems.joined(separator: "; ")
    let text = Self.nagiosText(summary)
    let age = health.ageSeconds.map { " age_seconds=\(Int(clamping: $0))s" } ?? ""
    return """
      ANNALS \(problems.isEmpty ? "OK" : "CRITICAL") - \(text) | lag_events=\(health.lagEvents) \
      lag_seconds=\(Int(clamping: health.lagSeconds))s dead_letters=\(health.deadLetters)\(age)

      """
  }

  private var prometheus: String {
    var metrics = PrometheusText(prefix: "annals_")
    func ofReaders(_ value: (StoreHealth.Reader) -> String) -> [(labels: [(String, String)], value: String?)]
    {
      health.readers.map { reader in
        ([("reader", reader.name), ("kind", reader.isProjection ? "projection" : "replay")], value(reader))
      }
    }
    metrics.add("healthy", "Whether no limit is exceeded.", [([], problems.isEmpty ? "1" : "0")])
    metrics.add("head_position", "The highest position.", [([], "\(health.head)")])
    if let age = health.ageSeconds {
      metrics.add("age_seconds", "Since the newest event happened.", [([], "\(age)")])
    }
    metrics.add("lag_events", "Events after the reader's checkpoint.", ofReaders { "\($0.lagEvents)" })
    metrics.add("lag_seconds", "Since the first of them happened.", ofReaders { "\($0.lagSeconds)" })
    metrics.add("dead_letters", "Events that the reader gave up on.", ofReaders { "\($0.deadLetters)" })
    metrics.add(
      "stopped",
      "Whether the reader's work stopped with an error.",
      ofReaders { $0.error == nil ? "0" : "1" }
    )
    return metrics.text
  }

  private var json: String {
    var object = JSONObject()
    object.add("status", problems.isEmpty ? "ok" : "critical")
    object.add("problems", json: "[\(problems.map(JSONObject.quote).joined(separator: ","))]")
    object.add("head", health.head)
    object.add("age_seconds", json: health.ageSeconds.map { "\($0)" } ?? "null")
    object.add("readers", json: "[\(health.readers.map(Self.object).joined(separator: ","))]")
    return object.text + "\n"
  }

  private static func object(_ reader: StoreHealth.Reader) -> String {
    var object = JSONObject()
    object.add("name", reader.name)
    object.add("kind", reader.isProjection ? "projection" : "replay")
    object.add("lag_events", reader.lagEvents)
    object.add("lag_seconds", json: "\(reader.lagSeconds)")
    object.add("dead_letters", reader.deadLetters)
    object.add("error", json: reader.error.map(JSONObject.quote) ?? "null")
    return object.text
  }
}
