/// Why a text is not a point in time.
public struct TimestampError: Error, Hashable {
  /// The cause, as a clause without a full stop.
  public let message: String
  /// What to do about it.
  public let hint: String
}

extension Timestamp {
  /// Reads an ISO 8601 date and time with its zone, for example `2016-09-04T21:15:19Z` or `2016-09-04 18:15:19.5-03:00`.
  ///
  /// Accepts what ``description`` returns. As in PostgreSQL, seconds may be left out, second 60 and hour 24 of a day
  /// are the beginning of the next minute and day, and digits past the microsecond round to the nearest, half to even.
  ///
  /// - Throws: ``TimestampError`` for a text without a zone, for a date alone, for a day, hour or zone that does not
  ///   exist, and outside PostgreSQL's range from 4714-11-24 BC to 294276-12-31.
  public init(iso8601 text: String) throws(TimestampError) {
    try self.init(iso8601: Array(text.utf8))
  }

  package init(iso8601 text: [UInt8]) throws(TimestampError) {
    switch text {
    case Array("infinity".utf8): self = .infinity
    case Array("-infinity".utf8): self = .negativeInfinity
    default:
      var parser = TimestampParser(text: text)
      self = try parser.parse()
    }
  }
}

/// Reads a timestamp's parts from left to right.
private struct TimestampParser {
  let text: [UInt8]
  var index = 0

  init(text: [UInt8]) { self.text = text }

  mutating func parse() throws(TimestampError) -> Timestamp {
    let date = try parseDate()
    guard index < text.count else {
      throw TimestampError(message: "a date without a time", hint: Self.example)
    }
    guard skip("T") || skip("t") || skip(" ") else { throw malformed("the date") }
    let time = try parseTime()
    let offset = try parseZone()
    guard index == text.count else { throw malformed("the zone") }
    // Years have six digits at most, so nothing can overflow before the range is checked.
    let (day, overflow) = (date.daysSince1970 - Timestamp.epochDays)
      .multipliedReportingOverflow(by: Timestamp.microsecondsPerDay)
    let microseconds = day.addingReportingOverflow(time - offset)
    guard !overflow, !microseconds.overflow, Timestamp.finiteRange.contains(microseconds.partialValue) else {
      throw TimestampError(
        message: "a time out of range",
        hint: "PostgreSQL stores times from 4714-11-24 BC to 294276-12-31."
      )
    }
    return Timestamp(microseconds: microseconds.partialValue)
  }

  private mutating func parseDate() throws(TimestampError) -> CivilDate {
    let isNegative = skip("-")
    let isExpanded = isNegative || skip("+")
    guard let year = number(digits: isExpanded ? 4...6 : 4...4), skip("-"),
      let month = number(digits: 2...2), skip("-"), let day = number(digits: 2...2)
    else { throw malformed("the date") }
    guard let date = CivilDate(year: isNegative ? -year : year, month: month, day: day) else {
      throw TimestampError(message: "a day that does not exist", hint: Self.example)
    }
    return date
  }

  /// The time of day in microseconds.
  private mutating func parseTime() throws(TimestampError) -> Int64 {
    guard let hour = number(digits: 2...2), skip(":"), let minute = number(digits: 2...2) else {
      throw malformed("the time")
    }
    var second: Int64 = 0
    var fraction: Int64 = 0
    if skip(":") {
      guard let value = number(digits: 2...2) else { throw malformed("the time") }
      second = value
      if skip(".") { fraction = try parseFraction() }
    }
    let isValid =
      minute < 60
      && (hour < 24 || hour == 24 && minute == 0 && second == 0 && fraction == 0)
      && (second < 60 || second == 60 && fraction == 0)
    guard isValid else {
      throw TimestampError(message: "a time of day that does not exist", hint: Self.example)
    }
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  }

  /// The digits after the decimal point in microseconds, rounded half to even.
  private mutating func parseFraction() throws(TimestampError) -> Int64 {
    let start = index
    while index < text.count, isDigit(text[index]) { index += 1 }
    guard index > start else { throw malformed("the time") }
    let digits = text[start..<index]
    var microseconds: Int64 = 0
    for place in 0..<6 {
      microseconds = microseconds * 10 + (place < digits.count ? Int64(digits[start + place] & 0x0F) : 0)
    }
    let rest = digits.dropFirst(6)
    guard let first = rest.first else { return microseconds }
    let isHalf = first == UInt8(ascii: "5") && rest.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") }
    let roundsUp = isHalf ? microseconds % 2 == 1 : first >= UInt8(ascii: "5")
    return roundsUp ? microseconds + 1 : microseconds
  }

  /// The zone's offset from UTC in microseconds, positive in the east.
  private mutating func parseZone() throws(TimestampError) -> Int64 {
    guard index < text.count else {
      throw TimestampError(
        message: "a time without a zone",
        hint: "Add Z when the time is in UTC, or an offset such as +02:00."
      )
    }
    if skip("Z") || skip("z") { return 0 }
    let isWest = skip("-")
    guard isWest || skip("+") else { throw malformed("the time") }
    guard let hours = number(digits: 2...2) else { throw malformed("the zone") }
    var minutes: Int64 = 0
    if skip(":") || index < text.count {
      guard let value = number(digits: 2...2) else { throw malformed("the zone") }
      minutes = value
    }
    guard hours < 16, minutes < 60 else {
      throw TimestampError(message: "a zone that does not exist", hint: "Offsets go from -15:59 to +15:59.")
    }
    return (hours * 60 + minutes) * 60_000_000 * (isWest ? -1 : 1)
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  /// A number with as many of these digits as there are, within the range.
  private mutating func number(digits: ClosedRange<Int>) -> Int64? {
    var value: Int64 = 0
    var count = 0
    while count < digits.upperBound, index < text.count, isDigit(text[index]) {
      value = value * 10 + Int64(text[index] & 0x0F)
      index += 1
      count += 1
    }
    return digits.contains(count) ? value : nil
  }

  private static let example = "Times look like 2016-09-04T21:15:19Z."

  private func malformed(_ part: String) -> TimestampError {
    TimestampError(message: "not an ISO 8601 time: \(part) is malformed", hint: Self.example)
  }
}
