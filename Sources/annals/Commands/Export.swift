internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write an exact backup of the events as NDJSON.",
    usage: "annals export [<options>] [<file>|-]",
    discussion: """
        annals export shop.ndjson
        annals export | zstd > shop.ndjson.zst
        annals export monday.ndjson --since-file sunday.ndjson

      It reads one snapshot, up to where history is final. The last line has the
      number of events and their hash, so that a truncated file is noticed.
      annals-restore(1) restores the events with their positions.
      """
  )

  @Argument(help: "The file; standard output when left out, or -.", completion: .file())
  var file: String?

  @Option(
    name: .customLong("aggregate"),
    help: ArgumentHelp("Only this aggregate; can be given again for more.", valueName: "id"),
    completion: .aggregateID
  )
  var aggregates: [String] = []

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @Option(help: ArgumentHelp("Start at this time (UTC): ISO 8601, '2 hours ago'.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only events up to this time, or the end of this day.", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("Only events before this time, or before this day.", valueName: "time"))
  var before: String?

  @Option(
    help: ArgumentHelp("Only events after those of this export.", valueName: "file"),
    completion: .file()
  )
  var sinceFile: String?

  @Option(help: ArgumentHelp("Write files into this folder.", valueName: "folder"), completion: .directory)
  var outputDir: String?

  @Option(help: ArgumentHelp("Events per file of --output-dir.", valueName: "n"))
  var eventsPerFile = 1_000_000

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var archive: ArchiveReadOptions
  @OptionGroup var wait: WaitOptions
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    if category != nil, !aggregates.isEmpty {
      throw ValidationError("name aggregates or a --category, not both")
    }
    let isSelected =
      category != nil || !aggregates.isEmpty || [since, until, before].contains { $0 != nil }
    if sinceFile != nil, isSelected {
      throw ValidationError("--since-file keeps the selection of that file; omit other filters")
    }
    if outputDir != nil, file != nil { throw ValidationError("name a file or an --output-dir, not both") }
    if eventsPerFile < 1 { throw ValidationError("--events-per-file must be 1 or more") }
  }

  func run() async throws {
    let store = try await connection.store()
    await wait.apply(to: store)
    try await archive.apply(to: store)
    var options = ExportOptions()
    if let category { options.selection = .category(category) }
    if !aggregates.isEmpty { options.selection = .aggregates(aggregates) }
    if let since { options.since = try await store.time(since) }
    if let until { options.until = try await store.times(until).upperBound }
    if let before { options.before = try await store.time(before) }
    if let sinceFile { options.previous = try InputFile(sinceFile).next }
    options.writer = "annals \(Annals.version)"
    if outputDir != nil { options.eventsPerFile = eventsPerFile }
    let line = progress.line("exporting")
    defer { line.finish() }
    options.onProgress = { line.show($0) }

    let output = try ExportOutput(file: file, folder: outputDir)
    let result = try await store.export(options) { try output.write($1, toFile: $0) }
    try output.finish()
    line.finish()
    let files = outputDir == nil ? "" : " in \(Field.counted(Int64(result.files), "file"))"
    StandardError.note("exported \(Field.counted(result.events, "event"))\(files), root \(result.root)")
  }
}
