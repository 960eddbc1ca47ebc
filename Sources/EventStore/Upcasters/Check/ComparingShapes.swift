internal import LibPQ

extension EvolutionCheckRun {
  /// How the paths of a type change.
  struct ShapeChange {
    let type: ByteString
    let path: String
    /// JSON types, with `|` between them; nil if the path is not there.
    let before: String?
    let after: String?
    let events: Int64
    let first: Int64?
    /// Events of the type that were compared.
    let compared: Int64
  }

  /// Compares shapes before and after, on a sample of each type.
  mutating func shapeChanges() throws -> [ShapeChange] {
    var changes: [ShapeChange] = []
    for count in counts {
      let sample = EventSample(
        of: count,
        limit: options.comparedPerType,
        typeColumn: Self.type,
        columns: "e.*",
        source: source
      )
      let key = table.hasPosition ? "e.position" : "NULL::bigint"
      let sql = SQLTemplate.shapeChanges.statement([
        "sample": sample.sql, "key": "\(raw: key)", "step": "\(raw: StoreConnection.stepToMember)",
      ])
      do {
        changes += try connection.savepoint { try connection.query(sql).map { ShapeChange($0) } }
      } catch let error as PostgresError where isOfEvent(error) {
        // If failing events were named, the shapes cannot be compared before these are fixed.
        if result.counts[.failure, default: 0] == 0 { addFailure(of: count.type, error) }
      }
    }
    return changes
  }

  /// Reports a failed event that was not in the sample of the check.
  private mutating func addFailure(of type: ByteString, _ error: PostgresError) {
    let detail = "\(error.message) (\(error.sqlState ?? ""))"
    add(.failure, type: type.string, events: 1, rules: rules(for: type), detail: detail)
    result.counts[.failure, default: 0] += 1
  }

  mutating func reportShapes() throws {
    for change in try shapeChanges() {
      guard let after = change.after else { continue }
      let old = Set((change.before ?? "").unicodeScalars.split(separator: "|").map(String.init))
      let new = Set(after.unicodeScalars.split(separator: "|").map(String.init))
      let kind: EvolutionFinding.Kind
      if new.subtracting(old).contains(where: { $0 == "null" }) {
        kind = .nullAppears
      } else if change.before != nil, !new.subtracting(["null"]).isSubset(of: old) {
        kind = .typeChanges
      } else {
        continue
      }
      add(
        kind,
        type: change.type.string,
        path: change.path,
        events: change.events,
        first: try event(at: change.first),
        rules: rules(for: change.type),
        detail:
          "\(change.before ?? "absent") becomes \(after) in \(change.events) of \(change.compared) events compared"
      )
    }
    dropUnnamedNulls()
  }

  /// Drops the finding that some paths become null, if these paths are named already.
  private mutating func dropUnnamedNulls() {
    let named = Set(
      result.findings.filter { $0.kind == .nullAppears && $0.path != nil }.map { ByteString($0.eventType) }
    )
    let kept = result.findings.filter {
      $0.kind != .nullAppears || $0.path != nil || !named.contains(ByteString($0.eventType))
    }
    result.counts[.nullAppears] = Int64(kept.count { $0.kind == .nullAppears })
    if result.counts[.nullAppears] == 0 { result.counts[.nullAppears] = nil }
    result.findings = kept
  }
}

extension EvolutionCheckRun.ShapeChange {
  fileprivate init(_ row: borrowing Row) {
    type = ByteString(row.string("type"))
    path = row.string("path")
    before = row.optionalString("before")
    after = row.optionalString("after")
    events = row.int64("events")
    first = row.optionalInt64("first")
    compared = row.int64("compared")
  }
}
