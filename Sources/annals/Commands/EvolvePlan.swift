internal import ArgumentParser
internal import EventStore

struct EvolvePlan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say what upcasters would change, and write it down as a plan.",
    discussion: """
        annals evolve plan currency.sql --out currency.plan
        annals evolve plan upcasters/ -o json | jq .shapes

      With -o json the whole plan is printed, in the other formats the types.
      """
  )

  @Argument(
    help: "Upcaster files, or folders of them, in the order in which they apply: see annals-upcaster(5).",
    completion: .file(extensions: ["sql"])
  )
  var files: [String]

  @Option(help: ArgumentHelp("Write the plan into this file.", valueName: "file"), completion: .file())
  var out: String?

  @OptionGroup var connection: ConnectionOptions

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let upcasters = try UpcasterOptions.load(files)
    let store = try await connection.store()
    let progress = ProgressLine("planning")
    let plan = try await store.planEvolution(upcasters) { progress.show(done: $0, of: $1, events: $0) }
    progress.finish()
    let json = try plan.json + "\n"
    if let out {
      let file = try AtomicFile(out)
      try file.write(Array(json.utf8))
      try file.finish()
    }
    switch output.chosenFormat {
    case nil: PlanReport(plan).print()
    case .json: StandardOutput.writeJSON(json)
    case let format?:
      var printer = RecordPrinter<EvolutionPlan.TypeChange>(format)
      for type in plan.types { printer.print(type) }
      printer.finish()
    }
    StandardOutput.flush()
  }
}

extension EvolutionPlan.TypeChange: Record {
  static let columns = ["event_type", "events", "changed", "becomes"].map(Column.init)

  var fields: [Field] {
    [.text(type), .integer(events), .integer(changed), .text(outcome)]
  }

  /// The types after the change with their counts, where they are not just the old one.
  private var outcome: String {
    if isOfSameType { return type }
    let types = becomes.map { "\($0.type) \(Field.grouped($0.events))" }
    return types.isEmpty ? "(dropped)" : types.joined(separator: ", ")
  }
}

/// A plan for people.
private struct PlanReport {
  private let plan: EvolutionPlan

  init(_ plan: EvolutionPlan) {
    self.plan = plan
  }

  func print() {
    var printer = RecordPrinter<EvolutionPlan.TypeChange>(.table)
    for type in plan.types { printer.print(type) }
    printer.finish()
    section("Shapes", plan.shapes.map(Self.line))
    section("Examples", plan.examples.flatMap(Self.lines))
    section("To be rebuilt after the swap", plan.projections.map { "  projection \($0)" })
    section("Snapshots to be taken anew", plan.reducers.map { "  reducer \($0)" })
    var notes = ["  about \(max(1, Int(plan.estimatedSeconds.rounded()))) s for the copy"]
    if plan.renumbersVersions { notes.append("  versions are numbered anew") }
    if plan.renumbersPositions {
      notes.append("  positions are numbered anew: every projection and checkpoint begins anew")
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
    let subject = "\(change.type) \(change.path)"
    switch (change.before, change.after) {
    case (nil, let after?): return "+ \(subject) \(after)\(share)"
    case (let before?, nil): return "- \(subject) \(before)\(share)"
    case (let before, let after): return "~ \(subject) \(before ?? "") -> \(after ?? "")\(share)"
    }
  }

  private static func lines(_ example: EvolutionPlan.Example) -> [String] {
    [
      "  \(example.aggregateID) version \(example.version)",
      "  - \(example.type) \(example.before)",
      "  + \(example.newType) \(example.after)",
    ]
  }
}
