extension JSONScanner {
  /// Most digits before the decimal point, and most after it, of PostgreSQL's numeric ("Numeric Types", table 8.2).
  private static let maximumIntegerDigits = 131_072
  private static let maximumFractionDigits = 16_383

  /// `INT_MAX / 2`, from which PostgreSQL 15 refuses an exponent of either sign (`set_var_from_str` in `numeric.c`).
  private static let exponentLimit = 1_073_741_823

  /// Scans a number from its sign or first digit; returns the offset after it.
  static func scanNumber(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    let integer = bytes[start] == UInt8(ascii: "-") ? start + 1 : start
    var index = try scanDigits(in: bytes, from: integer)
    if index - integer > 1, bytes[integer] == UInt8(ascii: "0") {
      throw JSONError(at: integer, "a number must not begin with 0")
    }
    let integerDigits = integer..<index
    var fractionDigits = index..<index
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      let fraction = index + 1
      index = try scanDigits(in: bytes, from: fraction)
      fractionDigits = fraction..<index
    }
    var exponent = 0
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      (exponent, index) = try scanExponent(in: bytes, from: index + 1)
    }
    if exponent != 0 || index - start > maximumFractionDigits {
      try checkNumeric(integerDigits, fractionDigits, exponent, in: bytes, at: start)
    }
    return index
  }

  /// Scans one digit or more; returns the offset after them.
  private static func scanDigits(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> Int {
    var index = start
    while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    guard index > start else { throw JSONError(at: start, "a digit is missing in a number") }
    return index
  }

  /// Scans an exponent after its `e`; one past the limit in either direction represents all bigger ones.
  private static func scanExponent(
    in bytes: Span<UInt8>,
    from start: Int
  ) throws(JSONError) -> (value: Int, end: Int) {
    let hasSign = start < bytes.count && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[start])
    let digits = hasSign ? start + 1 : start
    let end = try scanDigits(in: bytes, from: digits)
    var value = 0
    for index in digits..<end { value = min(value * 10 + Int(bytes[index] & 0x0F), exponentLimit) }
    return (hasSign && bytes[start] == UInt8(ascii: "-") ? -value : value, end)
  }

  /// Refuses a number that overflows PostgreSQL's numeric (22003), in which jsonb keeps its numbers.
  private static func checkNumeric(
    _ integer: Range<Int>,
    _ fraction: Range<Int>,
    _ exponent: Int,
    in bytes: Span<UInt8>,
    at start: Int
  ) throws(JSONError) {
    guard abs(exponent) < exponentLimit, fraction.count - exponent <= maximumFractionDigits else {
      throw JSONError(
        at: start,
        abs(exponent) < exponentLimit || exponent < 0
          ? "the number has more than the \(maximumFractionDigits) digits after the decimal point that PostgreSQL can store"
          : "the number's exponent is larger than PostgreSQL accepts"
      )
    }
    // The number of digits before the point once the exponent has moved it; leading zeros do not count.
    let leadingZeros = countZeros(integer, in: bytes)
    let place =
      leadingZeros < integer.count
      ? integer.count - leadingZeros + exponent
      : exponent - countZeros(fraction, in: bytes)
    let isZero = leadingZeros == integer.count && countZeros(fraction, in: bytes) == fraction.count
    guard isZero || place <= maximumIntegerDigits else {
      throw JSONError(
        at: start,
        "the number has more than the \(maximumIntegerDigits) digits before the decimal point that PostgreSQL can store"
      )
    }
  }

  /// How many zeros are at the beginning of a range of digits.
  private static func countZeros(_ digits: Range<Int>, in bytes: Span<UInt8>) -> Int {
    var index = digits.lowerBound
    while index < digits.upperBound, bytes[index] == UInt8(ascii: "0") { index += 1 }
    return index - digits.lowerBound
  }

  /// The canonical text of a number, the same for all texts that PostgreSQL finds equal, such as 1, 1.0 and 10e-1:
  /// without an exponent, unless that would be long, and without zeros at the ends.
  static func canonicalNumber(_ place: Range<Int>, in bytes: Span<UInt8>) -> String {
    let isNegative = bytes[place.lowerBound] == UInt8(ascii: "-")
    var digits: [UInt8] = []
    var exponent = 0
    var isFraction = false
    var index = isNegative ? place.lowerBound + 1 : place.lowerBound
    while index < place.upperBound, bytes[index] | 0x20 != UInt8(ascii: "e") {
      if bytes[index] == UInt8(ascii: ".") {
        isFraction = true
      } else {
        digits.append(bytes[index])
        if isFraction { exponent -= 1 }
      }
      index += 1
    }
    if index < place.upperBound, let (value, _) = try? scanExponent(in: bytes, from: index + 1) {
      exponent += value
    }
    digits.removeFirst(digits.prefix { $0 == UInt8(ascii: "0") }.count)
    guard !digits.isEmpty else { return "0" }
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    let text = String(decoding: digits, as: UTF8.self)
    let zeros = { (count: Int) in String(repeating: "0", count: count) }
    let magnitude =
      switch exponent {
      case 0...longestRun: text + zeros(exponent)
      case -digits.count + 1..<0:
        String(decoding: digits.dropLast(-exponent), as: UTF8.self) + "."
          + String(decoding: digits.suffix(-exponent), as: UTF8.self)
      case -longestRun..<0: "0." + zeros(-exponent - digits.count) + text
      default: text + "e\(exponent)"
      }
    return (isNegative ? "-" : "") + magnitude
  }

  /// The most zeros that are written out instead of an exponent.
  private static let longestRun = 40
}
