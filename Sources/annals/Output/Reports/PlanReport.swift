internal import EventStore
internal import LibPQ

extension EvolutionPlan.TypeChange: Record {
  static let columns: [Column<Self>] = [
    .type("event_type") { $0.type },
    Column("events") { Field($0.events) },
    Column("changed") { Field($0.changed) },
    .type("becomes") { $0.outcome },
  ]

  /// The types after the change with their counts, unless that is only the old type.
  private var outcome: String {
    if isOfSameType { return word(type) }
    let types = becomes.map { "\(word($0.type)) \(Field.grouped($0.events))" }
    return types.isEmpty ? "(dropped)" : types.joined(separator: ", ")
  }
}

/// A type as in upcaster files, so that its end is clear.
private func word(_ type: String) -> String { SectionFile.word(ByteString(type)) }

/// A plan for people.
struct PlanReport {
  private let plan: EvolutionPlan

  init(_ plan: EvolutionPlan) {
    self.plan = plan
  }

  func print() {
    RecordPrinter.print(plan.types, RecordStyle())
    section("Shapes", plan.shapes.map(Self.line))
    section("Examples", plan.examples.flatMap(Self.lines))
    section("To be rebuilt after the swap", plan.projections.map { "  projection \($0)" })
    section("Snapshots to be taken again", plan.reducers.map { "  reducer \($0)" })
    var notes = ["  about \(max(1, Int(plan.estimatedSeconds.rounded()))) s for the copy"]
    if plan.renumbersVersions { notes.append("  versions are renumbered") }
    if plan.renumbersPositions {
      notes.append("  positions are renumbered: every projection and checkpoint starts again")
    }
    section("Applying", notes)
  }

  private func section(_ title: String, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    StandardOutput.print()
    StandardOutput.print(title)
    for line in lines { StandardOutput.print(line) }
  }

  /// A line of the diff of shapes.
  private static func line(_ change: EvolutionPlan.ShapeChange) -> String {
    let share = change.events < change.compared ? "  (\(change.events) of \(change.compared))" : ""
    let subject = "\(word(change.type)) \(change.path)"
    switch (change.before, change.after) {
    case (nil, let after?): return "+ \(subject) \(after)\(share)"
    case (let before?, nil): return "- \(subject) \(before)\(share)"
    case (let before, let after): return "~ \(subject) \(before ?? "") -> \(after ?? "")\(share)"
    }
  }

  private static func lines(_ example: EvolutionPlan.Example) -> [String] {
    [
      "  \(example.aggregateID) version \(example.version)",
      "  - \(word(example.type)) \(example.before)",
      "  + \(word(example.newType)) \(example.after)",
    ]
  }
}
