internal import ArgumentParser

/// A length of time on the command line, for every option that takes one: `30` and `30.5` are seconds, the units are
/// ms, s, min, h and d.
struct DurationArgument: ExpressibleByArgument, Hashable {
  let duration: Duration
  private let text: String

  /// Longer than anybody waits; a clock can count it, and add it to any time.
  private static let maximumSeconds = 1e9
  private static let units: [(name: String, seconds: Double)] = [
    ("", 1), ("ms", 0.001), ("s", 1), ("min", 60), ("h", 3600), ("d", 86400),
  ]

  /// Nil if it is not a duration, and for more than 1,000,000,000 seconds.
  init?(argument: String) {
    let unit = String(argument.unicodeScalars.drop { ("0"..."9").contains($0) || $0 == "." })
    let scalars = argument.unicodeScalars.dropLast(unit.unicodeScalars.count)
    guard let factor = Self.units.first(where: { $0.name == unit })?.seconds,
      scalars.first != ".", scalars.last != ".", let number = Double(String(scalars)),
      number * factor <= Self.maximumSeconds
    else { return nil }
    (duration, text) = (.seconds(number * factor), argument)
  }

  var seconds: Double { duration / .seconds(1) }

  var defaultValueDescription: String { description }

  /// The hint for another form.
  static let hint = "Write a duration as 30 (seconds), 500ms, 10min, 2h or 2d."

  /// Refuses zero, if an option needs some time.
  func requirePositive(_ option: String) throws {
    if duration <= .zero { throw ValidationError("\(option) must be more than 0") }
  }
}

extension DurationArgument: CustomStringConvertible {
  /// As it was written.
  var description: String { text }
}

extension DurationArgument: ExpressibleByStringLiteral {
  /// For defaults.
  init(stringLiteral text: String) {
    guard let value = DurationArgument(argument: text) else {
      preconditionFailure("'\(text)' is no duration")
    }
    self = value
  }
}
