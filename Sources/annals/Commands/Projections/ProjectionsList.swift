internal import ArgumentParser
internal import EventStore

struct ProjectionsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the projections: state, checkpoint, lag. This is the default."
  )

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  @OptionGroup var watch: WatchOptions

  @Argument(help: "Only this projection, with all its generations.", completion: .projection)
  var name: String?

  func validate() throws {
    if output.isForTerminal {
      try output.checkFields(of: PicturedProjectionRecord.self)
    } else {
      try output.checkFields(of: ProjectionStatus.self)
    }
  }

  func run() async throws {
    let store = try await connection.store()
    if output.isForTerminal {
      try await show(store) { PicturedProjectionRecord(status: $0) }
    } else {
      try await show(store) { $0 }
    }
  }

  /// Successive rounds are one table, or one array.
  private func show<R: Record>(_ store: EventStore, _ record: (ProjectionStatus) -> R) async throws {
    var (printer, hasBegun) = (RecordPrinter<R>(output.style), false)
    do {
      try await watch.repeating {
        let records = try await store.projections(name).map(record)
        if watch.isInPlace { return output.print(records) }
        for one in records { printer.print(one) }
        if watch.watch != nil { printer.flush() }
        hasBegun = true
      }
    } catch {
      if hasBegun { printer.finish() }
      throw error
    }
    printer.finish()
  }
}

extension ProjectionStatus: Record {
  static let columns: [Column<Self>] = [
    Column("name", .high) { .text($0.name) },
    Column("version", .low) { Field($0.version) },
    Column("generation", .low) { Field($0.generation) },
    Column("state", .high) { .text($0.state.rawValue) },
    Column("position") { Field($0.position) },
    Column("lag_events") {
      .number("\($0.lagEvents)", shown: Field.grouped($0.lagEvents) + ($0.isLagLowerBound ? "+" : ""))
    },
    Column("lag_is_lower_bound", style: .aside) { .bool($0.isLagLowerBound) },
    Column("lag_seconds", .least) {
      .number("\($0.lagSeconds)", shown: Field.grouped(Int64(Int(clamping: $0.lagSeconds))))
    },
    Column("rows", .least) { Field($0.rows) },
    Column("events", .least) { Field($0.events) },
    Column("dead_letters", .high) { Field($0.deadLetters) },
    .time("moved_at", .low) { $0.movedAt },
    Column("error", .high) { Field($0.error) },
  ]
}

/// A projection with a bar for its progress.
struct PicturedProjectionRecord: Record {
  let status: ProjectionStatus

  static let columns: [Column<Self>] =
    ProjectionStatus.columns[..<4].of(\.status) + [Column("done", .low) { .text(Graph.bar($0.status.done)) }]
    + ProjectionStatus.columns[4...].of(\.status)
}

extension ProjectionStatus {
  /// The share of history that it has handled, without holes in the positions if the events after it were counted.
  var done: Double {
    let (done, lag) = (max(0, Double(position)), Double(lagEvents))
    if lag == 0 { return 1 }
    return done / (isLagLowerBound ? max(done + lag, Double(headPosition)) : done + lag)
  }
}
