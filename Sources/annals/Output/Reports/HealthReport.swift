internal import EventStore

/// The output of `check`.
struct HealthReport {
  let health: StoreHealth
  let problems: [String]
  let stale: [StoreHealth.Reader]

  func text(_ format: Check.Format) -> String {
    switch format {
    case .nagios: nagios
    case .prometheus: prometheus
    case .json: json
    }
  }

  /// The output when there is no answer; nothing for Prometheus, which has its own metric for that.
  static func unknown(_ reason: String, _ format: Check.Format) -> String {
    switch format {
    case .nagios:
      return
        "ANNALS UNKNOWN - \(nagiosText(reason.unicodeScalars.split(separator: "\n").first.map(String.init) ?? ""))\n"
    case .prometheus: return ""
    case .json:
      var object = JSONObject()
      object.add("status", "unknown")
      object.add("problems", json: JSONObject.list([reason]))
      return object.text + "\n"
    }
  }

  private static func nagiosText(_ text: String) -> String {
    // A vertical bar would begin the performance data.
    var shown = String.UnicodeScalarView()
    for scalar in TextEscaping.forPeople(text).unicodeScalars { shown.append(scalar == "|" ? "/" : scalar) }
    return String(shown)
  }

  /// State, text and performance data, in the form of the Monitoring Plugins' guidelines.
  private var nagios: String {
    let summary =
      problems.isEmpty
      ? "head \(health.head), \(counted(health.readers.count, "reader")), "
        + (health.isLagLowerBound
          ? "one more than \(health.lagEvents) events behind"
          : "at most \(counted(health.lagEvents, "event")) behind")
        + (health.replay.map { "; standby, \($0.description)" } ?? "")
      : problems.joined(separator: "; ")
    let staleness = stale.map { "; \($0.name) is stale, not run since \($0.movedAt)" }.joined()
    let text = Self.nagiosText(summary + staleness)
    let age = health.ageSeconds.map { " age_seconds=\(Int(clamping: $0))s" } ?? ""
    let replay = health.replay?.delaySeconds.map { " replay_seconds=\(Int(clamping: $0))s" } ?? ""
    return """
      ANNALS \(problems.isEmpty ? "OK" : "CRITICAL") - \(text) | lag_events=\(health.lagEvents) \
      lag_seconds=\(Int(clamping: health.lagSeconds))s dead_letters=\(health.deadLetters)\(age)\(replay)

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
    if let replay = health.replay {
      if let delay = replay.delaySeconds {
        metrics.add(
          "replay_seconds",
          "Since the last replayed transaction, on a standby.",
          [([], "\(delay)")]
        )
      }
      metrics.add(
        "replay_paused",
        "Whether replay is paused, on a standby.",
        [([], replay.isPaused ? "1" : "0")]
      )
    }
    metrics.add("lag_events", "Events after the reader's checkpoint.", ofReaders { "\($0.lagEvents)" })
    metrics.add(
      "lag_is_lower_bound",
      "Whether there are more events after the checkpoint, which were not counted.",
      ofReaders { $0.isLagLowerBound ? "1" : "0" }
    )
    metrics.add("lag_seconds", "Since the first of them happened.", ofReaders { "\($0.lagSeconds)" })
    metrics.add(
      "stale",
      "Whether the replay is stale, so that its lag is ignored.",
      ofReaders { stale.contains($0) ? "1" : "0" }
    )
    metrics.add("dead_letters", "Dead letters of the reader.", ofReaders { "\($0.deadLetters)" })
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
    object.add("problems", json: JSONObject.list(problems))
    object.add("head", health.head)
    object.add("age_seconds", json: health.ageSeconds.map { "\($0)" } ?? "null")
    object.add("standby", json: health.replay.map(Self.object) ?? "null")
    object.add("readers", json: "[\(health.readers.map { self.object($0) }.joined(separator: ","))]")
    return object.text + "\n"
  }

  private static func object(_ replay: StandbyReplay) -> String {
    var object = JSONObject()
    object.add("replay_seconds", json: replay.delaySeconds.map { "\($0)" } ?? "null")
    object.add("replay_paused", json: replay.isPaused ? "true" : "false")
    return object.text
  }

  private func object(_ reader: StoreHealth.Reader) -> String {
    var object = JSONObject()
    object.add("name", reader.name)
    object.add("kind", reader.isProjection ? "projection" : "replay")
    object.add("lag_events", reader.lagEvents)
    object.add("lag_is_lower_bound", json: "\(reader.isLagLowerBound)")
    object.add("lag_seconds", json: "\(reader.lagSeconds)")
    object.add("stale", json: stale.contains(reader) ? "true" : "false")
    object.add("dead_letters", reader.deadLetters)
    object.add("error", json: reader.error.map(JSONObject.quote) ?? "null")
    return object.text
  }
}
