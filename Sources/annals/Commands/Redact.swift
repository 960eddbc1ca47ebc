internal import ArgumentParser
internal import EventStore

struct Redact: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redact",
    abstract: "Remove personal data from events.",
    discussion: """
        annals redact --stream customer-7 --path .email --path '.phones[*]'
        annals redact --stream customer-7 --path .email --yes --reason 'law'

      Without --yes it only shows what it would change, and no value of an event.
      """
  )

  @Option(
    name: .customLong("stream"),
    help: ArgumentHelp("Only this aggregate; can be given again for more.", valueName: "id"),
    completion: .aggregateID
  )
  var streams: [String] = []

  @OptionGroup var filter: EventFilterOptions

  @Option(
    name: .customLong("path"),
    help: ArgumentHelp("Replace this field of the payload; can be given again.", valueName: "path"),
    transform: { try parseField($0, in: .payload) }
  )
  var fields: [RedactedField] = []

  @Option(
    name: .customLong("metadata-path"),
    help: ArgumentHelp("Replace this field of the metadata.", valueName: "path"),
    transform: { try parseField($0, in: .metadata) }
  )
  var metadataFields: [RedactedField] = []

  @Option(name: .customLong("with"), help: ArgumentHelp("The new value; \"[redacted]\".", valueName: "json"))
  var replacement: String?

  @Option(
    help: ArgumentHelp("Replace values by their HMAC with the key in a file.", valueName: "file"),
    completion: .file()
  )
  var hashWith: String?

  @Option(
    help: ArgumentHelp("Store what these upcasters make of the events.", valueName: "file"),
    completion: .file(extensions: ["sql"])
  )
  var file: String?

  @Flag(name: [.customShort("n"), .long], help: "Change nothing; this is the default.")
  var dryRun = false

  @Flag(help: "Do it; needs --reason.")
  var yes = false

  @Flag(help: "Also drop copies and old read models with values.")
  var dropKept = false

  @Flag(help: "Then VACUUM (ANALYZE) the tables.")
  var vacuum = false

  @OptionGroup var reason: ReasonOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    try output.checkFields(of: RedactionRecord.self)
    let hasFields = !fields.isEmpty || !metadataFields.isEmpty
    guard hasFields != (file != nil) else {
      throw ValidationError("name fields with --path and --metadata-path, or upcasters with --file")
    }
    if replacement != nil, hashWith != nil {
      throw ValidationError("--with and --hash-with exclude each other")
    }
    if file != nil, replacement != nil || hashWith != nil {
      throw ValidationError("--with and --hash-with are for --path and --metadata-path")
    }
    if yes, dryRun { throw ValidationError("--yes and --dry-run exclude each other") }
    if yes, reason.text == nil { throw ValidationError("--yes needs --reason, which stays in the audit") }
    if !yes, dropKept || vacuum { throw ValidationError("--drop-kept and --vacuum need --yes") }
  }

  func run() async throws {
    var redaction = try Redaction(change)
    let store = try await connection.store(reason)
    redaction.streams = streams
    try await filter.apply(to: &redaction.query, store)
    if yes { return try await redact(redaction, in: store) }
    let plan = try await store.planRedaction(redaction)
    output.print(RedactionRecord.all(of: plan))
    StandardOutput.flush()
    if plan.events == 0, plan.holders.isEmpty { return StandardError.note("no event has such a value") }
    StandardError.note("nothing was changed; --yes --reason TEXT does it")
    throw EndWithStatus(status: .findings)
  }

  private var change: Redaction.Change {
    get throws {
      if let file { return .upcasters(try UpcasterOptions.load([file])) }
      let fields = fields + metadataFields
      if let hashWith { return .fields(fields, by: .hash(try Self.key(hashWith))) }
      return .fields(fields, by: replacement.map { .json($0) } ?? .mark)
    }
  }

  private static let longestKey = 1 << 16

  /// The key in a file, without the end of its line.
  private static func key(_ path: String) throws -> RedactionKey {
    // One file for both, or it could be exchanged in between; a pipe can be opened only once.
    let input = try InputFile(path)
    guard CLibrary.status(of: input.file)?.isReadableByAll == false else {
      throw CommandError(
        .badInput,
        "everybody can read the key in \(path)",
        code: "invalidInput",
        hint: "Keep it from others: chmod 600 \(quoteShell(path))"
      )
    }
    var bytes: [UInt8] = []
    while let piece = try input.next() {
      bytes += piece
      if bytes.count > longestKey { throw ValidationError("\(path) is too long for a key") }
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return try RedactionKey(bytes)
  }

  private static func parseField(_ text: String, in part: RedactedField.Part) throws -> RedactedField {
    do { return try RedactedField(text, in: part) } catch let error as EventStoreError {
      throw ValidationError(error.message)
    }
  }

  // MARK: - Doing it

  private func redact(_ redaction: Redaction, in store: EventStore) async throws {
    let line = progress.line("redacting")
    defer { line.finish() }
    var options = RedactionOptions()
    (options.dropsKept, options.vacuums) = (dropKept, vacuum)
    options.onProgress = { line.show($0) }
    let result = try await store.redact(redaction, options)
    line.finish()
    StandardError.note(Self.summary(result))
    if result.events > 0 {
      StandardError.note(
        "the values stay in \(vacuum ? "" : "dead rows until a VACUUM (ANALYZE), and in ")"
          + "WAL, backups, replicas, exports, logs, and other tables and systems"
      )
    }
    if result.holders.isEmpty { return }
    for holder in result.holders {
      StandardError.warn("\(RedactionRecord.name(of: holder)) may still have the values")
    }
    var hints: [String] = []
    if result.holders.contains(where: { $0.kind == .readModel }) {
      hints.append("Rebuild read models with \(Advice.command("rebuild-projection", "FILE")).")
    }
    if result.holders.contains(where: { $0.kind == .archive }) {
      hints.append("Move archived events back with \(Advice.command("archive", "--undo")).")
    }
    hints.append("Run this again with --drop-kept, which drops copies and builds that are not live.")
    StandardError.print("HINT:  \(hints.joined(separator: " "))")
    throw EndWithStatus(status: .partlyDone)
  }

  private static func summary(_ result: RedactionResult) -> String {
    var parts = ["redacted \(Field.counted(result.events, "event"))"]
    if result.snapshots > 0 { parts.append("deleted \(Field.counted(result.snapshots, "snapshot"))") }
    if result.messages > 0 { parts.append("deleted \(Field.counted(result.messages, "error message"))") }
    parts += result.dropped.map { "dropped \(RedactionRecord.name(of: $0))" }
    return parts.joined(separator: "; ")
  }
}

/// A line of what a redaction would change.
struct RedactionRecord: Record {
  static let columns: [Column<Self>] = [
    Column("what", .high) { .text($0.what) },
    Column("name", .high, holdsNames: true) { Field($0.name) },
    Column("version") { Field($0.version) },
    Column("id", .low) { Field($0.id) },
    Column("count", .high) { Field($0.count) },
  ]

  private let what: String
  private var name: String?
  private var version: Int?
  private var id: String?
  private var count: Int64?

  static func all(of plan: RedactionPlan) -> [RedactionRecord] {
    var records = plan.types.map { RedactionRecord(what: "type", name: $0.type, count: $0.events) }
    records += plan.fields.map {
      RedactionRecord(
        what: $0.field.part == .payload ? "path" : "metadata_path",
        name: $0.field.path,
        count: $0.events
      )
    }
    records += plan.examples.map {
      RedactionRecord(what: "example", name: $0.aggregateID, version: $0.version, id: "\($0.id)")
    }
    if plan.snapshots > 0 { records.append(RedactionRecord(what: "snapshots", count: plan.snapshots)) }
    if plan.messages > 0 { records.append(RedactionRecord(what: "error_messages", count: plan.messages)) }
    return records
      + plan.holders.map { RedactionRecord(what: $0.kind.rawValue, name: $0.name, version: $0.generation) }
  }

  /// In a sentence.
  static func name(of holder: ValueHolder) -> String {
    switch holder.kind {
    case .copy: "table \(holder.name)"
    case .generation: "generation \(holder.generation ?? 0) of projection \(holder.name)"
    case .archive: "the archive \(holder.name)"
    case .readModel: "the read model of projection \(holder.name)"
    }
  }
}
