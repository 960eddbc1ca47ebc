internal import EventStore

/// The result of a rebuild: differences on standard output, the rest for people.
struct RebuildReport {
  private let outcome: RebuildResult
  private let path: String

  init(_ outcome: RebuildResult, path: String) {
    (self.outcome, self.path) = (outcome, path)
  }

  func print(showsDifferences: Bool, _ style: RecordStyle) {
    if showsDifferences { RecordPrinter.print(outcome.differences, style) }
    let subject = "\(outcome.projection): generation \(outcome.generation)"
    if outcome.deadLetters > 0 {
      let letters = Field.counted(Int64(outcome.deadLetters), "dead letter")
      StandardError.warn("\(subject) has \(letters), whose events it lacks; see 'annals dead-letters list'")
    }
    switch outcome.ending {
    case .live:
      let events = Field.counted(outcome.events, "event")
      StandardError.note("\(subject) is live, \(outcome.isResumed ? "resumed, " : "")\(events)")
    case .ready:
      StandardError.note("\(subject) is ready in schema \(outcome.schema); the next rebuild swaps it in")
    case .outOfTime:
      StandardError.warn("\(subject) is at position \(outcome.position); run the same command to resume")
    case .checksFailed:
      Self.print(outcome.failedChecks, of: path)
      StandardError.warn("\(subject) is kept in schema \(outcome.schema); the live read model is unchanged")
    case .tooDifferent:
      let rows = Field.counted(outcome.differences.reduce(0) { $0 + $1.count }, "row")
      StandardError.warn(
        "\(subject) differs in \(rows) and is kept in schema \(outcome.schema), not swapped in"
      )
    }
  }
}

extension RebuildReport {
  /// Names the checks of a file that found rows, with some of these rows.
  static func print(_ checks: [FailedCheck], of path: String) {
    for check in checks {
      StandardError.warn("\(path): check failed: \(check.check)")
      for row in check.rows { StandardError.print("  \(row)") }
    }
  }
}

extension TableDifference: Record {
  static let columns: [Column<Self>] = [
    Column("table", .high) { .text($0.table) },
    Column("live_rows") { Field($0.liveRows) },
    Column("added") { Field($0.added) },
    Column("removed") { Field($0.removed) },
    Column("changed") { Field($0.changed) },
    Column("columns") { .list($0.loneColumns) },
    Column("samples", .low) { .json("[\($0.samples.joined(separator: ","))]") },
  ]
}

extension RebuildPlan: Record {
  static let columns: [Column<Self>] = [
    Column("projection") { .text($0.projection) },
    Column("events") { Field($0.types.reduce(0) { $0 + $1.events }) },
    Column("estimated_seconds") { .seconds($0.estimatedSeconds) },
    Column("resumes_at") { Field($0.resumesAt) },
    Column("types") { .json($0.counts) },
    Column("unhandled") { .list($0.coverage.unhandled) },
    Column("creates") { .list($0.objects) },
    Column("keeps") { .list($0.properties) },
    Column("problems") { .list($0.problems) },
  ]

  private var counts: String {
    var counts = JSONObject()
    for type in types { counts.add(type.type, type.events) }
    return counts.text
  }
}

extension Field {
  /// Empty for people if the list is empty.
  fileprivate static func list(_ texts: [String]) -> Field {
    texts.isEmpty ? .null : .json(JSONObject.list(texts))
  }

  /// For people in whole seconds.
  fileprivate static func seconds(_ seconds: Double?) -> Field {
    seconds.map { .number("\($0)", shown: "\(Int($0.rounded(.up)))") } ?? .null
  }
}
