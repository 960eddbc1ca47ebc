internal import EventStore

/// What a rebuild did: differences on standard output, the rest for people.
struct RebuildReport {
  private let outcome: RebuildOutcome
  private let path: String

  init(_ outcome: RebuildOutcome, path: String) {
    (self.outcome, self.path) = (outcome, path)
  }

  func print(showsDifferences: Bool, _ format: OutputFormat) {
    if showsDifferences {
      var printer = RecordPrinter<DifferenceRecord>(format)
      for difference in outcome.differences { printer.print(DifferenceRecord(difference: difference)) }
      printer.finish()
    }
    let subject = "\(outcome.projection): generation \(outcome.generation)"
    switch outcome.ending {
    case .live:
      let events = Field.grouped(outcome.events)
      StandardError.note("\(subject) is live, \(outcome.isResumed ? "resumed, " : "")\(events) events")
    case .ready:
      StandardError.note("\(subject) is ready in schema \(outcome.schema); the next rebuild swaps it in")
    case .outOfTime:
      StandardError.warn("\(subject) is at position \(outcome.position); run the same command to go on")
    case .checksFailed:
      Self.print(outcome.failedChecks, of: path)
      StandardError.warn("\(subject) is kept in schema \(outcome.schema); the live read model is as it was")
    case .tooDifferent:
      let count = Field.grouped(outcome.differences.reduce(0) { $0 + $1.count })
      StandardError.warn(
        "\(subject) differs in \(count) rows and is kept in schema \(outcome.schema), not swapped in"
      )
    }
  }
}

extension RebuildReport {
  /// Names the checks of a file that found rows, with some of those.
  static func print(_ checks: [FailedCheck], of path: String) {
    for check in checks {
      StandardError.warn("\(path): check failed: \(check.check)")
      for row in check.rows { StandardError.print("  \(row)") }
    }
  }
}

struct DifferenceRecord: Record {
  let difference: TableDifference

  static let columns = ["table", "live_rows", "added", "removed", "changed", "samples"].map(Column.init)

  var fields: [Field] {
    [
      .text(difference.table), .integer(difference.liveRows), .integer(difference.added),
      .integer(difference.removed), .integer(difference.changed),
      .json("[" + difference.samples.joined(separator: ",") + "]"),
    ]
  }
}

struct RebuildPlanRecord: Record {
  let plan: RebuildPlan

  static let columns = [
    "projection", "events", "estimated_seconds", "resumes_at", "types", "creates", "keeps", "problems",
  ].map(Column.init)

  var fields: [Field] {
    var types = JSONObject()
    for type in plan.types { types.add(type.type, type.events) }
    return [
      .text(plan.projection), .integer(plan.types.reduce(0) { $0 + $1.events }),
      plan.estimatedSeconds.map { .number(String($0), shown: "\(Int($0.rounded(.up)))") } ?? .null,
      Field(plan.resumesAt), .json(types.text), Self.list(plan.objects), Self.list(plan.properties),
      Self.list(plan.problems),
    ]
  }

  /// Nothing for people where the list is empty.
  private static func list(_ texts: [String]) -> Field {
    texts.isEmpty ? .null : .json("[" + texts.map(JSONObject.quote).joined(separator: ",") + "]")
  }
}
