internal import EventStore

/// The events of a type that a replay would pass on.
struct ReplayPlanRecord: Record {
  let estimate: ReplayPlan.TypeEstimate
  let positions: ClosedRange<Int64>?
  let isForPeople: Bool

  static let columns: [Column<Self>] = [
    .type("event_type") { $0.estimate.type ?? ($0.isForPeople ? "(other types)" : nil) },
    Column("estimated_events") { Field($0.estimate.events) },
    Column("from_position", style: .aside) { Field($0.positions?.lowerBound) },
    Column("to_position", style: .aside) { Field($0.positions?.upperBound) },
  ]

  static func print(_ plan: ReplayPlan, _ style: RecordStyle) {
    let records = plan.types.map {
      ReplayPlanRecord(estimate: $0, positions: plan.positions, isForPeople: style.format == .table)
    }
    RecordPrinter.print(records, style)
  }
}

extension ReplayPlan {
  /// For people, above the types.
  var summary: String {
    guard !types.isEmpty else { return "no event to replay" }
    let places = positions.map {
      ", positions \(Field.grouped($0.lowerBound)) to \(Field.grouped($0.upperBound))"
    }
    return "about \(Field.counted(events, "event"))\(places ?? ""): an estimate from PostgreSQL's statistics"
  }
}
