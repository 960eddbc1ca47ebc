internal import EventStore

/// How large a store will be, by its growth from run to run: the median of these rates, and the rates below which 10 of
/// 100 and 90 of 100 are. It knows nothing about future changes.
struct ReportForecast {
  private let last: (time: Timestamp, bytes: Double)
  /// Bytes a day.
  private let rates: [Double]

  /// Nil unless there are three runs with at least a day between the first and the last.
  init?(_ points: [(Timestamp, Double)], size: Double) {
    guard points.count >= 3, let first = points.first, let last = points.last,
      Self.days(from: first.0, to: last.0) >= 1
    else { return nil }
    rates = zip(points, points.dropFirst()).compactMap { old, new in
      let days = Self.days(from: old.0, to: new.0)
      return days > 0 ? (new.1 - old.1) / days : nil
    }.sorted()
    guard !rates.isEmpty else { return nil }
    self.last = (last.0, last.1)
  }

  private static func days(from first: Timestamp, to last: Timestamp) -> Double {
    Double(last.microseconds - first.microseconds) / 86_400e6
  }

  /// The rate below which this share of the rates is, interpolated between two of them.
  private func rate(_ share: Double) -> Double {
    let place = share * Double(rates.count - 1)
    let index = min(Int(place), rates.count - 1)
    let next = min(index + 1, rates.count - 1)
    return rates[index] + (rates[next] - rates[index]) * (place - Double(index))
  }

  /// Today and in 30, 60 and 90 days.
  var band: [Chart.Band] {
    [0, 30, 60, 90].map { (days: Double) in
      let time = Timestamp(microseconds: last.time.microseconds + Int64(days * 86_400e6))
      func bytes(_ share: Double) -> Double { max(0, last.bytes + rate(share) * days) }
      return Chart.Band(
        place: Double(time.microseconds),
        low: bytes(0.1),
        middle: bytes(0.5),
        high: bytes(0.9),
        label: ReportDocument.day(time)
      )
    }
  }

  var sentence: String {
    let rate = rate(0.5)
    guard rate > 0 else { return "It does not grow." }
    let days = last.bytes / rate
    let weekly = "It grows by \(ReportDocument.bytes(rate * 7)) a week"
    guard days < 36_500 else { return weekly + "." }
    let time = Timestamp(microseconds: last.time.microseconds + Int64(days * 86_400e6))
    return "\(weekly), and has twice its size on \(ReportDocument.day(time))."
  }
}
