internal import ArgumentParser
internal import EventStore

struct EvolvePlan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what upcasters would change, and write a plan.",
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

  func validate() throws {
    try output.checkFields(of: EvolutionPlan.TypeChange.self)
    if output.fields != nil, output.format == .json {
      throw ValidationError("-o json prints the whole plan; leave out --fields, or use -o ndjson")
    }
  }

  func run() async throws {
    let upcasters = try UpcasterOptions.load(files)
    let store = try await connection.store()
    let progress = ProgressLine("planning")
    let plan = try await store.planEvolution(upcasters) { progress.show($0) }
    progress.finish()
    let json = try plan.json + "\n"
    if let out { try OutputFile.write(json, to: out) }
    switch output.chosenFormat {
    case nil: PlanReport(plan).print()
    case .json: StandardOutput.writeJSON(json)
    default: output.print(plan.types)
    }
    StandardOutput.flush()
  }
}
