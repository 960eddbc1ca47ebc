internal import ArgumentParser
internal import EventStore

struct Restore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Restore the events of a backup, with their positions.",
    usage: "annals restore [<options>] <file>|<folder>|- ...",
    discussion: """
        annals init -d copy && annals restore -d copy shop.ndjson
        annals restore sunday.ndjson monday.ndjson
        annals restore --missing shop.ndjson      what the store has lost

      It keeps ids, versions, times and positions. It verifies a file before it
      stores anything, skips events that exist, and refuses a different event in
      the place of one. Run it again to resume an interrupted restore.
      """
  )

  @Argument(
    help: ArgumentHelp("Exports that continue each other, or their folder.", valueName: "file"),
    completion: .file()
  )
  var files: [String]

  @Flag(help: "Also restore events below the last one, which readers may have passed.")
  var missing = false

  @Flag(name: [.customShort("n"), .long], help: "Check everything, and change nothing.")
  var dryRun = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var progress: ProgressOptions

  func run() async throws {
    let store = try await connection.store(reason)
    var options = RestoreOptions()
    (options.restoresMissing, options.isDryRun) = (missing, dryRun)
    let lines = RestoreProgressLines(progress)
    defer { lines.finish() }
    options.onProgress = { lines.show($0) }
    let result = try await store.restore(ExportInput.files(files), options)
    lines.finish()
    print(result)
    warn(of: result.passedReaders)
    if !result.passedReaders.isEmpty { throw EndWithStatus(status: .findings) }
  }

  private func print(_ result: RestoreResult) {
    let events = Field.counted(result.restored, "event")
    let rest = result.existing > 0 ? "; \(Field.counted(result.existing, "event")) already there" : ""
    guard dryRun else { return StandardError.note("restored \(events)\(rest)") }
    StandardOutput.print("would restore \(events)\(rest)")
    StandardOutput.flush()
  }

  private func warn(of readers: [StoreHealth.Reader]) {
    for reader in readers {
      let name = (reader.isProjection ? "projection " : "checkpoint ") + reader.name
      StandardError.warn(
        "\(name) is at \(Field.grouped(reader.position)), past events that \(dryRun ? "would be" : "were") restored, and does not see them"
      )
    }
    if readers.isEmpty { return }
    StandardError.print(
      "HINT:  Rebuild these read models, and set these checkpoints back."
    )
  }
}
