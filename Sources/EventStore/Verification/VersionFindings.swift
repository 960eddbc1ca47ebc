internal import LibPQ

extension VersionCheckRun {
  /// A row of VersionFindings.sql in words.
  func versionFinding(_ row: borrowing Row) -> Finding {
    let kind = Finding.Kind(rawValue: row.string("kind"))!
    let (first, last) = (row.optionalInt64("first").map(Int.init), row.optionalInt64("last").map(Int.init))
    let (copies, ids) = (Int(row.int64("copies")), row.string("ids"))
    let events = "\(copies == 1 ? "event" : "events") \(ids)\(copies > 5 ? ", \u{2026}" : "")"
    let detail =
      switch kind {
      case .gap: "\(missing(first!, last!)): \(first! - 1) is followed by \(last! + 1)"
      case .wrongFirstVersion:
        "the stream begins at version \(last! + 1), not \(firstVersion): \(missing(first!, last!))"
      case .duplicateVersion: "\(copies) events have version \(first!): \(events)"
      default:
        first.map { "version \($0) is below \(firstVersion), the first: \(events)" }
          ?? "no version in \(copies) \(events)"
      }
    return Finding(
      kind: kind,
      severity: .error,
      aggregateID: row.string("aggregate_id"),
      version: first,
      lastVersion: last,
      position: row.optionalInt64("position"),
      detail: detail
    )
  }

  /// Events without an aggregate belong to no stream, whatever their version is.
  func withoutAggregate(events: Int64) -> Finding {
    Finding(
      kind: .invalidVersion,
      severity: .error,
      detail: "\(events) \(events == 1 ? "event has" : "events have") no aggregate id"
    )
  }

  private func missing(_ first: Int, _ last: Int) -> String {
    if first == last { return "version \(first) is missing" }
    return "\(last - first + 1) versions are missing, \(first) to \(last)"
  }
}
