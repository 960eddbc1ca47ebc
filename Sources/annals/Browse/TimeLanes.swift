internal import EventStore

/// Events on one axis of time, with a lane for each stream or each step of a trace. Long idle times are shortened.
struct TimeLanes {
  struct Lane {
    let label: String
    let address: PageAddress
    var events: [Event]
  }

  let lanes: [Lane]

  private static let (left, width, height) = (260.0, 960.0, 22.0)

  func svg(title: String) -> HTML {
    let times = Set(lanes.flatMap(\.events).map(\.timestamp.microseconds)).sorted()
    let axis = Axis(times)
    let high = Double(lanes.count) * Self.height + 24
    var parts: [HTML] = [.element("title", [.init("id", "lanes")], text: title)]
    for (index, lane) in lanes.enumerated() { parts += row(lane, Double(index) * Self.height + 4, axis) }
    parts += axis.folds.map { fold in
      let x = Self.x(fold.place)
      return .element(
        "text",
        [.init("x", x), .init("y", high - 8), .init("text-anchor", "middle")],
        text: "⟨\(fold.text)⟩"
      )
    }
    return .element(
      "svg",
      [
        .init("class", "lanes"), .init("viewBox", "0 0 \(HTML.decimal(Self.width)) \(HTML.decimal(high))"),
        .init("role", "img"), .init("aria-labelledby", "lanes"),
      ],
      parts
    )
  }

  private static func x(_ place: Double) -> Double { left + 8 + place * (width - left - 16) }

  private func row(_ lane: Lane, _ y: Double, _ axis: Axis) -> [HTML] {
    let label = HTML.element(
      "text",
      [.init("x", 0.0), .init("y", y + 13)],
      text: RecordTable.cut(lane.label, to: 38)
    )
    let line: [HTML.Attribute] = [
      .init("class", "grid"), .init("x1", Self.left), .init("x2", Self.width), .init("y1", y + 9),
      .init("y2", y + 9),
    ]
    let marks = lane.events.map { event in
      let mark = HTML.element(
        "circle",
        [
          .init("class", "bar"), .init("cx", Self.x(axis.place(of: event))), .init("cy", y + 9),
          .init("r", 5.0),
        ],
        .element("title", text: "\(event.type) v\(event.version), \(event.timestamp)")
      )
      return HTML.element("a", [.init("href", PageAddress(.event(.id(event.id))).text)], mark)
    }
    return [.element("a", [.init("href", lane.address.text)], label), .element("line", line)] + marks
  }

  /// The place of a time, from 0 to 1.
  private struct Axis {
    private let places: [Int64: Double]
    let folds: [(place: Double, text: String)]

    /// An idle part that is longer than this share of the axis is drawn with this length.
    private static let longestIdle = 0.25

    init(_ times: [Int64]) {
      let ends = zip(times, times.dropFirst())
      let gaps = ends.map { max(0, Double($1) - Double($0)) }
      let total = gaps.reduce(0, +)
      let most = total * Self.longestIdle
      let drawn = gaps.map { min($0, most) }
      let length = max(drawn.reduce(0, +), 1)
      var (place, places, folds) = (0.0, [Int64: Double](), [(Double, String)]())
      if let first = times.first { places[first] = gaps.isEmpty ? 0.5 : 0 }
      for (index, time) in times.dropFirst().enumerated() {
        if gaps[index] > most {
          let text = Interval(seconds: gaps[index] / 1_000_000).description
          folds.append(((place + drawn[index] / 2) / length, text))
        }
        place += drawn[index]
        places[time] = place / length
      }
      (self.places, self.folds) = (places, folds)
    }

    func place(of event: Event) -> Double { places[event.timestamp.microseconds] ?? 0 }
  }
}
