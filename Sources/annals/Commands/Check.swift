internal import ArgumentParser
internal import EventStore

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell a monitor how the store and its readers are.",
    discussion: """
        annals check --max-lag 5min --max-age 1h
        annals check --max-lag 10000 --format prometheus

      One line and the exit status: 0 when all is well, 2 when a limit is exceeded or a reader has stopped.
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

  func run() async throws {
    let health = try await connection.store().health()
    let problems = health.problems(limits)
    let report = HealthReport(health: health, problems: problems).text(format)
    for line in report.split(separator: "\n") { StandardOutput.print(String(line)) }
    StandardOutput.flush()
    if !problems.isEmpty { throw EndWithStatus(status: .findings) }
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
    } else if let time = DurationArgument(argument: argument), argument.last?.isLetter == true {
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

  /// State, text and performance data, as the Monitoring Plugins' guidelines want it.
  private var nagios: String {
    let summary =
      problems.isEmpty
      ? "head \(health.head), \(health.readers.count) readers, at most \(health.lagEvents) events behind"
      : problems.joined(separator: "; ")
    // A bar would begin the performance data.
    var text = String.UnicodeScalarView()
    for scalar in TextEscaping.forPeople(summary).unicodeScalars { text.append(scalar == "|" ? "/" : scalar) }
    let age = health.ageSeconds.map { " age_seconds=\(Int($0))s" } ?? ""
    return """
      ANNALS \(problems.isEmpty ? "OK" : "CRITICAL") - \(String(text)) | lag_events=\(health.lagEvents) \
      lag_seconds=\(Int(health.lagSeconds))s dead_letters=\(health.deadLetters)\(age)

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
