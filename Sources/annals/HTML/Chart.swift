internal import Glibc

/// A chart, drawn as SVG. Each has a title for people who cannot see it, and is above a table of its numbers.
enum Chart: Sendable {
  /// A bar for each of many steps of time.
  case bars([Mark])
  /// A horizontal bar for each of a few things.
  case rows([Mark])
  /// The hours of the days of a week, from Monday on.
  case week([[Double]])
  /// A number over time, and the range of its later values.
  case line([Point], band: [Band])
  /// A low, a high and a highest number for each of a few things, on a logarithmic scale.
  case ranges([Range])

  struct Mark: Sendable {
    let label: String
    let value: Double
    let shown: String
  }

  struct Point: Sendable {
    /// The place on the horizontal axis, such as a time.
    let place: Double
    let value: Double
    let label: String
  }

  struct Band: Sendable {
    let place: Double
    let low: Double
    let middle: Double
    let high: Double
    let label: String
  }

  struct Range: Sendable {
    let label: String
    let low: Double
    let high: Double
    let highest: Double
    let shown: String
  }

  private static let width = 720.0

  /// - Parameters:
  ///   - id: one that no other chart of the page has.
  ///   - title: its subject, in a line.
  ///   - unit: formats a number of the axis.
  func svg(id: String, title: String, unit: (Double) -> String = { HTML.decimal($0) }) -> HTML {
    switch self {
    case .bars(let marks): Self.frame(id, title, height: 150, Self.bars(marks, unit))
    case .rows(let marks):
      Self.frame(id, title, height: Double(marks.count) * 18 + 4, Self.rows(marks))
    case .week(let hours): Self.frame(id, title, height: 7 * 18 + 22, Self.week(hours))
    case .line(let points, let band): Self.frame(id, title, height: 190, Self.line(points, band, unit))
    case .ranges(let ranges):
      Self.frame(id, title, height: Double(ranges.count) * 18 + 4, Self.ranges(ranges))
    }
  }

  private static func frame(_ id: String, _ title: String, height: Double, _ content: [HTML]) -> HTML {
    .element(
      "svg",
      [
        .init("viewBox", "0 0 \(HTML.decimal(width)) \(HTML.decimal(height))"), .init("role", "img"),
        .init("aria-labelledby", id),
      ],
      [.element("title", [.init("id", id)], text: title)] + content
    )
  }

  /// A small line for a cell of a table.
  static func spark(_ values: [Double], title: String) -> HTML {
    let most = max(values.max() ?? 0, 1e-9)
    let step = 96 / Double(max(values.count - 1, 1))
    let points = values.enumerated().map { index, value in
      "\(HTML.decimal(2 + Double(index) * step)),\(HTML.decimal(18 - value / most * 16))"
    }
    return .element(
      "svg",
      [
        .init("class", "spark"), .init("viewBox", "0 0 100 20"), .init("role", "img"),
        .init("aria-label", title),
      ],
      .element("polyline", [.init("class", "line"), .init("points", points.joined(separator: " "))])
    )
  }

  private static func bars(_ marks: [Mark], _ unit: (Double) -> String) -> [HTML] {
    let (left, top, bottom) = (64.0, 8.0, 126.0)
    // Half of the highest number must be a whole number of events too.
    let most = max((marks.map(\.value).max() ?? 0) / 2, 0.5).rounded(.up) * 2
    let step = (width - left - 4) / Double(max(marks.count, 1))
    var parts = axis(most, left, top, bottom, unit)
    for (index, mark) in marks.enumerated() {
      let height = mark.value / most * (bottom - top)
      let place: [HTML.Attribute] = [
        .init("class", "bar"), .init("x", left + Double(index) * step),
        .init("y", bottom - max(height, mark.value > 0 ? 1 : 0)), .init("width", max(step * 0.8, 0.5)),
        .init("height", max(height, mark.value > 0 ? 1 : 0)),
      ]
      parts.append(.element("rect", place, .element("title", text: "\(mark.label): \(mark.shown)")))
    }
    return parts + labels(marks.map(\.label)) { left + (Double($0) + 0.4) * step }
  }

  /// The first, the last and the middle one.
  private static func labels(_ texts: [String], _ place: (Int) -> Double) -> [HTML] {
    guard let last = texts.indices.last else { return [] }
    var shown = [(0, "start")]
    if last > 3 { shown.append((last / 2, "middle")) }
    if last > 0 { shown.append((last, "end")) }
    return shown.map { index, anchor in label(texts[index], place(index), 142, anchor) }
  }

  private static func label(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> HTML {
    .element("text", [.init("x", x), .init("y", y), .init("text-anchor", anchor)], text: text)
  }

  private static func axis(
    _ most: Double,
    _ left: Double,
    _ top: Double,
    _ bottom: Double,
    _ unit: (Double) -> String
  ) -> [HTML] {
    [0, 0.5, 1].flatMap { share -> [HTML] in
      let y = bottom - share * (bottom - top)
      return [
        .element(
          "line",
          [
            .init("class", "grid"), .init("x1", left), .init("x2", width - 4), .init("y1", y), .init("y2", y),
          ]
        ),
        label(unit(most * share), left - 6, y + 4, "end"),
      ]
    }
  }

  private static func rows(_ marks: [Mark]) -> [HTML] {
    let left = 220.0
    let most = max(marks.map(\.value).max() ?? 0, 1e-9)
    return marks.enumerated().flatMap { index, mark -> [HTML] in
      let y = Double(index) * 18 + 2
      let length = max(mark.value / most * (width - left - 130), mark.value > 0 ? 1 : 0)
      return [
        label(Terminal.cutName(TextEscaping.forPeople(mark.label), to: 32), left - 6, y + 11, "end"),
        .element(
          "rect",
          [
            .init("class", "bar"), .init("x", left), .init("y", y + 1), .init("width", length),
            .init("height", 12.0),
          ]
        ),
        label(mark.shown, left + length + 6, y + 11, "start"),
      ]
    }
  }

  private static func week(_ hours: [[Double]]) -> [HTML] {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    let (left, step) = (40.0, 28.0)
    let hours = hours.map { $0.map { $0.isFinite ? $0 : 0 } }
    let most = max(hours.flatMap(\.self).max() ?? 0, 1)
    var parts: [HTML] = []
    for (day, values) in hours.enumerated() {
      parts.append(label(names[day % 7], left - 6, Double(day) * 18 + 13, "end"))
      for (hour, value) in values.enumerated() {
        // Five steps can be told apart in print as well.
        let level = value <= 0 ? 0 : min(5, Int(value / most * 5) + 1)
        let place: [HTML.Attribute] = [
          .init("class", "heat\(level)"), .init("x", left + Double(hour) * step),
          .init("y", Double(day) * 18),
          .init("width", step - 2), .init("height", 16.0),
        ]
        parts.append(
          .element(
            "rect",
            place,
            .element("title", text: "\(names[day % 7]) \(hour):00: \(HTML.decimal(value))")
          )
        )
      }
    }
    for hour in stride(from: 0, to: 24, by: 3) {
      parts.append(label("\(hour):00", left + (Double(hour) + 0.5) * step, 7 * 18 + 14, "middle"))
    }
    return parts
  }

  private static func line(_ points: [Point], _ band: [Band], _ unit: (Double) -> String) -> [HTML] {
    let (left, top, bottom) = (84.0, 8.0, 162.0)
    let places = points.map(\.place) + band.map(\.place)
    guard let first = places.min(), let last = places.max() else { return [] }
    let most = max((points.map(\.value) + band.map(\.high)).max() ?? 0, 1)
    func x(_ place: Double) -> Double {
      left + (last > first ? (place - first) / (last - first) : 0.5) * (width - left - 8)
    }
    func y(_ value: Double) -> Double { bottom - max(value, 0) / most * (bottom - top) }
    func path(_ points: [(Double, Double)]) -> String {
      points.map { "\(HTML.decimal(x($0.0))),\(HTML.decimal(y($0.1)))" }.joined(separator: " ")
    }
    var parts = axis(most, left, top, bottom, unit)
    if !band.isEmpty {
      let edge = band.map { ($0.place, $0.high) } + band.reversed().map { ($0.place, $0.low) }
      parts.append(.element("polygon", [.init("class", "band"), .init("points", path(edge))]))
      let middle = path(band.map { ($0.place, $0.middle) })
      parts.append(.element("polyline", [.init("class", "line dashed"), .init("points", middle)]))
    }
    parts.append(
      .element(
        "polyline",
        [.init("class", "line"), .init("points", path(points.map { ($0.place, $0.value) }))]
      )
    )
    for point in points {
      let place: [HTML.Attribute] = [
        .init("class", "bar"), .init("cx", x(point.place)), .init("cy", y(point.value)), .init("r", 2.5),
      ]
      parts.append(.element("circle", place, .element("title", text: "\(point.label): \(unit(point.value))")))
    }
    if let point = points.first { parts.append(label(point.label, left, 180, "start")) }
    if let end = band.last?.label ?? points.last?.label, points.count + band.count > 1 {
      parts.append(label(end, width - 8, 180, "end"))
    }
    return parts
  }

  private static func ranges(_ ranges: [Range]) -> [HTML] {
    let left = 220.0
    let least = log10(max(ranges.map(\.low).min() ?? 1, 1))
    let most = max(log10(max(ranges.map(\.highest).max() ?? 1, 1)), least + 0.1)
    func x(_ value: Double) -> Double {
      left + 4 + (log10(max(value, 1)) - least) / (most - least) * (width - left - 190)
    }
    return ranges.enumerated().flatMap { index, range -> [HTML] in
      let y = Double(index) * 18 + 9
      return [
        label(Terminal.cutName(TextEscaping.forPeople(range.label), to: 32), left - 6, y + 4, "end"),
        .element(
          "line",
          [
            .init("class", "grid"), .init("x1", x(range.low)), .init("x2", x(range.highest)), .init("y1", y),
            .init("y2", y),
          ]
        ),
        .element(
          "circle",
          [.init("class", "bar"), .init("cx", x(range.low)), .init("cy", y), .init("r", 4)]
        ),
        .element(
          "circle",
          [.init("class", "bar"), .init("cx", x(range.high)), .init("cy", y), .init("r", 4)]
        ),
        .element(
          "circle",
          [.init("class", "ring"), .init("cx", x(range.highest)), .init("cy", y), .init("r", 4)]
        ),
        label(range.shown, x(range.highest) + 8, y + 4, "start"),
      ]
    }
  }
}
