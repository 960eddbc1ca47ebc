internal import EventStore
internal import Synchronization

extension Finding: Record {
  static let columns: [Column<Self>] = [
    Column("kind", .high) { .text($0.kind.rawValue) },
    Column("severity", .low) { .text($0.severity.rawValue) },
    Column("aggregate_id") { Field($0.aggregateID) },
    Column("version") { Field($0.version) },
    Column("last_version", .low) { Field($0.lastVersion) },
    Column("position", .low) { Field($0.position) },
    Column("detail", .high) { .text($0.detail) },
  ]
}

/// A finding with the likely cause of missing versions.
struct ExplainedFindingRecord: Record {
  static let columns: [Column<Self>] =
    Finding.columns.of(\.finding) + [
      Column("cause", .high) { Field($0.finding.explanation?.cause.rawValue) },
      Column("evidence", .low) { Field($0.finding.explanation?.evidence) },
      Column("safe", .low) { $0.finding.explanation.map { .bool($0.isSafe) } ?? .null },
    ]

  let finding: Finding
}

/// Prints findings as they arrive, and what was checked at the end.
final class FindingReport<R: Record>: Sendable {
  private let isJSON: Bool
  private let limit: Int
  private let record: @Sendable (Finding) -> R
  private let isShown: @Sendable (Finding) -> Bool
  private let state: Mutex<(printer: RecordPrinter<R>, count: Int)>

  init(
    _ style: RecordStyle,
    limit: Int?,
    record: @escaping @Sendable (Finding) -> R,
    isShown: @escaping @Sendable (Finding) -> Bool
  ) {
    isJSON = style.format == .json
    self.limit = limit ?? .max
    self.isShown = isShown
    self.record = record
    state = Mutex((RecordPrinter(style), 0))
  }

  func print(_ finding: Finding) {
    guard isShown(finding) else { return }
    state.withLock { state in
      if state.count == 0, isJSON { StandardOutput.writeJSON("{\"findings\":") }
      if state.count < limit { state.printer.print(record(finding)) }
      state.count += 1
    }
  }

  func end(_ result: VersionCheckResult) {
    state.withLock { state in
      if state.count == 0, isJSON { StandardOutput.writeJSON("{\"findings\":") }
      state.printer.finish()
      if isJSON { StandardOutput.writeJSON(",\(Self.envelope(result))}\n") }
      StandardOutput.flush()
      let more = state.count - min(limit, state.count)
      if more > 0 {
        StandardError.warn(
          "\(more) more \(more == 1 ? "finding is" : "findings are") not shown (--max-findings)"
        )
      }
    }
    StandardError.note(Self.summary(result))
  }

  /// The members of the JSON output besides the findings.
  private static func envelope(_ result: VersionCheckResult) -> String {
    var (envelope, checked, counts) = (JSONObject(), JSONObject(), JSONObject())
    checked.add("events", result.events)
    checked.add("aggregates", result.aggregates)
    if let head = result.headPosition { checked.add("head_position", head) }
    if let last = result.checkedThrough { checked.add("through", last) }
    for kind in Finding.Kind.allCases {
      if let count = result.counts[kind] { counts.add(kind.rawValue, Int64(count)) }
    }
    // What is intended is no warning.
    let isClean = result.counts.keys.allSatisfy { [.eventRedacted, .eventSkipped].contains($0) }
    envelope.add("status", result.errors > 0 ? "errors" : isClean ? "clean" : "warnings")
    envelope.add("checked", json: checked.text)
    envelope.add("counts", json: counts.text)
    if result.known > 0 { envelope.add("known", Int64(result.known)) }
    if let root = result.manifestRoot { envelope.add("manifest_root", root) }
    return String(envelope.text.dropFirst().dropLast())
  }

  private static func summary(_ result: VersionCheckResult) -> String {
    let checked =
      "\(Field.counted(result.events, "event")) of \(Field.counted(result.aggregates, "aggregate")) checked"
    let found = Finding.Kind.allCases.compactMap { kind in
      result.counts[kind].map { "\(Field.grouped(Int64($0))) \(kind.rawValue)" }
    }
    let known = result.known == 0 ? "" : "; \(Field.counted(result.known, "known finding")) left out"
    let rest =
      result.checkedThrough.map { "; the next run continues after \($0)" } ?? ""
    return "\(checked): \(found.isEmpty ? "no findings" : found.joined(separator: ", "))\(known)\(rest)"
  }
}
