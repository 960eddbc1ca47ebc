internal import EventStore

/// A length of time for people: its two largest units (`2 d 3 h`), with a sign if it is from one event to the next.
struct Interval: CustomStringConvertible {
  let description: String

  private static let units: [(name: String, microseconds: UInt64)] = [
    ("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
  ]

  init(from start: Timestamp, to end: Timestamp) {
    // With the infinities the difference overflows.
    let (difference, overflow) = end.microseconds.subtractingReportingOverflow(start.microseconds)
    let sign = end < start ? "-" : "+"
    guard !overflow else {
      description = sign + "∞"
      return
    }
    description = sign + Self.text(difference.magnitude)
  }

  /// In whole seconds.
  init(seconds: Double) {
    description = Self.text(UInt64(min(max(0, seconds.rounded()), 1e12)) * 1_000_000)
  }

  private static func text(_ microseconds: UInt64) -> String {
    var rest = microseconds
    var parts: [String] = []
    for unit in units {
      let count = rest / unit.microseconds
      if parts.count == 1 && count == 0 || parts.count == 2 { break }
      rest %= unit.microseconds
      if count > 0 { parts.append("\(count) \(unit.name)") }
    }
    return parts.isEmpty ? "0 s" : parts.joined(separator: " ")
  }
}
