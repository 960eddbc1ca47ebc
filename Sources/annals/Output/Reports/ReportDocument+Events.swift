internal import EventStore
internal import LibPQ

private typealias Section = ReportDocument.Section
private typealias Table = ReportDocument.Table
private typealias Cell = ReportDocument.Cell

/// The parts about events: days, hours, types, payloads.
extension ReportDocument {
  /// Events by day, or by month if the window is long.
  static func days(_ report: StoreReport, _ history: [(time: Timestamp, run: ReportRun)]) -> Section {
    var section = Section(title: "Events a day", question: "Is the traffic as usual?")
    guard let hours = value(report.hours, in: &section) else { return section }
    let days = dayNames(report.window)
    if hours.contains(where: \.isEstimate) {
      section.notes.append("The numbers are estimates, from a sample.")
    }
    var counts: [ByteString: Int64] = [:]
    let isByDay = days.count <= 190
    let length = isByDay ? 10 : 7
    for hour in hours {
      guard let name = hour.names[0], name.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true else {
        continue
      }
      counts[ByteString(String(name.unicodeScalars.prefix(length))), default: 0] += hour.events
    }
    var steps: [String] = []
    for day in days {
      let step = String(day.unicodeScalars.prefix(length))
      if steps.last.map({ !$0.utf8.elementsEqual(step.utf8) }) ?? true { steps.append(step) }
    }
    // A very long time is drawn only from its end.
    steps = steps.suffix(400)
    let values = steps.map { counts[ByteString($0)] ?? 0 }
    let total = values.reduce(0, +)
    section.notes.append(
      "\(Field.counted(total, "event")) from \(steps.first ?? "") to \(steps.last ?? ""), UTC; "
        + "\(short(Double(total) / Double(max(values.count, 1)))) a \(isByDay ? "day" : "month")."
    )
    let marks = zip(steps, values).map {
      Chart.Mark(label: $0, value: Double($1), shown: Field.grouped($1))
    }
    section.pictures = [
      Picture(title: "Events by \(isByDay ? "day" : "month"), UTC", chart: .bars(marks), unit: short)
    ]
    section.tables = [isByDay ? byWeek(days, values) : byMonth(steps, values)]
    addEarlierDays(to: &section, before: report.window.lowerBound, history)
    return section
  }

  /// The traffic before the window. No event of it is read: earlier runs counted the events of the store.
  private static func addEarlierDays(
    to section: inout Section,
    before start: Timestamp,
    _ history: [(time: Timestamp, run: ReportRun)]
  ) {
    let runs = thinned(
      history.compactMap { entry in entry.run.events.map { (time: entry.time, events: $0) } }
        .filter { $0.time <= start }
    )
    let periods = zip(runs, runs.dropFirst()).compactMap {
      from,
      to -> (from: String, to: String, rate: Double)? in
      let days = Double(to.time.microseconds - from.time.microseconds) / 86_400_000_000
      // If events were archived, there are fewer at the end than at the beginning.
      guard days > 0, to.events >= from.events else { return nil }
      return ("\(from.time)", "\(to.time)", Double(to.events - from.events) / days)
    }
    guard !periods.isEmpty else { return }
    let marks = periods.map { Chart.Mark(label: day($0.from), value: $0.rate, shown: short($0.rate)) }
    section.pictures.append(
      Picture(title: "Events a day before that, from run to run", chart: .bars(marks), unit: short)
    )
    section.tables.append(
      Table(
        caption: "Events a day before that, by the history of the runs",
        columns: [.text("From (UTC)"), .text("To"), .number("Events a day")],
        rows: periods.map { [Cell($0.from), Cell($0.to), Cell(short($0.rate))] }
      )
    )
  }

  private static func day(_ time: String) -> String { String(time.unicodeScalars.prefix { $0 != "T" }) }

  private static func byMonth(_ steps: [String], _ values: [Int64]) -> Table {
    Table(
      caption: "Events by month",
      columns: [.text("Month"), .number("Events")],
      rows: zip(steps, values).map { [Cell($0), Cell($1)] }
    )
  }

  /// A row for each week, so that many days fit on a page.
  private static func byWeek(_ days: [String], _ values: [Int64]) -> Table {
    var rows: [[Cell]] = []
    for (day, value) in zip(days.indices, values) {
      let weekday = weekday(day, of: days)
      if rows.isEmpty || weekday == 0 {
        rows.append([Cell(days[day])] + Array(repeating: Cell(""), count: 7))
      }
      rows[rows.count - 1][weekday + 1] = Cell(value)
    }
    return Table(
      caption: "Events by day; a row is a week, from the day it names",
      columns: [.text("From")] + weekdays.map { .number($0) },
      rows: rows
    )
  }

  static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  /// The events of the window by hour and day of the week.
  static func week(_ report: StoreReport) -> Section {
    var section = Section(title: "Hours of the week", question: "When is a quiet hour for work on the store?")
    guard let hours = value(report.hours, in: &section) else { return section }
    var counts = Array(repeating: Array(repeating: Int64(0), count: 24), count: 7)
    for hour in hours {
      guard let time = hour.firstTime, time != .infinity, time != .negativeInfinity else { continue }
      let hours = floorDivide(time.microseconds, 3_600_000_000)
      // 2000-01-01 was a Saturday.
      counts[Int(modulo(floorDivide(hours, 24) + 5, 7))][Int(modulo(hours, 24))] += hour.events
    }
    if let quiet = (0..<24).min(by: { first, second in
      counts.reduce(0) { $0 + $1[first] } < counts.reduce(0) { $0 + $1[second] }
    }), counts.contains(where: { $0.contains { $0 > 0 } }) {
      section.notes.append("The fewest events come from \(quiet):00 to \(quiet + 1):00 UTC.")
    }
    section.pictures = [
      Picture(
        title: "Events by hour (UTC) and day of the week",
        chart: .week(counts.map { $0.map(Double.init) })
      )
    ]
    section.tables = [
      Table(
        caption: "Events by hour, UTC",
        columns: [.text("")] + (0..<24).map { .number("\($0)") },
        rows: zip(weekdays, counts).map { [Cell($0)] + $1.map { Cell(short(Double($0))) } },
        isDense: true
      )
    ]
    return section
  }

  /// The types: all, the new ones, and those without recent events.
  static func types(_ report: StoreReport) -> Section {
    var section = Section(title: "Event types", question: "What is written, and what has stopped?")
    guard let value = value(report.types, in: &section) else { return section }
    let total = max(value.types.reduce(0) { $0 + $1.events }, 1)
    let trends = trends(value.weeks, in: report.window)
    let shown = value.types.prefix(shownTypes)
    let rows = shown.map { type -> [Cell] in
      let trend = trends[ByteString(type.type)] ?? []
      return [
        Cell(type.type), Cell(type.events, isEstimate: type.isEstimate),
        Cell(percent(type.events, of: total)),
        Cell("this week \(short(Double(trend.last ?? 0)))", spark: trend.map(Double.init)),
        Cell(day(type.firstSeen)), Cell(day(type.lastSeen)), Cell(news(of: type, report)),
      ]
    }
    section.notes = newsNotes(value.types, report)
    if value.types.count > shown.count {
      section.notes.append("\(Field.counted(value.types.count - shown.count, "more type")) not shown.")
    }
    section.pictures = [
      Picture(
        title: "Events by type",
        chart: .rows(
          shown.map {
            Chart.Mark(label: $0.type, value: Double($0.events), shown: percent($0.events, of: total))
          }
        )
      )
    ]
    section.tables = [
      Table(
        caption: "Types, those of the most events first; the trend is by week, from Monday",
        columns: [
          .text("Type"), .number("Events"), .number("Share"), .text("Trend"), .text("First"), .text("Last"),
          .text(""),
        ],
        rows: rows
      )
    ]
    return section
  }

  /// The events of each type in each week of the window, also in empty weeks; of a long window the last two years.
  private static func trends(
    _ weeks: [EventGroup],
    in window: ClosedRange<Timestamp>
  ) -> [ByteString: [Int64]] {
    // 2000-01-01 was a Saturday, and weeks begin on Monday.
    func week(_ time: Timestamp) -> Int64 {
      floorDivide(floorDivide(time.microseconds, 86_400_000_000) + 5, 7)
    }
    let last = week(window.upperBound)
    let first = max(week(window.lowerBound), last - 103)
    var trends: [ByteString: [Int64]] = [:]
    for group in weeks {
      guard let type = group.names[0], let time = group.firstTime, (first...last).contains(week(time)) else {
        continue
      }
      let none = Array(repeating: Int64(0), count: Int(last - first) + 1)
      trends[ByteString(type), default: none][Int(week(time) - first)] = group.events
    }
    return trends
  }

  private static func newsNotes(_ types: [ReportedType], _ report: StoreReport) -> [String] {
    ["new", "stopped"].compactMap { word in
      let names = types.filter { news(of: $0, report).utf8.elementsEqual(word.utf8) }.map(\.type)
      guard !names.isEmpty else { return nil }
      let more = names.count > 10 ? " and \(names.count - 10) more" : ""
      let list = names.prefix(10).map { Terminal.cutName(TextEscaping.forPeople($0), to: 60) }
      let meaning = word == "new" ? "New since \(day(report.window.lowerBound))" : "No event for 30 days"
      return "\(meaning): \(list.joined(separator: ", "))\(more)."
    }
  }

  /// Whether a type first appeared in the window, or has no event in the last 30 days of the store.
  private static func news(of type: ReportedType, _ report: StoreReport) -> String {
    guard let statistics = report.statistics.value, let newest = statistics.newest,
      let oldest = statistics.oldest
    else { return "" }
    if type.firstSeen >= report.window.lowerBound, oldest < report.window.lowerBound { return "new" }
    let end = min(newest, report.now)
    guard end > oldest, type.lastSeen != .infinity, type.lastSeen > .negativeInfinity else { return "" }
    return Double(end.microseconds) - Double(type.lastSeen.microseconds) > 30 * 86_400e6 ? "stopped" : ""
  }

  static func payloads(_ report: StoreReport) -> Section {
    var section = Section(title: "Payload bytes", question: "What makes the store large?")
    guard let sizes = value(report.payloads, in: &section), let total = sizes.first else { return section }
    section.notes.append("\(Field.counted(total.examined, "payload")) looked at, as JSON text.")
    func name(_ size: PayloadSize) -> String { size.type ?? "all types" }
    func number(_ value: Int64) -> String { bytes(Double(value)) }
    section.pictures = [
      Picture(
        title:
          "Bytes of a payload: the median, the 95th percentile, the largest (ring), by a logarithmic axis",
        chart: .ranges(
          sizes.prefix(16).map { size in
            Chart.Range(
              label: name(size),
              low: Double(size.median),
              high: Double(size.high),
              highest: Double(size.largest),
              shown: "\(number(size.median)) · \(number(size.high)) · \(number(size.largest))"
            )
          }
        )
      )
    ]
    section.tables = [
      Table(
        caption: "Bytes of a payload",
        columns: [
          .text("Type"), .number("Looked at"), .number("Median"), .number("95 %"), .number("Largest"),
        ],
        rows: sizes.map { size in
          [
            Cell(name(size)), Cell(size.examined), Cell(number(size.median)), Cell(number(size.high)),
            Cell(number(size.largest)),
          ]
        }
      )
    ]
    return section
  }

  private static let shownTypes = 30

  /// The days of a window, from its end: at most the last ten years.
  static func dayNames(_ window: ClosedRange<Timestamp>) -> [String] {
    let day: Int64 = 86_400_000_000
    let last = floorDivide(window.upperBound.microseconds, day)
    let first = max(floorDivide(window.lowerBound.microseconds, day), last - 3_660)
    return (first...last).map { Self.day(Timestamp(microseconds: $0 * day)) }
  }

  /// From Monday, 0.
  private static func weekday(_ index: Int, of days: [String]) -> Int {
    guard let date = ReportHistory.time(days[index] + "T00:00:00Z") else { return 0 }
    return Int(modulo(floorDivide(date.microseconds, 86_400_000_000) + 5, 7))
  }

  static func day(_ time: Timestamp) -> String { String("\(time)".unicodeScalars.prefix { $0 != "T" }) }

  static func percent(_ part: Int64, of total: Int64) -> String {
    "\(HTML.decimal(Double(part) / Double(total) * 100)) %"
  }

  static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }

  static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
    value - floorDivide(value, divisor) * divisor
  }

  /// The value of a part; if it is missing, the section says why.
  static func value<Value>(_ part: ReportPart<Value>, in section: inout Section) -> Value? {
    switch part {
    case .done(let value): return value
    case .late, .failed:
      section.notes.append(reason(part) ?? "")
      return nil
    }
  }

  /// Why a part is missing; nil if it is not.
  static func reason<Value>(_ part: ReportPart<Value>) -> String? {
    switch part {
    case .done: nil
    case .late(let limit): "not computed after \(HTML.decimal(limit / .seconds(1))) s"
    // A message of the server may contain a value of a payload; its code does not.
    case .failed(let error):
      "not computed: " + (error.sqlState.map { "\(error.code.rawValue), SQLSTATE \($0)" } ?? error.message)
    }
  }
}
