internal import EventStore

extension ReportDocument {
  /// - Parameters:
  ///   - report: the results.
  ///   - findings: those of a file, instead of a check by the report itself.
  ///   - history: the runs before this one, and this one.
  ///   - hidesIDs: whether streams have numbers instead of their ids.
  init(
    _ report: StoreReport,
    findings: FindingsFile?,
    history: [(time: Timestamp, run: ReportRun)],
    complaint: String?,
    hidesIDs: Bool
  ) {
    let statistics = report.statistics.value
    let mark = statistics?.isEstimate == true ? "≈ " : ""
    title = "annals report · \(report.table)"
    subtitle = [
      "\(report.now)", statistics.map { "\(mark)\(Field.counted($0.events, "event"))" },
      statistics.map { "\(mark)\(Field.counted($0.streams, "stream"))" },
      statistics.map { Field.counted($0.types, "type") }, "annals \(Annals.version)",
    ].compactMap(\.self).joined(separator: " · ")
    verdict = Self.verdict(report, findings, complaint)
    sections = [
      Self.days(report, history), Self.week(report), Self.types(report), Self.payloads(report),
      Self.streams(report, hidesIDs: hidesIDs), Self.size(report, history), Self.readers(report, history),
      Self.deadLetters(report), Self.integrity(report, findings),
    ]
  }

  static func verdict(_ report: StoreReport, _ findings: FindingsFile?, _ complaint: String?) -> [Judgement] {
    var rows = versions(report, findings) + readers(report) + diagnosis(report)
    let missing = [
      ("statistics", reason(report.statistics)), ("events a day", reason(report.hours)),
      ("event types", reason(report.types)), ("payload bytes", reason(report.payloads)),
      ("streams", reason(report.streams)),
    ]
    for case (let name, let reason?) in missing {
      rows.append(Judgement(status: .warn, text: "\(name): \(reason)"))
    }
    if let complaint { rows.append(Judgement(status: .warn, text: complaint)) }
    return rows
  }

  private static func versions(_ report: StoreReport, _ findings: FindingsFile?) -> [Judgement] {
    if let findings {
      return [
        Judgement(
          status: findings.errors > 0 ? .bad : .good,
          text: "versions: \(Field.counted(findings.errors, "error")) in \(findings.path)"
        )
      ]
    }
    guard let result = report.verification.value else { return missing("versions", report.verification) }
    let total = result.counts.values.reduce(0, +)
    let warnings = total - result.errors
    if result.errors > 0 {
      return [Judgement(status: .bad, text: "versions: \(Field.counted(result.errors, "error"))")]
    }
    return [
      warnings > 0
        ? Judgement(status: .warn, text: "versions: no error, \(Field.counted(warnings, "warning"))")
        : Judgement(status: .good, text: "versions: 0 findings in \(Field.counted(result.events, "event"))")
    ]
  }

  /// What could not be examined must not count as healthy.
  private static func missing<Value>(_ name: String, _ part: ReportPart<Value>) -> [Judgement] {
    // A table without positions has no readers, and another framework's store has no schema of ours.
    if case .failed(let error) = part, error.code == .invalidDefinition || error.code == .notFound {
      return []
    }
    return reason(part).map { [Judgement(status: .bad, text: "\(name): \($0)")] } ?? []
  }

  private static func readers(_ report: StoreReport) -> [Judgement] {
    guard let health = report.health.value else { return missing("readers", report.health) }
    var rows = health.positionFaults.map { Judgement(status: .bad, text: $0.message) }
    if let replay = health.replay, replay.isPaused {
      rows.append(Judgement(status: .bad, text: "this server is a standby: replay is paused"))
    }
    for reader in health.readers {
      let kind = reader.isProjection ? "projection" : "replay"
      if reader.error != nil {
        rows.append(Judgement(status: .bad, text: "\(kind) \(reader.name) stopped with an error"))
      }
      guard reader.deadLetters > 0 else { continue }
      let letters = report.deadLetters.value?.filter {
        ($0.projection ?? $0.checkpoint ?? "").utf8.elementsEqual(reader.name.utf8)
      }
      let oldest = letters?.map(\.failedAt).min().map {
        ", the oldest \(seconds(max(0, Double(report.now.microseconds - $0.microseconds) / 1e6))) old"
      }
      rows.append(
        Judgement(
          status: .bad,
          text: "\(kind) \(reader.name): \(Field.counted(reader.deadLetters, "dead letter"))\(oldest ?? "")"
        )
      )
    }
    if rows.isEmpty, !health.readers.isEmpty {
      let bound = health.isLagLowerBound ? "more than " : ""
      rows.append(
        Judgement(
          status: .good,
          text: "readers: at most \(bound)\(Field.counted(health.lagEvents, "event")) behind"
        )
      )
    }
    return rows
  }

  private static func diagnosis(_ report: StoreReport) -> [Judgement] {
    guard let items = report.diagnosis.value else { return missing("setup", report.diagnosis) }
    // A problem here is also a problem of readers, and is reported there. The rest is advice.
    let problems = items.filter { $0.status == .problem }
    if problems.isEmpty { return [Judgement(status: .good, text: "setup: no problem")] }
    return problems.map { Judgement(status: .warn, text: "setup: \($0.name): \($0.value)") }
  }

  static func integrity(_ report: StoreReport, _ findings: FindingsFile?) -> Section {
    var section = Section(title: "Integrity", question: "Is anything missing?")
    var counts: [(kind: String, number: Int)] = []
    if let findings {
      section.notes.append("Findings of \(findings.path).")
      counts = findings.counts
    } else if let result = value(report.verification, in: &section) {
      section.notes.append(
        "\(Field.counted(result.events, "event")) of \(Field.counted(result.aggregates, "stream")) checked"
          + (result.headPosition.map { ", up to position \(Field.grouped($0))." } ?? ".")
      )
      counts = result.counts.map { ($0.key.rawValue, $0.value) }.sorted {
        $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
      }
    }
    if counts.isEmpty {
      if findings != nil || report.verification.value != nil {
        section.notes.append("No findings: no version is missing.")
      }
    } else {
      section.pictures = [
        Picture(
          title: "Findings by kind",
          chart: .rows(
            counts.map { Chart.Mark(label: $0.kind, value: Double($0.number), shown: "\($0.number)") }
          )
        )
      ]
      section.tables.append(
        Table(
          caption: "Findings by kind",
          columns: [.text("Kind"), .number("Findings")],
          rows: counts.map { [Cell($0.kind), Cell(Int64($0.number))] }
        )
      )
    }
    var items = Section(title: "", question: "")
    if let diagnosed = value(report.diagnosis, in: &items) {
      let advised = diagnosed.filter { $0.status != .ok }
      if !advised.isEmpty {
        section.tables.append(
          Table(
            caption: "Advice",
            columns: [.text("About"), .text("Found"), .text("Status"), .text("What to do")],
            rows: advised.map { item in
              [
                Cell(item.name), Cell(item.value), Cell(item.status.rawValue),
                Cell(item.advice.map(Advice.text) ?? ""),
              ]
            }
          )
        )
      }
    }
    section.notes += items.notes.map { "Setup: \($0)" }
    return section
  }

  /// The line of the history for this run.
  static func run(_ report: StoreReport, _ findings: FindingsFile?) -> ReportRun {
    let statistics = report.statistics.value
    let health = report.health.value
    return ReportRun(
      time: "\(report.now)",
      store: "\(report.table)",
      events: statistics?.events,
      streams: statistics?.streams,
      tableBytes: statistics?.size?.table,
      indexBytes: statistics?.size?.indexes,
      toastBytes: statistics?.size?.toast,
      head: health?.head,
      lagEvents: health?.lagEvents,
      deadLetters: health?.deadLetters,
      errors: (findings?.errors ?? report.verification.value?.errors).map(Int64.init),
      bad: verdict(report, findings, nil).contains { $0.status == .bad },
      readers: (health?.readers ?? []).map { reader in
        ReportRun.Reader(
          name: reader.name,
          position: reader.position,
          lagEvents: reader.lagEvents,
          lagSeconds: health.map { Int64(lagSeconds(of: reader, report, $0)) } ?? 0,
          deadLetters: reader.deadLetters
        )
      }
    )
  }
}
