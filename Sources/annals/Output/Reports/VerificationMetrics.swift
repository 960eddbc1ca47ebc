internal import EventStore
internal import Glibc

/// The result of a check, for Prometheus' textfile collector.
struct VerificationMetrics {
  let text: String

  init(_ result: VersionCheckResult, duration: Duration, table: QualifiedName) {
    let store = [("store", "\(table)")]
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    var metrics = PrometheusText(prefix: "annals_verify_")
    metrics.add(
      "findings",
      "Findings of the last check by kind.",
      Finding.Kind.allCases.map { (store + [("kind", $0.rawValue)], "\(result.counts[$0, default: 0])") }
    )
    metrics.add("events", "Events that the last check went through.", [(store, "\(result.events)")])
    metrics.add("aggregates", "Streams that the last check went through.", [(store, "\(result.aggregates)")])
    metrics.add("duration_seconds", "How long the last check took.", [(store, "\(seconds)")])
    // Only a check that ran to its end replaces the file, so the time is that of the last success.
    metrics.add(
      "last_success_timestamp_seconds",
      "When the last check was complete.",
      [(store, "\(time(nil))")]
    )
    text = metrics.text
  }
}
