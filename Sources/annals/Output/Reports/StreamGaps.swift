internal import EventStore

/// The missing versions of a stream, for people.
struct StreamGaps {
  let aggregateID: String
  /// In the order of versions.
  let missing: [ClosedRange<Int>]

  /// Nil for a stream without gaps.
  var message: String? {
    guard let first = missing.first else { return nil }
    let versions = Self.text(first)
    return missing.count == 1
      ? "\(aggregateID) lacks \(versions)"
      : "\(aggregateID) lacks versions in \(missing.count) places, first \(versions)"
  }

  /// The line in a table below an event that comes after missing versions; nil below any other.
  func mark(before version: Int) -> String? {
    missing.first { $0.upperBound + 1 == version }.map {
      "\(Self.text($0)) \($0.count == 1 ? "is" : "are") missing before version \(version)"
    }
  }

  /// Warns, also without a terminal: not all events that there were are shown.
  ///
  /// - Parameter thing: what was made from the existing events, such as a state.
  func warn(_ thing: String? = nil) {
    guard let message else { return }
    let isOne = missing.count == 1 && missing[0].count == 1
    StandardError.warn(message + (thing.map { "; \($0) is without \(isOne ? "it" : "them")" } ?? ""))
  }

  /// Ends the command as a finding does.
  func fail() throws {
    guard let message else { return }
    throw CommandError(
      .findings,
      message,
      code: "gap",
      hint: "See why: \(Advice.line("verify-versions", "--explain \(quoteShellOperand(aggregateID))"))"
    )
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "version \(range.lowerBound)" : "versions \(range.lowerBound) to \(range.upperBound)"
  }
}
