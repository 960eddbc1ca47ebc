internal import EventStore
internal import LibPQ

private typealias Section = ReportDocument.Section
private typealias Table = ReportDocument.Table
private typealias Cell = ReportDocument.Cell

/// The sections about storage and readers: streams, size, readers, dead letters, faults.
extension ReportDocument {
  static func streams(_ report: StoreReport, hidesIDs: Bool) -> Section {
    var section = Section(title: "Streams", question: "Which streams want a snapshot?")
    guard let streams = value(report.streams, in: &section) else { return section }
    func label(_ length: ReportedStreams.Length) -> String {
      let first = Int64(1) << Int64(min(length.power, 62))
      return first == 1 ? "1" : "\(Field.grouped(first)) to \(Field.grouped(first * 2 - 1))"
    }
    section.pictures = [
      Picture(
        title: "Streams by how many events they have",
        chart: .rows(
          streams.lengths.map {
            Chart.Mark(label: label($0), value: Double($0.streams), shown: Field.grouped($0.streams))
          }
        )
      )
    ]
    let lengths = Table(
      caption: "Streams by their number of events",
      columns: [.text("Events"), .number("Streams"), .number("Events in all")],
      rows: streams.lengths.map { [Cell(label($0)), Cell($0.streams), Cell($0.events)] }
    )
    let longest = Table(
      caption: "The longest streams",
      columns: [.text("Stream"), .number("Events"), .text("Last event"), .text("Snapshot")],
      rows: streams.longest.enumerated().map { index, stream in
        [
          Cell(hidesIDs ? "stream \(index + 1)" : stream.aggregateID),
          Cell(stream.events, isEstimate: stream.isEstimate), Cell(stream.lastTime.map { "\($0)" } ?? ""),
          Cell(snapshot(streams.snapshots.map { $0[index] }, of: stream)),
        ]
      }
    )
    section.tables = [lengths, longest]
    return section
  }

  private static func snapshot(_ version: Int??, of stream: ListedStream) -> String {
    guard let version else { return "not known" }
    guard let version else { return "none" }
    return "version \(version), \((stream.lastVersion ?? version) - version) events ago"
  }

  static func size(_ report: StoreReport, _ history: [(time: Timestamp, run: ReportRun)]) -> Section {
    var section = Section(title: "Size", question: "When is the disk full?")
    guard let statistics = value(report.statistics, in: &section) else { return section }
    guard let size = statistics.size else {
      section.notes.append("The layout does not name the tables, so that their size is not known.")
      return section
    }
    let points = thinned(
      history.compactMap { entry in
        entry.run.totalBytes.map { (entry.time, entry.run, Double($0)) }
      }
    )
    let forecast = ReportForecast(points.map { ($0.0, $0.2) }, size: Double(size.total))
    let band = forecast?.band ?? []
    section.notes.append("\(bytes(Double(size.total))) in all.")
    if let sentence = forecast?.sentence {
      section.notes.append(sentence)
    } else {
      section.notes.append("A forecast needs the records of three runs, a day apart at least.")
    }
    let kinds = [("table", size.table), ("indexes", size.indexes), ("large values (TOAST)", size.toast)]
    section.pictures = [
      Picture(
        title: "Bytes of the table, its indexes and its large values",
        chart: .rows(kinds.map { Chart.Mark(label: $0, value: Double($1), shown: bytes(Double($1))) })
      )
    ]
    var rows = points.map { time, run, total in
      [Cell("\(time)")]
        + [run.tableBytes, run.indexBytes, run.toastBytes].map { Cell(bytes(Double($0 ?? 0))) }
        + [Cell(bytes(total)), Cell("")]
    }
    if points.count > 1 {
      let drawn = points.map { Chart.Point(place: Double($0.0.microseconds), value: $0.2, label: day($0.0)) }
      section.pictures.append(
        Picture(
          title: "Bytes in all at each run, and a forecast of 90 days (10 to 90 %)",
          chart: .line(drawn, band: band),
          unit: bytes
        )
      )
    } else {
      rows = [
        [Cell("\(report.now)")] + kinds.map { Cell(bytes(Double($0.1))) }
          + [Cell(bytes(Double(size.total))), Cell("")]
      ]
    }
    for point in band.dropFirst() {
      rows.append(
        [Cell(point.label), "", "", "", Cell(bytes(point.middle))]
          + [Cell("\(bytes(point.low)) to \(bytes(point.high))")]
      )
    }
    section.tables = [
      Table(
        caption: "Bytes on disk",
        columns: [
          .text("Time (UTC)"), .number("Table"), .number("Indexes"), .number("TOAST"), .number("In all"),
          .text("Forecast, 10 to 90 %"),
        ],
        rows: rows
      )
    ]
    return section
  }

  /// At most 40 of many runs, including the first and the last.
  static func thinned<Point>(_ points: [Point]) -> [Point] {
    let most = 40
    guard points.count > most else { return points }
    return (0..<most).map { points[$0 * (points.count - 1) / (most - 1)] }
  }

  static func readers(_ report: StoreReport, _ history: [(time: Timestamp, run: ReportRun)]) -> Section {
    var section = Section(title: "Readers", question: "Are read models fresh, and which is slow?")
    guard let health = value(report.health, in: &section) else { return section }
    if health.readers.isEmpty { section.notes.append("No projection and no checkpoint reads this store.") }
    let previous = history.dropLast().last
    let rows = health.readers.map { reader -> [Cell] in
      let old = history.suffix(30).map { entry in
        Double(entry.run.readers.first { $0.name.utf8.elementsEqual(reader.name.utf8) }?.lagEvents ?? 0)
      }
      let lag = (reader.isLagLowerBound ? "> " : "") + Field.grouped(reader.lagEvents)
      return [
        Cell(reader.name), Cell(reader.isProjection ? "projection" : "replay"),
        Cell(lag, spark: old.count > 1 ? old : nil), Cell(seconds(lagSeconds(of: reader, report, health))),
        Cell(rate(of: reader, since: previous, report)), Cell(reader.deadLetters), Cell("\(reader.movedAt)"),
        Cell(reader.error == nil ? "" : "stopped"),
      ]
    }
    let runs = thinned(history.filter { $0.run.lagEvents != nil })
    if runs.count > 1 {
      let points = runs.map { entry in
        Chart.Point(
          place: Double(entry.time.microseconds),
          value: Double(entry.run.lagEvents ?? 0),
          label: day(entry.time)
        )
      }
      section.pictures = [
        Picture(
          title: "Events that the slowest reader lacked at each run",
          chart: .line(points, band: []),
          unit: short
        )
      ]
    } else if !rows.isEmpty {
      section.pictures = [
        Picture(
          title: "Events that each reader lacks",
          chart: .rows(
            health.readers.map {
              Chart.Mark(label: $0.name, value: Double($0.lagEvents), shown: Field.grouped($0.lagEvents))
            }
          )
        )
      ]
    }
    if !rows.isEmpty {
      section.tables = [
        Table(
          caption: "Readers now",
          columns: [
            .text("Name"), .text("Kind"), .number("Events behind"), .number("Time behind"),
            .number("Events/s"), .number("Dead letters"), .text("Moved (UTC)"), .text(""),
          ],
          rows: rows
        )
      ]
    }
    if runs.count > 1 {
      section.tables.append(
        Table(
          caption: "At each run",
          columns: [.text("Time (UTC)"), .number("Most events behind"), .number("Dead letters")],
          rows: runs.map {
            [Cell("\($0.time)"), Cell($0.run.lagEvents ?? 0), Cell($0.run.deadLetters ?? 0)]
          }
        )
      )
    }
    return section
  }

  /// By the report's clock, which can be set.
  static func lagSeconds(of reader: StoreHealth.Reader, _ report: StoreReport, _ health: StoreHealth)
    -> Double
  {
    guard reader.lagEvents > 0 else { return 0 }
    return max(
      0,
      reader.lagSeconds + Double(report.now.microseconds - health.time.microseconds) / 1e6
    ).rounded()
  }

  private static func rate(
    of reader: StoreHealth.Reader,
    since previous: (time: Timestamp, run: ReportRun)?,
    _ report: StoreReport
  ) -> String {
    guard let previous, previous.time < report.now,
      let old = previous.run.readers.first(where: { $0.name.utf8.elementsEqual(reader.name.utf8) })
    else { return "" }
    let elapsed = Double(report.now.microseconds - previous.time.microseconds) / 1e6
    return HTML.decimal(Double(reader.position - old.position) / elapsed)
  }

  static func seconds(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(HTML.decimal(seconds)) s"
    case ..<7200: "\(HTML.decimal(seconds / 60)) min"
    case ..<172_800: "\(HTML.decimal(seconds / 3600)) h"
    default: "\(HTML.decimal(seconds / 86400)) d"
    }
  }

  static func deadLetters(_ report: StoreReport) -> Section {
    var section = Section(title: "Dead letters", question: "What was given up, and since when?")
    guard let letters = value(report.deadLetters, in: &section) else { return section }
    if letters.isEmpty {
      section.notes.append("None.")
      return section
    }
    struct Cause: Hashable {
      let reader: ByteString
      let state: ByteString
      let type: ByteString
    }
    var groups: [(cause: Cause, letters: [DeadLetter])] = []
    for letter in letters {
      let cause = Cause(
        reader: ByteString(letter.projection ?? letter.checkpoint ?? ""),
        state: ByteString(letter.sqlState ?? "none"),
        type: ByteString(letter.eventType)
      )
      if let index = groups.firstIndex(where: { $0.cause == cause }) {
        groups[index].letters.append(letter)
      } else {
        groups.append((cause, [letter]))
      }
    }
    groups.sort { $0.letters.count > $1.letters.count }
    func age(_ time: Timestamp?) -> String {
      time.map { seconds(max(0, Double(report.now.microseconds - $0.microseconds) / 1e6)) } ?? ""
    }
    section.pictures = [
      Picture(
        title: "Dead letters by reader and SQLSTATE",
        chart: .rows(
          groups.prefix(20).map {
            Chart.Mark(
              label: "\($0.cause.reader.string) \($0.cause.state.string)",
              value: Double($0.letters.count),
              shown: "\($0.letters.count)"
            )
          }
        )
      )
    ]
    section.tables = [
      Table(
        caption: "Dead letters by cause",
        columns: [
          .text("Reader"), .text("SQLSTATE"), .text("Type"), .number("Letters"), .number("Oldest"),
          .number("Newest"),
        ],
        rows: groups.prefix(40).map { group in
          [
            Cell(group.cause.reader.string), Cell(group.cause.state.string), Cell(group.cause.type.string),
            Cell(Int64(group.letters.count)), Cell(age(group.letters.map(\.failedAt).min())),
            Cell(age(group.letters.map(\.failedAt).max())),
          ]
        }
      )
    ]
    return section
  }
}
