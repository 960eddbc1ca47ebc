internal import ArgumentParser
internal import EventStore
internal import Synchronization

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Show what operators changed: who, when, and why.",
    discussion: """
        annals audit --since yesterday
        annals audit --action swap --action rollback
        annals audit --limit 20 -o ndjson

      Each change is recorded in its own transaction. Appended events are not.
      """
  )

  @Option(help: ArgumentHelp("Start at this time (UTC): ISO 8601, '2 hours ago'.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Only up to this time, or the end of this day.", valueName: "time"))
  var until: String?

  @Option(
    name: .customLong("action"),
    help: "Only this action; can be given again for more.",
    completion: .list(AuditAction.allCases.map(\.rawValue)),
    transform: parseAction
  )
  var actions: [AuditAction] = []

  @Option(help: ArgumentHelp("Only the last n.", valueName: "n"))
  var limit: Int?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try output.checkFields(of: AuditEntry.self)
    if let limit, limit < 0 { throw ValidationError("--limit cannot be negative") }
  }

  func run() async throws {
    let store = try await connection.store()
    var query = AuditQuery()
    if let since { query.since = try await store.time(since) }
    if let until { query.until = try await store.times(until).upperBound }
    (query.actions, query.limit) = (actions, limit)
    let printer = Mutex(RecordPrinter<AuditEntry>(output.style))
    try await store.listAudit(query) { entry in printer.withLock { $0.print(entry) } }
    printer.withLock { $0.finish() }
  }

  private static func parseAction(_ text: String) throws -> AuditAction {
    guard let action = AuditAction(rawValue: text) else {
      let known = AuditAction.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(text)' is not an action; choose from \(known)")
    }
    return action
  }
}

extension AuditEntry: Record {
  static let columns: [Column<Self>] = [
    Column("id", .low) { Field($0.id) },
    .time("at", .high) { $0.time },
    Column("action", .high) { .text($0.action) },
    Column("subject", .high) { .text($0.subject) },
    Column("store", .least) { Field($0.store) },
    Column("role") { .text($0.role) },
    Column("os_user", .low) { Field($0.osUser) },
    Column("os_host", .least) { Field($0.osHost) },
    Column("address", .least) { Field($0.address) },
    Column("reason") { Field($0.reason) },
    Column("detail", .low) { Field(json: $0.detail) },
  ]
}
