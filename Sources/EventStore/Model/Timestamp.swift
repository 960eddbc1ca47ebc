/// A point in time in microseconds, as PostgreSQL's `timestamptz` stores it: always UTC, and with two infinities.
public struct Timestamp: Sendable, Hashable {
  /// Microseconds since 2000-01-01 00:00:00 UTC.
  public let microseconds: Int64

  /// After every other point in time; PostgreSQL's `infinity`.
  public static let infinity = Timestamp(microseconds: .max)
  /// Before every other point in time; PostgreSQL's `-infinity`.
  public static let negativeInfinity = Timestamp(microseconds: .min)

  /// The finite points in time of `timestamptz`, 4714-11-24 BC to the end of 294276 AD
  /// (`MIN_TIMESTAMP` and `END_TIMESTAMP` in PostgreSQL's `datatype/timestamp.h`).
  static let finiteRange: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

  static let microsecondsPerDay: Int64 = 86_400_000_000
  /// Days from 1970-01-01 to 2000-01-01.
  static let epochDays: Int64 = 10_957

  /// Makes a point in time from PostgreSQL's binary form.
  ///
  /// - Parameter microseconds: since 2000-01-01 00:00:00 UTC; `Int64.max` and `Int64.min` are the infinities.
  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }
}

extension Timestamp: Comparable {
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }
}

extension Timestamp: CustomStringConvertible {
  /// ISO 8601 in UTC, for example `2016-09-04T21:15:19Z`; with three or six digits of a second's fraction when it has
  /// one, a sign and at least four digits in years outside 0000 to 9999 (`-0043` is 44 BC), or `infinity`, `-infinity`.
  public var description: String {
    let text = [UInt8](capacity: Self.maximumLength) { append(to: &$0) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Length of the longest text, `+294276-12-31T23:59:59.999999Z`.
  package static let maximumLength = 30

  /// Appends the text that ``description`` returns.
  package func append(to output: inout OutputSpan<UInt8>) {
    guard self != .infinity else { return output.append("infinity") }
    guard self != .negativeInfinity else { return output.append("-infinity") }
    let (days, time) = microseconds.flooredDivision(by: Self.microsecondsPerDay)
    let date = CivilDate(daysSince1970: days + Self.epochDays)
    if !(0...9999).contains(date.year) { output.append(UInt8(ascii: date.year < 0 ? "-" : "+")) }
    let year = UInt64(date.year.magnitude)
    output.append(decimal: year, digits: year > 99_999 ? 6 : year > 9_999 ? 5 : 4)
    output.append(UInt8(ascii: "-"))
    output.append(decimal: UInt64(date.month), digits: 2)
    output.append(UInt8(ascii: "-"))
    output.append(decimal: UInt64(date.day), digits: 2)
    output.append(UInt8(ascii: "T"))
    let (seconds, fraction) = UInt64(time).quotientAndRemainder(dividingBy: 1_000_000)
    output.append(decimal: seconds / 3600, digits: 2)
    output.append(UInt8(ascii: ":"))
    output.append(decimal: seconds / 60 % 60, digits: 2)
    output.append(UInt8(ascii: ":"))
    output.append(decimal: seconds % 60, digits: 2)
    if fraction != 0 {
      output.append(UInt8(ascii: "."))
      let isMilliseconds = fraction % 1000 == 0
      output.append(decimal: isMilliseconds ? fraction / 1000 : fraction, digits: isMilliseconds ? 3 : 6)
    }
    output.append(UInt8(ascii: "Z"))
  }
}

/// A day of the proleptic Gregorian calendar, with astronomical years: 0 is 1 BC.
///
/// The algorithms are Howard Hinnant's `civil_from_days` and `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>): eras of 400 years that begin on 1 March.
struct CivilDate: Hashable {
  let year: Int64
  let month: Int64
  let day: Int64

  private static let daysPerEra: Int64 = 146_097
  /// Days from 0000-03-01 to 1970-01-01.
  private static let shift: Int64 = 719_468

  /// Nil when there is no such day.
  init?(year: Int64, month: Int64, day: Int64) {
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    self.init(year: year, uncheckedMonth: month, day: day)
    // A day past the month's end becomes a day of the next month.
    guard CivilDate(daysSince1970: daysSince1970) == self else { return nil }
  }

  private init(year: Int64, uncheckedMonth month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  init(daysSince1970 days: Int64) {
    let (era, dayOfEra) = (days + Self.shift).flooredDivision(by: Self.daysPerEra)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    self.init(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
      uncheckedMonth: month,
      day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }

  var daysSince1970: Int64 {
    let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredDivision(by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * Self.daysPerEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - Self.shift
  }
}

extension Int64 {
  /// Quotient and remainder with a remainder that is never negative.
  func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
