internal import LibPQ

/// What has probably happened to missing events.
public struct Explanation: Sendable, Hashable {
  /// A cause of missing events.
  public enum Cause: String, Sendable, Hashable {
    /// A transaction that is under way may still bring them.
    case inFlight = "in_flight"
    /// They were inserted by transactions that were rolled back.
    case rolledBack = "rolled_back"
    /// They were there and were deleted.
    case deleted
    /// The beginning of history was deleted.
    case archived
    /// The order of the store has no room for them.
    case neverWritten = "never_written"
    /// They were rolled back or deleted; there is no evidence for either.
    case unknown
  }

  /// The likely cause.
  public var cause: Cause
  /// The evidence for it.
  public var evidence: String
  /// Whether readers may continue: nothing is lost, and nothing is still to come.
  public var isSafe: Bool { cause == .rolledBack }
}

/// Facts about the store besides its events, for explanations.
struct Circumstances {
  let writers: [OpenTransaction]
  /// The counts of the table's statistics; nil if there are none.
  let statistics: Statistics?
  /// Rows of the table.
  let rows: Int64
  /// The lowest position.
  let tail: Int64

  /// PostgreSQL's counts for a table. Inserts that were rolled back count too. A crash, a restore and a reset start
  /// them again, so they may not include existing rows.
  struct Statistics {
    let inserts: Int64
    let deletions: Int64
  }

  /// - Parameters:
  ///   - hole: positions that no event has, where the missing events would have been.
  ///   - isBeginning: whether nothing comes before.
  func explain(missing count: Int64, hole: Int64, isBeginning: Bool) -> Explanation {
    if hole < count {
      return Explanation(
        cause: .neverWritten,
        evidence: "only \(counted(hole, "position")) \(hole == 1 ? "is" : "are") free where "
          + "\(counted(count, "event")) would have been: "
          + "the writer left versions out, or versions were changed"
      )
    }
    if let writer = writers.max(by: { ($0.ageSeconds ?? 0) < ($1.ageSeconds ?? 0) }) {
      return Explanation(cause: .inFlight, evidence: "a transaction writes to the table: \(writer.summary)")
    }
    guard let statistics else {
      return Explanation(cause: .unknown, evidence: "the positions are free; the table has no statistics")
    }
    if statistics.deletions > 0 {
      let deleted =
        "\(counted(statistics.deletions, "row")) \(statistics.deletions == 1 ? "was" : "were") deleted since "
        + "the table's statistics began"
      return isBeginning && tail > count
        ? Explanation(
          cause: .archived,
          evidence: "no event of the whole table is below position \(tail), and \(deleted)"
        )
        : Explanation(cause: .deleted, evidence: "the positions are free, and \(deleted)")
    }
    let evidence =
      "the statistics count \(counted(statistics.inserts, "inserted row")) for \(rows) in the table"
    // Each existing event was inserted, and so was each that was rolled back. If fewer were counted, the statistics do
    // not cover these, and it means nothing that they count no deletion.
    guard statistics.inserts - rows >= count else {
      return Explanation(
        cause: .unknown,
        evidence: "the positions are free; \(evidence), so a deletion may not have been counted"
      )
    }
    return Explanation(
      cause: .rolledBack,
      evidence: "the positions are free; \(evidence), and no deletion was counted"
    )
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
    // Each partition and child has its own statistics.
    let sql: SQL = """
      WITH RECURSIVE tree AS (
        SELECT \(layout.name.sql)::regclass::oid AS oid
        UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
      )
      SELECT sum(s.n_tup_ins)::bigint AS inserts, sum(s.n_tup_del)::bigint AS deletions,
             (SELECT coalesce(min(position), 0) FROM \(raw: layout.relation) e) AS tail
      FROM tree t JOIN pg_stat_user_tables s ON s.relid = t.oid
      """
    let facts = try connection.query(sql)
    let row = facts[0]
    let statistics = row.optionalInt64("inserts").flatMap { inserts in
      row.optionalInt64("deletions").map { Circumstances.Statistics(inserts: inserts, deletions: $0) }
    }
    let rows = try connection.query("SELECT count(*) FROM \(raw: layout.name.sql)").int64(0, 0)
    return Circumstances(
      writers: writers,
      statistics: statistics,
      rows: rows,
      tail: row.int64("tail")
    )
  }

  /// Reports positions that no event has; most of them were taken by transactions that were rolled back.
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
