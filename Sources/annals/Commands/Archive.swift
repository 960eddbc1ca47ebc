internal import ArgumentParser
internal import EventStore

struct Archive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Move old or closed streams out of the way, or back.",
    discussion: """
        annals archive --before '2 years ago'
        annals archive --closed-by OrderDelivered --yes --reason 'disk'
        annals archive --keep-from-snapshot --category account

      It moves whole streams, or their beginnings, into a table beside that of the
      store. Without --yes it only shows what it would move.
      stream, replay, snapshot and rebuild-projection read both with --with-archive.
      """
  )

  @Option(
    name: .customLong("stream"),
    help: ArgumentHelp("Only this aggregate; can be given again for more.", valueName: "id"),
    completion: .aggregateID
  )
  var streams: [String] = []

  @Option(
    help: "Only aggregates with the id NAME, or NAME-ANYTHING.",
    completion: .category,
    transform: FilterOptions.parseCategory
  )
  var category: String?

  @Option(help: ArgumentHelp("Only streams whose last event is older.", valueName: "time"))
  var before: String?

  @Option(
    name: .customLong("closed-by"),
    help: ArgumentHelp("Only streams whose last event has this type; can be given again.", valueName: "type"),
    completion: .eventType
  )
  var closingTypes: [String] = []

  @Flag(help: "Of each stream only the events before its last snapshot.")
  var keepFromSnapshot = false

  @Flag(help: "Move archived events back into the store.")
  var undo = false

  @Flag(name: [.customShort("n"), .long], help: "Change nothing; this is the default.")
  var dryRun = false

  @Flag(help: "Do it; needs --reason.")
  var yes = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    try output.checkFields(of: ArchivePlan.self)
    if yes, dryRun { throw ValidationError("--yes and --dry-run exclude each other") }
    if yes, reason.text == nil { throw ValidationError("--yes needs --reason, which stays in the audit") }
    if category != nil, !streams.isEmpty {
      throw ValidationError("name streams with --stream or a --category, not both")
    }
    let isSelected =
      !streams.isEmpty || category != nil || before != nil || !closingTypes.isEmpty || keepFromSnapshot
    guard undo || isSelected else {
      throw ValidationError(
        "say which streams: --stream, --category, --before, --closed-by or --keep-from-snapshot"
      )
    }
    if undo, keepFromSnapshot { throw ValidationError("--undo and --keep-from-snapshot exclude each other") }
  }

  func run() async throws {
    let store = try await connection.store(reason)
    var selection = ArchiveSelection()
    (selection.streams, selection.category) = (streams, category)
    if let before { selection.before = try await store.time(before) }
    (selection.closingTypes, selection.keepsFromSnapshot) = (closingTypes, keepFromSnapshot)
    if yes { return try await move(selection, in: store) }
    let plan = try await undo ? store.planUnarchive(selection) : store.planArchive(selection)
    output.print([plan])
    StandardOutput.flush()
    Self.note(held: plan.held, by: plan.heldBy)
    guard plan.events > 0 else { return StandardError.note("no event is to be moved") }
    StandardError.note("nothing was changed; --yes --reason TEXT does it")
    throw EndWithStatus(status: .findings)
  }

  private func move(_ selection: ArchiveSelection, in store: EventStore) async throws {
    let line = progress.line(undo ? "moving back" : "archiving")
    defer { line.finish() }
    var options = ArchiveOptions()
    options.onProgress = { line.show($0) }
    let result = try await undo ? store.unarchive(selection, options) : store.archive(selection, options)
    line.finish()
    let events = Field.counted(result.events, "event")
    StandardError.note(
      undo
        ? "moved \(events) back from \(result.archive)"
        : "moved \(events) to \(result.archive); \(Advice.command("archive", "--undo")) moves them back"
    )
    Self.note(held: result.held, by: result.heldBy)
  }

  private static func note(held: Int64, by bound: ArchiveBound?) {
    guard held > 0, let bound else { return }
    let events = Field.counted(held, "event")
    StandardError.warn(
      bound.reader.map { "\(events) must stay: \($0) has read only up to position \(bound.position)" }
        ?? "\(events) must stay: the last event of the store is not archived"
    )
  }
}

extension ArchivePlan: Record {
  static let columns: [Column<Self>] = [
    Column("archive", .high, holdsNames: true) { .text("\($0.archive)") },
    Column("streams", .high) { Field($0.streams) },
    Column("events", .high) { Field($0.events) },
    Column("held_events") { Field($0.held) },
    Column("held_by", holdsNames: true) { Field($0.heldBy?.reader) },
  ]
}
