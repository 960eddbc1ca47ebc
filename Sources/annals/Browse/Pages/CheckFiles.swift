internal import EventStore

/// Files that checks and reports wrote, with paths from the command line: a page reads them each time.
extension PageMaker {
  /// The number of findings of a check, and the first of them.
  func findings() -> [HTML] {
    guard let path = settings.verify else { return [] }
    let heading = HTML.heading("Findings of the last check of versions")
    let file: FindingsFile
    do { file = try FindingsFile(path) } catch { return [heading, complaint(error)] }
    let shown = file.first.map(FoundRecord.init)
    let rest = file.number - shown.count
    return [
      heading, verification(file, path), table(shown),
      rest > 0 ? .note("\(Field.grouped(Int64(rest))) more are in the file.") : HTML(),
    ]
  }

  /// The result of a check, in a sentence, with a link to it.
  func verification(_ path: String) -> HTML {
    do { return verification(try FindingsFile(path), path) } catch { return complaint(error) }
  }

  private func verification(_ file: FindingsFile, _ path: String) -> HTML {
    let errors = Field.counted(file.errors, "error")
    let others = file.number - file.errors
    let text = others == 0 ? errors : "\(errors), \(Field.counted(others, "other finding"))"
    return .element(
      "p",
      file.errors == 0 ? [] : [.init("class", "late")],
      .link(PageAddress(.checks), text),
      .text(" in \(path)")
    )
  }

  private func complaint(_ error: any Error) -> HTML { complaint(Failure(error).message) }

  private func complaint(_ text: String) -> HTML { .element("p", [.init("class", "late")], text: text) }

  private static let shownReports = 20

  /// The last reports, the newest first.
  func reports() -> [HTML] {
    guard let path = settings.history else { return [] }
    let heading = HTML.heading("Last reports")
    do {
      let history = try ReportHistory(path, of: "\(store.table)")
      let runs = history.runs.suffix(Self.shownReports).reversed().map { RunRecord(run: $0.run) }
      return [heading, history.complaint.map(complaint) ?? HTML(), table(runs)]
    } catch { return [heading, complaint(error)] }
  }
}

/// A finding as it is in a file.
private struct FoundRecord: Record {
  let found: FindingsFile.Entry

  static let columns: [Column<Self>] = [
    Column("kind", .high) { .text($0.found.kind) }, Column("severity") { .text($0.found.severity) },
    Column("aggregate_id") { Field($0.found.aggregateId) }, Column("version") { Field($0.found.version) },
    Column("position") { Field($0.found.position) }, Column("detail") { Field($0.found.detail) },
  ]
}

/// A run of a report.
private struct RunRecord: Record {
  let run: ReportRun

  static let columns: [Column<Self>] = [
    Column("time", .high) { .text($0.run.time) },
    Column("verdict", .high) { .text($0.run.bad ? "problem" : "ok") },
    Column("errors") { Field($0.run.errors) }, Column("dead_letters") { Field($0.run.deadLetters) },
    Column("lag_events") { Field($0.run.lagEvents) }, Column("events") { Field($0.run.events) },
    Column("streams") { Field($0.run.streams) },
  ]
}
