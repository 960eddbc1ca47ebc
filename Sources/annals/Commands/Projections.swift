internal import ArgumentParser
internal import EventStore

struct Projections: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections",
    abstract: "Show the projections of a store, and look after them.",
    discussion: """
        annals projections
        annals projections orders          (with the generations that are kept)
        annals projections rollback orders
      """,
    subcommands: [
      ListProjections.self, RollBackProjection.self, DropProjection.self, PauseProjection.self,
      ResumeProjection.self, SetCheckpoint.self,
    ],
    defaultSubcommand: ListProjections.self
  )
}

struct ListProjections: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the projections: state, checkpoint, lag. This is the default."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @Argument(help: "Only this projection, with all its generations.", completion: .projection)
  var name: String?

  func run() async throws {
    let records = try await connection.store().projections(name).map(ProjectionRecord.init)
    if output.isForTerminal {
      RecordPrinter.print(records.map(ProjectionAtTerminal.init), .table)
    } else {
      RecordPrinter.print(records, output.format)
    }
  }
}

struct ProjectionRecord: Record {
  let status: ProjectionStatus

  static let columns = [
    "name", "version", "generation", "state", "position", "lag_events", "lag_seconds", "rows", "events",
    "dead_letters", "moved_at", "error",
  ].map(Column.init)

  var fields: [Field] {
    [
      .text(status.name), Field(status.version), .integer(Int64(status.generation)),
      .text(status.state.rawValue), .integer(status.position), .integer(status.lagEvents),
      .number(String(status.lagSeconds), shown: Field.grouped(Int64(Int(clamping: status.lagSeconds)))),
      Field(status.rows), .integer(status.events), .integer(status.deadLetters),
      .text(status.movedAt.description), Field(status.error),
    ]
  }
}

/// A projection with a picture of how far it is.
struct ProjectionAtTerminal: Record {
  let record: ProjectionRecord

  static let columns =
    Array(ProjectionRecord.columns[..<4]) + [Column("done")] + ProjectionRecord.columns[4...]

  var fields: [Field] {
    let plain = record.fields
    return Array(plain[..<4]) + [.text(Graph.bar(record.status.done))] + plain[4...]
  }
}

extension ProjectionStatus {
  /// The share of history that it has handled, holes in the positions aside.
  var done: Double {
    let done = max(0, Double(position))
    return lagEvents == 0 ? 1 : done / (done + Double(lagEvents))
  }
}

struct RollBackProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Put the previous generation back in place of the live one."
  )

  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    let outcome = try await connection.store().rollBackProjection(name)
    StandardError.warn(
      "\(name): generation \(outcome.generation) is live again, at position \(outcome.position), "
        + "\(Field.grouped(outcome.eventsBehind)) events behind; "
        + "bring it up to date with 'annals project' and its file"
    )
  }
}

struct DropProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drop",
    abstract: "Remove a projection with its tables; events are never removed."
  )

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    let store = try await connection.store()
    let generations = try await store.projections(name).count
    try Console.confirm("Drop projection \(name), \(generations) generations with all tables?", yes: yes)
    try await store.dropProjection(name)
  }
}

struct PauseProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Stop the catch-up of a projection until it is resumed."
  )

  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    try await connection.store().setProjectionPaused(name, true)
  }
}

struct ResumeProjection: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let the catch-up of a paused projection go on."
  )

  @OptionGroup var connection: ConnectionOptions

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  func run() async throws {
    try await connection.store().setProjectionPaused(name, false)
  }
}

struct SetCheckpoint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-checkpoint",
    abstract: "Move the checkpoint of a live read model by hand.",
    discussion: """
        annals projections set-checkpoint orders 1200 --from 1894

      Moved back, events are applied again; moved forward, events are left out.
      """
  )

  @OptionGroup var connection: ConnectionOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @Option(help: "Where the checkpoint must be now; otherwise nothing is changed.")
  var from: Int64?

  @Argument(help: "The projection.", completion: .projection)
  var name: String

  @Argument(help: "The position up to which events count as applied.")
  var position: Int64

  func run() async throws {
    let store = try await connection.store()
    let states: [ProjectionStatus.State] = [.live, .paused, .stale, .failed]
    guard let live = try await store.projections(name).first(where: { states.contains($0.state) }) else {
      throw CommandError(.notFound, "projection \(name) has no live generation", code: "notFound")
    }
    let effect = position < live.position ? "events will be applied twice" : "events will be left out"
    try Console.confirm(
      "Move the checkpoint of \(name) from \(live.position) to \(position) (\(effect))?",
      yes: yes
    )
    try await store.setCheckpoint(of: name, to: position, from: from ?? live.position)
  }
}
