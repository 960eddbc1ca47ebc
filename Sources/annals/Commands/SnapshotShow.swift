internal import ArgumentParser
internal import EventStore

struct SnapshotShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the state of an aggregate, now or at any time.",
    discussion: """
      annals snapshot show order-42
      annals snapshot show order-42 --at-version 3
      annals snapshot show order-42 --at '2 hours ago'
      """
  )

  @Argument(help: ArgumentHelp("The aggregate.", valueName: "id"))
  var id: String

  @Option(help: "The state after the event of this version.")
  var atVersion: Int?

  @Option(help: "The state at this time: ISO 8601, 'yesterday', '2 hours ago' (UTC).")
  var at: String?

  @Flag(help: "Fold from the first event.")
  var noSnapshot = false

  @OptionGroup var reducer: ReducerOptions
  @OptionGroup var connection: ConnectionOptions

  @Option(name: .shortAndLong, help: "Print a record with the state in it, in this format.")
  var output: OutputFormat?

  func validate() throws {
    if at != nil, atVersion != nil { throw ValidationError("--at and --at-version exclude each other") }
  }

  func run() async throws {
    let reducer = try reducer.load()
    let store = try await connection.store()
    let isForPeople = output == nil && StandardOutput.isTerminal
    let state = try await store.state(
      of: id,
      at: try await point(store),
      reducer: reducer,
      usingSnapshots: !noSnapshot,
      indented: isForPeople
    )
    if let output {
      var printer = RecordPrinter<StateRecord>(output)
      printer.print(StateRecord(state: state, reducer: reducer.name))
      printer.finish()
    } else {
      let lines = state.state.split(separator: "\n", omittingEmptySubsequences: false)
      for line in lines {
        StandardOutput.write((isForPeople ? TextEscaping.forPeople(String(line)) : String(line)) + "\n")
      }
      StandardOutput.flush()
    }
    if isForPeople, StandardError.isTerminal { StandardError.write(Self.summary(state)) }
  }

  private func point(_ store: EventStore) async throws -> PointInStream {
    if let atVersion { return .version(atVersion) }
    if let at { return .time(try await store.time(at)) }
    return .head
  }

  private static func summary(_ state: AggregateState) -> String {
    let start = state.snapshotVersion.map { "from the snapshot at version \($0)" } ?? "from the first event"
    return "version \(state.version), \(state.timestamp), folded \(start)\n"
  }
}

private struct StateRecord: Record {
  let state: AggregateState
  let reducer: String

  static let columns = [
    Column("aggregate_id"), Column("version"), Column("timestamp"), Column("position"), Column("reducer"),
    Column("snapshot_version"), Column("state"),
  ]

  var fields: [Field] {
    [
      .text(state.aggregateID), .integer(Int64(state.version)), .text(state.timestamp.description),
      Field(state.position), .text(reducer), Field(state.snapshotVersion.map(Int64.init)), .json(state.state),
    ]
  }
}
