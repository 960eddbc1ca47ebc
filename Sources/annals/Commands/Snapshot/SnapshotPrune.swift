internal import ArgumentParser
internal import EventStore

struct SnapshotPrune: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Delete old snapshots; they can be taken again.",
    discussion: """
        annals snapshot prune --keep 2 -n
        annals snapshot prune --keep 1 --stale --yes
      """
  )

  @OptionGroup var aggregates: SelectionOptions

  @Option(help: "Keep the newest n of each aggregate and reducer.")
  var keep: Int

  @Flag(help: "Also delete snapshots of earlier texts of a reducer.")
  var stale = false

  @Flag(name: [.customShort("n"), .long], help: "Print the SQL and change nothing.")
  var dryRun = false

  @Flag(name: [.customShort("y"), .long], help: "Do not ask.")
  var yes = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    if keep < 0 { throw ValidationError("--keep must be 0 or more") }
  }

  func run() async throws {
    let store = try await connection.store(reason)
    let prune = { (dryRun: Bool) in
      try await store.pruneSnapshots(
        of: aggregates.selection,
        keeping: keep,
        stale: stale,
        dryRun: dryRun
      )
    }
    if dryRun {
      let plan = try await prune(true)
      StandardOutput.writeRaw("-- deletes \(counted(plan.snapshots, "snapshot"))\n\(plan.sql);\n")
      return StandardOutput.flush()
    }
    try Confirmation.require("Delete all but the newest \(keep) snapshots of each aggregate?", yes: yes)
    let done = try await prune(false)
    StandardError.note("\(Field.counted(done.snapshots, "snapshot")) deleted")
  }
}
