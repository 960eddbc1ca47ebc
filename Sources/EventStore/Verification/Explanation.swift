internal import LibPQ

/// What has probably become of events that are missing.
public struct Explanation: Sendable, Hashable {
  /// A cause of missing events.
  public enum Cause: String, Sendable, Hashable {
    /// A transaction that is under way may still bring them.
    case inFlight = "in_flight"
    /// They were inserted by transactions that were rolled back.
    case rolledBack = "rolled_back"
    /// They were there and were deleted.
    case deleted
    /// The beginning of history is not in the table.
    case archived
    /// There is no place in the order of the store where they could have been.
    case neverWritten = "never_written"
    /// They were rolled back or deleted; nothing tells which.
    case unknown
  }

  /// The likely cause.
  public var cause: Cause
  /// What speaks for it.
  public var evidence: String
  /// Whether readers may go on: nothing is lost, and nothing is still to come.
  public var isSafe: Bool { cause == .rolledBack }
}

/// What is known of the store beside its events, for explanations.
struct Circumstances {
  let writers: [OpenTransaction]
  /// Rows that were deleted from the table since its statistics began; nil when that is not known.
  let deletions: Int64?
  /// The lowest position.
  let tail: Int64

  /// - Parameters:
  ///   - hole: positions that no event has, where the missing events would have been.
  ///   - isBeginning: whether nothing comes before.
  func explain(missing count: Int64, hole: Int64, isBeginning: Bool) -> Explanation {
    if hole < count {
      return Explanation(
        cause: .neverWritten,
        evidence: "only \(hole) positions are free where \(count) events would have been: "
          + "the writer left versions out, or versions were changed"
      )
    }
    if let writer = writers.max(by: { ($0.ageSeconds ?? 0) < ($1.ageSeconds ?? 0) }) {
      return Explanation(cause: .inFlight, evidence: "a transaction writes to the table: \(writer.summary)")
    }
    if isBeginning, tail > count {
      return Explanation(cause: .archived, evidence: "no event of the whole table is below position \(tail)")
    }
    switch deletions {
    case nil:
      return Explanation(
        cause: .unknown,
        evidence: "the positions are free; the table has no statistics of deletions"
      )
    case 0?:
      return Explanation(
        cause: .rolledBack,
        evidence: "the positions are free, and no deletion was counted since the table's statistics began"
      )
    case let deletions?:
      return Explanation(
        cause: .deleted,
        evidence:
          "the positions are free, and \(deletions) rows were deleted since the table's statistics began"
      )
    }
  }
}

extension VersionCheckRun {
  /// Adds the likely cause to a finding of missing versions.
  func explained(_ finding: Finding, _ circumstances: Circumstances?) throws -> Finding {
    guard let circumstances, [.gap, .wrongFirstVersion].contains(finding.kind),
      let name = finding.aggregateID,
      let first = finding.version.map(Int64.init), let last = finding.lastVersion.map(Int64.init)
    else { return finding }
    let hole = try connection.query(
      sql(
        .gapEvidence,
        ["aggregate": "\(name)", "first_missing": "\(first)", "last_missing": "\(last)"]
      )
    ).int64(0, 0)
    var finding = finding
    finding.explanation = circumstances.explain(
      missing: last - first + 1,
      hole: hole,
      isBeginning: finding.kind == .wrongFirstVersion
    )
    return finding
  }

  func circumstances(_ writers: [OpenTransaction]) throws -> Circumstances {
    let facts = try connection.query(
      """
      SELECT (SELECT n_tup_del FROM pg_stat_user_tables WHERE relid = \(layout.name.sql)::regclass) AS deletions,
             (SELECT coalesce(min(position), 0) FROM \(raw: layout.relation) e) AS tail
      """
    )
    return Circumstances(
      writers: writers,
      deletions: facts[0].optionalInt64("deletions"),
      tail: facts[0].int64("tail")
    )
  }

  /// Reports positions that no event has: most of them were taken by transactions that were rolled back.
  func reportHoles(_ circumstances: Circumstances, _ report: Report) throws {
    try connection.forEachPage(of: sql(.positionHoles)) { page in
      try page.forEachRow { row in
        let (first, last) = (row.int64("first"), row.int64("last"))
        let positions = first == last ? "position \(first)" : "positions \(first) to \(last)"
        try report(
          Finding(
            kind: .positionHole,
            severity: .warning,
            position: first,
            detail: "no event has \(positions)",
            explanation: circumstances.explain(
              missing: first.span(to: last).saturatingAdd(1),
              hole: first.span(to: last).saturatingAdd(1),
              isBeginning: first == 1
            )
          )
        )
      }
    }
  }
}
